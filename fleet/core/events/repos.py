"""What can happen to a repository and its pool of workspaces."""

from datetime import datetime

from fleet.core.events.base import RepoEvent
from fleet.core.ids import Commit


class RepoRegistered(RepoEvent, frozen=True, tag="repo.registered"):
    root: str
    git_dir: str


class AgentsTrusted(RepoEvent, frozen=True, tag="repo.agents-trusted"):
    """A person agreed that agents are told beforehand that they may trust this repository."""

    by: str


class AgentsDistrusted(RepoEvent, frozen=True, tag="repo.agents-distrusted"):
    """A person withdrew that: agents that start from then on are told nothing."""

    by: str


class PolicyTrusted(RepoEvent, frozen=True, tag="repo.trusted"):
    digest: str


class TargetSeen(RepoEvent, frozen=True, tag="target.seen"):
    """The tip of a target, as found; None where the branch is gone."""

    target: str
    tip: Commit | None


class QueueFrozen(RepoEvent, frozen=True, tag="queue.frozen"):
    target: str
    reason: str


class QueueThawed(RepoEvent, frozen=True, tag="queue.thawed"):
    target: str


class SlotPlanned(RepoEvent, frozen=True, tag="slot.planned"):
    slot: int


class SlotReady(RepoEvent, frozen=True, tag="slot.ready"):
    slot: int


class SlotBroken(RepoEvent, frozen=True, tag="slot.broken"):
    slot: int
    reason: str
    not_before: datetime


class SlotDropping(RepoEvent, frozen=True, tag="slot.dropping"):
    slot: int


class SlotDropped(RepoEvent, frozen=True, tag="slot.dropped"):
    slot: int
