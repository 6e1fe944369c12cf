"""The state of a fleet as one immutable value."""

from datetime import datetime

from msgspec import Struct

from fleet.core.activity import Message, Run
from fleet.core.causes import Cause
from fleet.core.change import Change, Landing, Member
from fleet.core.comments import Comment
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.limited import Account
from fleet.core.line import Line
from fleet.core.policy import Check, Done, Land, Limits, Priority
from fleet.core.pulls import Pull, Trouble
from fleet.core.revisions import Pinned
from fleet.core.status import ENDED, Status, Submitted


class Spec(Struct, frozen=True, kw_only=True):
    """What a person asked for, with every default resolved.

    `agent` is None where the branch is made by hand. `converses` says whether a live agent can
    be told something more in the same context, and `queues` whether it may be while it works.
    What is `stacked` begins on the change of the one task that it comes `after`, once that is
    under review.
    """

    prompt: str
    title: str
    agent: str | None
    done: Done = "exit"
    converses: bool = False
    queues: bool = True
    model: str | None = None
    effort: str | None = None
    after: tuple[TaskId, ...] = ()
    stacked: bool = False
    checks: tuple[Check, ...] = ()
    limits: Limits = Limits(attempts=1)
    expect_lines: int | None = None
    land: Land = "review"
    priority: Priority = "normal"
    reverts: Commit | None = None  # what landed, and is to be undone by this


class Told(Struct, frozen=True):
    """A need that a person was told of, and when the task began to stand where it had it."""

    need: str
    since: datetime


class Task(Struct, frozen=True, kw_only=True):
    """A task and all that became of it.

    `attempt` numbers every run and never repeats; `spent` counts those that were its own fault
    and is what `limits.attempts` bounds; `retries` counts returns within the present attempt.
    """

    id: TaskId
    repo: RepoId
    spec: Spec
    target: str
    base: Commit
    base_pinned: bool = False  # named by a person, so it does not follow the target
    branch: str
    status: Status
    created_at: datetime
    updated_at: datetime
    status_since: datetime | None = None
    owner: str = "person"
    attempt: int = 0
    spent: int = 0
    retries: int = 0
    losses: int = 0
    crashes: int = 0
    revision: int = 0
    shown: int = 0  # the newest revision that a person was shown
    shown_before: int = 0  # the one that was shown before that
    revisions: tuple[Pinned, ...] = ()  # all of them, oldest first
    seen: dict[str, str] = {}  # files that a person has read, each as it is in this blob
    comments: tuple[Comment, ...] = ()
    next_comment: int = 1
    recalled: bool = False  # told of comments that it left unanswered, since the last return
    run: Run | None = None
    change: Change | None = None
    slot: int | None = None
    head: Commit | None = None
    added: int = 0
    removed: int = 0
    cost_usd: float = 0.0
    tokens: int = 0
    messages: tuple[Message, ...] = ()
    next_message: int = 1
    conversation: str | None = None
    environment: str = ""  # a digest of what its agents and checks find around them
    account: str | None = None  # None where nobody could tell, empty where it shares none
    last_cause: Cause | None = None
    archived: str | None = None  # the ref that keeps what a removed workspace held
    removed_at: datetime | None = None
    restoring: bool = False  # a person wants its workspace back
    forgetting: bool = False  # a person wants all that it left behind deleted
    forgotten: bool = False  # and so it is: nothing brings it back
    trouble: str | None = None  # why its workspace could not be freed or restored, or its run ended
    free_not_before: datetime | None = None
    end_not_before: datetime | None = None
    told: Told | None = None  # while it needs that
    pull: Pull | None = None  # which outlives the revision that it was opened for
    pull_trouble: Trouble | None = None  # while the forge cannot be asked, or does not do it
    offered: tuple[Commit, ...] = ()  # what we pushed for it to the branch of its pull request
    warned: dict[TaskId, tuple[str, ...]] = {}  # with whom it conflicts, as its agent was told
    upon: Member | None = None  # the change below it, at the revision on which its branch stands
    told_upon: Member | None = None  # the newest one of that of which its agent was told

    @property
    def ended(self) -> bool:
        return isinstance(self.status, ENDED)

    @property
    def landing(self) -> bool:
        """Whether the intent to land it is on record, and what became of it is not."""
        waits = isinstance(self.status, Submitted)
        return waits and self.change is not None and isinstance(self.change.state, Landing)


class Slot(Struct, frozen=True):
    """A pooled worktree: making, ready, taken (by `task`), dirty, dropping or broken.

    `last` is the task that had it before: somebody who looked at that may still be in there.
    """

    state: str
    task: TaskId | None = None
    reason: str | None = None
    not_before: datetime | None = None
    last: TaskId | None = None


class Repo(Struct, frozen=True):
    """A repository that fleet serves, and the targets' tips as last seen or set by us."""

    id: RepoId
    root: str
    git_dir: str
    trusted: tuple[str, ...] = ()
    tips: dict[str, Commit] = {}
    frozen: dict[str, str] = {}  # target -> why its queue stands still until a person says so
    slots: dict[int, Slot] = {}
    lines: dict[str, Line] = {}  # by target
    consents: frozenset[str] = frozenset()  # what a person agreed to have answered beforehand


class Fleet(Struct, frozen=True):
    """Everything that is known; only `core.reducer` builds a new one."""

    seq: int = 0
    repos: dict[RepoId, Repo] = {}
    tasks: dict[TaskId, Task] = {}
    starts: tuple[datetime, ...] = ()  # of the last hour, for the fleet-wide breaker
    accounts: dict[str, Account] = {}  # by their names, as `core.accounts` has them
