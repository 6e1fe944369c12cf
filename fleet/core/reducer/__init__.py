"""The only code that builds a new `Fleet`: one entry of the ledger folded into the state."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from fleet.core.events import (
    ChangeAssessed,
    ChangeShown,
    CommentAdded,
    CommentDropped,
    CommentEdited,
    CommentResolved,
    Entry,
    FilesSeen,
    ForgettingFailed,
    FreeingFailed,
    LeftoversDeleted,
    NeedEnded,
    NeedTold,
    TaskEvent,
    TaskForgotten,
    TaskRemoved,
    WorkspaceFreed,
)
from fleet.core.model import Fleet, Task
from fleet.core.reducer import (
    accounts,
    asks,
    changes,
    comments,
    keeping,
    lines,
    neighbours,
    pulls,
    repos,
    runs,
    tasks,
)
from fleet.core.reducer.table import FLEET, TASK

# Looking at a task, measuring it and tidying it away is no news of it: its age stays as it was.
_LOOKED = (ChangeShown, FilesSeen, CommentAdded, CommentEdited, CommentDropped, CommentResolved)
_NO_NEWS = (
    *(*_LOOKED, ChangeAssessed, TaskRemoved, WorkspaceFreed, FreeingFailed),
    *(NeedTold, NeedEnded, TaskForgotten, LeftoversDeleted, ForgettingFailed),
)


def reduce(fleet: Fleet, entry: Entry) -> Fleet:
    """Return the state after `entry`; replaying a ledger gives the state it was written from."""
    event = entry.event
    if beyond := FLEET.get(type(event)):
        fleet = beyond(fleet, event, entry.at)
    if isinstance(event, TaskEvent) and (task := fleet.tasks.get(event.task)):
        fleet = replace(fleet, tasks=fleet.tasks | {task.id: _fold(task, event, entry.at)})
    return replace(fleet, seq=entry.seq)


def replay(entries: Iterable[Entry]) -> Fleet:
    """Return the state that a whole ledger leads to."""
    fleet = Fleet()
    for entry in entries:
        fleet = reduce(fleet, entry)
    return fleet


def _fold(task: Task, event: TaskEvent, at: datetime) -> Task:
    fold = TASK.get(type(event))
    new = fold(task, event, at) if fold else task
    if new == task:  # nothing that concerns it, or a late word about what is over
        return task
    since = task.status_since if new.status == task.status else at
    news = task.updated_at if isinstance(event, _NO_NEWS) else at
    return replace(new, updated_at=news, status_since=since)


__all__ = [
    "accounts",
    "asks",
    "changes",
    "comments",
    "keeping",
    "lines",
    "neighbours",
    "pulls",
    "reduce",
    "replay",
    "repos",
    "runs",
    "tasks",
]
