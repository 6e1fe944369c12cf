"""What an agent is told of others that have not landed: what conflicts, what its work stands on."""

from fleet.core.change import Member
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


class StackTold(TaskEvent, frozen=True, tag="stack.told"):
    """The agent is told that the change on which its work stands is at another revision."""

    upon: Member
    text: str
