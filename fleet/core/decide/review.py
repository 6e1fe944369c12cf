"""A person's verdicts that end a review: the change goes back, or out of the queue."""

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide.comments import remarks
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import Decision
from fleet.core.facts import WhereFacts
from fleet.core.model import Fleet
from fleet.core.names import find, present
from fleet.core.pull_phrases import left_open
from fleet.core.status import Checking, Failed, Held, Submitted, Withdrawn
from fleet.errors import RefusedError, UsageError


def give_back(fleet: Fleet, command: c.Return, facts: WhereFacts | None, actor: str) -> Decision:
    """Send the change back to its agent, with a note and all comments that were not sent yet."""
    task = present(fleet, command.task)
    told = remarks(task, facts)
    if not command.note.strip() and not told:
        raise UsageError(
            "there is neither a note nor a comment",
            hint=f"say what is wrong: fleet return {task.id} -m NOTE",
        )
    refuse_landing(task)
    if not isinstance(task.status, Submitted | Held | Failed) or task.change is None:
        raise RefusedError(f"{task.id} has no change to return", hint=f"fleet show {task.id}")
    returned = e.Returned(
        task=task.id,
        revision=task.change.revision,
        note=command.note,
        by=actor,
        comments=told,
    )
    return Decision((returned,), {"task": task.id, "comments": [it.id for it in told]})


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
    answer = {"task": task.id, **left_open(task)}
    return Decision((e.ChangeWithdrawn(task=task.id, by=actor),), answer)


def close_pull(fleet: Fleet, command: c.ClosePull, facts: None, actor: str) -> Decision:
    """Close the pull request of a task, whatever became of that; its change stays where it is."""
    task = find(fleet, command.task)
    if task.pull is None or not task.pull.open:
        raise RefusedError(f"{task.id} has no open pull request", hint=f"fleet show {task.id}")
    return Decision((e.PullCloseAsked(task=task.id, by=actor),), {"task": task.id})
