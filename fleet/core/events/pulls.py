"""What can happen to the pull request of a change."""

from fleet.core.causes import PullRed, PullReview
from fleet.core.change import Evidence
from fleet.core.events.base import TaskEvent
from fleet.core.ids import Commit
from fleet.core.pulls import ForgeName, Seen


class PullBegan(TaskEvent, frozen=True, tag="pull.began"):
    """The intent: `commit` is pushed to `branch` of `remote`, and a pull request is to hold it."""

    revision: int
    evidence: Evidence
    commit: Commit
    remote: str
    branch: str


class PullOpened(TaskEvent, frozen=True, tag="pull.opened"):
    """The pull request `number` holds the revision at `head`; new or updated."""

    revision: int
    forge: ForgeName
    number: int
    url: str
    remote: str
    branch: str
    head: Commit


class PullSeen(TaskEvent, frozen=True, tag="pull.seen"):
    """The forge says something else of it than before, or can be asked again."""

    number: int
    seen: Seen


class PullFailed(TaskEvent, frozen=True, tag="pull.failed"):
    """The forge could not be asked, or did not do what it was asked for; it is tried again."""

    reason: str


class PullMergeAsked(TaskEvent, frozen=True, tag="pull.merge-asked"):
    """The forge was asked to merge it at exactly `head`; `refused` is why it would not."""

    number: int
    head: Commit
    refused: str = ""


class PullRecalled(TaskEvent, frozen=True, tag="pull.recalled"):
    """The change is in the line again, for `reason`; its pull request stays as it is."""

    revision: int
    reason: str


class PullRejected(TaskEvent, frozen=True, tag="pull.rejected"):
    """What the forge says of it sends the change back to its agent."""

    revision: int
    cause: PullRed | PullReview


class PullCloseAsked(TaskEvent, frozen=True, tag="pull.close-asked"):
    """A person wants the pull request closed, unmerged."""

    by: str


PullEvent = (
    PullBegan
    | PullOpened
    | PullSeen
    | PullFailed
    | PullMergeAsked
    | PullRecalled
    | PullRejected
    | PullCloseAsked
)
