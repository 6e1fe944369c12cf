"""Evidence grows old: when what checks said of a tree counts no more, and what rests on that."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fleet.core import durations
from fleet.core import events as e
from fleet.core.change import BY_POLICY, Ready
from fleet.core.ids import RepoId
from fleet.core.merge_queue import entries, queues
from fleet.core.model import Fleet
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.voiding import void


def expired(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return which trees are to be checked anew, of the targets for which a change waits."""
    return together(_expired(fleet, repo, target, given, now) for repo, target in queues(fleet))


def _expired(fleet: Fleet, repo: RepoId, target: str, given: Circumstances, now: datetime) -> Plan:
    policy = given.target(repo, target)
    line = fleet.repos[repo].lines.get(target)
    if policy.source == "unread" or line is None:
        return NOTHING
    lasts = timedelta(seconds=policy.evidence_s)
    ends = {tree: said + lasts for tree, said in line.ages().items()}
    old = tuple(tree for tree, end in ends.items() if end <= now)
    if not old:
        return Plan(wake_at=min(ends.values(), default=None))
    why = f"what its checks said is older than {durations.show(policy.evidence_s)}"
    gone = e.EvidenceForgotten(repo=repo, target=target, trees=old, reason=why)
    return Plan(facts=(*_voids(fleet, repo, target, frozenset(old), why), gone))


def _voids(
    fleet: Fleet, repo: RepoId, target: str, trees: frozenset[str], why: str
) -> Iterator[e.AnyEvent]:
    """What a person approved on evidence that is gone is not approved any more."""
    for task, change in entries(fleet, repo, target):
        by_people = change.approval is not None and change.approval.by != BY_POLICY
        if by_people and isinstance(change.state, Ready) and change.state.evidence.tree in trees:
            yield void(task, change, why)
