"""How turns of a live agent end: by its own word, by a person's key, or broken off by a failure."""

from datetime import datetime

from msgspec import Struct

from fleet.core.activity import Idle, Message, Run, Waiting, Working
from fleet.core.asking import dialog
from fleet.core.model import Task
from fleet.core.pauses import pause
from fleet.core.signals import PRESENCE, TITLE

GO_ON = "Go on where you stopped."
MOST_ERRORS = 4  # in a row, after which only a person may know better


class Again(Struct, frozen=True):
    """How often an agent is told to go on after a failure of one kind, and how soon."""

    times: int
    first_s: float


# What passes by itself. A limit passes for a whole account (`core.accounts`); a full context, a
# login, credit and words that could not be delivered are a person's to mend.
AGAIN = {"error": Again(MOST_ERRORS, 10.0), "overloaded": Again(20, 30.0)}


def ended(run: Run) -> bool:
    """Whether the agent ended its turn: one that was interrupted is idle, and has not."""
    return isinstance(run.activity, Idle) and not interrupted(run)


def interrupted(run: Run) -> bool:
    """Whether somebody broke its turn off: it says so, or nothing but what it shows tells it."""
    if not isinstance(run.activity, Idle):
        return False
    return run.activity.broken_off or run.source in {PRESENCE, TITLE}


def deaf(task: Task, run: Run, message: Message) -> str:
    """Return why this is not typed into the pane now; empty where it may be.

    A dialog would take it for an answer, and some agents drop what they are told while they work.
    What another's work means for its own is no reason to break off what an agent is doing.
    """
    if (need := dialog(run)) is not None:
        return f"it waits for {need}, and is told after that"
    if not task.spec.queues and run.activity == Working():
        return "it works, and is told when its turn has ended"
    if message.conflict_with is not None and not isinstance(run.activity, Idle):
        return "it is told when its turn has ended"
    return ""


def next_message(task: Task, run: Run) -> Message | None:
    """Return what is to be typed into the pane next; what may not be yet holds up nothing else."""
    return next((it for it in task.messages if not deaf(task, run, it)), None)


def kept(task: Task, message: int) -> str:
    """Return why a message waits to be typed; empty where it does not."""
    waiting = next((it for it in task.messages if it.id == message), None)
    if waiting is None or task.run is None:
        return ""
    if why := deaf(task, task.run, waiting):
        return why
    first = next_message(task, task.run)
    return first.held if first else ""


def go_on_at(task: Task, run: Run) -> datetime | None:
    """Return when an agent is told to go on after a failure; None where a person is needed."""
    waits = run.activity
    if not isinstance(waits, Waiting) or not task.spec.converses:
        return None
    again = AGAIN.get(waits.kind)
    if again is None or run.nudges >= again.times:
        return None
    return run.activity_since + pause(run.nudges + 1, first_s=again.first_s)
