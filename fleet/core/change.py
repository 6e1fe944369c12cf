"""A finished branch put up for review, and how it fares in the merge queue."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct

from fleet.core.assessment import Assessment
from fleet.core.causes import CheckResult, Conflict, GateRed
from fleet.core.ids import Commit, TaskId


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


ChangeState = Gating | Ready | Suspect | GateFailed | Conflicted | Landing


BY_POLICY = "policy"  # whose verdict it is where no person had to look


class Approval(Struct, frozen=True):
    """A verdict for one sealed commit, under the rules that were in force."""

    by: str
    sealed: Commit
    at: datetime
    rules: str = ""


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

    @property
    def auto_commit(self) -> bool:
        return self.sealed != self.head


def newest_results(change: Change) -> tuple[CheckResult, ...]:
    """Return what each check said last, in the workspace or on the merged tree."""
    newest = {result.name: result for result in change.acceptance}
    match change.state:
        case Ready(evidence=evidence) | Landing(evidence=evidence):
            gates = evidence.results
        case GateFailed(cause=red) | Suspect(cause=red):
            gates = red.results
        case Gating() | Conflicted():
            gates = ()
        case _:
            assert_never(change.state)
    return tuple((newest | {result.name: result for result in gates}).values())
