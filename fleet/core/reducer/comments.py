"""Folding what is said and seen of a change while a person reads it."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.activity import Working
from fleet.core.comments import Comment, Reply
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.reducer.runs import does
from fleet.core.reducer.tasks import tell


@table.task(e.CommentAdded)
def _added(task: Task, event: e.CommentAdded, at: datetime) -> Task:
    comment = Comment(
        id=event.comment,
        revision=event.revision,
        path=event.path,
        line=event.line,
        side=event.side,
        blob=event.blob,
        quote=event.quote,
        text=event.text,
        by=event.by,
        at=at,
    )
    return replace(task, comments=(*task.comments, comment), next_comment=task.next_comment + 1)


def _changed(task: Task, name: str, change: Callable[[Comment], Comment]) -> Task:
    comments = tuple(change(it) if it.id == name else it for it in task.comments)
    return replace(task, comments=comments)


@table.task(e.CommentEdited)
def _edited(task: Task, event: e.CommentEdited, at: datetime) -> Task:
    def edit(comment: Comment) -> Comment:
        if not comment.sent:
            return replace(comment, text=event.text)
        *before, last = comment.replies
        return replace(comment, replies=(*before, replace(last, text=event.text)))

    return _changed(task, event.comment, edit)


@table.task(e.CommentDropped)
def _dropped(task: Task, event: e.CommentDropped, at: datetime) -> Task:
    kept = []
    for comment in task.comments:
        if comment.id != event.comment:
            kept.append(comment)
        elif comment.sent:  # what was added to it and not sent is dropped
            said = tuple(reply for reply in comment.replies if reply.sent)
            kept.append(replace(comment, replies=said))
    return replace(task, comments=tuple(kept))


@table.task(e.CommentReplied)
def _replied(task: Task, event: e.CommentReplied, at: datetime) -> Task:
    reply = Reply(
        text=event.text,
        by=event.by,
        at=at,
        revision=event.revision,
        answers=event.answers,
        sent=event.answers,
    )
    return _changed(task, event.comment, lambda it: replace(it, replies=(*it.replies, reply)))


@table.task(e.CommentResolved)
def _resolved(task: Task, event: e.CommentResolved, at: datetime) -> Task:
    return _changed(task, event.comment, lambda it: replace(it, resolved=True))


@table.task(e.AnswersMissed)
def _missed(task: Task, event: e.AnswersMissed, at: datetime) -> Task:
    task = tell(task, event.text, "fleet")
    return replace(task, run=task.run and does(task.run, Working(), at), recalled=True)


@table.task(e.FilesSeen)
def _seen(task: Task, event: e.FilesSeen, at: datetime) -> Task:
    seen = {path: blob for path, blob in (task.seen | event.files).items() if blob}
    return replace(task, seen=seen)
