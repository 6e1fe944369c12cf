"""The loop with a fake world: lanes, time, crashes, and what is on record when."""

import asyncio
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import fakes
import histories as h
import outcomes
import pytest
from fakes import World
from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.model import Fleet
from fleet.core.plan import plan
from fleet.core.planned import Circumstances, Plan
from fleet.core.reducer import replay
from fleet.core.status import Failed, Running, Starting, Stopped, Submitted
from fleet.errors import RefusedError
from fleet.ledger import Ledger
from fleet.supervisor import loop
from fleet.supervisor.loop import InternalError, Supervisor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def crashes(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What would be printed of crashes."""
    seen: list[BaseException] = []
    monkeypatch.setattr(traceback, "print_exception", seen.append)
    return seen


def kinds(supervisor: Supervisor) -> list[type[e.Event]]:
    return [type(entry.event) for entry in supervisor.entries(0)]


async def until_begun(world: World, effect: f.AnyEffect) -> None:
    while effect not in world.begun:
        await asyncio.sleep(0)


async def test_a_task_is_carried_to_the_merge_queue(path: Path) -> None:
    world = World()
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.settled()
        supervisor.record(world.signals(supervisor.fleet))
        await supervisor.settled()

        assert isinstance(supervisor.fleet.tasks[h.A].status, Submitted)
        assert replay(supervisor.entries(0)) == supervisor.fleet


async def test_work_under_way_is_not_begun_again(path: Path) -> None:
    world = World()
    world.hold(f.StartRun)
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await until_begun(world, f.StartRun(h.A, 1))
        for task in (h.B, h.C):
            supervisor.record([h.added(task)])
        await until_begun(world, f.StartRun(h.C, 1))
        world.release()
        await supervisor.settled()

    assert world.begun.count(f.StartRun(h.A, 1)) == 1


async def test_effects_of_one_lane_follow_each_other(path: Path) -> None:
    world = World()
    world.hold(f.StartRun)
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await until_begun(world, f.StartRun(h.A, 1))
        supervisor.submit(c.Stop(task="a"))
        await supervisor.until(lambda fleet: isinstance(fleet.tasks[h.A].status, Stopped))

    started = world.begun.index(f.StartRun(h.A, 1))
    assert world.begun[started + 1 :] == [f.EndRun(h.A, 1)]
    assert world.stopped == [f.StartRun(h.A, 1)]  # it was told that it is not wanted any more


async def test_what_was_broken_off_has_judged_nothing(path: Path) -> None:
    world = World()
    world.hold(f.Gate)
    gate = outcomes.gate_of(h.A)
    async with fakes.running(path, world) as supervisor:
        supervisor.record(h.by_hand(h.A))
        await until_begun(world, gate)
        red = outcomes.checked(gate, supervisor.fleet, world.given, red=(h.CHECK.run,))
        world.fail(f.Gate, [red])
        supervisor.record([e.QueueFrozen(repo=h.REPO, target="main", reason="rewound")])
        await supervisor.settled()

        assert world.stopped == [gate]
        assert e.TreeChecked not in kinds(supervisor)
        assert isinstance(supervisor.fleet.tasks[h.A].status, Submitted)


async def test_checks_go_on_while_those_in_front_land(path: Path) -> None:
    """A tree is the same tree, whatever has landed of it meanwhile."""
    world = World()
    world.given = replace(h.GIVEN, policy=replace(h.NO_POOL, workers=2))
    world.hold(f.Gate)
    async with fakes.running(path, world) as supervisor:
        supervisor.record([*h.by_hand(h.A), h.approved(h.A), *h.by_hand(h.B), h.approved(h.B)])
        supervisor.record([*h.by_hand(h.C), h.approved(h.C)])
        first = outcomes.gate_of(h.A, h.B, by="person")
        second = outcomes.gate_of(h.A, h.B, h.C, by="person")
        await until_begun(world, first)
        await until_begun(world, second)
        supervisor.record([outcomes.checked(first, supervisor.fleet, world.given)])
        world.release()
        await supervisor.until(
            lambda fleet: not fleet.tasks[h.C].landing and fleet.tasks[h.C].ended
        )

    assert second not in world.stopped
    assert world.begun.count(second) == 1


async def test_what_was_broken_off_may_be_begun_again(
    path: Path, crashes: list[BaseException]
) -> None:
    world = World()
    world.hold(f.Gate)
    gate = outcomes.gate_of(h.A)
    async with fakes.running(path, world) as supervisor:
        supervisor.record(h.by_hand(h.A))
        await until_begun(world, gate)
        supervisor.record([e.QueueFrozen(repo=h.REPO, target="main", reason="rewound")])
        await supervisor.settled()
        supervisor.record([e.QueueThawed(repo=h.REPO, target="main")])
        world.release()
        await supervisor.settled()

    assert world.begun.count(gate) == 2
    assert crashes == []


async def test_a_wake_up_comes_when_it_is_due(path: Path) -> None:
    world, time = World(), asyncio.get_running_loop().time
    zero = time()

    def now() -> datetime:
        return h.NOON + timedelta(seconds=time() - zero)

    ledger = Ledger.open(path)
    supervisor = Supervisor(ledger, world, now=now, given=lambda: h.GIVEN)
    later = h.NOON + timedelta(seconds=0.05)
    waits = e.RetryScheduled(task=h.A, note="", consumes=False, not_before=later)
    supervisor.record([*h.SETTING, h.added(h.A), waits])
    await supervisor.until(lambda fleet: isinstance(fleet.tasks[h.A].status, Running))
    began = [it.at for it in supervisor.entries(0) if isinstance(it.event, e.AttemptBegan)]
    assert [at >= later for at in began] == [True]
    await supervisor.close()
    ledger.close()


async def test_an_effect_that_changes_nothing_is_an_internal_error(
    path: Path, crashes: list[BaseException]
) -> None:
    world = World()
    world.fail(f.StartRun, [e.TargetSeen(repo=h.REPO, target="main", tip=h.BASE)])
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.settled()

        assert isinstance(supervisor.crashed, InternalError)
        assert supervisor.fleet.tasks[h.A].crashes == 1
    assert [type(error) for error in crashes] == [InternalError]


async def test_an_effect_that_tells_nothing_is_an_internal_error(
    path: Path, crashes: list[BaseException]
) -> None:
    world = World()

    async def nothing(*args: object) -> list[e.AnyEvent]:
        return []

    world.perform = nothing  # type: ignore[assignment,method-assign]  # a world gone wrong
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.settled()

        assert isinstance(supervisor.crashed, InternalError)


@pytest.mark.usefixtures("crashes")
async def test_a_task_that_two_crashes_name_is_given_up_and_no_other(path: Path) -> None:
    world = World()
    world.fail(f.Seal, KeyError("x"))
    told: list[str] = []
    for number in (1, 2):
        async with fakes.running(path, world) as supervisor:
            supervisor.on_crash = lambda: told.append("crash")
            if number == 1:
                supervisor.record([h.added(h.A)])
                await supervisor.settled()
                supervisor.record(world.signals(supervisor.fleet))
            await supervisor.settled()
            assert isinstance(supervisor.crashed, KeyError)
            assert supervisor.fleet.tasks[h.A].crashes == number
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.B)])
        await supervisor.settled()

        assert supervisor.crashed is None
        assert supervisor.fleet.tasks[h.A].status == Failed("internal error: see fleet log")
        assert isinstance(supervisor.fleet.tasks[h.B].status, Running)
    assert told == ["crash", "crash"]


@pytest.mark.usefixtures("crashes")
async def test_a_worktree_on_which_fleet_fails_is_left_alone_for_a_while(path: Path) -> None:
    world = World()
    world.fail(f.MakeSlot, KeyError("x"))
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.settled()
        assert isinstance(supervisor.crashed, KeyError)
    async with fakes.running(path, World()) as supervisor:
        await supervisor.settled()

        assert supervisor.crashed is None
        assert supervisor.fleet.repos[h.REPO].slots[1].state == "broken"


@pytest.mark.usefixtures("crashes")
async def test_a_ledger_that_cannot_be_written_stops_the_supervisor(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.settled()
        world.hold(f.EndRun)
        supervisor.submit(c.Stop(task="a"))
        await until_begun(world, f.EndRun(h.A, 1))
        seq = supervisor.fleet.seq
        monkeypatch.setattr(Ledger, "append", _full)
        world.release()
        await supervisor.settled()

        assert isinstance(supervisor.crashed, RefusedError)
        assert supervisor.fleet.seq == seq


def _full(*args: object, **kwargs: object) -> None:
    raise RefusedError("the disk is full")


@pytest.mark.usefixtures("crashes")
async def test_facts_without_end_are_an_internal_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = Plan(facts=(e.MessageQueued(task=h.A, text="again", by="fleet"),))

    def turning(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
        return endless if h.A in fleet.tasks else plan(fleet, given, now)

    monkeypatch.setattr(loop, "plan", turning)
    monkeypatch.setattr(loop, "_MOST_ROUNDS", 5)
    async with fakes.running(path, World()) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.settled()

        assert isinstance(supervisor.crashed, InternalError)
        assert supervisor.fleet.tasks[h.A].crashes == 1
        assert len(supervisor.fleet.tasks[h.A].messages) == 5


@pytest.mark.usefixtures("crashes")
async def test_nothing_is_planned_once_it_has_crashed(path: Path) -> None:
    world = World()
    world.fail(f.Seal, KeyError("x"))
    async with fakes.running(path, world) as supervisor:
        supervisor.record([*h.running(h.A), h.done(h.A)])

        def plan_soon(entries: Sequence[e.Entry]) -> None:
            if isinstance(entries[0].event, e.CrashNoted):
                supervisor.record([h.added(h.B)])

        supervisor.watch(plan_soon)
        await supervisor.until(lambda fleet: h.B in fleet.tasks)
        await asyncio.sleep(0)

        assert isinstance(supervisor.crashed, KeyError)
        assert kinds(supervisor)[-2:] == [e.CrashNoted, e.TaskAdded]


async def test_a_refused_command_leaves_no_trace(path: Path) -> None:
    async with fakes.running(path, World()) as supervisor:
        seq = supervisor.fleet.seq
        with pytest.raises(RefusedError):
            supervisor.submit(c.Stop(task="nobody"))

        assert supervisor.fleet.seq == seq


async def test_a_command_is_on_record_when_it_is_answered(path: Path) -> None:
    async with fakes.running(path, World()) as supervisor:
        supervisor.record([h.added(h.A)])
        answer = supervisor.submit(c.Pause(task="a"))

        assert answer == {"task": h.A}
        last = supervisor.entries(0)[-1]
        assert (last.event, last.actor) == (e.TaskPaused(task=h.A, by="person"), "person")


async def test_watchers_see_every_entry_until_they_leave(path: Path) -> None:
    async with fakes.running(path, World()) as supervisor:
        await supervisor.settled()
        seen: list[e.Entry] = []
        leave = supervisor.watch(seen.extend)
        after = supervisor.fleet.seq
        supervisor.record([h.added(h.A)])
        await supervisor.settled()
        leave()
        assert seen == supervisor.entries(after)
        supervisor.submit(c.Stop(task="a"))

        assert seen[-1].seq < supervisor.fleet.seq


async def test_closing_breaks_off_what_is_under_way_and_records_nothing_of_it(path: Path) -> None:
    world = World()
    world.hold(f.StartRun)
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await until_begun(world, f.StartRun(h.A, 1))
        seq = supervisor.fleet.seq
        supervisor.record([h.added(h.B)])  # planned by nobody any more
        await supervisor.close()

        assert world.stopped == [f.StartRun(h.A, 1)]
        assert [type(entry.event) for entry in supervisor.entries(seq)] == [e.TaskAdded]
        assert isinstance(supervisor.fleet.tasks[h.A].status, Starting)
    world.release()
    async with fakes.running(path, world) as supervisor:
        await supervisor.settled()

        assert isinstance(supervisor.fleet.tasks[h.A].status, Running)
        assert supervisor.fleet.tasks[h.A].attempt == 1


async def test_what_cannot_be_done_twice_is_on_record_however_it_ended(path: Path) -> None:
    world = World()
    async with fakes.running(path, world) as supervisor:
        supervisor.record(h.running(h.A, h.talker(done="manual")))
        world.hold(f.Tell)
        supervisor.record([e.MessageQueued(task=h.A, text="go on", by="me")])
        tell = f.Tell(h.A, 1, 1)
        await until_begun(world, tell)
        assert supervisor.is_under_way(tell)
        assert not supervisor.is_under_way(f.Tell(h.A, 1, 2))
        await supervisor.close()

        assert world.stopped == [tell]
        assert supervisor.fleet.tasks[h.A].messages == ()


async def test_nothing_is_planned_once_it_is_closed(path: Path) -> None:
    world = World()
    async with fakes.running(path, world) as supervisor:
        supervisor.record([h.added(h.A)])
        await supervisor.close()
        supervisor.reconcile_soon()
        await asyncio.sleep(0)

    assert world.begun == []
