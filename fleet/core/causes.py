"""Why work did not get through: the results of checks, and the causes built on them."""

from msgspec import Struct

from fleet.core.ids import Commit, TaskId


class CheckResult(Struct, frozen=True):
    """What one check said.

    The state is passed, flaky, failed, empty (no test ran), killed, timeout, unstartable or
    cancelled.
    """

    name: str
    state: str
    seconds: float
    log: str
    code: int | None = None

    @property
    def green(self) -> bool:
        return self.state in {"passed", "flaky"}


class Died(Struct, frozen=True, tag="died"):
    """The agent ended badly, or could not be started."""

    reason: str


class NoChange(Struct, frozen=True, tag="no-change"):
    """The agent ended, and its branch holds nothing new."""


class Unsealable(Struct, frozen=True, tag="unsealable"):
    """The workspace is in no state to take a change from: a merge half done, another branch."""

    reason: str


class ChecksRed(Struct, frozen=True, tag="checks-red"):
    """Acceptance checks failed in the workspace."""

    results: tuple[CheckResult, ...]


class GateRed(Struct, frozen=True, tag="gate-red"):
    """Checks failed on the tree that would have landed.

    `beside` are changes that landed before, without which it passes: each passes alone.
    """

    results: tuple[CheckResult, ...]
    basis: Commit
    beside: tuple[TaskId, ...] = ()


class Conflict(Struct, frozen=True, tag="conflict"):
    """The change does not merge with the target at `basis`."""

    files: tuple[str, ...]
    basis: Commit
    others: tuple[str, ...] = ()  # what landed in these files meanwhile, a line each


class SentBack(Struct, frozen=True, tag="sent-back"):
    """A person returned the change."""

    note: str
    by: str


class Exhausted(Struct, frozen=True, tag="exhausted"):
    """A guardrail that trying again cannot move: its budget, its size."""

    reason: str


Cause = Died | Exhausted | NoChange | Unsealable | ChecksRed | GateRed | Conflict | SentBack
