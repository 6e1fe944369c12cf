"""Accounts that agents share: where one of them meets a limit, all wait, and go on one by one.

A limit ends by itself, so that fleet takes care of it. For a login or for credit a person is told
once for each account; meanwhile none of its agents is started.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from fleet.core import events as e
from fleet.core.activity import RATE_LIMIT, Run, Waiting
from fleet.core.ids import TaskId
from fleet.core.limited import MOST_LIMITS, Account, is_over, next_at
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances, Plan
from fleet.core.signals import PRESENCE, SCREEN
from fleet.core.status import Queued, Running
from fleet.core.turns import GO_ON, MOST_ERRORS, go_on_at

SHUT = frozenset({"login", "budget"})  # what only a person can give, to all agents of an account


class Hold(Struct, frozen=True):
    """Why a task is not started although its turn has come, and until when if that is known."""

    why: str
    until: datetime | None = None


def account(task: Task) -> str:
    """Return which account the agent of a task uses; no two accounts have the same name."""
    if task.account is None:  # nobody could tell, so they all may be one
        return task.spec.agent or ""
    return task.account or f"/{task.id}"


def going_on(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Tell the agents that wait for an account to go on, one of each account at a time."""
    facts: list[e.AnyEvent] = []
    wakes: list[datetime] = []
    for name, waiting in _listeners(fleet, given).items():
        when = next_at(fleet.accounts.get(name, Account()))
        if when is not None and when > now:
            wakes.append(when)
            continue
        _, task, run = min(waiting)
        facts.append(e.GoOnTold(task=task, attempt=run, text=GO_ON))
    return Plan(facts=tuple(facts), wake_at=min(wakes, default=None))


def _listeners(fleet: Fleet, given: Circumstances) -> dict[str, list[tuple[datetime, TaskId, int]]]:
    """Return who may be told to go on by account, each with the time since when it waits."""
    found: dict[str, list[tuple[datetime, TaskId, int]]] = {}
    for task, run, waits in _waiting(fleet):
        free = not task.messages and run.answer is None and task.id not in given.attached
        if free and task.spec.converses and _may_go_on(fleet, task, run, waits):
            found.setdefault(account(task), []).append((run.activity_since, task.id, run.attempt))
    return found


Wait = tuple[Task, Run, Waiting]


def _waiting(fleet: Fleet) -> Iterator[Wait]:
    return filter(None, map(_wait, fleet.tasks.values()))


def _wait(task: Task) -> Wait | None:
    run = task.run
    if run is None or run.leaving is not None or not isinstance(run.activity, Waiting):
        return None
    return (task, run, run.activity) if isinstance(task.status, Running) else None


def _may_go_on(fleet: Fleet, task: Task, run: Run, waits: Waiting) -> bool:
    """Whether going on is all that it needs: a limit passes, and a person may have logged in."""
    if waits.kind == RATE_LIMIT:
        return not waits.retries
    if waits.kind not in SHUT or run.source in {SCREEN, PRESENCE} or run.nudges >= MOST_ERRORS:
        return False
    known = fleet.accounts.get(account(task))
    return known is not None and known.answered is not None and known.answered > run.activity_since


def shut(fleet: Fleet) -> dict[str, Task]:
    """Return the accounts that a person must see to, each with the task that says so."""
    found: dict[str, Task] = {}
    for task, _, waits in sorted(_waiting(fleet), key=_since):
        if waits.kind in SHUT:
            found.setdefault(account(task), task)
    return found


def _since(one: Wait) -> tuple[datetime, TaskId]:
    task, run, _ = one
    return run.activity_since, task.id


def speaks(fleet: Fleet, task: Task, waits: Waiting) -> bool:
    """Whether this is the one task of its account by which a person is told what all wait for."""
    if waits.kind == RATE_LIMIT and not _lasts(fleet, task, waits):
        return False
    mine = _wait(task)
    # The first one is among the first that are looked at: all of them are asked this in each round.
    return mine is not None and not any(
        it[2].kind == waits.kind and _since(it) < _since(mine) and account(it[0]) == account(task)
        for it in _waiting(fleet)
    )


def _lasts(fleet: Fleet, task: Task, waits: Waiting) -> bool:
    """Whether fleet has tried so often to get past a limit that a person is to know."""
    if not task.spec.converses:
        return not waits.retries
    known = fleet.accounts.get(account(task))
    return known is not None and known.hits >= MOST_LIMITS


def hold(fleet: Fleet, task: Task, closed: dict[str, Task], now: datetime) -> Hold | None:
    """Return why the account of a queued task lets nobody start now; `closed` is what is `shut`."""
    name = account(task)
    whose = f"{task.spec.agent}'s account"
    if (other := closed.get(name)) is not None:
        kind = _kind(other)
        return Hold(f"{whose} waits for {kind}: see {other.id}")
    known = fleet.accounts.get(name)
    when = None if known is None or is_over(known, now) else next_at(known)
    if known is None or when is None or when <= now:
        return None
    if known.gone is None:
        return Hold(f"{whose} is limited until {clock(when, now)}", when)
    return Hold(f"{whose} was limited, so that one starts after the other", when)


def _kind(task: Task) -> str:
    waits = task.run.activity if task.run else None
    kind = waits.kind if isinstance(waits, Waiting) else ""
    return {"login": "a login", "budget": "credit"}.get(kind, "a person")


def waits_for(fleet: Fleet, task: Task, closed: dict[str, Task], now: datetime) -> str | None:
    """Return what a task waits for that needs nobody: fleet goes on by itself when it is there."""
    if isinstance(task.status, Queued):
        held = hold(fleet, task, closed, now) if task.spec.agent is not None else None
        return held.why if held else None
    run = task.run
    if run is None or not isinstance(task.status, Running) or not isinstance(run.activity, Waiting):
        return None
    waits = run.activity
    if waits.kind == RATE_LIMIT and (waits.retries or task.spec.converses):
        return f"{waits.need}: {_comes(fleet, task, waits, now)}"
    if waits.kind in SHUT and not speaks(fleet, task, waits):
        other = closed.get(account(task), task)
        return f"{waits.need}: goes on when {other.id} does"
    if (again := go_on_at(task, run)) is not None:
        return f"{waits.need}: goes on at {clock(again, now)}"
    return None


def _comes(fleet: Fleet, task: Task, waits: Waiting, now: datetime) -> str:
    if waits.retries:
        return "it tries again by itself"
    known = fleet.accounts.get(account(task), Account())
    when = next_at(known)
    if known.gone is not None and known.proved is None and known.probe != task.id:
        return f"goes on when {known.probe} does"
    return f"goes on at {clock(when, now)}" if when is not None and when > now else "goes on soon"


def clock(when: datetime, now: datetime) -> str:
    """Return a time of day, with the day where that is another."""
    return f"{when:%H:%M:%S}" + ("" if when.date() == now.date() else f" on {when:%d %b}") + " UTC"
