"""A finished branch put up for review, and how it fares in the merge queue."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct

from fleet.core.assessment import Assessment, Risk
from fleet.core.causes import CheckResult, Conflict, GateRed
from fleet.core.ids import Commit, TaskId
from fleet.core.proof import Proof


class Member(Struct, frozen=True):
    """A change at one revision, as a place in a line of changes."""

    task: TaskId
    revision: int


class Evidence(Struct, frozen=True):
    """Checks that were run on one exact tree, merged onto `basis` as `commit`.

    `rules` is the digest of the check definitions that were in force.
    """

    basis: Commit
    commit: Commit
    tree: str
    rules: str
    results: tuple[CheckResult, ...]


class Gating(Struct, frozen=True, tag="gating"):
    """Waits for its checks on the merged tree, or is having them run."""


class Ready(Struct, frozen=True, tag="ready"):
    """Its merged tree passed its gates; `merged_onto` is the newest target it merges with."""

    evidence: Evidence
    merged_onto: Commit


class GateFailed(Struct, frozen=True, tag="gate-failed"):
    """Its merged tree failed a gate."""

    cause: GateRed


class Suspect(Struct, frozen=True, tag="suspect"):
    """Its merged tree failed a gate; with which other change it fails is being found out."""

    cause: GateRed


class Conflicted(Struct, frozen=True, tag="conflict"):
    """It does not merge with its target."""

    cause: Conflict


class Landing(Struct, frozen=True, tag="landing"):
    """The target is being moved from `evidence.basis` to `evidence.commit`: the intent."""

    evidence: Evidence
    since: datetime


class Proposed(Struct, frozen=True, tag="proposed"):
    """It is out of the line: `commit` is in a pull request, or on its way there: the intent.

    `evidence` is what it was proven by; `merged_onto` is the newest target it merges with.
    """

    evidence: Evidence
    commit: Commit
    remote: str
    branch: str
    since: datetime
    merged_onto: Commit


ChangeState = Gating | Ready | Suspect | GateFailed | Conflicted | Landing | Proposed


BY_POLICY = "policy"  # whose verdict it is where no person had to look


class Approval(Struct, frozen=True):
    """A verdict for one sealed commit, and all that it rests on; what is empty was not known.

    `diff` is the digest of what changes from `base` to `sealed`, `policy` that of what decides
    about landing, `rules` that of the checks that had to pass; `tree` is the merged tree on which
    they had, and `onto` where the target was. It is `doubted` while it is not known whether the
    target has moved inside its files since. It is `short` while others have to approve as well;
    those who did are in `beside`.
    """

    by: str
    sealed: Commit
    at: datetime
    rules: str = ""
    base: Commit | None = None
    diff: str = ""
    policy: str = ""
    tree: str = ""
    onto: Commit | None = None
    risk: Risk | None = None
    batch: str = ""  # the name of those that were approved together
    carried: str = ""  # why it holds for this revision, where it was given for an earlier one
    parents: tuple[Member, ...] = ()  # the changes below it in its stack
    doubted: bool = False
    short: bool = False
    beside: tuple["Approval", ...] = ()


class Change(Struct, frozen=True):
    """A finished branch at one sealed commit, put up for review.

    `sealed` is `head`, or one commit above it that holds what was not committed.
    """

    revision: int
    sealed: Commit
    head: Commit
    base: Commit
    added: int
    removed: int
    files: tuple[str, ...]
    since: datetime
    acceptance: tuple[CheckResult, ...] = ()
    state: ChangeState = Gating()
    approval: Approval | None = None
    blocked: str | None = None  # why it cannot land or be gated just now
    tried_onto: Commit | None = None  # the target at which landing was last blocked
    assessment: Assessment | None = None
    lapsed: tuple[
        Approval, ...
    ] = ()  # of the revision before, until it is known what becomes of them
    voided: str | None = None  # why an approval of this change counts no more

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """Every verdict that stands, by different people, oldest first."""
        return () if self.approval is None else (*self.approval.beside, self.approval)

    proofs: tuple[Proof, ...] = ()  # at most one of each kind
    below: tuple[Member, ...] = ()  # in its stack, the nearest first, when this was last judged
    upon: Member | None = None  # which of these `base` is; None where that is on the target

    @property
    def auto_commit(self) -> bool:
        return self.sealed != self.head


def newest_results(change: Change) -> tuple[CheckResult, ...]:
    """Return what each check said last, in the workspace or on the merged tree."""
    newest = {result.name: result for result in change.acceptance}
    match change.state:
        case Ready(evidence=evidence) | Landing(evidence=evidence) | Proposed(evidence=evidence):
            gates = evidence.results
        case GateFailed(cause=red) | Suspect(cause=red):
            gates = red.results
        case Gating() | Conflicted():
            gates = ()
        case _:
            assert_never(change.state)
    return tuple((newest | {result.name: result for result in gates}).values())
