"""Folding what happens to repositories, to their pools, and to the list of tasks."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.ids import RepoId, TaskId
from fleet.core.line import Tip
from fleet.core.model import Fleet, Repo, Slot, Task
from fleet.core.reducer import table
from fleet.core.reducer.accounts import began
from fleet.core.reducer.lines import stands_at
from fleet.core.status import Queued, Sealing

TRUST = "trust"  # the consent that agents are told to trust a repository
BREAKER_WINDOW = timedelta(hours=1)


def _repo(fleet: Fleet, repo: Repo) -> Fleet:
    return replace(fleet, repos=fleet.repos | {repo.id: repo})


def _slot(fleet: Fleet, repo_id: RepoId, number: int, slot: Slot | None) -> Fleet:
    repo = fleet.repos[repo_id]
    slots = {n: s for n, s in repo.slots.items() if n != number}
    if slot is not None:
        before = repo.slots.get(number, slot)
        slots[number] = replace(slot, last=slot.last or before.last)
    return _repo(fleet, replace(repo, slots=slots))


@table.fleet(e.RepoRegistered)
def _registered(fleet: Fleet, event: e.RepoRegistered, at: datetime) -> Fleet:
    known = fleet.repos.get(event.repo)
    if known is None:
        return _repo(fleet, Repo(id=event.repo, root=event.root, git_dir=event.git_dir))
    return _repo(fleet, replace(known, root=event.root, git_dir=event.git_dir))


@table.fleet(e.PolicyTrusted)
def _trusted(fleet: Fleet, event: e.PolicyTrusted, at: datetime) -> Fleet:
    repo = fleet.repos[event.repo]
    return _repo(fleet, replace(repo, trusted=(*repo.trusted, event.digest)))


@table.fleet(e.AgentsTrusted)
def _agents_trusted(fleet: Fleet, event: e.AgentsTrusted, at: datetime) -> Fleet:
    repo = fleet.repos[event.repo]
    return _repo(fleet, replace(repo, consents=repo.consents | {TRUST}))


@table.fleet(e.AgentsDistrusted)
def _agents_distrusted(fleet: Fleet, event: e.AgentsDistrusted, at: datetime) -> Fleet:
    repo = fleet.repos[event.repo]
    return _repo(fleet, replace(repo, consents=repo.consents - {TRUST}))


@table.fleet(e.TargetSeen)
def _target_seen(fleet: Fleet, event: e.TargetSeen, at: datetime) -> Fleet:
    repo = fleet.repos[event.repo]
    tips = {name: tip for name, tip in repo.tips.items() if name != event.target}
    lines = repo.lines
    if event.tip is not None:
        tips[event.target] = event.tip
        lines = stands_at(lines, event.target, Tip(event.tip))
    return _repo(fleet, replace(repo, tips=tips, lines=lines))


@table.fleet(e.QueueFrozen)
def _frozen(fleet: Fleet, event: e.QueueFrozen, at: datetime) -> Fleet:
    repo = fleet.repos[event.repo]
    return _repo(fleet, replace(repo, frozen=repo.frozen | {event.target: event.reason}))


@table.fleet(e.QueueThawed)
def _thawed(fleet: Fleet, event: e.QueueThawed, at: datetime) -> Fleet:
    repo = fleet.repos[event.repo]
    frozen = {name: why for name, why in repo.frozen.items() if name != event.target}
    return _repo(fleet, replace(repo, frozen=frozen))


@table.fleet(e.SlotPlanned)
def _slot_planned(fleet: Fleet, event: e.SlotPlanned, at: datetime) -> Fleet:
    return _slot(fleet, event.repo, event.slot, Slot("making"))


@table.fleet(e.SlotReady)
def _slot_ready(fleet: Fleet, event: e.SlotReady, at: datetime) -> Fleet:
    return _slot(fleet, event.repo, event.slot, Slot("ready"))


@table.fleet(e.SlotBroken)
def _slot_broken(fleet: Fleet, event: e.SlotBroken, at: datetime) -> Fleet:
    broken = Slot("broken", reason=event.reason, not_before=event.not_before)
    return _slot(fleet, event.repo, event.slot, broken)


@table.fleet(e.SlotDropping)
def _slot_dropping(fleet: Fleet, event: e.SlotDropping, at: datetime) -> Fleet:
    return _slot(fleet, event.repo, event.slot, Slot("dropping"))


@table.fleet(e.SlotDropped)
def _slot_dropped(fleet: Fleet, event: e.SlotDropped, at: datetime) -> Fleet:
    return _slot(fleet, event.repo, event.slot, None)


@table.fleet(e.WorkspaceAssigned)
def _assigned(fleet: Fleet, event: e.WorkspaceAssigned, at: datetime) -> Fleet:
    repo = fleet.tasks[event.task].repo
    return _slot(fleet, repo, event.slot, Slot("taken", task=event.task))


@table.fleet(e.WorkspaceFreed)
def _freed(fleet: Fleet, event: e.WorkspaceFreed, at: datetime) -> Fleet:
    task = fleet.tasks[event.task]
    if task.slot is None:
        return fleet
    return _slot(fleet, task.repo, task.slot, Slot("dirty", last=task.id))


@table.fleet(e.AttemptBegan)
def _began(fleet: Fleet, event: e.AttemptBegan, at: datetime) -> Fleet:
    recent = tuple(start for start in fleet.starts if at - start < BREAKER_WINDOW)
    return began(replace(fleet, starts=(*recent, at)), event, at)


@table.fleet(e.ChangeLanded)
def _landed(fleet: Fleet, event: e.ChangeLanded, at: datetime) -> Fleet:
    repo = fleet.repos[fleet.tasks[event.task].repo]
    lines = stands_at(repo.lines, event.target, Tip(event.commit, event.task))
    lines = lines | {event.target: lines[event.target].with_head(failed=False)}
    tips = repo.tips | {event.target: event.commit}
    return _repo(fleet, replace(repo, tips=tips, lines=lines))


@table.fleet(e.TaskAdded)
def _added(fleet: Fleet, event: e.TaskAdded, at: datetime) -> Fleet:
    by_hand = event.spec.agent is None
    task = Task(
        id=TaskId(event.task),
        repo=event.repo,
        spec=event.spec,
        target=event.target,
        base=event.base,
        base_pinned=event.base_pinned,
        branch=event.branch,
        status=Sealing(attempt=0, revision=1) if by_hand else Queued(since=at),
        created_at=at,
        updated_at=at,
        owner=event.owner,
        account=event.account,
        environment=event.environment,
    )
    return replace(fleet, tasks=fleet.tasks | {task.id: task})
