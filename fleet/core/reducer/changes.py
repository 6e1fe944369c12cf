"""Folding what happens to a change in the merge queue."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.causes import SentBack
from fleet.core.change import (
    BY_POLICY,
    Approval,
    Change,
    Conflicted,
    GateFailed,
    Gating,
    Landing,
    Proposed,
    Ready,
    Suspect,
)
from fleet.core.comments import all_sent
from fleet.core.ids import Commit
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.status import Checking, Landed, Rejected, Submitted, Withdrawn


def current(task: Task, revision: int) -> Change | None:
    """The change in the merge queue, if it still is the one that was worked on."""
    waits = isinstance(task.status, Submitted | Checking)
    current = task.change is not None and task.change.revision == revision
    return task.change if waits and current else None


def _with(task: Task, change: Change) -> Task:
    return replace(task, change=change)


@table.task(e.GatePassed)
def _passed(task: Task, event: e.GatePassed, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    state = Ready(evidence=event.evidence, merged_onto=event.evidence.basis)
    approval = change.approval
    if approval is not None and approval.by == BY_POLICY:
        approval = None  # it was about the evidence that this takes the place of
    change = replace(change, state=state, blocked=None, approval=approval)
    return replace(task, change=change, crashes=0)


@table.task(e.GateRejected)
def _rejected(task: Task, event: e.GateRejected, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    change = replace(change, state=GateFailed(event.cause), approval=None)
    return replace(task, change=change, status=Rejected(event.cause))


@table.task(e.Suspected)
def _suspected(task: Task, event: e.Suspected, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    return _with(task, replace(change, state=Suspect(event.cause)))


@table.task(e.ConflictFound)
def _conflict(task: Task, event: e.ConflictFound, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    change = replace(change, state=Conflicted(event.cause), approval=None)
    return replace(task, change=change, status=Rejected(event.cause))


@table.task(e.StillMerges)
def _still_merges(task: Task, event: e.StillMerges, at: datetime) -> Task:
    change = current(task, event.revision)
    if change is None or not isinstance(change.state, Ready | Proposed):
        return task
    return _with(task, replace(change, state=replace(change.state, merged_onto=event.onto)))


@table.task(e.ChangeBlocked)
def _blocked(task: Task, event: e.ChangeBlocked, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    state = change.state
    if isinstance(state, Landing):
        state = Ready(evidence=state.evidence, merged_onto=state.evidence.basis)
    change = replace(change, state=state, blocked=event.reason, tried_onto=event.onto)
    return _with(task, change)


@table.task(e.ChangeUnblocked)
def _unblocked(task: Task, event: e.ChangeUnblocked, at: datetime) -> Task:
    change = current(task, event.revision)
    return task if change is None else _with(task, replace(change, blocked=None))


@table.task(e.ChangeProved)
def _proved(task: Task, event: e.ChangeProved, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    others = (proof for proof in change.proofs if proof.kind != event.proof.kind)
    return _with(task, replace(change, proofs=(*others, event.proof)))


@table.task(e.ChangeShown)
def _shown(task: Task, event: e.ChangeShown, at: datetime) -> Task:
    if event.revision <= task.shown:
        return task
    return replace(task, shown=event.revision, shown_before=task.shown)


@table.task(e.ChangeAssessed)
def _assessed(task: Task, event: e.ChangeAssessed, at: datetime) -> Task:
    change = current(task, event.revision)
    return task if change is None else _with(task, replace(change, assessment=event.assessment))


@table.task(e.Approved)
def _approved(task: Task, event: e.Approved, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    others = (it for it in change.approvals if it.by not in {event.by, BY_POLICY})
    beside = tuple(replace(it, beside=()) for it in others if it.sealed == event.sealed)
    said = {name: getattr(event, name) for name in _SAID}
    approval = Approval(at=at, beside=beside, **said)
    return _with(task, replace(change, approval=approval, lapsed=(), voided=None))


_SAID = tuple({*Approval.__struct_fields__} & {*e.Approved.__struct_fields__})


@table.task(e.ApprovalVoided)
def _voided(task: Task, event: e.ApprovalVoided, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    left = [it for it in change.approvals if event.of and it.by != event.of]
    approval = left and replace(left[-1], beside=tuple(left[:-1]), short=event.short)
    return _with(task, replace(change, approval=approval or None, lapsed=(), voided=event.reason))


@table.task(e.ApprovalDoubted)
def _doubted(task: Task, event: e.ApprovalDoubted, at: datetime) -> Task:
    return _each_approval(task, event.revision, doubted=True)


@table.task(e.ApprovalHeld)
def _held(task: Task, event: e.ApprovalHeld, at: datetime) -> Task:
    return _each_approval(task, event.revision, doubted=False, onto=event.onto)


def _each_approval(task: Task, revision: int, **said: Any) -> Task:
    change = current(task, revision)
    if change is None or change.approval is None:
        return task
    beside = tuple(replace(it, **said) for it in change.approval.beside)
    return _with(task, replace(change, approval=replace(change.approval, beside=beside, **said)))


@table.task(e.StackMoved)
def _stack_moved(task: Task, event: e.StackMoved, at: datetime) -> Task:
    change = current(task, event.revision)
    if change is None or isinstance(change.state, Landing):
        return task
    lapsed = tuple(it for it in change.approvals if it.by != BY_POLICY) or change.lapsed
    change = replace(
        change,
        below=event.below,
        state=Gating(),
        approval=None,
        lapsed=lapsed,
        voided=event.reason if lapsed else change.voided,
        blocked=None,
    )
    return _with(task, change)


@table.task(e.Returned)
def _returned(task: Task, event: e.Returned, at: datetime) -> Task:
    change = task.change and replace(task.change, approval=None, lapsed=(), state=Gating())
    status = Rejected(SentBack(event.note, event.by, event.comments))
    task = replace(task, comments=all_sent(task.comments, event.comments), recalled=False)
    return replace(task, change=change, status=status, losses=0, crashes=0)


@table.task(e.ChangeWithdrawn)
def _withdrawn(task: Task, event: e.ChangeWithdrawn, at: datetime) -> Task:
    change = task.change and replace(task.change, approval=None, lapsed=())
    return replace(task, change=change, status=Withdrawn(event.by))


@table.task(e.LandingBegan)
def _landing(task: Task, event: e.LandingBegan, at: datetime) -> Task:
    change = current(task, event.revision)
    if change is None or not isinstance(task.status, Submitted):
        return task
    return _with(task, replace(change, state=Landing(evidence=event.evidence, since=at)))


@table.task(e.LandingMissed)
def _missed(task: Task, event: e.LandingMissed, at: datetime) -> Task:
    change = current(task, event.revision)
    return task if change is None else _with(task, replace(change, state=Gating()))


@table.task(e.ChangeLanded)
def _landed(task: Task, event: e.ChangeLanded, at: datetime) -> Task:
    return replace(task, status=Landed(Commit(event.commit), at))
