"""Where a task stands: one value, which carries exactly what is true in it."""

from datetime import datetime

from msgspec import Struct

from fleet.core.causes import Cause
from fleet.core.ids import Commit

# What a run that is being ended leads to.


class ToSeal(Struct, frozen=True, tag="seal"):
    """Its work is to be sealed."""


class ToReject(Struct, frozen=True, tag="reject"):
    """It did not get through."""

    cause: Cause


class ToStop(Struct, frozen=True, tag="stop"):
    """A person stopped it."""

    by: str


class ToPause(Struct, frozen=True, tag="pause"):
    """A person put it aside."""

    by: str


class ToRequeue(Struct, frozen=True, tag="requeue"):
    """Lost through no fault of its own: it starts again, and no attempt is consumed."""

    not_before: datetime | None = None


Outcome = ToSeal | ToReject | ToStop | ToPause | ToRequeue


class Queued(Struct, frozen=True, tag="queued"):
    """Waits for other tasks, a slot and a workspace, and not before `not_before`.

    `trouble` says why it could not be started when that was tried last.
    """

    since: datetime
    not_before: datetime | None = None
    trouble: str | None = None


class Starting(Struct, frozen=True, tag="starting"):
    """The run of `attempt` is being brought up."""

    attempt: int
    since: datetime


class Running(Struct, frozen=True, tag="running"):
    """The agent is at it; `Task.run` says what it does."""

    attempt: int


class Ending(Struct, frozen=True, tag="ending"):
    """The run is being ended and fenced; `outcome` is what the task will be then."""

    attempt: int
    outcome: Outcome


class Sealing(Struct, frozen=True, tag="sealing"):
    """The workspace's state is being pinned as revision `revision`."""

    attempt: int
    revision: int


class Checking(Struct, frozen=True, tag="checking"):
    """Acceptance checks run in the workspace on revision `revision`."""

    revision: int


class Submitted(Struct, frozen=True, tag="submitted"):
    """The change is in the merge queue; `Task.change` says how it fares."""

    revision: int


class Rejected(Struct, frozen=True, tag="rejected"):
    """Did not get through, and what comes next is not decided yet."""

    cause: Cause


class Held(Struct, frozen=True, tag="held"):
    """Did not get through, and only a person can say what comes next."""

    cause: Cause


class Paused(Struct, frozen=True, tag="paused"):
    """A person put it aside; `resume` takes it up again."""

    by: str


class Landed(Struct, frozen=True, tag="landed"):
    """The target contains it."""

    commit: Commit
    at: datetime


class Failed(Struct, frozen=True, tag="failed"):
    """Given up, for `reason`."""

    reason: str


class Stopped(Struct, frozen=True, tag="stopped"):
    """A person stopped it."""

    by: str


class Withdrawn(Struct, frozen=True, tag="withdrawn"):
    """A person took its change out of the merge queue."""

    by: str


Status = (
    Queued
    | Starting
    | Running
    | Ending
    | Sealing
    | Checking
    | Submitted
    | Rejected
    | Held
    | Paused
    | Landed
    | Failed
    | Stopped
    | Withdrawn
)
ENDED = (Landed, Failed, Stopped, Withdrawn)
