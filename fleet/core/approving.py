"""Whose word a change needs before it may land, and whether it has it; all of it pure."""

from fleet.core.change import Change, Ready
from fleet.core.gating import gates, rules
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy


def approved(change: Change) -> bool:
    """Whether a verdict stands for exactly the commit that would land."""
    return change.approval is not None and change.approval.sealed == change.sealed


def may_land(task: Task, change: Change, policy: RepoPolicy) -> bool:
    """Whether it lands as soon as its gates are green; else a person has to decide first."""
    return approved(change) or by_policy(task, change, policy)


def by_policy(task: Task, change: Change, policy: RepoPolicy) -> bool:
    """Whether no person has to look: it was asked for so, and there are checks to go by."""
    return task.spec.land == "auto" and not unchecked(task, change, policy)


def unchecked(task: Task, change: Change, policy: RepoPolicy) -> bool:
    """Whether it has no gate at all: then it never lands by policy, for that is not green."""
    if not isinstance(change.state, Ready) or change.state.evidence.results:
        return False
    return change.state.evidence.rules == rules(gates(task.spec, policy))
