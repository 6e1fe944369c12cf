"""What a live agent is known to do, and the run that it does it in."""

from datetime import datetime

from msgspec import Struct

from fleet.core.commands import Verdict
from fleet.core.ids import TaskId
from fleet.core.rows import Ask


class Working(Struct, frozen=True, tag="working"):
    """It works, as far as we know; with `background` its turn has ended, and something runs on."""

    background: bool = False


class Waiting(Struct, frozen=True, tag="waiting"):
    """It stands still until a person does something; `need` says what, in one phrase."""

    need: str
    # permission, question, plan, login, trust, rate-limit, overloaded, budget, error, context,
    # undelivered
    kind: str = "question"
    until: datetime | None = None
    ask: Ask | None = None
    retries: bool = False  # it tries again by itself, so that nothing is to be told


class Idle(Struct, frozen=True, tag="idle"):
    """Its turn has ended, with `broken_off` before it was done; nothing of it runs on."""

    broken_off: bool = False


class Stalled(Struct, frozen=True, tag="stalled"):
    """It should work and has given no sign of life since `silent_since`.

    Where it says itself that it works, signs of life are signs of progress: drawing alone is none,
    and it has made none for `limit_s`.
    """

    silent_since: datetime
    limit_s: float | None = None


class Unknown(Struct, frozen=True, tag="unknown"):
    """No signal is fresh enough to say anything."""


Activity = Working | Waiting | Idle | Stalled | Unknown


RATE_LIMIT = "rate-limit"  # the kind of waiting that ends by itself, for a whole account


class Given(Struct, frozen=True):
    """An answer that a person gave to `ask`, on its way to the agent."""

    ask: str
    verdict: Verdict
    text: str
    by: str


class Run(Struct, frozen=True):
    """An agent at work: the process in the pane, and what it was last known to do."""

    attempt: int
    pane: str
    pid: int
    pid_start: int
    started_at: datetime
    activity: Activity
    activity_since: datetime
    source: str = "process"  # whose word for the activity it is
    said_at: datetime | None = None  # when that source said so, by its own clock
    answer: Given | None = None
    nudges: int = 0  # how often it was told to go on since its turn last ended well
    conversation: str | None = None
    resumed: bool = False  # whether it began by taking that up
    parked_s: float = 0.0  # how long it has waited for limits of its account
    leaving: str | None = None  # why its process is to go, or has gone
    handed_in: datetime | None = None  # when its work was last taken as it stood


class Message(Struct, frozen=True):
    """Words for the agent that it has not been told yet.

    `held` says why, where that was tried and could not be, `holds` times by now; it is tried
    again at `not_before`. What is said of a conflict with another task waits for the end of a turn.
    """

    id: int
    text: str
    by: str
    held: str = ""
    holds: int = 0
    not_before: datetime | None = None
    conflict_with: TaskId | None = None
