"""A person's verdicts: approve, return, withdraw; each is about one sealed commit."""

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.change import Change, Ready
from fleet.core.decide.comments import remarks
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import Decision
from fleet.core.facts import WhereFacts
from fleet.core.model import Fleet, Task
from fleet.core.names import find, present
from fleet.core.phrases import reason
from fleet.core.status import Checking, Failed, Held, Landed, Submitted, Withdrawn
from fleet.errors import RefusedError, UsageError

_SHORTEST_SHA = 4


def approve(fleet: Fleet, command: c.Approve, facts: None, actor: str) -> Decision:
    """Approve exactly one sealed commit, which the answer names."""
    task = find(fleet, command.task)
    change = _reviewable(task)
    _meant(task, change, command.head)
    verdict = e.Approved(
        task=task.id,
        revision=change.revision,
        sealed=change.sealed,
        by=actor,
        rules=change.state.evidence.rules if isinstance(change.state, Ready) else "",
    )
    answer = {"task": task.id, "head": change.sealed, "revision": change.revision}
    return Decision((verdict,), answer)


def _reviewable(task: Task) -> Change:
    if isinstance(task.status, Landed):
        raise RefusedError(f"{task.id} has landed already", hint=f"fleet show {task.id}")
    refuse_landing(task)
    if isinstance(task.status, Submitted | Checking) and task.change is not None:
        return task.change
    why = f": {reason(task.status.cause)}" if isinstance(task.status, Held) else ""
    raise RefusedError(f"{task.id} has no change to approve{why}", hint=f"fleet why {task.id}")


def _meant(task: Task, change: Change, head: str | None) -> None:
    if head is not None:
        named = len(head) >= _SHORTEST_SHA and (
            change.sealed.startswith(head) or change.head == head
        )
        if not named:
            raise RefusedError(
                f"{task.id} stands at {change.sealed[:12]}, not at {head}",
                hint=f"read it again: fleet diff {task.id}",
            )
    elif task.shown and task.shown < change.revision:
        raise RefusedError(
            f"{task.id} has a newer revision than the one you were shown",
            hint=f"read it again: fleet diff {task.id}",
        )


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
    return Decision((e.ChangeWithdrawn(task=task.id, by=actor),), {"task": task.id})
