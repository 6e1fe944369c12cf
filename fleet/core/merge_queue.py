"""The merge queue: which change is gated, approved by policy, or landed next; a pure function.

Only what sits at the head of the line can be landed, and a change is only ever judged on the
target as it is: so a red gate is always its own. One gate runs at a time for each target; to
speculate is to return more `Gate` effects, with a change's predecessors in `onto`.
"""

from collections.abc import Iterator
from datetime import datetime

from fleet.core import events as e
from fleet.core.approving import approved, may_land
from fleet.core.change import BY_POLICY, Change, Evidence, Gating, Landing, Ready
from fleet.core.effects import Gate, Land, Remerge
from fleet.core.gating import gates, rules
from fleet.core.ids import Commit, RepoId
from fleet.core.model import Fleet, Task
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.policy import RepoPolicy
from fleet.core.status import Submitted

UNTRUSTED = "fleet.yaml has commands that nobody trusted: fleet trust"


def entries(fleet: Fleet, repo: RepoId, target: str) -> list[tuple[Task, Change]]:
    """Return the changes for one target in landing order.

    What lands now comes first; then what is approved, or will be by policy, oldest verdict
    first; then what waits for a person, oldest first.
    """
    waiting = [
        (task, task.change)
        for task in fleet.tasks.values()
        if task.change is not None
        and isinstance(task.status, Submitted)
        and (task.repo, task.target) == (repo, target)
    ]
    return sorted(waiting, key=_order)


def _order(entry: tuple[Task, Change]) -> tuple[int, datetime, str]:
    task, change = entry
    if isinstance(change.state, Landing):
        return (0, change.since, task.id)
    if change.approval is not None and change.approval.by != BY_POLICY:
        return (1, change.approval.at, task.id)
    if task.spec.land == "auto":  # the policy's verdict stood before the gates did
        return (1, change.since, task.id)
    return (2, change.since, task.id)


def queues(fleet: Fleet) -> list[tuple[RepoId, str]]:
    """Return every (repository, target) for which a change waits."""
    waiting = (task for task in fleet.tasks.values() if isinstance(task.status, Submitted))
    return sorted({(task.repo, task.target) for task in waiting})


def untrusted(fleet: Fleet, repo: RepoId, policy: RepoPolicy) -> bool:
    """Whether the repository's file needs the trust of a person, and nobody gave it."""
    return policy.needs_trust and policy.digest not in fleet.repos[repo].trusted


def merge_queues(fleet: Fleet, given: Circumstances) -> Plan:
    """Return what all merge queues need next."""
    return together(plan(fleet, repo, target, given.repo(repo)) for repo, target in queues(fleet))


def plan(fleet: Fleet, repo: RepoId, target: str, policy: RepoPolicy) -> Plan:
    """Return what the merge queue of one target needs next."""
    line = entries(fleet, repo, target)
    tip = fleet.repos[repo].tips.get(target)
    for task, change in line:
        if isinstance(change.state, Landing):  # an intent on record is always carried through
            return Plan(effects=(Land(repo, target, task.id, change.revision),))
    if tip is None or target in fleet.repos[repo].frozen or untrusted(fleet, repo, policy):
        return NOTHING
    return next(_steps(line, tip, policy), NOTHING)


def _steps(line: list[tuple[Task, Change]], tip: Commit, policy: RepoPolicy) -> Iterator[Plan]:
    """The candidates for the next step, the best first."""
    for task, change in line:
        stuck = change.blocked is not None and change.tried_onto == tip
        if not stuck and may_land(task, change, policy):
            yield from _front(task, change, tip, policy)
    for task, change in line:
        if change.blocked is None and not may_land(task, change, policy):
            yield from _behind(task, change, tip)


def _front(task: Task, change: Change, tip: Commit, policy: RepoPolicy) -> Iterator[Plan]:
    match change.state:
        case Ready(evidence=evidence) if _holds(evidence, task, tip, policy):
            yield Plan(facts=(_land_or_approve(task, change, evidence),))
        case Gating() | Ready():
            yield _gate(task, change, tip)
        case _:
            return


def _holds(evidence: Evidence, task: Task, tip: Commit, policy: RepoPolicy) -> bool:
    """Whether the checks now in force were run on exactly what would land now."""
    return evidence.basis == tip and evidence.rules == rules(gates(task.spec, policy))


def _gate(task: Task, change: Change, tip: Commit) -> Plan:
    return Plan(effects=(Gate(task.repo, task.target, task.id, change.revision, tip),))


def _land_or_approve(task: Task, change: Change, evidence: Evidence) -> e.AnyEvent:
    if approved(change):
        return e.LandingBegan(task=task.id, revision=change.revision, evidence=evidence)
    return e.Approved(
        task=task.id,
        revision=change.revision,
        sealed=change.sealed,
        by=BY_POLICY,
        rules=evidence.rules,
    )


def _behind(task: Task, change: Change, tip: Commit) -> Iterator[Plan]:
    """A person has not decided yet: check it once, then only see that it still merges."""
    match change.state:
        case Gating():
            yield _gate(task, change, tip)
        case Ready(merged_onto=onto) if onto != tip:
            again = Remerge(task.repo, task.target, task.id, change.revision, tip)
            yield Plan(effects=(again,))
        case _:
            return


def waits_for(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    """Return what the change of `task` waits for, in one phrase; None while it lands."""
    change = task.change
    if change is None or isinstance(change.state, Landing):
        return None
    if (why := stands_still(fleet, task, policy)) is not None:
        return why
    if change.blocked is not None:
        return change.blocked
    if isinstance(change.state, Gating):
        return "its gates"
    if not may_land(task, change, policy):
        return "a review"
    first, _ = entries(fleet, task.repo, task.target)[0]
    return "its gates" if first.id == task.id else f"{first.id} to land"


def stands_still(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    """Return why nothing moves in the queue of this task's target until a person acts."""
    repo, target = fleet.repos[task.repo], task.target
    if target in repo.frozen:
        return f"the queue of {target} is frozen: {repo.frozen[target]} (fleet thaw)"
    if untrusted(fleet, task.repo, policy):
        return UNTRUSTED
    return None if target in repo.tips else f"the branch {target} is gone"
