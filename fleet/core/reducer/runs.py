"""Folding what happens to a run, from its start to the moment when none of it is left."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.activity import RATE_LIMIT, Activity, Idle, Run, Waiting, Working
from fleet.core.causes import Died
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.status import (
    Ending,
    Held,
    Outcome,
    Paused,
    Queued,
    Rejected,
    Running,
    Sealing,
    Starting,
    Status,
    Stopped,
    ToPause,
    ToReject,
    ToRequeue,
    ToSeal,
    ToStop,
)


def _seal(task: Task, attempt: int) -> Sealing:
    return Sealing(attempt=attempt, revision=task.revision + 1)


def _leaving(task: Task, why: str) -> Run | None:
    return task.run and replace(task.run, leaving=why)


def alive(task: Task, attempt: int) -> Run | None:
    """The run that is meant, if it is still there: a late word about another is no news."""
    return task.run if task.run is not None and task.run.attempt == attempt else None


def does(run: Run, activity: Activity, at: datetime) -> Run:
    """Return the run with what fleet itself knows it to do from now on."""
    parked = _parked_s(run, at)
    run = replace(run, activity=activity, activity_since=at, source="fleet", said_at=None)
    return replace(run, parked_s=parked)


def _parked_s(run: Run, at: datetime) -> float:
    """Return how long a run that does something else from `at` on has waited for limits."""
    waits = run.activity
    if not isinstance(waits, Waiting) or waits.kind != RATE_LIMIT:
        return run.parked_s
    return run.parked_s + max((at - run.activity_since).total_seconds(), 0.0)


@table.task(e.RunStarted)
def _started(task: Task, event: e.RunStarted, at: datetime) -> Task:
    if event.attempt != task.attempt:
        return task
    run = Run(
        attempt=event.attempt,
        pane=event.pane,
        pid=event.pid,
        pid_start=event.pid_start,
        started_at=at,
        activity=Working(),
        activity_since=at,
        conversation=task.conversation,
        resumed=task.conversation is not None,
    )
    begun = isinstance(task.status, Starting)  # else it was told to end while it came up
    status: Status = Running(attempt=event.attempt) if begun else task.status
    account = task.account if event.account is None else event.account
    return replace(task, run=run, status=status, messages=(), crashes=0, account=account)


@table.task(e.StartFailed)
def _start_failed(task: Task, event: e.StartFailed, at: datetime) -> Task:
    if not isinstance(task.status, Starting) or event.attempt != task.attempt:
        return task
    if event.fatal:
        return replace(task, status=Rejected(Died(event.reason)))
    waiting = Queued(since=at, not_before=event.not_before, trouble=event.reason)
    return replace(task, status=waiting, losses=task.losses + 1, last_cause=Died(event.reason))


@table.task(e.ActivityChanged)
def _activity(task: Task, event: e.ActivityChanged, at: datetime) -> Task:
    if (run := alive(task, event.attempt)) is None:
        return task
    run = replace(
        run,
        activity=event.activity,
        activity_since=at,
        source=event.source,
        said_at=event.said_at,
        parked_s=_parked_s(run, at),
        nudges=0 if isinstance(event.activity, Idle) else run.nudges,
    )
    at_it = isinstance(event.activity, Working) and run.leaving is None
    back = isinstance(task.status, Held) and at_it
    status: Status = Running(run.attempt) if back else task.status
    return replace(task, run=run, status=status)


@table.task(e.ConversationKnown)
def _conversation(task: Task, event: e.ConversationKnown, at: datetime) -> Task:
    if (run := alive(task, event.attempt)) is None:
        return task
    run = replace(run, conversation=event.conversation)
    return replace(task, conversation=event.conversation, run=run)


@table.task(e.UsageReported)
def _usage(task: Task, event: e.UsageReported, at: datetime) -> Task:
    return replace(task, cost_usd=event.cost_usd, tokens=event.tokens)


@table.task(e.DoneDeclared)
def _done(task: Task, event: e.DoneDeclared, at: datetime) -> Task:
    if event.attempt != task.attempt or task.landing:
        return task
    run = task.run and replace(task.run, handed_in=at)
    return replace(task, status=_seal(task, event.attempt), run=run)


@table.task(e.RunExited)
def _exited(task: Task, event: e.RunExited, at: datetime) -> Task:
    if alive(task, event.attempt) is None:
        return task
    task = replace(task, run=_leaving(task, "its process ended"))
    if not isinstance(task.status, Running):
        return task
    outcome: Outcome = ToSeal()
    if event.code != 0:
        how = f"signal {event.signal}" if event.code is None else f"exit code {event.code}"
        outcome = ToReject(Died(event.error or f"the agent ended with {how}"))
    return replace(task, status=Ending(attempt=event.attempt, outcome=outcome))


@table.task(e.RunLost)
def _lost(task: Task, event: e.RunLost, at: datetime) -> Task:
    if event.attempt != task.attempt:
        return task
    task = replace(task, run=_leaving(task, event.reason))
    if event.fresh:
        task = replace(task, conversation=None)
    if not isinstance(task.status, Running | Starting):
        return task
    outcome = ToRequeue(not_before=event.not_before)
    status = Ending(attempt=event.attempt, outcome=outcome)
    return replace(task, status=status, losses=task.losses + 1)


@table.task(e.EndingBegan)
def _ending(task: Task, event: e.EndingBegan, at: datetime) -> Task:
    if event.attempt != task.attempt:
        return task
    status = Ending(attempt=event.attempt, outcome=event.outcome)
    return replace(task, status=status, run=_leaving(task, event.why))


@table.task(e.LeaveBegan)
def _leave(task: Task, event: e.LeaveBegan, at: datetime) -> Task:
    if alive(task, event.attempt) is None:
        return task
    return replace(task, run=_leaving(task, event.why))


@table.task(e.RunNotEnded)
def _not_ended(task: Task, event: e.RunNotEnded, at: datetime) -> Task:
    if event.attempt != task.attempt:
        return task
    return replace(task, trouble=event.reason, end_not_before=event.not_before)


@table.task(e.RunEnded)
def _ended(task: Task, event: e.RunEnded, at: datetime) -> Task:
    if event.attempt != task.attempt:
        return task
    if task.end_not_before is not None:
        task = replace(task, trouble=None, end_not_before=None)
    task = replace(task, run=None)
    if not isinstance(task.status, Ending):
        return task
    return replace(task, status=_after_ending(task, task.status, at))


def _after_ending(task: Task, ending: Ending, at: datetime) -> Status:
    outcome = ending.outcome
    match outcome:
        case ToSeal():
            return _seal(task, ending.attempt)
        case ToReject(cause=cause):
            return Rejected(cause)
        case ToStop(by=by):
            return Stopped(by)
        case ToPause(by=by):
            return Paused(by)
        case ToRequeue(not_before=not_before):
            return Queued(since=at, not_before=not_before)
        case _:
            assert_never(outcome)
