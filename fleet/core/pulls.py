"""A pull request: what fleet put up on a forge for a task, and what the forge says of it.

What others call a merge request is one as well.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from fleet.core.ids import Commit

ForgeName = Literal["gh", "glab"]
PullMode = Literal["off", "open", "merge"]
Returns = Literal["checks", "reviews"]
PullState = Literal["open", "draft", "merged", "closed"]
CheckState = Literal["passed", "failed", "pending", "skipped"]
ReviewState = Literal["approved", "changes-requested", "required", "none"]
# clean: the forge's own rules are met. behind: it wants its branch to hold the newest target.
MergeState = Literal["clean", "behind", "conflict", "blocked", "unknown"]


class PullCheck(Struct, frozen=True):
    """What one check of the forge says of the pull request's newest commit."""

    name: str
    state: CheckState
    url: str = ""


class PullRemark(Struct, frozen=True):
    """Words of somebody who may write to the repository, and asks for changes."""

    by: str
    text: str


class Seen(Struct, frozen=True):
    """What the forge says of a pull request; `head` is its branch there, `target` where it aims.

    `merged_as` is the commit by which the target got it.
    """

    state: PullState
    head: Commit
    target: str
    merge: MergeState = "unknown"
    review: ReviewState = "none"
    checks: tuple[PullCheck, ...] = ()
    remarks: tuple[PullRemark, ...] = ()
    merged_as: Commit | None = None

    @property
    def failed(self) -> tuple[PullCheck, ...]:
        return tuple(check for check in self.checks if check.state == "failed")

    @property
    def pending(self) -> bool:
        return any(check.state == "pending" for check in self.checks)

    @property
    def over(self) -> bool:
        return self.state in {"merged", "closed"}


class Trouble(Struct, frozen=True):
    """Why the forge could not be asked, or did not do it; tried again at `again`."""

    reason: str
    again: datetime
    failures: int = 1


class Pull(Struct, frozen=True):
    """The pull request of a task: `revision` is what it holds, `head` the commit we pushed for it.

    `asked` is the commit that the forge was asked to merge, `refused` why it would not.
    """

    forge: ForgeName
    number: int
    url: str
    remote: str
    branch: str
    revision: int
    head: Commit
    opened_at: datetime
    seen: Seen | None = None
    seen_at: datetime | None = None  # when that became so
    asked: Commit | None = None
    refused: str = ""
    closing: bool = False  # a person wants it closed

    @property
    def noun(self) -> str:
        """What it is called where it is, with its number."""
        called = "pull request #" if self.forge == "gh" else "merge request !"
        return f"{called}{self.number}"

    @property
    def open(self) -> bool:
        return self.seen is None or not self.seen.over


class PullRow(Struct, frozen=True, kw_only=True):
    """The pull request of a task: `says` is its state in one phrase, `seen_at` since when.

    It holds `revision` of the change, at `head`; `trouble` is why the forge cannot be asked now.
    """

    number: int
    url: str
    branch: str
    revision: int
    head: str
    state: str  # open, draft, merged, closed
    checks: tuple[PullCheck, ...] = ()
    review: str = "none"  # approved, changes-requested, required, none
    merge: str = "unknown"  # clean, behind, conflict, blocked, unknown
    merged_as: str | None = None
    seen_at: datetime | None = None
    trouble: str | None = None
    says: str = ""


_FIRST, _MOST = timedelta(seconds=15), timedelta(minutes=5)
_YOUNG = timedelta(minutes=10)


def cadence(pull: Pull, now: datetime) -> timedelta:
    """Return how long what the forge said is good for: least while things are likely to move."""
    since = max(pull.opened_at, pull.seen_at or pull.opened_at)
    if pull.asked is not None or now - since < timedelta(minutes=1):
        return _FIRST
    if pull.seen is not None and pull.seen.pending:
        return _FIRST * 2
    return _FIRST * 4 if now - since < _YOUNG else _MOST
