"""Folding what is learnt of accounts: their limits, who was let go on, and that they answer."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.accounts import SHUT, account
from fleet.core.activity import RATE_LIMIT, Idle, Waiting
from fleet.core.limited import Account, answered, hit, is_over, went
from fleet.core.model import Fleet, Task
from fleet.core.reducer import table
from fleet.core.signals import HOOK

_ASKS = frozenset({"permission", "question", "plan"})  # only who was answered asks that


def _change(fleet: Fleet, task: Task, become: Callable[[Account], Account]) -> Fleet:
    name = account(task)
    known = fleet.accounts.get(name, Account())
    new = become(known)
    return fleet if new == known else replace(fleet, accounts=fleet.accounts | {name: new})


def _answered(fleet: Fleet, task: Task, at: datetime) -> Fleet:
    return _change(fleet, task, lambda known: answered(known, task.id, at))


def _alive(fleet: Fleet, event: e.ActivityChanged | e.GoOnTold | e.RunExited) -> Task | None:
    task = fleet.tasks.get(event.task)
    run = task.run if task is not None else None
    return task if run is not None and run.attempt == event.attempt else None


@table.fleet(e.ActivityChanged)
def _activity(fleet: Fleet, event: e.ActivityChanged, at: datetime) -> Fleet:
    if (task := _alive(fleet, event)) is None:
        return fleet
    match event.activity:
        case Waiting(kind=kind, until=until) if kind == RATE_LIMIT:
            return _change(fleet, task, lambda known: hit(known, task.id, at, until))
        case Waiting(kind=kind) if kind in _ASKS and event.source == HOOK:
            return _answered(fleet, task, at)
        case Idle() if event.source == HOOK:
            return _answered(fleet, task, at)
        case _:
            return fleet


@table.fleet(e.GoOnTold)
def _told(fleet: Fleet, event: e.GoOnTold, at: datetime) -> Fleet:
    task = _alive(fleet, event)
    waits = task.run.activity if task and task.run else None
    if task is None or not isinstance(waits, Waiting) or waits.kind not in {RATE_LIMIT, *SHUT}:
        return fleet
    return _change(fleet, task, lambda known: went(known, task.id, at))


def began(fleet: Fleet, event: e.AttemptBegan, at: datetime) -> Fleet:
    """Return the fleet after a start, which tries an account that was limited."""
    task = fleet.tasks.get(event.task)
    known = fleet.accounts.get(account(task)) if task else None
    if task is None or known is None or is_over(known, at):
        return fleet
    return _change(fleet, task, lambda known: went(known, task.id, at))


@table.fleet(e.RunExited)
def _exited(fleet: Fleet, event: e.RunExited, at: datetime) -> Fleet:
    task = _alive(fleet, event)
    return _answered(fleet, task, at) if task and event.code == 0 else fleet
