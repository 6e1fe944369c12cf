"""How the state reads: a status word, what it needs of a person, rows for scripts."""

from datetime import datetime
from typing import assert_never

from fleet.core import merge_queue
from fleet.core.activity import Activity, Idle, Run, Stalled, Unknown, Waiting, Working
from fleet.core.causes import Cause, ChecksRed, Conflict, GateRed, SentBack
from fleet.core.change import Change, Conflicted, GateFailed, Gating, Landing, Ready
from fleet.core.model import Fleet, Task
from fleet.core.phrases import reason
from fleet.core.planned import Circumstances
from fleet.core.policy import RepoPolicy
from fleet.core.rows import QueueCheck, QueueRow
from fleet.core.schedule import doomed_by, no_workspace, waits_for
from fleet.core.status import (
    Checking,
    Ending,
    Failed,
    Held,
    Landed,
    Paused,
    Queued,
    Rejected,
    Running,
    Sealing,
    Starting,
    Stopped,
    Submitted,
    ToSeal,
    Withdrawn,
)
from fleet.core.turns import go_on_at, interrupted


def status_word(fleet: Fleet, task: Task) -> str:
    """Return the status as people and scripts read it; the words are those of the README."""
    match task.status:
        case Queued():
            return "blocked" if waits_for(fleet, task) else "queued"
        case Running():
            return activity_word(task.run.activity) if task.run else "starting"
        case Ending(outcome=outcome):
            return "checking" if isinstance(outcome, ToSeal) else "stopping"
        case Submitted():
            return _change_word(task.change)
        case Held(cause=cause):
            return _held_word(cause)
        case Sealing() | Checking() | Rejected():
            return "checking"
        case Starting() | Paused() | Landed() | Failed() | Stopped() | Withdrawn():
            return type(task.status).__name__.lower()
        case _:
            assert_never(task.status)


def activity_word(activity: Activity) -> str:
    """Return what a live agent does, in one word."""
    match activity:
        case Working() | Waiting() | Idle() | Stalled() | Unknown():
            return type(activity).__name__.lower()
        case _:
            assert_never(activity)


def activity_phrase(activity: Activity) -> str:
    """Return what a source says that an agent does, in a few words."""
    match activity:
        case Waiting(need=need):
            return f"waiting: {need}"
        case Working(background=True):
            return "working in the background"
        case _:
            return activity_word(activity)


def _change_word(change: Change | None) -> str:
    if change is None:
        return "checking"
    if isinstance(change.state, Landing):
        return "landing"
    if merge_queue.approved(change):
        return "approved"
    return "review" if isinstance(change.state, Ready) else "checking"


def _held_word(cause: Cause) -> str:
    match cause:
        case Conflict():
            return "conflict"
        case SentBack() | GateRed() | ChecksRed():
            return "returned"
        case _:
            return "waiting"


def needs(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    """Return why a person is wanted, in one phrase, or how the task ended badly; else None."""
    if task.removed_at is not None:
        return None
    match task.status:
        case Running() if task.run is not None:
            return _running_needs(task, task.run)
        case Queued(trouble=trouble):
            return _queued_needs(fleet, task, trouble, policy)
        case Submitted():
            return _change_needs(fleet, task, policy)
        case Held(cause=cause):
            return reason(cause)
        case Failed(reason=why):
            return why
        case _:
            return task.trouble


def needs_since(task: Task) -> datetime:
    """Return since when a task needs what it needs."""
    if isinstance(task.status, Running) and task.run is not None:
        return task.run.activity_since
    if isinstance(task.status, Submitted) and task.change is not None:
        return task.updated_at if task.change.blocked else task.status_since or task.updated_at
    return task.status_since or task.updated_at


def _queued_needs(fleet: Fleet, task: Task, trouble: str | None, policy: RepoPolicy) -> str | None:
    if other := doomed_by(fleet, task):
        return f"waits for {other}, which will not land"
    if merge_queue.untrusted(fleet, task.repo, policy):
        return merge_queue.UNTRUSTED
    if trouble is not None:
        return f"cannot be started: {trouble}"
    broken = no_workspace(fleet, task)
    return f"no workspace can be made: {broken}" if broken else None


def _running_needs(task: Task, run: Run) -> str | None:
    match run.activity:
        case Waiting(kind="error") if go_on_at(task, run) is not None:
            return None  # fleet tells it to go on
        case Waiting(need=need):
            return need
        case Stalled():
            return "gives no sign of life"
        case Idle() if task.spec.done != "turn":
            return "its turn was interrupted" if interrupted(run) else "its turn has ended"
        case Idle() if interrupted(run):
            return "its turn was interrupted"
        case _:
            return None


def _change_needs(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    change = task.change
    if change is None or isinstance(change.state, Landing):
        return None
    if (why := merge_queue.stands_still(fleet, task, policy)) is not None:
        return why
    if change.blocked is not None:
        return change.blocked
    if not isinstance(change.state, Ready) or merge_queue.approved(change):
        return None
    if merge_queue.unchecked(task, change, policy):
        return "review: it has no checks"
    return "review" if task.spec.land == "review" else None


def queue_rows(fleet: Fleet, given: Circumstances) -> list[QueueRow]:
    """Return all merge queues in landing order; what was held for a conflict comes last."""
    rows = []
    for repo, target in merge_queue.queues(fleet):
        line = merge_queue.entries(fleet, repo, target)
        for position, (task, change) in enumerate(line, start=1):
            waits = merge_queue.waits_for(fleet, task, given.repo(repo))
            rows.append(_queue_row(task, change, position, waits))
    for task in fleet.tasks.values():
        if isinstance(task.status, Held) and task.change and task.removed_at is None:
            rows.append(_queue_row(task, task.change, len(rows) + 1, reason(task.status.cause)))
    return rows


def _queue_row(task: Task, change: Change, position: int, waits: str | None) -> QueueRow:
    state = change.state
    checks = change.acceptance
    files: tuple[str, ...] = ()
    match state:
        case Ready(evidence=evidence) | Landing(evidence=evidence):
            checks = evidence.results
        case GateFailed(cause=red):
            checks = red.results
        case Conflicted(cause=conflict):
            files = conflict.files
        case Gating():
            pass
        case _:
            assert_never(state)
    return QueueRow(
        task=task.id,
        title=task.spec.title,
        repo=task.repo,
        head=change.sealed,
        target=task.target,
        state=change_word(change),
        position=position,
        waits_for=waits,
        conflicts=files,
        checks=tuple(
            QueueCheck(name=r.name, state=r.state, seconds=r.seconds, log=r.log) for r in checks
        ),
        approved_by=change.approval.by if change.approval else None,
        added=change.added,
        removed=change.removed,
    )


def change_word(change: Change) -> str:
    """Return the state of a change: gating, gate-failed, conflict, ready or landing."""
    match change.state:
        case Gating():
            return "gating"
        case GateFailed():
            return "gate-failed"
        case Conflicted():
            return "conflict"
        case Ready():
            return "ready"
        case Landing():
            return "landing"
        case _:
            assert_never(change.state)
