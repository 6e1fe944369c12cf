"""What every event is."""

from msgspec import Struct

from fleet.core.ids import RepoId, TaskId


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact."""


class TaskEvent(Event, frozen=True, kw_only=True, tag_field="type"):
    """A fact about one task."""

    task: TaskId


class RepoEvent(Event, frozen=True, kw_only=True, tag_field="type"):
    """A fact about one repository."""

    repo: RepoId
