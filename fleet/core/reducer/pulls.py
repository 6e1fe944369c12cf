"""Folding what happens to the pull request of a change."""

from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.change import Gating, Proposed
from fleet.core.model import Task
from fleet.core.pauses import pause
from fleet.core.pulls import Pull, Trouble
from fleet.core.reducer import table
from fleet.core.reducer.changes import current
from fleet.core.status import Rejected, Submitted

_FIRST_S = 15.0  # before a forge is asked again


@table.task(e.PullBegan)
def _began(task: Task, event: e.PullBegan, at: datetime) -> Task:
    change = current(task, event.revision)
    if change is None or not isinstance(task.status, Submitted):
        return task
    state = Proposed(
        evidence=event.evidence,
        commit=event.commit,
        remote=event.remote,
        branch=event.branch,
        since=at,
        merged_onto=event.evidence.basis,
    )
    offered = task.offered if event.commit in task.offered else (*task.offered, event.commit)
    change = replace(change, state=state, blocked=None)
    return replace(task, change=change, offered=offered, pull_trouble=None, crashes=0)


@table.task(e.PullOpened)
def _opened(task: Task, event: e.PullOpened, at: datetime) -> Task:
    known = _pull(task, event.number)
    pull = Pull(
        forge=event.forge,
        number=event.number,
        url=event.url,
        remote=event.remote,
        branch=event.branch,
        revision=event.revision,
        head=event.head,
        opened_at=at,
        seen=known.seen if known else None,
        seen_at=known.seen_at if known else None,
    )
    return replace(task, pull=pull, pull_trouble=None, crashes=0)


def _pull(task: Task, number: int) -> Pull | None:
    """The pull request of a task, if it still is the one that was spoken of."""
    return task.pull if task.pull is not None and task.pull.number == number else None


@table.task(e.PullSeen)
def _seen(task: Task, event: e.PullSeen, at: datetime) -> Task:
    if (pull := _pull(task, event.number)) is None:
        return task
    closing = pull.closing and not event.seen.over
    asked = pull.asked if not pull.refused else None  # what it refused, it may do by now
    pull = replace(pull, seen=event.seen, seen_at=at, closing=closing, asked=asked, refused="")
    return replace(task, pull=pull, pull_trouble=None)


@table.task(e.PullFailed)
def _failed(task: Task, event: e.PullFailed, at: datetime) -> Task:
    before = task.pull_trouble.failures if task.pull_trouble else 0
    again = at + pause(before + 1, first_s=_FIRST_S)
    trouble = Trouble(event.reason, again, before + 1)
    return replace(task, pull_trouble=trouble, pull=task.pull and replace(task.pull, closing=False))


@table.task(e.PullMergeAsked)
def _asked(task: Task, event: e.PullMergeAsked, at: datetime) -> Task:
    if (pull := _pull(task, event.number)) is None:
        return task
    return replace(task, pull=replace(pull, asked=event.head, refused=event.refused))


@table.task(e.PullRecalled)
def _recalled(task: Task, event: e.PullRecalled, at: datetime) -> Task:
    change = current(task, event.revision)
    if change is None or not isinstance(change.state, Proposed):
        return task
    return replace(task, change=replace(change, state=Gating(), blocked=None))


@table.task(e.PullRejected)
def _rejected(task: Task, event: e.PullRejected, at: datetime) -> Task:
    if not (change := current(task, event.revision)):
        return task
    change = replace(change, state=Gating(), approval=None)
    return replace(task, change=change, status=Rejected(event.cause))


@table.task(e.PullCloseAsked)
def _close_asked(task: Task, event: e.PullCloseAsked, at: datetime) -> Task:
    return replace(task, pull=task.pull and replace(task.pull, closing=True), pull_trouble=None)
