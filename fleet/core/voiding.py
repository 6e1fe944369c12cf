"""What becomes of approvals when the world moves on: what voids one, and what it outlives."""

from fleet.core import events as e
from fleet.core.approving import requirement, terms
from fleet.core.assessment import order
from fleet.core.change import BY_POLICY, Approval, Change, Member
from fleet.core.effects import LookAgain, Reconsider
from fleet.core.gating import gates, rules
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances, Plan, together
from fleet.core.policy import RepoPolicy
from fleet.core.risk import assessed
from fleet.core.stacks import below
from fleet.core.status import Checking, Submitted

OTHER_POLICY = "fleet.yaml asks for something else since it was approved"
_NAMED = 3  # files that are named one by one
OTHER_CHECKS = "its checks are others than those it was approved with"


def voided_by(
    approval: Approval,
    task: Task,
    change: Change,
    policy: RepoPolicy,
    *,
    parents: tuple[Member, ...] = (),
) -> str | None:
    """Return why an approval counts no more, in one phrase; None where it still does.

    `parents` are the changes that are now below `change` in its stack.
    """
    if approval.sealed != change.sealed:
        return "it was approved at another commit"
    if approval.policy and approval.policy != terms(policy):
        return OTHER_POLICY
    if approval.rules and approval.rules != rules(gates(task.spec, policy)):
        return OTHER_CHECKS
    if why := risen(approval, task, change, policy):
        return why
    if approval.by == BY_POLICY:
        return None  # it was about what is merged, which holds what is below it
    return other_stack(approval.parents, parents)


def other_stack(then: tuple[Member, ...], now: tuple[Member, ...]) -> str | None:
    """Return what is below a change now that was not when it was approved, in one phrase."""
    known = {it.task: it.revision for it in now}
    for member in then:
        if member.task not in known:
            return f"it no longer stands on {member.task}, as it did when it was approved"
        if known[member.task] != member.revision:
            return f"{member.task}, on which it stands, has a new revision since it was approved"
    new = [it.task for it in now if it not in then]
    return f"it stands on {new[0]} now, and did not when it was approved" if new else None


def risen(approval: Approval, task: Task, change: Change, policy: RepoPolicy) -> str | None:
    """Return how the risk has risen above what was approved, and above what rules allow alone.

    Where nobody knew how risky it was, nobody approved that.
    """
    known, limit = assessed(task, change, policy), requirement(task, change, policy).limit
    if approval.by == BY_POLICY or known is None or limit is None:
        return None
    borne = max(order(approval.risk) if approval.risk else -1, order(limit))
    if order(known.risk) <= borne:
        return None
    was = f"it was {approval.risk}" if approval.risk else "nobody knew it"
    return f"its risk is {known.risk}, and {was} when it was approved: {known.reasons[0].text}"


def verdicts(fleet: Fleet, given: Circumstances) -> Plan:
    """Return which approvals count no more, and which have to be looked at again."""
    return together(
        _verdict(fleet, task, task.change, given)
        for task in fleet.tasks.values()
        if isinstance(task.status, Submitted | Checking)
        and task.change is not None
        and not task.landing
    )


def _verdict(fleet: Fleet, task: Task, change: Change, given: Circumstances) -> Plan:
    now = below(fleet, task)
    if now != change.below:
        return Plan(facts=(_stack_moved(task, change, now),))
    if change.lapsed and isinstance(task.status, Submitted):
        return Plan(effects=(Reconsider(task.id, change.revision),))
    policy = given.target(task.repo, task.target)
    if (
        policy.source == "unread"
        or change.approval is None
        or not isinstance(task.status, Submitted)
    ):
        return Plan()
    for approval in change.approvals:
        if why := voided_by(approval, task, change, policy, parents=now):
            return Plan(facts=(void(task, change, why),))
    tip = fleet.repos[task.repo].tips.get(task.target)
    behind = any(it.onto not in {None, tip} for it in change.approvals)
    if tip is None or not behind or not requirement(task, change, policy).strict:
        return Plan()
    if not all(it.doubted for it in change.approvals):
        return Plan(facts=(e.ApprovalDoubted(task=task.id, revision=change.revision, onto=tip),))
    return Plan(effects=(LookAgain(task.id, change.revision, tip),))


def _stack_moved(task: Task, change: Change, now: tuple[Member, ...]) -> e.StackMoved:
    why = other_stack(change.below, now) or "its stack is another one since it was approved"
    return e.StackMoved(task=task.id, revision=change.revision, below=now, reason=why)


def void(task: Task, change: Change, why: str) -> e.ApprovalVoided:
    """Return the fact that no approval of `change` counts any more."""
    return e.ApprovalVoided(task=task.id, revision=change.revision, reason=why)


def moved_inside(change: Change, moved: frozenset[str], target: str) -> str | None:
    """Return why a strict approval has to be given again after the target moved in these files."""
    both = [path for path in change.files if path in moved]
    if not both:
        return None
    more = len(both) - _NAMED
    named = ", ".join(both[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{target} moved in {named} since it was approved"
