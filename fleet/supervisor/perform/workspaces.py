"""Workspaces and the pool they come from: entered, set up, archived, freed, restored, recycled."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleet.core import events as e
from fleet.core.effects import (
    DropSlot,
    FreeWorkspace,
    MakeSlot,
    OnSlot,
    RecycleSlot,
    RestoreWorkspace,
)
from fleet.core.model import Fleet, Task
from fleet.core.policy import RepoPolicy
from fleet.core.status import Landed
from fleet.errors import FleetError, ToolError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.strays import keep_strays
from fleet.supervisor.perform.surroundings import Prepared
from fleet.supervisor.perform.tools import Tools, tip_for_slots
from fleet.tools.git import archive as archives
from fleet.tools.git import workspaces as git_workspaces
from fleet.tools.git.files import delete_trash, prepare
from fleet.tools.git.repository import branch_tip
from fleet.tools.git.snapshot import look
from fleet.tools.processes.check import Passed, run_check

_PAUSE = timedelta(seconds=5)


class SetupFailedError(FleetError):
    """A set-up command of the repository failed in a new workspace."""


def enter(tools: Tools, task: Task, fleet: Fleet, stop: threading.Event) -> Path:
    """Return the task's worktree, on its branch and set up; made so where it is not yet.

    Raises:
        SetupFailedError: a set-up command failed; its output is in the check log `setup-N`.
        ToolError, RefusedError: git could not, or nobody trusted the repository's file.
    """
    repo = fleet.repos[task.repo]
    path, place = tools.worktree(task), tools.place(repo)
    if path is None:
        raise ToolError(f"{task.id} has no workspace")
    if surroundings.prepared(tools, task) is not None and path.is_dir():
        return path
    policy = tools.trusted_policy(fleet, task.repo, task.target)
    if task.archived is not None:
        archives.restore(place, task.id, task.branch)
    _empty(tools, task, fleet, path, keep=policy.keep)
    git_workspaces.claim(place, path, branch=task.branch, commit=task.base)
    if task.archived is not None:
        archives.give_back(place, task.id, path)
    _set_up(tools, task, path, Path(repo.root), policy=policy, stop=stop)
    return path


def _empty(tools: Tools, task: Task, fleet: Fleet, path: Path, *, keep: tuple[str, ...]) -> None:
    """See that a workspace which is not this task's yet holds nothing of anybody else's."""
    repo, head = fleet.repos[task.repo], git_workspaces.head_of(path)
    if head == f"ref: refs/heads/{task.branch}" or task.slot is None:
        return
    if keep_strays(tools, fleet, repo, task.slot) or head.startswith("ref: "):
        git_workspaces.recycle(tools.place(repo), path, task.base, keep=keep)


def _set_up(
    tools: Tools,
    task: Task,
    path: Path,
    root: Path,
    *,
    policy: RepoPolicy,
    stop: threading.Event,
) -> None:
    files: tuple[str, ...] = ()
    if policy.copy or policy.link:
        files = prepare(path, root, copy=policy.copy, link=policy.link)
    environment = surroundings.agent_environment(tools, task, policy)
    for number, command in enumerate(policy.setup, start=1):
        log = tools.home.check_log(task.id, f"setup-{number}")
        result = run_check(
            command,
            cwd=path,
            env=environment,
            timeout_s=policy.setup_timeout_s,
            log=log,
            token=tools.token(task.id, task.attempt, f"setup-{number}"),
            stop=stop,
        )
        if not isinstance(result, Passed):
            raise SetupFailedError(f"setting up its workspace failed: {command} (see {log})")
    assert task.slot is not None  # noqa: S101 (its worktree was found above)
    surroundings.note_prepared(tools, task, Prepared(slot=task.slot, files=files))


def free(
    tools: Tools, effect: FreeWorkspace, fleet: Fleet, stop: threading.Event
) -> list[e.AnyEvent]:
    """Archive all that the workspace holds, then let go of it; nothing is lost on the way."""
    task = fleet.tasks[effect.task]
    try:
        head = branch_tip(tools.place(fleet.repos[task.repo]), task.branch)
        kept = _archive(tools, task, fleet, head)
        surroundings.forget_prepared(tools, task)
        if task.spec.agent is not None and head is not None:
            _let_go(tools, task, fleet, head)
        surroundings.forget(tools, task.id)
    except FleetError as error:
        return [e.FreeingFailed(task=task.id, reason=error.message, not_before=_later())]
    ref = f"refs/fleet/trash/{task.id}" if kept else None
    return [e.WorkspaceFreed(task=task.id, ref=ref)]


def _archive(tools: Tools, task: Task, fleet: Fleet, head: str | None) -> str | None:
    """Return the archive of all that the workspace holds, or None where nothing needs one."""
    place, path = tools.place(fleet.repos[task.repo]), tools.worktree(task)
    if head is not None and path is not None and _holds_nothing_more(task, path):
        return None
    return archives.archive(place, task=task.id, path=path, branch=task.branch)


def _holds_nothing_more(task: Task, path: Path) -> bool:
    """Whether the target has all that the workspace holds: it landed, and nothing came since."""
    if task.change is None or not isinstance(task.status, Landed) or not path.is_dir():
        return False
    seen = look(path)
    return (seen.head, seen.branch, seen.changed) == (task.change.sealed, task.branch, ())


def _let_go(tools: Tools, task: Task, fleet: Fleet, head: str) -> None:
    """Delete the task's own branch: its archive, or the target, has all that it led to."""
    place, path = tools.place(fleet.repos[task.repo]), tools.worktree(task)
    if path is not None and path.is_dir():
        git_workspaces.detach(path, branch=task.branch, head=head)
    archives.delete_branch(place, task.branch, head=head)


def restore(
    tools: Tools, effect: RestoreWorkspace, fleet: Fleet, stop: threading.Event
) -> list[e.AnyEvent]:
    """Put branch and files of a removed task into a workspace again."""
    task = fleet.tasks[effect.task]
    try:
        enter(tools, task, fleet, stop)
    except FleetError as error:
        return [e.RestoreFailed(task=task.id, reason=error.message)]
    return [e.WorkspaceRestored(task=task.id)]


def make(tools: Tools, effect: MakeSlot, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Make a clean worktree for the pool, or finish one that a crash left half made."""
    path = tools.home.slot(effect.repo, effect.slot)
    try:
        place = tools.place(fleet.repos[effect.repo])
        git_workspaces.create(
            place, path, tip_for_slots(fleet, effect.repo), lock=tools.lock(effect.repo)
        )
    except FleetError as error:
        return [_broken(effect, error.message)]
    return [e.SlotReady(repo=effect.repo, slot=effect.slot)]


def recycle(
    tools: Tools, effect: RecycleSlot, fleet: Fleet, stop: threading.Event
) -> list[e.AnyEvent]:
    """Make a returned worktree clean again."""
    path, keep = tools.home.slot(effect.repo, effect.slot), tools.kept_paths(effect.repo)
    try:
        place = tools.place(fleet.repos[effect.repo])
        keep_strays(tools, fleet, fleet.repos[effect.repo], effect.slot)
        git_workspaces.recycle(place, path, tip_for_slots(fleet, effect.repo), keep=keep)
    except FleetError as error:
        return [_broken(effect, error.message)]
    return [e.SlotReady(repo=effect.repo, slot=effect.slot)]


def drop(tools: Tools, effect: DropSlot, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Give a clean worktree's disk space back."""
    path = tools.home.slot(effect.repo, effect.slot)
    try:
        place = tools.place(fleet.repos[effect.repo])
        keep_strays(tools, fleet, fleet.repos[effect.repo], effect.slot)
        git_workspaces.drop(place, path, trash=tools.home.trash, lock=tools.lock(effect.repo))
        delete_trash(tools.home.trash)
    except FleetError as error:
        return [_broken(effect, error.message)]
    return [e.SlotDropped(repo=effect.repo, slot=effect.slot)]


def _broken(effect: OnSlot, reason: str) -> e.SlotBroken:
    return e.SlotBroken(repo=effect.repo, slot=effect.slot, reason=reason, not_before=_later())


def _later() -> datetime:
    return datetime.now(UTC) + _PAUSE
