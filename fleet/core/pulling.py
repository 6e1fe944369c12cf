"""What pull requests need next: to be opened, brought up to date, merged, closed, or left alone.

The forge is only ever asked to merge what it says it would merge now, and at exactly the commit
that was approved. A standing order ("merge when green") would outlive whatever others push later.
"""

from datetime import datetime, timedelta

from fleet.core import events as e
from fleet.core.approving import approved
from fleet.core.causes import PullRed, PullReview
from fleet.core.change import Change, Evidence, Proposed
from fleet.core.effects import AnyEffect, ClosePull, MergePull, Propose
from fleet.core.model import Fleet, Task
from fleet.core.pauses import is_due
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.policy import RepoPolicy
from fleet.core.pull_phrases import is_foreign
from fleet.core.pulls import Pull, Seen
from fleet.core.status import Submitted
from fleet.core.trust import withheld

_CHECKS_BEGIN = timedelta(minutes=1)


def began(task: Task, change: Change, proof: Evidence, *, remote: str) -> e.PullBegan:
    """Return the intent to put up a change that has all it needs.

    The sealed commit is put up, for that is what people approved and will find there; the forge
    merges it. It is the commit that was tested where the forge wants a branch that holds the newest
    target, and where the change was made on another one: its history has that one as it was then.
    """
    seen = task.pull.seen if task.pull and task.pull.open else None
    tested = (seen is not None and seen.merge == "behind") or change.upon is not None
    return e.PullBegan(
        task=task.id,
        revision=change.revision,
        evidence=proof,
        commit=proof.commit if tested else change.sealed,
        remote=remote,
        branch=f"fleet/{task.id}",
    )


def pulls(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return what the pull requests of all tasks need next."""
    parts = [_of(fleet, task, given, now) for task in fleet.tasks.values()]
    return together(part for part in parts if part is not NOTHING)


def _of(fleet: Fleet, task: Task, given: Circumstances, now: datetime) -> Plan:
    if task.pull is not None and task.pull.closing:
        return Plan(effects=(ClosePull(task.id, task.pull.number),))
    change = task.change
    if change is None or not isinstance(task.status, Submitted):
        return NOTHING
    state, policy = change.state, given.target(task.repo, task.target)
    if not isinstance(state, Proposed) or change.blocked is not None:
        return NOTHING
    if withheld(fleet, task.repo, task.target, policy):
        return NOTHING
    if why := _recalled(fleet, task, change, policy):
        return Plan(facts=(e.PullRecalled(task=task.id, revision=change.revision, reason=why),))
    if fact := _rejected(task, change, policy):
        return Plan(facts=(fact,))
    effect = _effect(task, state, change, policy)
    again = task.pull_trouble.again if task.pull_trouble else _settled_at(task, effect)
    if effect is None or is_due(again, now):
        return Plan(effects=() if effect is None else (effect,))
    return Plan(wake_at=again)


def _settled_at(task: Task, effect: AnyEffect | None) -> datetime | None:
    """Return when a commit without checks has none: forges take a moment to begin them."""
    pull = task.pull
    if not isinstance(effect, MergePull) or pull is None or (pull.seen and pull.seen.checks):
        return None
    return pull.opened_at + _CHECKS_BEGIN


def _recalled(fleet: Fleet, task: Task, change: Change, policy: RepoPolicy) -> str | None:
    """Return why a change is to be judged anew, in one phrase."""
    if policy.pr == "off":
        return "fleet.yaml asks for no pull request any more"
    if not approved(change):
        return "its approval counts no more"
    seen, state = _current(task), change.state
    tip = fleet.repos[task.repo].tips.get(task.target)
    stale = isinstance(state, Proposed) and tip is not None and state.evidence.basis != tip
    if seen is not None and seen.merge == "behind" and stale:
        return f"its branch has to hold the newest {task.target}"
    return None


def _current(task: Task) -> Seen | None:
    """Return what the forge says of exactly what we pushed last; None where it does not yet."""
    pull = task.pull
    if pull is None or pull.seen is None or pull.seen.head != pull.head:
        return None
    return pull.seen


def _rejected(task: Task, change: Change, policy: RepoPolicy) -> e.PullRejected | None:
    """Return what of the forge's word goes back to the agent, as far as the policy says so."""
    pull, seen = task.pull, _current(task)
    if pull is None or seen is None or seen.over or pull.revision != change.revision:
        return None
    cause: PullRed | PullReview | None = None
    if "checks" in policy.pr_returns and seen.failed and not seen.pending:
        cause = PullRed(pull.noun, pull.url, seen.failed)
    elif "reviews" in policy.pr_returns and seen.review == "changes-requested" and seen.remarks:
        cause = PullReview(pull.noun, pull.url, seen.remarks)
    if cause is None or task.spec.agent is None:
        return None
    return e.PullRejected(task=task.id, revision=change.revision, cause=cause)


def _effect(task: Task, state: Proposed, change: Change, policy: RepoPolicy) -> AnyEffect | None:
    pull = task.pull
    if pull is None or _is_to_be_put_up(pull, state, change):
        return Propose(task.id, change.revision, state.commit)
    if policy.pr == "merge" and _may_be_merged(task, pull):
        return MergePull(task.id, pull.number, pull.head, policy.merge)
    return None


def _is_to_be_put_up(pull: Pull, state: Proposed, change: Change) -> bool:
    """Whether the pull request does not hold it; a closed one is left to whoever closed it."""
    return (pull.revision, pull.head) != (change.revision, state.commit)


def _may_be_merged(task: Task, pull: Pull) -> bool:
    seen = _current(task)
    if seen is None or seen.state != "open" or pull.asked == pull.head:
        return False
    clear = seen.merge == "clean" and not seen.failed and not seen.pending
    return clear and seen.target == task.target and not is_foreign(task, seen)
