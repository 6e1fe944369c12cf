"""What can happen to a task and its runs, up to the sealed and checked change."""

from datetime import datetime

from fleet.core.activity import Activity
from fleet.core.causes import Cause, CheckResult
from fleet.core.change import Member
from fleet.core.events.base import TaskEvent
from fleet.core.ids import Commit, RepoId
from fleet.core.model import Spec
from fleet.core.status import Outcome


class TaskAdded(TaskEvent, frozen=True, tag="task.added"):
    repo: RepoId
    spec: Spec
    target: str
    base: Commit
    branch: str
    base_pinned: bool = False
    owner: str = "person"
    account: str | None = None  # which its agent uses, as far as its environment tells
    environment: str = ""  # a digest of what its agents and checks find around them


class TaskEdited(TaskEvent, frozen=True, tag="task.edited"):
    spec: Spec


class WorkspaceAssigned(TaskEvent, frozen=True, tag="workspace.assigned"):
    slot: int


class AttemptBegan(TaskEvent, frozen=True, tag="attempt.began"):
    """A new run is to start; `base` is where a first attempt's branch is cut."""

    attempt: int
    base: Commit
    upon: Member | None = None  # the change whose commit that is, where it has not landed


class RunStarted(TaskEvent, frozen=True, tag="run.started"):
    attempt: int
    pane: str
    pid: int
    pid_start: int
    account: str | None = None  # which it uses; None where nobody could tell


class StartFailed(TaskEvent, frozen=True, tag="run.start-failed"):
    """The run could not be brought up; `fatal` where trying again cannot help."""

    attempt: int
    reason: str
    fatal: bool = False
    not_before: datetime | None = None


class ActivityChanged(TaskEvent, frozen=True, tag="run.activity"):
    attempt: int
    activity: Activity
    source: str
    said_at: datetime | None = None  # by the source's own clock


class ConversationKnown(TaskEvent, frozen=True, tag="run.conversation"):
    attempt: int
    conversation: str


class UsageReported(TaskEvent, frozen=True, tag="run.usage"):
    """Cost and tokens of the task so far, over all its runs."""

    cost_usd: float
    tokens: int


class DoneDeclared(TaskEvent, frozen=True, tag="run.done"):
    """The agent's work is to be taken as it stands, while the agent lives."""

    attempt: int
    by: str


class RunExited(TaskEvent, frozen=True, tag="run.exited"):
    """The agent's process ended, by `code` or `signal`; or never began, as `error` says."""

    attempt: int
    code: int | None = None
    signal: int | None = None
    error: str | None = None


class RunLost(TaskEvent, frozen=True, tag="run.lost"):
    """The run vanished through no fault of its agent (tmux died, the machine restarted).

    With `fresh` its conversation cannot be taken up: the next one begins afresh.
    """

    attempt: int
    reason: str
    not_before: datetime | None = None
    fresh: bool = False


class EndingBegan(TaskEvent, frozen=True, tag="run.ending"):
    """The intent to end a run, on record before anything is signalled."""

    attempt: int
    outcome: Outcome
    why: str


class LeaveBegan(TaskEvent, frozen=True, tag="run.leaving"):
    """The intent to end a live agent's process while its task stays what it is."""

    attempt: int
    why: str


class RunEnded(TaskEvent, frozen=True, tag="run.ended"):
    """No process of the run is left."""

    attempt: int


class RunNotEnded(TaskEvent, frozen=True, tag="run.not-ended"):
    """A process of the run could not be ended: whoever is stuck in the kernel obeys nobody."""

    attempt: int
    reason: str
    not_before: datetime


class MessageQueued(TaskEvent, frozen=True, tag="message.queued"):
    text: str
    by: str


class MessageHeld(TaskEvent, frozen=True, tag="message.held"):
    """It could not be typed now; nothing of it was."""

    message: int
    reason: str
    not_before: datetime


class MessageSettled(TaskEvent, frozen=True, tag="message.settled"):
    """Outcome is delivered, unconfirmed or refused."""

    message: int
    outcome: str
    reason: str = ""


class Sealed(TaskEvent, frozen=True, tag="change.sealed"):
    revision: int
    sealed: Commit
    head: Commit
    base: Commit
    added: int
    removed: int
    files: tuple[str, ...]
    below: tuple[Member, ...] = ()
    upon: Member | None = None


class Resubmitted(TaskEvent, frozen=True, tag="task.resubmitted"):
    """A branch made by hand is put up once more, as it stands now."""


class SealFailed(TaskEvent, frozen=True, tag="change.not-sealed"):
    """There is nothing to put up for review, or it cannot be taken from where it is."""

    cause: Cause


class SealUnchanged(TaskEvent, frozen=True, tag="change.unchanged"):
    """The workspace holds what revision `revision` holds already."""

    revision: int


class ChecksPassed(TaskEvent, frozen=True, tag="checks.passed"):
    revision: int
    results: tuple[CheckResult, ...]


class ChecksFailed(TaskEvent, frozen=True, tag="checks.failed"):
    revision: int
    results: tuple[CheckResult, ...]


class ChangeRefused(TaskEvent, frozen=True, tag="change.refused"):
    """The sealed change breaks a guardrail before any check has run."""

    revision: int
    cause: Cause


class WorkCounted(TaskEvent, frozen=True, tag="task.counted"):
    """The branch's newest commit and its size against the base, while the agent works."""

    head: Commit
    added: int
    removed: int


class ToldAgain(TaskEvent, frozen=True, tag="task.told"):
    """The live agent gets the cause as a message and goes on in the same context."""

    text: str
    by: str


class RetryScheduled(TaskEvent, frozen=True, tag="task.retry"):
    """A new attempt with a fresh context, which finds `note` in its notes file."""

    note: str
    consumes: bool
    not_before: datetime | None = None


class TaskHeld(TaskEvent, frozen=True, tag="task.held"):
    """Only a person can say how to go on."""


class TaskFailed(TaskEvent, frozen=True, tag="task.failed"):
    reason: str


class TaskStopped(TaskEvent, frozen=True, tag="task.stopped"):
    by: str


class TaskPaused(TaskEvent, frozen=True, tag="task.paused"):
    by: str


class TaskResumed(TaskEvent, frozen=True, tag="task.resumed"):
    """Queued again by a person; `fresh` gives it all its attempts anew."""

    by: str
    fresh: bool = False


class CrashNoted(TaskEvent, frozen=True, tag="task.crash"):
    """An internal error struck while this task was being worked on."""

    error: str


class NeedTold(TaskEvent, frozen=True, tag="need.told"):
    """A person was told that they are wanted, `by` bell, desktop or a command; or saw it."""

    need: str
    since: datetime
    by: tuple[str, ...] = ()


class NeedEnded(TaskEvent, frozen=True, tag="need.ended"):
    """Nothing is wanted any more of what a person was told."""
