"""What becomes of what a task holds: archived and freed, brought back, or forgotten."""

from datetime import datetime

from fleet.core.events.base import TaskEvent


class WorkspaceFreed(TaskEvent, frozen=True, tag="workspace.freed"):
    """Archived under `ref` (None where nothing was to be kept) and given back to the pool."""

    ref: str | None


class FreeingFailed(TaskEvent, frozen=True, tag="workspace.not-freed"):
    """What the workspace holds could not be archived, so it stays."""

    reason: str
    not_before: datetime


class RestoreFailed(TaskEvent, frozen=True, tag="workspace.not-restored"):
    """The archived state could not be put into a workspace; the archive stays."""

    reason: str


class WorkspaceRestored(TaskEvent, frozen=True, tag="workspace.restored"):
    """The archived state stands in a workspace again."""


class TaskRemoved(TaskEvent, frozen=True, tag="task.removed"):
    by: str


class TaskRestored(TaskEvent, frozen=True, tag="task.restored"):
    by: str


class TaskForgotten(TaskEvent, frozen=True, tag="task.forgotten"):
    """What a removed task left is to be deleted for good; recorded before anything is."""

    by: str


class LeftoversDeleted(TaskEvent, frozen=True, tag="task.leftovers-deleted"):
    """Its archive, its sealed revisions, the marks of its landing and its files are gone."""


class ForgettingFailed(TaskEvent, frozen=True, tag="task.not-forgotten"):
    """They could not be deleted; what is left of them stays until a person asks again."""

    reason: str
