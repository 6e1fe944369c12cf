"""What can happen to a change in the merge queue."""

from fleet.core.causes import Conflict, GateRed
from fleet.core.change import Evidence
from fleet.core.events.base import TaskEvent
from fleet.core.ids import Commit


class GatePassed(TaskEvent, frozen=True, tag="gate.passed"):
    revision: int
    evidence: Evidence


class GateRejected(TaskEvent, frozen=True, tag="gate.failed"):
    revision: int
    cause: GateRed


class Suspected(TaskEvent, frozen=True, tag="gate.suspected"):
    """It fails a gate where it would land, and passes alone: what it fails with is sought."""

    revision: int
    cause: GateRed


class ConflictFound(TaskEvent, frozen=True, tag="gate.conflict"):
    revision: int
    cause: Conflict


class StillMerges(TaskEvent, frozen=True, tag="gate.merges"):
    """The change merges with a newer target; its checks were not run there."""

    revision: int
    onto: Commit


class ChangeBlocked(TaskEvent, frozen=True, tag="change.blocked"):
    """Gating or landing must wait for something outside, which `reason` names."""

    revision: int
    reason: str
    onto: Commit


class ChangeUnblocked(TaskEvent, frozen=True, tag="change.unblocked"):
    revision: int


class ChangeShown(TaskEvent, frozen=True, tag="change.shown"):
    revision: int
    by: str


class Approved(TaskEvent, frozen=True, tag="change.approved"):
    revision: int
    sealed: Commit
    by: str
    rules: str = ""


class Returned(TaskEvent, frozen=True, tag="change.returned"):
    revision: int
    note: str
    by: str


class ChangeWithdrawn(TaskEvent, frozen=True, tag="change.withdrawn"):
    by: str


class LandingBegan(TaskEvent, frozen=True, tag="landing.began"):
    """The intent: the target goes from `evidence.basis` to `evidence.commit`."""

    revision: int
    evidence: Evidence


class LandingMissed(TaskEvent, frozen=True, tag="landing.missed"):
    """The target had moved to `tip` meanwhile; nothing was changed."""

    revision: int
    tip: Commit


class ChangeLanded(TaskEvent, frozen=True, tag="change.landed"):
    revision: int
    commit: Commit
    target: str
