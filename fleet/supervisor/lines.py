"""Where commented lines are: what a revision has there, and where later ones have it."""

from fleet.core import commands as c
from fleet.core.change import Change
from fleet.core.comments import Comment, Where, moved, to_send
from fleet.core.decide.comments import commentable
from fleet.core.facts import BlobFacts, LineFacts, WhereFacts
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.revisions import Pinned
from fleet.core.spelling import spelled
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import lines
from fleet.tools.git.changes import changes
from fleet.tools.git.repository import Place


def line_facts(tools: Tools, fleet: Fleet, command: c.Comment) -> LineFacts:
    """Return what the newest revision has at the line that is meant.

    Raises:
        RefusedError: there is no such task, or it has no change.
    """
    task = find(fleet, command.task)
    change, place = commentable(task), _place(tools, fleet, task)
    commit = change.base if command.side == "old" else change.sealed
    blob = lines.blob_at(place, commit, command.path)
    text = lines.text_of(place, blob) if blob else None
    if text is None:
        return LineFacts(revision=change.revision, blob=blob)
    inside = 1 <= command.line <= len(text)
    quote = text[command.line - 1] if inside else ""
    return LineFacts(revision=change.revision, blob=blob, lines=len(text), quote=quote)


def where_facts(tools: Tools, fleet: Fleet, name: str) -> WhereFacts | None:
    """Return where the lines are by now of all comments that are to be sent."""
    task = find(fleet, name)
    waiting = to_send(task.comments)
    if not waiting or task.change is None:
        return None
    return WhereFacts(revision=task.change.revision, places=places(tools, fleet, task, waiting))


def blob_facts(tools: Tools, fleet: Fleet, name: str) -> BlobFacts:
    """Return the files that the newest revision changes, and their blobs in it.

    Raises:
        RefusedError: there is no such task, or it has no change.
    """
    task = find(fleet, name)
    change = commentable(task)
    return BlobFacts(revision=change.revision, blobs=blobs(_place(tools, fleet, task), change))


def blobs(place: Place, change: Change) -> dict[str, str]:
    """Return the files that a change touches, and their blobs; zeros where one was deleted."""
    found = changes(place.git_dir, change.base, change.sealed)
    return {spelled(path): it.now[1] for path, it in found.items()}


def places(
    tools: Tools, fleet: Fleet, task: Task, comments: tuple[Comment, ...]
) -> dict[str, Where]:
    """Return where each comment's line is in the newest revision of the task's change."""
    change = task.change
    if change is None:
        return {}
    place = _place(tools, fleet, task)
    now = Pinned(change.revision, change.sealed, change.base)
    then = {it.revision: it for it in task.revisions}
    return {it.id: _where(place, it, then.get(it.revision, now), now) for it in comments}


def _where(place: Place, comment: Comment, then: Pinned, now: Pinned) -> Where:
    before, after = (then.base, now.base) if comment.side == "old" else (then.sealed, now.sealed)
    if before == after:
        return Where(comment.path, comment.line)
    path = comment.path
    blob = lines.blob_at(place, after, path)
    if blob is None:
        renamed = {spelled(old): new for old, new in lines.renames(place, before, after).items()}
        if (name := renamed.get(path)) is None:
            return Where()
        path, blob = spelled(name), lines.blob_at(place, after, name)
    if blob is None:
        return Where()
    line = moved(comment.line, lines.hunks(place, comment.blob, blob))
    return Where() if line is None else Where(path, line)


def _place(tools: Tools, fleet: Fleet, task: Task) -> Place:
    return tools.place(fleet.repos[task.repo])
