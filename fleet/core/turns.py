"""How turns of a live agent end: by its own word, by a person's key, or broken off by a failure."""

from datetime import datetime, timedelta

from fleet.core.activity import Idle, Run, Waiting
from fleet.core.model import Task
from fleet.core.schedule import pause
from fleet.core.signals import PRESENCE, TITLE

GO_ON = "Go on where you stopped."
MOST_ERRORS = 4  # in a row, after which only a person may know better
MOST_LIMITS = 20
_FIRST_PAUSE_S = 10.0


def ended(run: Run) -> bool:
    """Whether the agent ended its turn: one that was interrupted is idle, and has not."""
    return isinstance(run.activity, Idle) and not interrupted(run)


def interrupted(run: Run) -> bool:
    """Whether somebody broke its turn off: it says so, or nothing but what it shows tells it."""
    if not isinstance(run.activity, Idle):
        return False
    return run.activity.broken_off or run.source in {PRESENCE, TITLE}


def go_on_at(task: Task, run: Run) -> datetime | None:
    """Return when fleet itself tells an agent to go on; None where a person is needed."""
    waits = run.activity
    if not isinstance(waits, Waiting) or not task.spec.converses:
        return None
    if waits.kind == "error" and run.nudges < MOST_ERRORS:
        return run.activity_since + pause(run.nudges + 1, first_s=_FIRST_PAUSE_S)
    if waits.kind == "rate-limit" and waits.until is not None and run.nudges < MOST_LIMITS:
        # One that was told an early time again and again is told less and less often.
        again = pause(run.nudges, first_s=_FIRST_PAUSE_S) if run.nudges else timedelta()
        return max(waits.until, run.activity_since + again)
    return None
