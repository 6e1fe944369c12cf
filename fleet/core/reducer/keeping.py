"""Folds what becomes of what a task holds."""

from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.status import Landed


@table.task(e.WorkspaceFreed)
def _freed(task: Task, event: e.WorkspaceFreed, at: datetime) -> Task:
    archived = event.ref or task.archived
    # A person may have wanted it back while it was being archived.
    back = task.removed_at is None and not isinstance(task.status, Landed) and archived is not None
    return replace(task, slot=None, archived=archived, restoring=back, trouble=None)


@table.task(e.FreeingFailed)
def _not_freed(task: Task, event: e.FreeingFailed, at: datetime) -> Task:
    return replace(task, trouble=event.reason, free_not_before=event.not_before)


@table.task(e.RestoreFailed)
def _not_restored(task: Task, event: e.RestoreFailed, at: datetime) -> Task:
    return replace(task, restoring=False, trouble=event.reason)


@table.task(e.WorkspaceRestored)
def _restored(task: Task, event: e.WorkspaceRestored, at: datetime) -> Task:
    return replace(task, restoring=False, archived=None, trouble=None)


@table.task(e.TaskRemoved)
def _removed(task: Task, event: e.TaskRemoved, at: datetime) -> Task:
    return replace(task, removed_at=at, restoring=False)


@table.task(e.TaskRestored)
def _task_restored(task: Task, event: e.TaskRestored, at: datetime) -> Task:
    wanted = task.archived is not None and not isinstance(task.status, Landed)
    return replace(task, removed_at=None, restoring=wanted)


@table.task(e.TaskForgotten)
def _forgotten(task: Task, event: e.TaskForgotten, at: datetime) -> Task:
    return replace(task, forgetting=True, trouble=None)


@table.task(e.LeftoversDeleted)
def _leftovers_deleted(task: Task, event: e.LeftoversDeleted, at: datetime) -> Task:
    return replace(task, forgetting=False, forgotten=True, archived=None)


@table.task(e.ForgettingFailed)
def _not_forgotten(task: Task, event: e.ForgettingFailed, at: datetime) -> Task:
    return replace(task, forgetting=False, trouble=event.reason)
