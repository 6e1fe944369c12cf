"""How the state reads: a status word, what it needs of a person, rows for scripts."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct

from fleet.core import approving, merge_queue
from fleet.core.accounts import SHUT, speaks
from fleet.core.activity import RATE_LIMIT, Activity, Idle, Run, Stalled, Unknown, Waiting, Working
from fleet.core.causes import (
    Cause,
    ChecksRed,
    Conflict,
    Died,
    Exhausted,
    GateRed,
    NoChange,
    PullRed,
    PullReview,
    SentBack,
    Unsealable,
)
from fleet.core.change import Change, Landing, Proposed, Ready
from fleet.core.comments import tally
from fleet.core.model import Fleet, Task
from fleet.core.phrases import reason
from fleet.core.policy import RepoPolicy
from fleet.core.pull_phrases import pull_need
from fleet.core.schedule import doomed_by, no_workspace, waits_for
from fleet.core.spans import span
from fleet.core.status import (
    Checking,
    Ending,
    Failed,
    Held,
    Landed,
    Paused,
    Queued,
    Rejected,
    Running,
    Sealing,
    Starting,
    Stopped,
    Submitted,
    ToSeal,
    Withdrawn,
)
from fleet.core.trust import UNTRUSTED, withheld
from fleet.core.turns import go_on_at, interrupted
from fleet.core.verdicts import review_phrase


def status_word(fleet: Fleet, task: Task) -> str:
    """Return the status as people and scripts read it; the words are those of the README."""
    match task.status:
        case Queued():
            return "blocked" if waits_for(fleet, task) else "queued"
        case Running():
            return activity_word(task.run.activity) if task.run else "starting"
        case Ending(outcome=outcome):
            return "checking" if isinstance(outcome, ToSeal) else "stopping"
        case Submitted():
            return _change_word(task.change)
        case Held(cause=cause):
            return _held_word(cause)
        case Sealing() | Checking() | Rejected():
            return "checking"
        case Starting() | Paused() | Landed() | Failed() | Stopped() | Withdrawn():
            return type(task.status).__name__.lower()
        case _:
            assert_never(task.status)


def activity_word(activity: Activity) -> str:
    """Return what a live agent does, in one word."""
    match activity:
        case Working() | Waiting() | Idle() | Stalled() | Unknown():
            return type(activity).__name__.lower()
        case _:
            assert_never(activity)


def activity_phrase(activity: Activity) -> str:
    """Return what a source says that an agent does, in a few words."""
    match activity:
        case Waiting(need=need):
            return f"waiting: {need}"
        case Working(background=True):
            return "working in the background"
        case _:
            return activity_word(activity)


def _change_word(change: Change | None) -> str:
    if change is None:
        return "checking"
    if isinstance(change.state, Landing):
        return "landing"
    if isinstance(change.state, Proposed):
        return "proposed"
    if approving.approved(change):
        return "approved"
    return "review" if isinstance(change.state, Ready) else "checking"


def _held_word(cause: Cause) -> str:
    match cause:
        case Conflict():
            return "conflict"
        case SentBack() | GateRed() | ChecksRed() | PullRed() | PullReview():
            return "returned"
        case _:
            return "waiting"


class Need(Struct, frozen=True):
    """Why a person is wanted: in one word, and in one phrase."""

    kind: str
    phrase: str
    more: str = ""  # what changes while it is the same need


def needs(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    """Return why a person is wanted, in one phrase, or how the task ended badly; else None."""
    found = need(fleet, task, policy)
    if found is None:
        return None
    return f"{found.phrase}, {found.more}" if found.more else found.phrase


def need(fleet: Fleet, task: Task, policy: RepoPolicy) -> Need | None:
    """Return why a person is wanted, or how the task ended badly; else None."""
    if task.removed_at is not None:
        return None
    match task.status:
        case Running() if task.run is not None:
            return _running_need(fleet, task, task.run)
        case Queued(trouble=trouble):
            return _queued_need(fleet, task, trouble, policy)
        case Submitted():
            return _change_need(fleet, task, policy)
        case Held(cause=cause):
            return Need(_held_kind(cause), reason(cause))
        case Failed(reason=why):
            return Need("failed", why)
        case _:
            return Need("trouble", task.trouble) if task.trouble else None


def needs_since(task: Task) -> datetime:
    """Return since when a task needs what it needs."""
    if isinstance(task.status, Submitted) and task.change is not None and task.change.blocked:
        return task.updated_at
    return since(task)


def since(task: Task) -> datetime:
    """Return when a task took on its status; while its agent lives, what it does."""
    if isinstance(task.status, Running) and task.run is not None:
        return task.run.activity_since
    return task.status_since or task.updated_at


def _held_kind(cause: Cause) -> str:
    match cause:
        case Conflict():
            return "conflict"
        case ChecksRed() | GateRed() | PullRed():
            return "checks"
        case SentBack() | PullReview():
            return "returned"
        case Died() | NoChange() | Unsealable() | Exhausted():
            return "held"
        case _:
            assert_never(cause)


def _queued_need(fleet: Fleet, task: Task, trouble: str | None, policy: RepoPolicy) -> Need | None:
    if other := doomed_by(fleet, task):
        return Need("blocked", f"waits for {other}, which will not land")
    if (why := withheld(fleet, task.repo, task.target, policy)) is not None:
        return Need("trust" if why == UNTRUSTED else "trouble", why)
    if trouble is not None:
        return Need("trouble", f"cannot be started: {trouble}")
    broken = no_workspace(fleet, task)
    return Need("trouble", f"no workspace can be made: {broken}") if broken else None


_SHARED = frozenset({RATE_LIMIT, *SHUT})  # what all agents of an account wait for together


def _running_need(fleet: Fleet, task: Task, run: Run) -> Need | None:
    match run.activity:
        case Waiting(kind=kind) if go_on_at(task, run) is not None:
            return None  # fleet tells it to go on
        case Waiting(kind=kind) as waits if kind in _SHARED and not speaks(fleet, task, waits):
            return None  # fleet tells it to go on, or another task says what all wait for
        case Waiting(need=phrase, kind=kind):
            return Need(kind, phrase)
        case Stalled(limit_s=float() as limit):
            return Need("stalled", f"no progress for {span(limit)}")
        case Stalled():
            return Need("stalled", "gives no sign of life")
        case Idle() if task.spec.done != "turn":
            return Need(
                "idle", "its turn was interrupted" if interrupted(run) else "its turn has ended"
            )
        case Idle() if interrupted(run):
            return Need("idle", "its turn was interrupted")
        case _:
            return None


def _change_need(fleet: Fleet, task: Task, policy: RepoPolicy) -> Need | None:
    change = task.change
    if change is None or isinstance(change.state, Landing):
        return None
    if (why := merge_queue.stands_still(fleet, task, policy)) is not None:
        return Need("trust" if why == UNTRUSTED else "frozen", why)
    if change.blocked is not None:
        return Need("landing", change.blocked)
    if isinstance(change.state, Proposed):
        why = pull_need(task, policy)
        return Need("pull", why) if why else None
    if other := doomed_by(fleet, task):
        return Need("blocked", f"waits for {other}, which will not land")
    said = review_phrase(task, change, policy) if isinstance(change.state, Ready) else None
    return Need("review", said, tally(task.comments)) if said else None
