"""What a person could do to a task, and why it is refused now: the judges of commands are asked."""

from collections.abc import Callable

from fleet.core import commands as c
from fleet.core.asking import asked, takes
from fleet.core.decide import decide
from fleet.core.model import Fleet, Task
from fleet.core.status import Starting
from fleet.errors import FleetError, RefusedError

_SAID = "x"  # what is said does not matter to whether it may be said now


def _approve(task: Task) -> c.Approve:
    """A screen approves what it shows, so that it is never behind."""
    return c.Approve(task=task.id, head=task.change.sealed if task.change else None)


def _answer(task: Task) -> c.Answer:
    """A screen offers the verdicts that fit what is asked."""
    ask = asked(task.run)
    return c.Answer(task=task.id, verdict=takes(ask)[0] if ask else "allow", text=_SAID)


_COMMANDS: dict[str, Callable[[Task], c.AnyCommand]] = {
    "approve": _approve,
    "return": lambda task: c.Return(task=task.id, note=_SAID),
    "withdraw": lambda task: c.Withdraw(task=task.id),
    "send": lambda task: c.Send(task=task.id, text=_SAID),
    "answer": _answer,
    "stop": lambda task: c.Stop(task=task.id),
    "pause": lambda task: c.Pause(task=task.id),
    "resume": lambda task: c.Resume(task=task.id),
    "retry": lambda task: c.Retry(task=task.id),
    "done": lambda task: c.DeclareDone(task=task.id),
    "rm": lambda task: c.Remove(task=task.id),
    "restore": lambda task: c.Restore(task=task.id),
    "edit": lambda task: c.Edit(task=task.id),
    "priority": lambda task: c.Edit(task=task.id, priority=task.spec.priority),
}
VERBS = (*_COMMANDS, "attach", "diff")


def refusals(fleet: Fleet, task: Task) -> dict[str, str]:
    """Return for each of VERBS that is refused now the reason; it follows from the task alone."""
    refused = {}
    for verb, command in _COMMANDS.items():
        try:
            decide(fleet, command(task))
        except FleetError as error:
            refused[verb] = error.message
    for verb, refuse in (("attach", attachable), ("diff", comparable)):
        try:
            refuse(task)
        except RefusedError as error:
            refused[verb] = error.message
    return refused


def attachable(task: Task) -> None:
    """Refuse to show the pane of a task that has none."""
    if isinstance(task.status, Starting):
        raise RefusedError(f"{task.id} is just being started; try again in a moment")
    if task.run is None:
        raise RefusedError(f"{task.id} has no pane now", hint=f"fleet log {task.id}")


def comparable(task: Task) -> None:
    """Refuse to compare what was never begun."""
    if task.change is None and not task.attempt and task.spec.agent is not None:
        raise RefusedError(f"{task.id} has no branch yet", hint=f"fleet show {task.id}")
