"""The merge queue as scripts and screens read it: a row for each change, in landing order."""

from typing import assert_never

from fleet.core import approving, merge_queue
from fleet.core.change import Change, Conflicted, GateFailed, Gating, Landing, Ready, Suspect
from fleet.core.clashing import conflicts_with
from fleet.core.comments import unanswered
from fleet.core.model import Fleet, Task
from fleet.core.phrases import reason
from fleet.core.planned import Circumstances
from fleet.core.proofs import proof_rows
from fleet.core.risk import assessed
from fleet.core.rows import QueueCheck, QueueRow
from fleet.core.status import Held
from fleet.core.verdicts import policy_row


def queue_rows(fleet: Fleet, given: Circumstances) -> list[QueueRow]:
    """Return all merge queues in landing order; what was held for a conflict comes last."""
    rows = []
    for repo, target in merge_queue.queues(fleet):
        line = merge_queue.entries(fleet, repo, target)
        for position, (task, change) in enumerate(line, start=1):
            waits = merge_queue.waits_for(fleet, task, given.target(repo, target))
            rows.append(_queue_row(task, change, position, waits, given))
    for task in fleet.tasks.values():
        if isinstance(task.status, Held) and task.change and task.removed_at is None:
            why = reason(task.status.cause)
            rows.append(_queue_row(task, task.change, len(rows) + 1, why, given))
    return rows


def _queue_row(
    task: Task, change: Change, position: int, waits: str | None, given: Circumstances
) -> QueueRow:
    state, policy = change.state, given.target(task.repo, task.target)
    known = assessed(task, change, policy)
    checks, files = change.acceptance, tuple[str, ...]()
    match state:
        case Ready(evidence=evidence) | Landing(evidence=evidence):
            checks = evidence.results
        case GateFailed(cause=red) | Suspect(cause=red):
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
        approved_by=approving.approved_by(change),
        policy=policy_row(task, change, policy),
        added=change.added,
        removed=change.removed,
        risk=known.risk if known else None,
        points=known.points if known else None,
        unanswered=len(unanswered(task.comments)),
        conflicts_with=conflicts_with(given, task),
        proofs=proof_rows(task, policy),
    )


def change_word(change: Change) -> str:
    """Return the state of a change: gating, gate-failed, conflict, ready or landing."""
    match change.state:
        case Gating() | Suspect():
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
