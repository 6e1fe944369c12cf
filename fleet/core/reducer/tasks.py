"""Folding what happens to a task and its runs."""

from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.activity import Message, Waiting, Working
from fleet.core.causes import ChecksRed, NoChange
from fleet.core.change import Change, Gating, Ready
from fleet.core.ids import TaskId
from fleet.core.model import Task, Told
from fleet.core.reducer import table
from fleet.core.reducer.runs import does
from fleet.core.revisions import Pinned
from fleet.core.status import (
    Checking,
    Failed,
    Held,
    Paused,
    Queued,
    Rejected,
    Running,
    Sealing,
    Starting,
    Status,
    Stopped,
    Submitted,
)


def tell(task: Task, text: str, by: str, *, conflict_with: TaskId | None = None) -> Task:
    """Return the task with words for its agent."""
    message = Message(id=task.next_message, text=text, by=by, conflict_with=conflict_with)
    return replace(task, messages=(*task.messages, message), next_message=message.id + 1)


@table.task(e.TaskEdited)
def _edited(task: Task, event: e.TaskEdited, at: datetime) -> Task:
    told = task.told_upon if event.spec.after == task.spec.after else None
    return replace(task, spec=event.spec, told_upon=told)


@table.task(e.WorkspaceAssigned)
def _assigned(task: Task, event: e.WorkspaceAssigned, at: datetime) -> Task:
    return replace(task, slot=event.slot)


@table.task(e.AttemptBegan)
def _began(task: Task, event: e.AttemptBegan, at: datetime) -> Task:
    status = Starting(attempt=event.attempt, since=at)
    task = replace(task, attempt=event.attempt, status=status, base=event.base, retries=0)
    return task if event.upon is None else replace(task, upon=event.upon, told_upon=event.upon)


@table.task(e.MessageQueued)
def _queued(task: Task, event: e.MessageQueued, at: datetime) -> Task:
    return tell(task, event.text, event.by)


@table.task(e.MessageHeld)
def _held_back(task: Task, event: e.MessageHeld, at: datetime) -> Task:
    messages = tuple(
        replace(it, held=event.reason, holds=it.holds + 1, not_before=event.not_before)
        if it.id == event.message
        else it
        for it in task.messages
    )
    return replace(task, messages=messages)


@table.task(e.MessageSettled)
def _settled(task: Task, event: e.MessageSettled, at: datetime) -> Task:
    settled = next((m for m in task.messages if m.id == event.message), None)
    task = replace(task, messages=tuple(m for m in task.messages if m is not settled))
    if event.outcome == "refused" and settled and settled.by == "fleet" and task.run:
        stuck = Waiting(need=f"could not be told: {event.reason}", kind="undelivered")
        return replace(task, run=does(task.run, stuck, at))
    return task


def _sealing(task: Task, revision: int) -> bool:
    """Whether `revision` is what is being sealed: it may have been stopped, or begun anew."""
    return isinstance(task.status, Sealing) and task.status.revision == revision


def _unapproved(task: Task) -> Change | None:
    return task.change and replace(task.change, approval=None, lapsed=(), blocked=None)


def _lapsed(task: Task) -> Change | None:
    """The change while its next revision is made: what was approved may be in there, too."""
    change = _unapproved(task)
    lapsed = task.change and (task.change.approvals or task.change.lapsed)
    return change and replace(change, lapsed=lapsed or ())


@table.task(e.Sealed)
def _sealed(task: Task, event: e.Sealed, at: datetime) -> Task:
    if not _sealing(task, event.revision):
        return task
    change = Change(
        revision=event.revision,
        sealed=event.sealed,
        head=event.head,
        base=event.base,
        added=event.added,
        removed=event.removed,
        files=event.files,
        since=at,
        below=event.below,
        upon=event.upon,
    )
    return replace(
        task,
        status=Checking(event.revision),
        revision=event.revision,
        revisions=(*task.revisions, Pinned(event.revision, event.sealed, event.base)),
        change=change,
        head=event.head,
        added=event.added,
        removed=event.removed,
        crashes=0,
        upon=event.upon,
    )


@table.task(e.SealFailed)
def _not_sealed(task: Task, event: e.SealFailed, at: datetime) -> Task:
    if not isinstance(task.status, Sealing):
        return task
    return replace(task, status=Rejected(event.cause))


@table.task(e.SealUnchanged)
def _same_again(task: Task, event: e.SealUnchanged, at: datetime) -> Task:
    if not isinstance(task.status, Sealing):
        return task
    if task.change is None:
        return replace(task, status=Rejected(NoChange()))
    # What did not get through before is judged again: the world around it may have changed.
    ready = isinstance(task.change.state, Ready)
    status: Status = Submitted(event.revision) if ready else Checking(event.revision)
    return replace(task, status=status)


@table.task(e.ChecksPassed)
def _checks_passed(task: Task, event: e.ChecksPassed, at: datetime) -> Task:
    if task.status != Checking(event.revision):
        return task
    change = task.change and replace(task.change, acceptance=event.results, state=Gating())
    return replace(task, status=Submitted(event.revision), change=change, losses=0, crashes=0)


@table.task(e.ChecksFailed)
def _checks_failed(task: Task, event: e.ChecksFailed, at: datetime) -> Task:
    if task.status != Checking(event.revision):
        return task
    change = task.change and replace(task.change, acceptance=event.results)
    return replace(task, status=Rejected(ChecksRed(event.results)), change=change)


@table.task(e.Resubmitted)
def _resubmitted(task: Task, event: e.Resubmitted, at: datetime) -> Task:
    # What is being sealed just now may be older than what was meant: it gets the next number.
    last = task.status.revision if isinstance(task.status, Sealing) else task.revision
    return replace(
        task,
        status=Sealing(attempt=0, revision=last + 1),
        change=_lapsed(task),
        losses=0,
        crashes=0,
    )


@table.task(e.ChangeRefused)
def _refused(task: Task, event: e.ChangeRefused, at: datetime) -> Task:
    if task.status != Checking(event.revision):
        return task
    return replace(task, status=Rejected(event.cause))


@table.task(e.WorkCounted)
def _counted(task: Task, event: e.WorkCounted, at: datetime) -> Task:
    return replace(task, head=event.head, added=event.added, removed=event.removed)


@table.task(e.ToldAgain)
def _told_again(task: Task, event: e.ToldAgain, at: datetime) -> Task:
    cause = task.status.cause if isinstance(task.status, Rejected | Held) else task.last_cause
    task = tell(task, event.text, event.by)
    run = task.run and does(task.run, Working(), at)
    status = Running(task.attempt)
    return replace(task, status=status, run=run, retries=task.retries + 1, last_cause=cause)


@table.task(e.RetryScheduled)
def _retry(task: Task, event: e.RetryScheduled, at: datetime) -> Task:
    cause = task.status.cause if isinstance(task.status, Rejected | Held) else task.last_cause
    task = tell(task, event.note, "fleet") if event.note else task
    status = Queued(since=at, not_before=event.not_before)
    # What counts as an attempt of its own begins with a fresh context.
    conversation = None if event.consumes else task.conversation
    spent = task.spent + event.consumes
    return replace(task, status=status, spent=spent, last_cause=cause, conversation=conversation)


@table.task(e.TaskHeld)
def _held(task: Task, event: e.TaskHeld, at: datetime) -> Task:
    if not isinstance(task.status, Rejected):
        return task
    return replace(task, status=Held(task.status.cause), last_cause=task.status.cause)


@table.task(e.TaskFailed)
def _failed(task: Task, event: e.TaskFailed, at: datetime) -> Task:
    cause = task.status.cause if isinstance(task.status, Rejected) else task.last_cause
    return replace(task, status=Failed(event.reason), last_cause=cause)


@table.task(e.TaskStopped)
def _stopped(task: Task, event: e.TaskStopped, at: datetime) -> Task:
    return replace(task, status=Stopped(event.by))


@table.task(e.TaskPaused)
def _paused(task: Task, event: e.TaskPaused, at: datetime) -> Task:
    return replace(task, status=Paused(event.by))


@table.task(e.TaskResumed)
def _resumed(task: Task, event: e.TaskResumed, at: datetime) -> Task:
    task = replace(task, status=Queued(since=at), losses=0, crashes=0, change=_unapproved(task))
    return replace(task, spent=0, conversation=None) if event.fresh else task


@table.task(e.CrashNoted)
def _crash(task: Task, event: e.CrashNoted, at: datetime) -> Task:
    return replace(task, crashes=task.crashes + 1)


@table.task(e.NeedTold)
def _need_told(task: Task, event: e.NeedTold, at: datetime) -> Task:
    return replace(task, told=Told(event.need, event.since))


@table.task(e.NeedEnded)
def _need_ended(task: Task, event: e.NeedEnded, at: datetime) -> Task:
    return replace(task, told=None)
