"""How many pooled worktrees a repository should have, and what becomes of each."""

from datetime import datetime, timedelta

from fleet.core import events as e
from fleet.core.effects import (
    AnyEffect,
    DropSlot,
    Forget,
    FreeWorkspace,
    MakeSlot,
    RecycleSlot,
    RestoreWorkspace,
)
from fleet.core.model import Fleet, Repo, Task
from fleet.core.pauses import is_due
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.schedule import due, occupied, ready_slot
from fleet.core.status import Ending, Landed, Sealing, Starting, Submitted

_PATIENCE = timedelta(seconds=30)  # for which what has landed makes room for what is under way


def pools(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Keep each used repository's pool as large as its waiting tasks need, and a little warm."""
    room = max(given.policy.slots - occupied(fleet), 0)
    waiting = [task for task in due(fleet, now) if task.slot is None][:room]
    parts = []
    for repo in fleet.repos.values():
        wanted = sum(task.repo == repo.id for task in waiting)
        spared = repo.id not in given.crowded and _quiet(fleet, repo)
        warm = min(given.policy.pool, room) if spared else 0
        parts.append(_restores(fleet, repo) or _pool(fleet, repo, given, max(wanted, warm), now))
    return together(parts)


def _quiet(fleet: Fleet, repo: Repo) -> bool:
    """Whether nobody waits for us: clean worktrees are made ahead while there is time for it."""
    return not any(
        task.repo == repo.id and _in_a_hurry(task)
        for task in fleet.tasks.values()
        if task.removed_at is None
    )


def _in_a_hurry(task: Task) -> bool:
    match task.status:
        case Starting() | Ending() | Sealing():
            return True
        case Submitted():
            return task.spec.land == "auto" and task.change is not None and not task.change.blocked
        case _:
            return False


def _restores(fleet: Fleet, repo: Repo) -> Plan | None:
    for task in fleet.tasks.values():
        if task.repo == repo.id and task.restoring and task.slot is None:
            slot = ready_slot(repo)
            if slot is not None:
                return Plan(facts=(e.WorkspaceAssigned(task=task.id, slot=slot),))
    return None


def _pool(fleet: Fleet, repo: Repo, given: Circumstances, wanted: int, now: datetime) -> Plan:
    tasks = [task for task in fleet.tasks.values() if task.repo == repo.id]
    if not tasks:
        return NOTHING  # pooling starts with a repository's first spawn
    wanted += sum(task.restoring and task.slot is None for task in tasks)
    states = [slot.state for slot in repo.slots.values()]
    coming = sum(state in {"ready", "making", "dirty"} for state in states)
    coming += sum(_is_done_with(task) and task.free_not_before is None for task in tasks)
    number = _next_slot(repo, now)
    crowded = repo.id in given.crowded
    if coming < wanted and number is not None:
        return Plan(facts=(e.SlotPlanned(repo=repo.id, slot=number),))
    spare = ready_slot(repo)
    if crowded and coming > wanted and spare is not None:
        return Plan(facts=(e.SlotDropping(repo=repo.id, slot=spare),))
    ready = sum(state in {"ready", "making"} for state in states)
    return _upkeep(repo, now, recycle=ready < wanted or _quiet(fleet, repo))


def _next_slot(repo: Repo, now: datetime) -> int | None:
    """Return the slot to make next: a broken one whose pause is over, else a new number.

    While a broken one pauses there is none: what broke it would break the next one too.
    """
    broken = {n: slot for n, slot in repo.slots.items() if slot.state == "broken"}
    if not broken:
        return next(n for n in range(1, len(repo.slots) + 2) if n not in repo.slots)
    return next((n for n, slot in broken.items() if is_due(slot.not_before, now)), None)


def _upkeep(repo: Repo, now: datetime, *, recycle: bool) -> Plan:
    effects: list[AnyEffect] = []
    times = (slot.not_before for slot in repo.slots.values())
    wakes = [when for when in times if when and not is_due(when, now)]
    for number, slot in repo.slots.items():
        match slot.state:
            case "making":
                effects.append(MakeSlot(repo.id, number))
            case "dirty" if recycle:
                effects.append(RecycleSlot(repo.id, number))
            case "dropping":
                effects.append(DropSlot(repo.id, number))
            case _:  # ready, taken or broken, or there is no hurry
                pass
    return Plan(effects=tuple(effects), wake_at=min(wakes, default=None))


def _is_done_with(task: Task) -> bool:
    """Whether the workspace that it has is of no use to it any more."""
    over = isinstance(task.status, Landed) or task.removed_at is not None
    return over and task.slot is not None and task.run is None and not task.restoring


def workspaces(fleet: Fleet, now: datetime) -> Plan:
    """Free what is landed or removed, bring back what a person restored, forget the rest."""
    hurried = {repo.id for repo in fleet.repos.values() if not _quiet(fleet, repo)}
    hurried -= {task.repo for task in due(fleet, now) if task.slot is None}  # who need a workspace
    return together(
        _workspace(task, now, later=task.repo in hurried) for task in fleet.tasks.values()
    )


def _workspace(task: Task, now: datetime, *, later: bool) -> Plan:
    if task.restoring and task.slot is not None and task.run is None:
        return Plan(effects=(RestoreWorkspace(task.id),))
    if task.forgetting:
        return Plan(effects=(Forget(task.id),))
    if not _is_done_with(task):
        return NOTHING
    when = task.free_not_before or now
    if later and isinstance(task.status, Landed):
        when = max(when, task.status.at + _PATIENCE)
    if not is_due(when, now):
        return Plan(wake_at=when)
    return Plan(effects=(FreeWorkspace(task.id),))
