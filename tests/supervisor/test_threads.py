"""Commands of the user that take their time keep nothing else from being carried out."""

import asyncio
import threading

import pytest
from house import House

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import RepoId, TaskId
from fleet.supervisor import perform


async def test_a_landing_waits_for_no_check(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "_THREADS", 1)
    gate, begun = threading.Event(), threading.Event()
    done: list[e.AnyEvent] = [e.TaskPaused(task=TaskId("a"), by="me")]

    def check(*_: object) -> list[e.AnyEvent]:
        begun.set()
        assert gate.wait(20)
        return done

    performers = {f.RunChecks: check, f.Land: lambda *_: done}
    monkeypatch.setattr(perform, "_PERFORMERS", performers)
    world, stop = perform.RealWorld(house.tools), threading.Event()
    try:
        checks = [f.RunChecks(TaskId(name), 1) for name in "abc"]
        slow = [asyncio.ensure_future(world.perform(check, house.fleet, stop)) for check in checks]
        landing = f.Land(RepoId("r"), "main", TaskId("a"), 1)
        assert await asyncio.to_thread(begun.wait, 10)
        async with asyncio.timeout(5):
            assert await world.perform(landing, house.fleet, stop) == done
        assert not any(one.done() for one in slow)
    finally:
        gate.set()
        await asyncio.gather(*slow)
        world.close()
