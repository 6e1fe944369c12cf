"""How it reads what the policy says of a change: as a row for scripts, as one line for people."""

from fleet.core.approving import (
    ANY_REVIEW,
    REVIEW,
    UNASSESSED,
    UNPROVEN,
    approved,
    approvers,
    lacks,
    requirement,
    unchecked,
)
from fleet.core.change import Change
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy
from fleet.core.rows import PolicyRow

_AWAITED = (UNPROVEN, UNASSESSED)  # from nobody


def policy_row(task: Task, change: Change, policy: RepoPolicy) -> PolicyRow:
    """Return whose word a change needs, whose it has, and why."""
    required = requirement(task, change, policy)
    return PolicyRow(
        land=required.land,
        approvals=required.approvals,
        reviewers=required.reviewers,
        risk=required.limit,
        strict=required.strict,
        alone=required.alone,
        reasons=required.reasons,
        approved=approvers(change),
        voided=change.voided,
        lacks=lacks(task, change, policy),
    )


def review_phrase(task: Task, change: Change, policy: RepoPolicy) -> str | None:
    """Return what a person is wanted for, whose word a gated change waits for; else None."""
    if approved(change):
        return None
    if unchecked(task, change, policy):
        return "review: it has no checks"
    lack = lacks(task, change, policy)
    if lack in {None, *_AWAITED}:
        return None
    said = change.voided or (lack if lack != ANY_REVIEW else None)
    return f"review: {said}" if said else "review"


def reasons(task: Task, change: Change, policy: RepoPolicy) -> tuple[str, ...]:
    """Return why a change does not land by itself, where that is more than that it never does."""
    required = requirement(task, change, policy)
    alone = lacks(task, change, policy) is None or required.reasons == (REVIEW,)
    return () if alone else required.reasons


def sentence(row: PolicyRow) -> str:
    """Return the same in one line."""
    given = f"approved by {', '.join(row.approved)}" if row.approved else ""
    if row.lacks is None:
        return given or "lands by itself once it is green"
    if row.lacks in _AWAITED:
        limit = f", if its risk is {row.risk} at most" if row.risk else ""
        return f"waits for {row.lacks}, then lands by itself{limit}"
    more = len(row.reasons) - 1
    why = (row.reasons[0] if row.reasons else "") + (
        f" (and {more} more reasons)" if more > 1 else ""
    )
    parts = (f"needs {row.lacks}", why, given, row.voided)
    return "; ".join(part for part in parts if part)
