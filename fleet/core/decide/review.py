"""A person's verdicts that end a review: the change goes back, or out of the queue."""

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import Decision
from fleet.core.model import Fleet
from fleet.core.names import find, present
from fleet.core.status import Checking, Failed, Held, Submitted, Withdrawn
from fleet.errors import RefusedError, UsageError


def give_back(fleet: Fleet, command: c.Return, facts: None, actor: str) -> Decision:
    """Send the change back to its agent, with a note."""
    if not command.note.strip():
        raise UsageError("the note is empty", hint="say what is wrong: fleet return TASK -m NOTE")
    task = present(fleet, command.task)
    refuse_landing(task)
    if not isinstance(task.status, Submitted | Held | Failed) or task.change is None:
        raise RefusedError(f"{task.id} has no change to return", hint=f"fleet show {task.id}")
    returned = e.Returned(task=task.id, revision=task.change.revision, note=command.note, by=actor)
    return Decision((returned,), {"task": task.id})


def withdraw(fleet: Fleet, command: c.Withdraw, facts: None, actor: str) -> Decision:
    """Take a change out of the merge queue for good."""
    task = find(fleet, command.task)
    if isinstance(task.status, Withdrawn):
        raise RefusedError(f"{task.id} is withdrawn already", hint=f"fleet retry {task.id}")
    refuse_landing(task)
    if not isinstance(task.status, Submitted | Held | Checking):
        raise RefusedError(
            f"{task.id} is not in the merge queue", hint=f"to end it: fleet stop {task.id}"
        )
    return Decision((e.ChangeWithdrawn(task=task.id, by=actor),), {"task": task.id})
