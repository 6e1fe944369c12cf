"""Comments on lines of a change: written by a person, answered by its agent, resolved at last."""

from collections.abc import Iterable
from difflib import get_close_matches

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.change import Change
from fleet.core.comments import LONGEST, ROOM, Comment, Remark, remark, size, to_send
from fleet.core.decide.decision import PERSON, Decision
from fleet.core.facts import BlobFacts, LineFacts, WhereFacts
from fleet.core.model import Fleet, Task
from fleet.core.names import find, present
from fleet.core.spelling import spelled
from fleet.core.status import Landed
from fleet.core.terminal import clean, clean_lines
from fleet.errors import RefusedError, UsageError

_LONGEST_QUOTE = 200


def comment(fleet: Fleet, command: c.Comment, facts: LineFacts, actor: str) -> Decision:
    """Keep what a person says of a line that is really there."""
    task = present(fleet, command.task)
    change = commentable(task)
    _must_be_read(task, change, command.revision)
    _must_be_read(task, change, facts.revision)
    blob = _on_a_line(task, change, command, facts)
    text = _said(task, command.text)
    added = e.CommentAdded(
        task=task.id,
        comment=f"{task.id}#{task.next_comment}",
        revision=change.revision,
        path=spelled(command.path),
        line=command.line,
        side=command.side,
        blob=blob,
        quote=clean(facts.quote)[:_LONGEST_QUOTE],
        text=text,
        by=actor,
    )
    answer = {"task": task.id, "comment": added.comment, "quote": added.quote}
    return Decision((added,), answer)


def commentable(task: Task) -> Change:
    """Return the change whose lines may be spoken of.

    Raises:
        RefusedError: there is none, or it has landed.
    """
    if isinstance(task.status, Landed):
        raise RefusedError(f"{task.id} has landed already", hint=f"fleet show {task.id}")
    if task.change is None:
        raise RefusedError(
            f"{task.id} has no change to comment on yet", hint=f"fleet wait {task.id} --for review"
        )
    return task.change


def _must_be_read(task: Task, change: Change, revision: int | None) -> None:
    if revision is not None and revision != change.revision:
        raise RefusedError(
            f"{task.id} is at revision {change.revision} by now, not at {revision}",
            hint=f"read it again: fleet diff {task.id}",
        )


def _on_a_line(task: Task, change: Change, command: c.Comment, facts: LineFacts) -> str:
    """Return the blob that holds the line; refuse where there is none, with the nearest."""
    path = clean(spelled(command.path))[:_LONGEST_QUOTE]
    side = " before the change" if command.side == "old" else ""
    if facts.blob is None:
        raise RefusedError(
            f"revision {change.revision} of {task.id} has no file {path}{side}",
            hint=_nearest(task, change, command),
        )
    if facts.lines is None:
        raise RefusedError(
            f"{path} is no text, so that it has no lines",
            hint=f"say it of the whole: fleet return {task.id} -m NOTE",
        )
    if not 1 <= command.line <= facts.lines:
        old = "@old" if side else ""
        last = f"{path}:{max(facts.lines, 1)}{old}"
        held = "1 line" if facts.lines == 1 else f"{facts.lines} lines"
        raise RefusedError(
            f"{path} has {held}{side}, so there is no line {command.line}",
            hint=f"fleet comment {task.id} {last}" if facts.lines else "it is empty",
        )
    return facts.blob


def _nearest(task: Task, change: Change, command: c.Comment) -> str:
    if command.side == "new" and command.path in change.files:
        return f"it was deleted; of its old lines: {clean(command.path)}:{command.line}@old"
    near = get_close_matches(command.path, change.files, n=1, cutoff=0.5)
    return f"did you mean {clean(near[0])}?" if near else f"see its files: fleet show {task.id}"


def _said(task: Task, text: str) -> str:
    """Return what is to be kept of a text: nothing that a terminal obeys, and not without end."""
    kept = clean_lines(text).strip("\n").rstrip()
    if not kept.strip():
        raise UsageError("there is nothing said", hint="say it: -m TEXT")
    if len(kept) > LONGEST:
        raise UsageError(
            f"this has {len(kept)} characters, and {LONGEST} may be said at once",
            hint="say it shorter, or in several comments",
        )
    if size(task.comments) + len(kept) > ROOM:
        raise RefusedError(
            f"so much is said of {task.id} already that no more can be shown at once",
            hint=f"send it back with a note: fleet return {task.id} -m NOTE",
        )
    return kept


def known(fleet: Fleet, name: str, actor: str) -> tuple[Task, Comment]:
    """Return the comment called `name`: TASK#NUMBER, or for an agent the number alone.

    Raises:
        RefusedError: there is none, or an agent means one of another task.
    """
    of, _, number = name.rpartition("#")
    if not of and actor != PERSON:
        of = actor
    if not of:
        raise RefusedError(
            f"{clean(name)} names no comment", hint="fleet comments TASK lists them, like TASK#1"
        )
    task = find(fleet, of)
    if actor not in (PERSON, task.id):
        raise RefusedError(
            f"the agent of {actor} may answer comments on its own change only",
            hint=f"fleet comments {actor}",
        )
    found = next((it for it in task.comments if it.id == f"{task.id}#{number}"), None)
    if found is None or (actor != PERSON and not found.sent):
        raise RefusedError(
            f"there is no comment {task.id}#{clean(number)}", hint=f"fleet comments {task.id} --all"
        )
    return task, found


def edit(fleet: Fleet, command: c.EditComment, facts: None, actor: str) -> Decision:
    """Put other words in the place of those that were not sent yet."""
    task, found = known(fleet, command.comment, actor)
    _must_be_unsent(found)
    text = _said(task, command.text)
    edited = e.CommentEdited(task=task.id, comment=found.id, text=text, by=actor)
    return Decision((edited,), {"task": task.id, "comment": found.id})


def drop(fleet: Fleet, command: c.DropComment, facts: None, actor: str) -> Decision:
    """Take back what was not sent yet."""
    task, found = known(fleet, command.comment, actor)
    _must_be_unsent(found)
    dropped = e.CommentDropped(task=task.id, comment=found.id, by=actor)
    return Decision((dropped,), {"task": task.id, "comment": found.id})


def _must_be_unsent(found: Comment) -> None:
    if found.sent and (not found.replies or found.replies[-1].sent):
        raise RefusedError(
            f"{found.id} was sent to its agent already",
            hint=f"say more: fleet reply {found.id}; or: fleet comment --resolve {found.id}",
        )


def resolve(fleet: Fleet, command: c.ResolveComment, facts: None, actor: str) -> Decision:
    """Let it count no more."""
    task, found = known(fleet, command.comment, actor)
    if found.resolved:
        raise RefusedError(f"{found.id} is resolved already", hint=f"fleet comments {task.id}")
    if not found.sent:
        raise RefusedError(
            f"{found.id} was not sent yet", hint=f"fleet comment --drop {found.id} takes it back"
        )
    resolved = e.CommentResolved(task=task.id, comment=found.id, by=actor)
    return Decision((resolved,), {"task": task.id, "comment": found.id})


def reply(fleet: Fleet, command: c.Reply, facts: None, actor: str) -> Decision:
    """Take an answer of the agent, or what a person adds; by hand, a person's is the answer."""
    task, found = known(fleet, command.comment, actor)
    if found.resolved:
        raise RefusedError(f"{found.id} is resolved", hint="a new comment can be made")
    if not found.sent:
        raise RefusedError(
            f"{found.id} was not sent yet",
            hint=f"say it in other words: fleet comment --edit {found.id} -m TEXT",
        )
    replied = e.CommentReplied(
        task=task.id,
        comment=found.id,
        revision=task.revision,
        text=_said(task, command.text),
        by=actor,
        answers=actor != PERSON or task.spec.agent is None,
    )
    return Decision((replied,), {"task": task.id, "comment": found.id, "sent": replied.answers})


def remarks(task: Task, facts: WhereFacts | None) -> tuple[Remark, ...]:
    """Return all that the agent was not told yet, each at the line where it is now."""
    current = facts is not None and task.change and facts.revision == task.change.revision
    places = facts.places if facts is not None and current else {}
    return tuple(remark(it, places.get(it.id)) for it in to_send(task.comments))


def mark_seen(fleet: Fleet, command: c.MarkSeen, facts: BlobFacts, actor: str) -> Decision:
    """Note which files a person has read, as they are now; a later change of one is news again."""
    task = present(fleet, command.task)
    change = commentable(task)
    _must_be_read(task, change, command.revision)
    _must_be_read(task, change, facts.revision)
    wanted = command.paths or tuple(facts.blobs)
    for path in wanted:
        if path not in facts.blobs:
            raise unknown_file(task, path, facts.blobs)
    files = {path: facts.blobs[path] if command.seen else "" for path in wanted}
    seen = e.FilesSeen(task=task.id, files=files, by=actor)
    return Decision((seen,), {"task": task.id, "files": sorted(files)})


def unknown_file(task: Task, path: str, known: Iterable[str]) -> RefusedError:
    """Return the refusal of a file that a change does not touch."""
    near = get_close_matches(path, list(known), n=1, cutoff=0.5)
    return RefusedError(
        f"{task.id} does not change {clean(path)[:_LONGEST_QUOTE]}",
        hint=f"did you mean {clean(near[0])}?" if near else f"fleet show {task.id}",
    )
