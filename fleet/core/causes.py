"""Why work did not get through: the results of checks, and the causes built on them."""

from msgspec import Struct

from fleet.core.comments import Remark
from fleet.core.ids import Commit, TaskId
from fleet.core.pulls import PullCheck, PullRemark


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


class Intent(Struct, frozen=True):
    """What a task was about, in its own words, for whoever meets its change."""

    task: str
    title: str
    summary: str = ""


class GateRed(Struct, frozen=True, tag="gate-red"):
    """Checks failed on the tree that would have landed.

    `beside` are changes that landed before, without which it passes: each passes alone. `own` is
    what the task was about, `others` what these were about, and `files` are those that they
    changed.
    """

    results: tuple[CheckResult, ...]
    basis: Commit
    beside: tuple[TaskId, ...] = ()
    own: Intent | None = None
    others: tuple[Intent, ...] = ()
    files: tuple[str, ...] = ()


class Conflict(Struct, frozen=True, tag="conflict"):
    """The change does not merge with the target at `basis`.

    `kinds` is what git says of each conflict, `own` what the task was about, `landed` what the
    tasks were about whose changes it meets there, `checks` what is to pass once it is resolved.
    `base` is where its own work begins, where that is another change and not its target.
    """

    files: tuple[str, ...]
    basis: Commit
    others: tuple[str, ...] = ()  # what landed in these files meanwhile, a line each
    kinds: tuple[str, ...] = ()
    own: Intent | None = None
    landed: tuple[Intent, ...] = ()
    checks: tuple[str, ...] = ()
    base: Commit | None = None


class SentBack(Struct, frozen=True, tag="sent-back"):
    """A person returned the change, with a note, with comments on its lines, or with both."""

    note: str
    by: str
    comments: tuple[Remark, ...] = ()


class Exhausted(Struct, frozen=True, tag="exhausted"):
    """A guardrail that trying again cannot move: its budget, its size."""

    reason: str


class PullRed(Struct, frozen=True, tag="pull-red"):
    """Checks of the forge failed on the pull request that holds the change."""

    noun: str
    url: str
    checks: tuple[PullCheck, ...]


class PullReview(Struct, frozen=True, tag="pull-review"):
    """People who may write to the repository asked for changes in the pull request."""

    noun: str
    url: str
    remarks: tuple[PullRemark, ...]


Cause = (
    Died
    | Exhausted
    | NoChange
    | Unsealable
    | ChecksRed
    | GateRed
    | Conflict
    | SentBack
    | PullRed
    | PullReview
)
