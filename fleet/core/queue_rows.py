"""The merge queue as scripts and screens read it: a row for each change, in landing order."""

from typing import assert_never

from fleet.core import approving, merge_queue, stacks
from fleet.core.causes import CheckResult
from fleet.core.change import (
    Change,
    Conflicted,
    GateFailed,
    Gating,
    Landing,
    Proposed,
    Ready,
    Suspect,
)
from fleet.core.clashing import conflicts_with
from fleet.core.comments import unanswered
from fleet.core.model import Fleet, Task
from fleet.core.phrases import reason
from fleet.core.planned import Circumstances
from fleet.core.proofs import proof_rows
from fleet.core.pull_phrases import pull_row
from fleet.core.risk import assessed
from fleet.core.rows import QueueCheck, QueueRow
from fleet.core.status import Held
from fleet.core.verdicts import policy_row


def queue_rows(fleet: Fleet, given: Circumstances) -> list[QueueRow]:
    """Return all merge queues in landing order; what was held for a conflict comes last."""
    rows, upper = [], stacks.above(fleet)
    for repo, target in merge_queue.queues(fleet):
        line = merge_queue.entries(fleet, repo, target)
        for position, (task, change) in enumerate(line, start=1):
            waits = merge_queue.waits_for(fleet, task, given.target(repo, target))
            rows.append(_queue_row((fleet, upper), task, change, position, waits, given))
    for task in fleet.tasks.values():
        if isinstance(task.status, Held) and task.change and task.removed_at is None:
            why = reason(task.status.cause)
            rows.append(_queue_row((fleet, upper), task, task.change, len(rows) + 1, why, given))
    return rows


def _queue_row(  # noqa: PLR0917 (all that a row is made of)
    around: tuple[Fleet, stacks.Above],
    task: Task,
    change: Change,
    position: int,
    waits: str | None,
    given: Circumstances,
) -> QueueRow:
    policy = given.target(task.repo, task.target)
    known = assessed(task, change, policy)
    return QueueRow(
        task=task.id,
        title=task.spec.title,
        repo=task.repo,
        head=change.sealed,
        target=task.target,
        state=change_word(change),
        position=position,
        waits_for=waits,
        conflicts=change.state.cause.files if isinstance(change.state, Conflicted) else (),
        checks=tuple(
            QueueCheck(name=r.name, state=r.state, seconds=r.seconds, log=r.log)
            for r in _results(change)
        ),
        approved_by=approving.approved_by(change),
        policy=policy_row(task, change, policy),
        added=change.added,
        removed=change.removed,
        risk=known.risk if known else None,
        points=known.points if known else None,
        unanswered=len(unanswered(task.comments)),
        conflicts_with=conflicts_with(given, task),
        parent=stacks.parent_of(task),
        stack=stacks.stack(around[0], task, around[1]),
        upon=change.upon.revision if change.upon is not None else None,
        priority=task.spec.priority,
        proofs=proof_rows(task, policy),
        pr=pull_row(task),
    )


def _results(change: Change) -> tuple[CheckResult, ...]:
    """Return what checks said last: on the merged tree, or in its workspace as long as they run."""
    match change.state:
        case Ready(evidence=evidence) | Landing(evidence=evidence) | Proposed(evidence=evidence):
            return evidence.results
        case GateFailed(cause=red) | Suspect(cause=red):
            return red.results
        case Gating() | Conflicted():
            return change.acceptance
        case _:
            assert_never(change.state)


def change_word(change: Change) -> str:
    """Return the state of a change: gating, gate-failed, conflict, ready, landing, proposed."""
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
        case Proposed():
            return "proposed"
        case _:
            assert_never(change.state)
