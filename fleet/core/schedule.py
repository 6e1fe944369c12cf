"""Who may start, and what comes after work that did not get through."""

from datetime import datetime

from fleet.core import accounts
from fleet.core import events as e
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
from fleet.core.change import Member
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Fleet, Repo, Task
from fleet.core.pauses import is_due, pause
from fleet.core.phrases import note, reason
from fleet.core.planned import NOTHING, Circumstances, Plan
from fleet.core.reducer.repos import BREAKER_WINDOW
from fleet.core.stacks import begins_on, is_there
from fleet.core.status import (
    Checking,
    Ending,
    Failed,
    Queued,
    Rejected,
    Sealing,
    Starting,
    Stopped,
    ToReject,
    Withdrawn,
)
from fleet.core.trust import withheld

MAX_LOSSES = 20  # a pane that vanishes this often without one success is no accident
_QUARANTINE = 2  # internal errors in a row that name a task: it is given up, and tidied away
_HOPELESS = 4  # so many, and not even that is tried again
_INTERNAL = "internal error: see fleet log"


def waits_for(fleet: Fleet, task: Task) -> list[TaskId]:
    """Return the tasks that must land, or be put up for review, before this one may start."""
    return [name for name in task.spec.after if not is_there(fleet, task, name)]


def doomed_by(fleet: Fleet, task: Task) -> TaskId | None:
    """Return a task this one waits for that has ended without landing."""
    for name in waits_for(fleet, task):
        other = fleet.tasks.get(name)
        if other is None or isinstance(other.status, Failed | Stopped | Withdrawn):
            return name
    return None


def occupied(fleet: Fleet) -> int:
    """Return how many slots are in use: by runs until no process of theirs is left, and checks."""
    return sum(
        task.run is not None or isinstance(task.status, Starting | Ending) or _is_checked(task)
        for task in fleet.tasks.values()
    )


def _is_checked(task: Task) -> bool:
    """Whether its acceptance checks run, or are about to: they need what its agent needed."""
    by_agent = task.spec.agent is not None and bool(task.spec.checks)
    return by_agent and isinstance(task.status, Sealing | Checking)


def due(fleet: Fleet, now: datetime) -> list[Task]:
    """Return the tasks that would start now if there were room, oldest first."""
    ready = [
        task
        for task in fleet.tasks.values()
        if isinstance(task.status, Queued)
        and task.removed_at is None
        and not task.restoring
        and is_due(task.status.not_before, now)
        and not waits_for(fleet, task)
    ]
    return sorted(ready, key=lambda task: task.created_at)


def starts(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Start what is due, as far as slots, clean workspaces and the breaker allow."""
    wakes = _wakes(fleet, now)
    recent = [start for start in fleet.starts if now - start < BREAKER_WINDOW]
    room = min(given.policy.slots - occupied(fleet), given.policy.max_runs_per_hour - len(recent))
    waiting = due(fleet, now)
    if waiting and len(recent) >= given.policy.max_runs_per_hour:
        wakes.append(recent[0] + BREAKER_WINDOW)
    closed = accounts.shut(fleet) if waiting else {}
    for task in waiting if room > 0 else ():
        if withheld(fleet, task.repo, task.target, given.target(task.repo, task.target)):
            continue  # its workspace would be set up, and its agent started, by an untrusted file
        if (held := accounts.hold(fleet, task, closed, now)) is not None:
            wakes.extend([held.until] if held.until else [])
            continue
        if facts := _start(fleet, task):
            return Plan(facts=facts)  # one at a time: the next needs the state after this one
    return Plan(wake_at=min(wakes, default=None))


def _wakes(fleet: Fleet, now: datetime) -> list[datetime]:
    return [
        task.status.not_before
        for task in fleet.tasks.values()
        if isinstance(task.status, Queued)
        and task.status.not_before
        and not is_due(task.status.not_before, now)
    ]


def _start(fleet: Fleet, task: Task) -> tuple[e.AnyEvent, ...]:
    repo = fleet.repos[task.repo]
    number, begins = task.attempt + 1, begins_on(fleet, task)
    if task.attempt == 0 and begins is not None:
        upon = Member(task.spec.after[0], begins.revision)
        began = e.AttemptBegan(task=task.id, attempt=number, base=begins.sealed, upon=upon)
    else:
        began = e.AttemptBegan(task=task.id, attempt=number, base=_base(repo, task))
    if task.slot is not None:
        return (began,)
    slot = ready_slot(repo)
    return () if slot is None else (e.WorkspaceAssigned(task=task.id, slot=slot), began)


def _base(repo: Repo, task: Task) -> Commit:
    """A first attempt starts where the target is now, which may be past where it was at spawn."""
    if task.attempt > 0 or task.base_pinned:
        return task.base
    return repo.tips.get(task.target, task.base)


def ready_slot(repo: Repo) -> int | None:
    """Return a clean pooled worktree that nobody has."""
    return min((n for n, slot in repo.slots.items() if slot.state == "ready"), default=None)


def no_workspace(fleet: Fleet, task: Task) -> str | None:
    """Return why no workspace can be made for a task that has none; None while one may come."""
    slots = fleet.repos[task.repo].slots.values()
    if task.slot is not None or any(slot.state in {"ready", "dirty"} for slot in slots):
        return None
    return next((slot.reason for slot in slots if slot.state == "broken"), None)


def after_rejection(task: Task, cause: Cause, now: datetime) -> e.AnyEvent:
    """Return what comes next for a task whose work did not get through, for `cause`.

    A live agent that can be told is told, in the same context, up to `retries` times; then its
    run ends, and a new attempt starts with a fresh context, up to `attempts` in all. Only what
    trying again cannot mend, or nobody is there to mend, waits for a person.
    """
    if task.spec.agent is None or isinstance(cause, Unsealable):
        return e.TaskHeld(task=task.id)
    alive = task.run is not None and task.run.leaving is None
    if alive and isinstance(cause, NoChange):
        return e.TaskHeld(task=task.id)
    if alive and task.spec.converses and _may_tell(task, cause):
        by = cause.by if isinstance(cause, SentBack) else "fleet"
        return e.ToldAgain(task=task.id, text=note(cause, target=task.target), by=by)
    if task.run is not None:
        ending = ToReject(cause)
        return e.EndingBegan(
            task=task.id, attempt=task.run.attempt, outcome=ending, why=reason(cause)
        )
    return _retry_or_give_up(task, cause, now)


def exhausted(task: Task) -> Exhausted | None:
    """Return which guardrail that trying again cannot move is reached, if one is."""
    limits = task.spec.limits
    if limits.budget_usd is not None and task.cost_usd >= limits.budget_usd:
        return Exhausted(f"its budget of {limits.budget_usd:g} USD is spent")
    if limits.tokens is not None and task.tokens >= limits.tokens:
        return Exhausted(f"its {limits.tokens} tokens are spent")
    return None


def _may_tell(task: Task, cause: Cause) -> bool:
    if isinstance(cause, SentBack):
        return True
    told = isinstance(cause, ChecksRed | GateRed | Conflict | PullRed | PullReview)
    return told and task.retries < task.spec.limits.retries


def _retry_or_give_up(task: Task, cause: Cause, now: datetime) -> e.AnyEvent:
    words = note(cause, target=task.target)
    if isinstance(cause, SentBack):
        return e.RetryScheduled(task=task.id, note=words, consumes=False)
    allowed = task.spec.limits.attempts or 1
    if task.spent + 1 < allowed and not isinstance(cause, Exhausted):
        died = isinstance(cause, Died | NoChange)
        later = now + pause(task.spent + 1) if died else None
        return e.RetryScheduled(task=task.id, note=words, consumes=True, not_before=later)
    if isinstance(cause, Conflict | PullRed | PullReview):
        return e.TaskHeld(task=task.id)  # what it has is worth a look
    return e.TaskFailed(task=task.id, reason=reason(cause))


def rejections(fleet: Fleet, now: datetime) -> Plan:
    """Decide what comes next wherever work did not get through."""
    facts = [
        after_rejection(task, task.status.cause, now)
        for task in fleet.tasks.values()
        if isinstance(task.status, Rejected)
    ]
    return Plan(facts=tuple(facts)) if facts else NOTHING


def given_up(fleet: Fleet) -> Plan:
    """Give up what keeps striking fleet itself, keeps vanishing, or has nothing left to spend."""
    facts = [fact for task in fleet.tasks.values() if (fact := _give_up(task)) is not None]
    return Plan(facts=tuple(facts))


def _give_up(task: Task) -> e.AnyEvent | None:
    match task.status:
        case Starting(attempt=attempt) if task.crashes >= _QUARANTINE:
            # Something of it may be up already, so it must be ended, not just forgotten.
            outcome = ToReject(Exhausted(_INTERNAL))
            return e.EndingBegan(task=task.id, attempt=attempt, outcome=outcome, why=_INTERNAL)
        case Ending() if not hopeless(task):
            return None
        case _ if task.crashes >= _QUARANTINE and not task.ended:
            return e.TaskFailed(task=task.id, reason=_INTERNAL)
        case Queued() if task.losses >= MAX_LOSSES:
            return e.TaskFailed(task=task.id, reason=f"its run was lost {task.losses} times")
        case Queued() if spent := exhausted(task):
            return e.TaskFailed(task=task.id, reason=spent.reason)
        case _:
            return None


def hopeless(task: Task) -> bool:
    """Whether internal errors struck so often that nothing more is tried for this task."""
    return task.crashes >= _HOPELESS
