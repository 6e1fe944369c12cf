"""What each task's run and revision need next: started, told, sealed, checked, ended, parked."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fleet.core import events as e
from fleet.core import turns
from fleet.core.activity import RATE_LIMIT, Run, Stalled, Waiting, Working
from fleet.core.causes import Cause, Died, Exhausted
from fleet.core.comments import unanswered
from fleet.core.effects import AnyEffect, EndRun, PassAnswer, RunChecks, Seal, StartRun, Tell
from fleet.core.model import Fleet, Task
from fleet.core.pauses import is_due
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.remarks import recall
from fleet.core.schedule import exhausted
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

LONGEST_S = 10 * 365 * 86400.0  # what is limited by more is not limited


def lives(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return what all tasks need next but slots, workspaces and the merge queue."""
    return together(_life(task, given, now) for task in fleet.tasks.values())


def _life(task: Task, given: Circumstances, now: datetime) -> Plan:
    match task.status:
        case Starting(attempt=attempt):
            return _do(StartRun(task.id, attempt))
        case Ending(attempt=attempt):
            return _end_run(task, attempt, now)
        case Sealing(revision=revision):
            return _do(Seal(task.id, revision))
        case Checking(revision=revision):
            return _checking(task, revision)
        case _ if task.run is not None:
            return _alive(task, task.run, given, now)
        case _:
            return NOTHING


def _alive(task: Task, run: Run, given: Circumstances, now: datetime) -> Plan:
    if run.leaving is not None:
        return _end_run(task, run.attempt, now)
    if run.answer is not None:
        return _do(PassAnswer(task.id, run.attempt, run.answer.ask))
    if isinstance(task.status, Running):
        return _running(task, run, given, now)
    return _resting(task, run, given, now)


def _end_run(task: Task, attempt: int, now: datetime) -> Plan:
    """End a run; one that could not be ended is tried again after its pause."""
    again = task.end_not_before
    return _do(EndRun(task.id, attempt)) if is_due(again, now) else Plan(wake_at=again)


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
    telling = _telling(task, run, now)
    if telling.effects:
        return telling
    if turns.ended(run) and task.spec.done == "turn" and not _watched(task, given):
        return _fact(_handed_in(task, run))
    if (again := turns.go_on_at(task, run)) is not None and not _watched(task, given):
        if again <= now:
            return _fact(e.GoOnTold(task=task.id, attempt=run.attempt, text=turns.GO_ON))
        times.append(again)
    return together([telling, Plan(wake_at=min(times, default=None))])


def _handed_in(task: Task, run: Run) -> e.AnyEvent:
    """Take the work of an agent whose turn ended; what it left unanswered it is told of first."""
    missing = unanswered(task.comments)
    if missing and task.spec.converses and not task.recalled:
        return e.AnswersMissed(task=task.id, text=recall(missing))
    return e.DoneDeclared(task=task.id, attempt=run.attempt, by="the end of its turn")


def _telling(task: Task, run: Run, now: datetime) -> Plan:
    """Type what is to be told, unless it must be kept for later."""
    message = turns.next_message(task, run)
    if message is None or not task.spec.converses:
        return NOTHING
    if not is_due(message.not_before, now):
        return Plan(wake_at=message.not_before)
    return _do(Tell(task.id, run.attempt, message.id))


def _watched(task: Task, given: Circumstances) -> bool:
    return task.id in given.attached


def _end(task: Task, run: Run, cause: Cause) -> e.EndingBegan:
    why = cause.reason if isinstance(cause, Died | Exhausted) else ""
    return e.EndingBegan(task=task.id, attempt=run.attempt, outcome=ToReject(cause), why=why)


def _limits(task: Task, run: Run) -> Iterator[tuple[Cause, datetime]]:
    """Each guardrail of a running task with the time at which it is reached."""
    limits = task.spec.limits
    parked = isinstance(run.activity, Waiting) and run.activity.kind == RATE_LIMIT
    if limits.timeout_s is not None and not parked:  # nor does the time count that it is parked for
        why = f"stopped by its time limit of {limits.timeout_s:g} s"
        yield Died(why), _after(run.started_at, limits.timeout_s + run.parked_s)
    if limits.silence_s is not None and isinstance(run.activity, Stalled):
        why = f"stopped after {limits.silence_s:g} s of silence"
        yield Died(why), _after(run.activity.silent_since, limits.silence_s)
    if (spent := exhausted(task)) is not None:
        yield spent, run.started_at


def _after(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=min(seconds, LONGEST_S))


def _checking(task: Task, revision: int) -> Plan:
    change = task.change
    lines, limit = task.added + task.removed, task.spec.limits.lines
    if change is not None and limit is not None and lines > limit:
        why = f"it changes {lines} lines and may change {limit}"
        return _fact(e.ChangeRefused(task=task.id, revision=revision, cause=Exhausted(why)))
    if not task.spec.checks or task.spec.agent is None:  # without a workspace, they are gates only
        return _fact(e.ChecksPassed(task=task.id, revision=revision, results=()))
    return _do(RunChecks(task.id, revision))


def _resting(task: Task, run: Run, given: Circumstances, now: datetime) -> Plan:
    """A live agent whose task waits: for review, for a person, or for nothing any more."""
    if not isinstance(task.status, Submitted | Held):
        leave = e.LeaveBegan(task=task.id, attempt=run.attempt, why="its task has ended")
        return _fact(leave)
    telling = _telling(task, run, now)
    if telling.effects:
        return telling
    if _went_on(task, run) and not _watched(task, given):
        return _fact(e.DoneDeclared(task=task.id, attempt=run.attempt, by="the end of its turn"))
    rests_since = max(run.activity_since, task.status_since or task.created_at)
    park = _after(rests_since, given.target(task.repo, task.target).park_s)
    if _watched(task, given) or _busy(run) or park > now:
        return together([telling, Plan(wake_at=park if park > now else None)])
    return _fact(e.LeaveBegan(task=task.id, attempt=run.attempt, why="parked: it waits for review"))


def _went_on(task: Task, run: Run) -> bool:
    """Whether the agent finished another turn after its change was put up."""
    if task.change is None or task.spec.done != "turn" or task.landing:
        return False
    return turns.ended(run) and _since_hand_in(run)


def _busy(run: Run) -> bool:
    """Whether somebody gave it more to do after its change was put up."""
    return isinstance(run.activity, Working) and _since_hand_in(run)


def _since_hand_in(run: Run) -> bool:
    return run.handed_in is not None and run.activity_since > run.handed_in
