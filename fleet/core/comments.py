"""Comments on lines of a change: what is said, what was answered, and where the line is by now."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

Side = Literal["new", "old"]
LONGEST = 8_000  # characters of one comment or reply
ROOM = 400_000  # characters of all that is said about one task: it goes into one answer


class Reply(Struct, frozen=True):
    """What was said to a comment after it; with `answers` it settles what was said before.

    `revision` is the newest one at that time. What a person adds is `sent` with the next return.
    """

    text: str
    by: str
    at: datetime
    revision: int
    answers: bool = True
    sent: bool = True


class Comment(Struct, frozen=True, kw_only=True):
    """What a person says of one line, as it was in `revision`: in the file with the blob `blob`.

    The side `old` is the file before the change. `quote` is the line itself.
    """

    id: str
    revision: int
    path: str
    line: int
    side: Side = "new"
    blob: str
    quote: str = ""
    text: str
    by: str
    at: datetime
    sent: bool = False
    replies: tuple[Reply, ...] = ()
    resolved: bool = False

    @property
    def state(self) -> str:
        """Return unsent (in whole or in part), unanswered, answered or resolved."""
        if self.resolved:
            return "resolved"
        if not self.sent or not all(reply.sent for reply in self.replies):
            return "unsent"
        answered = bool(self.replies) and self.replies[-1].answers
        return "answered" if answered else "unanswered"

    @property
    def place(self) -> str:
        """Return file, line and side, as a person types them."""
        return f"{self.path}:{self.line}{'@old' if self.side == 'old' else ''}"


class Remark(Struct, frozen=True, kw_only=True):
    """A comment as an agent is told of it; `since` is what was said after it, a text each."""

    id: str
    revision: int
    path: str
    line: int
    side: Side = "new"
    blob: str
    quote: str = ""
    text: str
    since: tuple[str, ...] = ()


class Where(Struct, frozen=True):
    """Where a commented line is in the newest revision; None of both where it is gone."""

    path: str | None = None
    line: int | None = None


class CommentRow(Struct, frozen=True, kw_only=True):
    """An entry of `fleet comments --json`: a comment, and where its line is by now.

    `now_path` and `now_line` are null, and `outdated` is true, where the line is gone.
    """

    id: str
    task: str
    state: str
    revision: int
    path: str
    line: int
    side: Side
    blob: str
    quote: str
    text: str
    by: str
    at: datetime
    outdated: bool
    now_path: str | None
    now_line: int | None
    replies: tuple[Reply, ...]


class Hunk(NamedTuple):
    """A piece in which two files differ: so many lines from `old` on became those from `new` on.

    Where there are none of the one, its number is that of the line before, as diff has it.
    """

    old: int
    olds: int
    new: int
    news: int


def moved(line: int, hunks: Iterable[Hunk]) -> int | None:
    """Return where `line` of the old file is in the new one; None where it was changed or cut."""
    shift = 0
    for hunk in hunks:
        first = hunk.old if hunk.olds else hunk.old + 1
        if line < first:
            break
        if line < first + hunk.olds:
            return None
        shift += hunk.news - hunk.olds
    return line + shift


def to_send(comments: Iterable[Comment]) -> tuple[Comment, ...]:
    """Return what goes with a return: what was not sent yet, and what was and is unanswered."""
    return tuple(it for it in comments if it.state in ("unsent", "unanswered"))


def as_sent(comment: Comment) -> Comment:
    """Return a comment as its agent knows it."""
    return replace(comment, replies=tuple(reply for reply in comment.replies if reply.sent))


def unanswered(comments: Iterable[Comment]) -> tuple[Comment, ...]:
    """Return the comments that the agent was told of and has not answered."""
    return tuple(it for it in comments if it.state == "unanswered")


def tally(comments: Iterable[Comment]) -> str:
    """Return how many of the comments that count are unanswered; empty where none is."""
    told = [it for it in comments if it.sent and not it.resolved]
    missing = len(unanswered(told))
    noun = "comment" if len(told) == 1 else "comments"
    return f"{missing} of {len(told)} {noun} unanswered" if missing else ""


def size(comments: Iterable[Comment]) -> int:
    """Return how many characters are said in all of them."""
    return sum(
        len(it.text) + len(it.quote) + sum(len(reply.text) for reply in it.replies)
        for it in comments
    )


def all_sent(comments: Iterable[Comment], remarks: Sequence[Remark]) -> tuple[Comment, ...]:
    """Return the comments once the agent was told these remarks."""
    told = {remark.id for remark in remarks}
    return tuple(_sent(it) if it.id in told else it for it in comments)


def _sent(comment: Comment) -> Comment:
    replies = tuple(replace(reply, sent=True) for reply in comment.replies)
    return replace(comment, sent=True, replies=replies)


def remark(comment: Comment, where: Where | None = None) -> Remark:
    """Return a comment as its agent is told of it: at the line where that is now, if it is."""
    path, line = (where.path, where.line) if where is not None else (None, None)
    gone = path is None or line is None
    return Remark(
        id=comment.id,
        revision=comment.revision,
        path=comment.path if gone else str(path),
        line=comment.line if line is None or gone else line,
        side=comment.side,
        blob=comment.blob,
        quote=comment.quote,
        text=comment.text,
        since=tuple(f"{reply.by}: {reply.text}" for reply in comment.replies),
    )


def row(task: str, comment: Comment, where: Where) -> CommentRow:
    """Return a comment as clients are shown it."""
    return CommentRow(
        id=comment.id,
        task=task,
        state=comment.state,
        revision=comment.revision,
        path=comment.path,
        line=comment.line,
        side=comment.side,
        blob=comment.blob,
        quote=comment.quote,
        text=comment.text,
        by=comment.by,
        at=comment.at,
        outdated=where.line is None,
        now_path=where.path,
        now_line=where.line,
        replies=comment.replies,
    )
