"""What an agent is told of conflicts between its branch and others that have not landed."""

from fleet.core.events.base import TaskEvent
from fleet.core.ids import TaskId


class ConflictTold(TaskEvent, frozen=True, tag="conflict.told"):
    """The agent is told, at the end of its turn, that its branch does not merge with `other`'s."""

    other: TaskId
    files: tuple[str, ...]
    text: str


class ConflictOver(TaskEvent, frozen=True, tag="conflict.over"):
    """The branch does not conflict any more with that of `other`, of which the agent was told."""

    other: TaskId
