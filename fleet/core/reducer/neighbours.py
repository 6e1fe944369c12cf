"""Folding what agents are told of others: of conflicts, and of what their work stands on."""

from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.reducer.tasks import tell


@table.task(e.ConflictTold)
def _warned(task: Task, event: e.ConflictTold, at: datetime) -> Task:
    known = task.warned.get(event.other, ())
    files = tuple(dict.fromkeys((*known, *event.files)))
    task = _unwarned(replace(task, warned=task.warned | {event.other: files}), event.other)
    return tell(task, event.text, "fleet", conflict_with=event.other)


@table.task(e.ConflictOver)
def _no_conflict(task: Task, event: e.ConflictOver, at: datetime) -> Task:
    left = {other: files for other, files in task.warned.items() if other != event.other}
    return _unwarned(replace(task, warned=left), event.other)


@table.task(e.StackTold)
def _told_of_its_stack(task: Task, event: e.StackTold, at: datetime) -> Task:
    task = _unwarned(replace(task, told_upon=event.upon), event.upon.task)
    return tell(task, event.text, "fleet", conflict_with=event.upon.task)


def _unwarned(task: Task, other: TaskId) -> Task:
    """Return the task without what its agent has not been told yet of that conflict."""
    left = tuple(it for it in task.messages if it.conflict_with != other)
    return replace(task, messages=left)
