"""What can be said and seen of a change while a person reads it."""

from fleet.core.comments import Side
from fleet.core.events.base import TaskEvent


class CommentAdded(TaskEvent, frozen=True, tag="comment.added"):
    """A person has said something of a line; the agent is told with the next return."""

    comment: str
    revision: int
    path: str
    line: int
    side: Side
    blob: str
    quote: str
    text: str
    by: str


class CommentEdited(TaskEvent, frozen=True, tag="comment.edited"):
    comment: str
    text: str
    by: str


class CommentDropped(TaskEvent, frozen=True, tag="comment.dropped"):
    comment: str
    by: str


class CommentReplied(TaskEvent, frozen=True, tag="comment.replied"):
    """Somebody has said more; with `answers` it is the answer that was asked for."""

    comment: str
    revision: int
    text: str
    by: str
    answers: bool = True


class CommentResolved(TaskEvent, frozen=True, tag="comment.resolved"):
    comment: str
    by: str


class AnswersMissed(TaskEvent, frozen=True, tag="comment.recalled"):
    """The agent has ended its turn with comments unanswered, and is told once of that."""

    text: str


class FilesSeen(TaskEvent, frozen=True, tag="change.seen"):
    """A person has read these files, each as it is in its blob; an empty one takes that back."""

    files: dict[str, str]
    by: str


CommentEvent = (
    CommentAdded
    | CommentEdited
    | CommentDropped
    | CommentReplied
    | CommentResolved
    | AnswersMissed
    | FilesSeen
)
