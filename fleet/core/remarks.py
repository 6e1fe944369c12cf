"""The words in which an agent is told what a person said of its lines, and how to answer."""

from collections.abc import Sequence

from fleet.core.comments import Comment, Remark
from fleet.core.terminal import clean

_BLOB = 10  # digits of a blob's name
_RETURNED = "Your change was returned"
_HOW = """\
Do what each of them asks, or say why not. Answer every one of them by its id, and only then hand \
your work in:

    fleet reply {id} -m 'what you did, or why you did not'

`fleet comments` lists them once more. Where there is no command fleet, type \
"$FLEET_HOME/bin/fleet" for it."""


def count(comments: Sequence[Remark | Comment]) -> str:
    """Return how many there are, in words; empty where there is none."""
    if not comments:
        return ""
    return "1 comment" if len(comments) == 1 else f"{len(comments)} comments"


def note(text: str, comments: Sequence[Remark]) -> str:
    """Return what an agent is told when its change is returned: the note, then each comment."""
    if not comments:
        return f"{_RETURNED} with this note:\n\n{text}"
    said = f" with this note:\n\n{text.rstrip()}" if text.strip() else "."
    many = (
        "There is 1 comment on its lines."
        if len(comments) == 1
        else (f"There are {len(comments)} comments on its lines.")
    )
    parts = (f"{_RETURNED}{said}", f"{many} {_HOW.format(id=comments[0].id)}")
    return "\n\n".join((*parts, *map(_told, comments)))


def _told(comment: Remark) -> str:
    """Return one comment: what it is called, where it is, the line, and all that was said."""
    side = " before your change" if comment.side == "old" else ""
    head = (
        f"## {comment.id}: {clean(comment.path)} line {comment.line}{side} "
        f"(read in revision {comment.revision}, blob {comment.blob[:_BLOB]})"
    )
    quote = f"> {comment.quote}".rstrip()
    return "\n\n".join((head, quote, comment.text, *(f"Then {it}" for it in comment.since)))


def recall(comments: Sequence[Comment]) -> str:
    """Return what an agent is told once that left these comments unanswered."""
    listed = "\n".join(
        f"- {it.id}: {clean(it.place)}: {it.text.splitlines()[0]}" for it in comments
    )
    return (
        f"You have not answered {count(comments)} on your change:\n\n"
        f"{listed}\n\n"
        f"Answer each by its id: fleet reply {comments[0].id} -m 'what you did, or why not'. "
        "Then end your turn: your work is handed in."
    )
