"""What can happen to a change in the merge queue."""

from fleet.core.assessment import Assessment, Risk
from fleet.core.causes import Conflict, GateRed
from fleet.core.change import Evidence, Member
from fleet.core.comments import Remark
from fleet.core.events.base import TaskEvent
from fleet.core.ids import Commit
from fleet.core.proof import Proof


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


class ChangeProved(TaskEvent, frozen=True, tag="change.proved"):
    """One proof of the change was tried; it takes the place of an earlier one of its kind."""

    revision: int
    proof: Proof


class ChangeShown(TaskEvent, frozen=True, tag="change.shown"):
    revision: int
    by: str


class Approved(TaskEvent, frozen=True, tag="change.approved"):
    """A verdict, with all that it rests on, as `core.change.Approval` has it."""

    revision: int
    sealed: Commit
    by: str
    rules: str = ""
    base: Commit | None = None
    diff: str = ""
    policy: str = ""
    tree: str = ""
    onto: Commit | None = None
    risk: Risk | None = None
    batch: str = ""
    carried: str = ""
    parents: tuple[Member, ...] = ()
    short: bool = False


class ApprovalVoided(TaskEvent, frozen=True, tag="change.approval-voided"):
    """An approval counts no more: that of `of`, or where that is empty, all of them.

    `by` is who took it back, empty where what it rested on has changed. What is left is `short`
    of what is asked for.
    """

    revision: int
    reason: str
    of: str = ""
    by: str = ""
    short: bool = True


class ApprovalDoubted(TaskEvent, frozen=True, tag="change.approval-doubted"):
    """The target moved to `onto`, and somebody has to see where before anything lands."""

    revision: int
    onto: Commit


class ApprovalHeld(TaskEvent, frozen=True, tag="change.approval-held"):
    """The target moved to `onto`, outside of the files that were approved."""

    revision: int
    onto: Commit


class StackMoved(TaskEvent, frozen=True, tag="change.stack-moved"):
    """What is below the change in its stack is now `below`; `reason` says what is another.

    What was found out about it holds no more; whether approvals do is still to be seen.
    """

    revision: int
    below: tuple[Member, ...]
    reason: str


class Returned(TaskEvent, frozen=True, tag="change.returned"):
    revision: int
    note: str
    by: str
    comments: tuple[Remark, ...] = ()  # what its agent is to answer


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


class ChangeAssessed(TaskEvent, frozen=True, tag="change.assessed"):
    """What was measured in the change; what could not be measured is said in it."""

    revision: int
    assessment: Assessment
