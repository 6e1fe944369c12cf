"""How conflicts between open branches read in a task's rows."""

from fleet.core.model import Task
from fleet.core.planned import Circumstances
from fleet.core.rows import ConflictWith


def conflicts_with(given: Circumstances, task: Task) -> tuple[ConflictWith, ...]:
    """Return the tasks with whose branches that of `task` conflicts."""
    return tuple(
        ConflictWith(task=it.task, files=it.clash.files, since=it.clash.since)
        for it in given.clashes.between.get(task.id, ())
    )


def stale_in(given: Circumstances, task: Task) -> tuple[str, ...]:
    """Return the files in which the branch of `task` conflicts with its target, or else why."""
    clash = given.clashes.stale.get(task.id)
    return (clash.files or (clash.why,)) if clash else ()
