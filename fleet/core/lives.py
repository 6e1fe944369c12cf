"""What each task's run and revision need next: started, told, sealed, checked, ended, parked."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fleet.core import events as e
from fleet.core.activity import Idle, Run, Stalled
from fleet.core.causes import Cause, Died, Exhausted
from fleet.core.change import Landing
from fleet.core.effects import AnyEffect, EndRun, RunChecks, Seal, StartRun, Tell
from fleet.core.model import Fleet, Task
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.status import (
    Checking,
    Ending,
    Held,
    Running,
    Sealing,
    Starting,
    Submitted,
    ToReject,
)


def lives(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return what all tasks need next but slots, workspaces and the merge queue."""
    return together(_life(task, given, now) for task in fleet.tasks.values())


def _life(task: Task, given: Circumstances, now: datetime) -> Plan:
    if (effect := _due_effect(task)) is not None:
        return Plan(effects=(effect,))
    match task.status, task.run:
        case Checking(revision=revision), _:
            return _checking(task, revision)
        case Running(), Run() as run:
            return _running(task, run, given, now)
        case _, Run() as run:
            return _resting(task, run, given, now)
        case _:
            return NOTHING


def _due_effect(task: Task) -> AnyEffect | None:
    match task.status:
        case Starting(attempt=attempt):
            return StartRun(task.id, attempt)
        case Ending(attempt=attempt):
            return EndRun(task.id, attempt)
        case _ if task.run is not None and task.run.leaving is not None:
            return EndRun(task.id, task.run.attempt)
        case Sealing(revision=revision):
            return Seal(task.id, revision)
        case _:
            return None


def _do(effect: AnyEffect) -> Plan:
    return Plan(effects=(effect,))


def _fact(event: e.AnyEvent) -> Plan:
    return Plan(facts=(event,))


def _running(task: Task, run: Run, given: Circumstances, now: datetime) -> Plan:
    times = []
    for cause, when in _limits(task, run):
        if when <= now:
            return _fact(_end(task, run, cause))
        times.append(when)
    if task.messages and task.spec.converses:
        return _do(Tell(task.id, run.attempt, task.messages[0].id))
    if isinstance(run.activity, Idle) and task.spec.done == "turn" and not _watched(task, given):
        return _fact(e.DoneDeclared(task=task.id, attempt=run.attempt, by="the end of its turn"))
    return Plan(wake_at=min(times, default=None))


def _watched(task: Task, given: Circumstances) -> bool:
    return task.id in given.attached


def _end(task: Task, run: Run, cause: Cause) -> e.EndingBegan:
    why = cause.reason if isinstance(cause, Died | Exhausted) else ""
    return e.EndingBegan(task=task.id, attempt=run.attempt, outcome=ToReject(cause), why=why)


def _limits(task: Task, run: Run) -> Iterator[tuple[Cause, datetime]]:
    """Each guardrail of a running task with the time at which it is reached."""
    limits = task.spec.limits
    if limits.timeout_s is not None:
        why = f"stopped by its time limit of {limits.timeout_s:g} s"
        yield Died(why), run.started_at + timedelta(seconds=limits.timeout_s)
    if limits.silence_s is not None and isinstance(run.activity, Stalled):
        why = f"stopped after {limits.silence_s:g} s of silence"
        yield Died(why), run.activity.silent_since + timedelta(seconds=limits.silence_s)
    if limits.budget_usd is not None and task.cost_usd >= limits.budget_usd:
        yield Exhausted(f"its budget of {limits.budget_usd:g} USD is spent"), run.started_at
    if limits.tokens is not None and task.tokens >= limits.tokens:
        yield Exhausted(f"its {limits.tokens} tokens are spent"), run.started_at


def _checking(task: Task, revision: int) -> Plan:
    change = task.change
    lines, limit = task.added + task.removed, task.spec.limits.lines
    if change is not None and limit is not None and lines > limit:
        why = f"it changes {lines} lines and may change {limit}"
        return _fact(e.ChangeRefused(task=task.id, revision=revision, cause=Exhausted(why)))
    if not task.spec.checks:
        return _fact(e.ChecksPassed(task=task.id, revision=revision, results=()))
    return _do(RunChecks(task.id, revision))


def _resting(task: Task, run: Run, given: Circumstances, now: datetime) -> Plan:
    """A live agent whose task waits: for review, for a person, or for nothing any more."""
    if not isinstance(task.status, Submitted | Held):
        leave = e.LeaveBegan(task=task.id, attempt=run.attempt, why="its task has ended")
        return _fact(leave)
    if task.messages and task.spec.converses:
        return _do(Tell(task.id, run.attempt, task.messages[0].id))
    if _went_on(task, run) and not _watched(task, given):
        return _fact(e.DoneDeclared(task=task.id, attempt=run.attempt, by="the end of its turn"))
    park = max(run.activity_since, task.updated_at) + timedelta(
        seconds=given.repo(task.repo).park_s
    )
    if _watched(task, given) or park > now:
        return Plan(wake_at=park if park > now else None)
    return _fact(e.LeaveBegan(task=task.id, attempt=run.attempt, why="parked: it waits for review"))


def _went_on(task: Task, run: Run) -> bool:
    """Whether the agent finished another turn after its change was put up."""
    change = task.change
    if change is None or task.spec.done != "turn" or isinstance(change.state, Landing):
        return False
    return isinstance(run.activity, Idle) and run.activity_since > change.since
