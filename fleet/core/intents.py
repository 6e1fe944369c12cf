"""What tasks are about, as others are told: agents whose changes meet, and who reads of them."""

from fleet.core.causes import Intent
from fleet.core.model import Task
from fleet.core.terminal import clean

_LINES = 3
_COLUMNS = 200


def intent(task: Task) -> Intent:
    """Return the title of a task and the first lines of its prompt, as far as they say more."""
    title = clean(task.spec.title)
    lines = [clean(line).strip() for line in task.spec.prompt.splitlines()]
    first = [line[:_COLUMNS] for line in lines if line and line != title]
    return Intent(task.id, title, "\n".join(first[:_LINES]))
