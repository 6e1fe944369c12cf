"""Names of tasks: made, judged and found; a name is also a branch, a folder and a pane."""

import difflib
import re

from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Task
from fleet.errors import RefusedError, UsageError

_GOOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_LONGEST_SLUG = 32
_ACTORS = frozenset({"person", "fleet", "policy"})  # who acts besides agents, who act as their task


def checked(name: str) -> TaskId:
    """Return `name` as a task's name.

    Raises:
        UsageError: it could not be a branch, a folder and a tmux session alike.
    """
    if not _GOOD.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be a task's name",
            hint="use letters, digits, - and _, starting with a letter or digit, at most 63",
        )
    if name.lower() in _ACTORS:
        raise UsageError(f"{name} cannot be a task's name", hint="it means somebody else here")
    return TaskId(name)


def slug(text: str) -> str:
    """Return a short readable name made of the first words of `text`."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    name = ""
    for word in words:
        if len(name) + len(word) >= _LONGEST_SLUG:
            break
        name = f"{name}-{word}" if name else word
    return name or (words[0][:_LONGEST_SLUG] if words else "task")


def free(name: str, taken: set[str]) -> TaskId:
    """Return `name`, or `name-2`, `name-3`, ..., whichever nobody has; `taken` is lower case."""
    candidate, number = name, 1
    while candidate.lower() in taken | _ACTORS:
        number += 1
        candidate = f"{name}-{number}"
    return checked(candidate)


def present(fleet: Fleet, text: str) -> Task:
    """Return the task like `find`, unless a person has removed it.

    Raises:
        RefusedError: there is none, there are several, or it is removed.
    """
    task = find(fleet, text)
    if task.removed_at is not None:
        raise RefusedError(f"{task.id} is removed", hint=f"fleet restore {task.id}")
    return task


def find(fleet: Fleet, text: str, *, exact: bool = False) -> Task:
    """Return the task called `text`, or, unless `exact`, the only one whose name starts so.

    Raises:
        RefusedError: there is none, or there are several.
    """
    task = fleet.tasks.get(TaskId(text))
    if task is not None:
        return task
    starting = sorted(name for name in fleet.tasks if name.startswith(text))
    if len(starting) == 1 and not exact:
        return fleet.tasks[starting[0]]
    if starting:
        several = f"{text} could be {', '.join(starting[:5])}"
        reason = "type the whole name" if exact else "type more of the name"
        raise RefusedError(several, hint=reason)
    near = difflib.get_close_matches(text, fleet.tasks, n=1)
    hint = f"did you mean {near[0]}?" if near else "fleet ls --all shows the tasks"
    raise RefusedError(f"there is no task {text}", hint=hint)
