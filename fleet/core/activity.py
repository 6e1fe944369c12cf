"""What a live agent is known to do, and the run that it does it in."""

from datetime import datetime

from msgspec import Struct

from fleet.core.commands import Verdict
from fleet.core.rows import Ask


class Working(Struct, frozen=True, tag="working"):
    """It works, as far as we know; with `background` its turn has ended, and something runs on."""

    background: bool = False


class Waiting(Struct, frozen=True, tag="waiting"):
    """It stands still until a person does something; `need` says what, in one phrase."""

    need: str
    # permission, question, plan, login, trust, rate-limit, budget, error, context, undelivered
    kind: str = "question"
    until: datetime | None = None
    ask: Ask | None = None


class Idle(Struct, frozen=True, tag="idle"):
    """Its turn has ended, with `broken_off` before it was done; nothing of it runs on."""

    broken_off: bool = False


class Stalled(Struct, frozen=True, tag="stalled"):
    """It should work and has given no sign of life since `silent_since`."""

    silent_since: datetime


class Unknown(Struct, frozen=True, tag="unknown"):
    """No signal is fresh enough to say anything."""


Activity = Working | Waiting | Idle | Stalled | Unknown


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
    leaving: str | None = None  # why its process is to go, or has gone
    handed_in: datetime | None = None  # when its work was last taken as it stood


class Message(Struct, frozen=True):
    """Words for the agent that it has not been told yet."""

    id: int
    text: str
    by: str
