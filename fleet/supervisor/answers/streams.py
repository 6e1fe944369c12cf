"""Answers that take their time: following events, waiting for tasks, and going down."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from fleet import protocol as p
from fleet.core import events as e
from fleet.core.decide import PERSON
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.status import Ending, Held, Landed, Running, Starting, ToPause
from fleet.core.views import needs, status_word
from fleet.errors import TimedOutError, UsageError
from fleet.supervisor.host import Host

_REVIEWED = {"review", "approved", "landing", "landed"}
_STATES = ("review", "landed", "ended")


async def events(host: Host, query: p.Events) -> AsyncGenerator[Any, None]:
    """Give the entries asked for, then, with `follow`, each new one as it is recorded."""
    fresh: asyncio.Queue[Sequence[e.Entry]] = asyncio.Queue()
    forget = host.supervisor.watch(fresh.put_nowait)
    try:
        last = host.supervisor.fleet.seq
        for entry in host.supervisor.entries(query.since_seq or 0):
            if _wanted(entry, query):
                yield entry.flat()
        while query.follow:
            for entry in await fresh.get():
                if entry.seq > last and _wanted(entry, query):
                    yield entry.flat()
    finally:
        forget()


def _wanted(entry: e.Entry, query: p.Events) -> bool:
    if query.since is not None and entry.at < query.since:
        return False
    return query.task is None or getattr(entry.event, "task", None) == query.task


async def wait(host: Host, query: p.Wait) -> AsyncGenerator[Any, None]:
    """Give each change of state, and last a list of where all of them ended up."""
    if query.state not in _STATES:
        raise UsageError(f"cannot wait for {query.state!r}", hint=f"one of {', '.join(_STATES)}")
    names = [find(host.supervisor.fleet, name).id for name in query.tasks]
    said: dict[str, dict[str, Any]] = {}
    deadline = None if query.timeout_s is None else time.monotonic() + query.timeout_s
    while True:
        fleet = host.supervisor.fleet
        found = [_standing(host, fleet, fleet.tasks[name], query.state) for name in names]
        for one in found:
            if said.get(one["task"]) != one:
                said[one["task"]] = one
                yield {name: one[name] for name in ("task", "status", "needs")}
        if all(one["reached"] is not None for one in found):
            yield p.Result(0, found)
            return
        if not await _changed_in_time(host, fleet, deadline):
            late = ", ".join(one["task"] for one in found if one["reached"] is None)
            raise TimedOutError(f"not {query.state} in time: {late}")


async def _changed_in_time(host: Host, fleet: Fleet, deadline: float | None) -> bool:
    left = None if deadline is None else deadline - time.monotonic()
    try:
        async with asyncio.timeout(left):
            await host.supervisor.changed_from(fleet)
    except TimeoutError:
        return False
    return True


def _standing(host: Host, fleet: Fleet, task: Task, state: str) -> dict[str, Any]:
    """Tell where a task stands; `reached` is None as long as it may still get there."""
    word = status_word(fleet, task)
    reached: bool | None = None
    if state == "ended":
        reached = True if task.ended else None
    elif (state == "review" and word in _REVIEWED) or isinstance(task.status, Landed):
        reached = True
    elif task.ended or isinstance(task.status, Held):
        reached = False
    policy = host.circumstances().target(task.repo, task.target)
    return {
        "task": task.id,
        "status": word,
        "needs": needs(fleet, task, policy),
        "reached": reached,
    }


async def stop_agents(host: Host) -> AsyncGenerator[Any, None]:
    """End every run and pause its task, and wait until no process of theirs is left.

    Nothing starts meanwhile. What was paused is taken up again by `fleet resume` alone: whoever
    stopped all agents does not want the next command to start them.
    """
    host.vitals.draining = True
    try:
        async for item in _stop_agents(host):
            yield item
    except BaseException:  # whoever asked has left, or it failed: work goes on
        host.vitals.draining = False
        host.supervisor.reconcile_soon()
        raise


async def _stop_agents(host: Host) -> AsyncGenerator[Any, None]:
    busy = [task for task in host.supervisor.fleet.tasks.values() if _at_work(task)]
    yield f"stopping {len(busy)} agents" if busy else "no agents run"
    host.supervisor.record([_end(task) for task in busy], actor=PERSON)
    await host.supervisor.until(lambda now: not any(map(_at_work, now.tasks.values())))
    await asyncio.to_thread(host.tools.panes.server.stop)
    yield p.Result(0, {"stopped": len(busy)})


def _at_work(task: Task) -> bool:
    return task.run is not None or isinstance(task.status, Starting | Ending)


def _end(task: Task) -> e.AnyEvent:
    why = "fleet down --stop-agents"
    if isinstance(task.status, Running | Starting):
        outcome = ToPause(PERSON)
        return e.EndingBegan(task=task.id, attempt=task.attempt, outcome=outcome, why=why)
    return e.LeaveBegan(task=task.id, attempt=task.attempt, why=why)
