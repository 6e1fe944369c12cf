"""What a supervisor finds when it begins: runs that went on, and those that are to be begun again.

After a restart of the machine no process of ours is left, and their numbers are given to others: so
what the runs' own files say of processes is put out of force before anybody acts on it.
"""

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from fleet.core import events as e
from fleet.core.model import Task
from fleet.core.status import Running, Starting
from fleet.paths import Home, RunDir
from fleet.supervisor.host import Found, Host
from fleet.supervisor.perform.surroundings import write_private
from fleet.supervisor.rundir import Exit
from fleet.tools.git.workspaces import admin_dir, remove_stale_locks
from fleet.tools.processes.model import Identity
from fleet.tools.processes.table import boot, is_alive

RESTARTED = "the machine was restarted"


class _Boot(Struct, frozen=True):
    """Since which start of the machine a supervisor was here."""

    boot: str


def take_stock(host: Host) -> None:
    """Note who goes on; record that all runs are lost where the machine was restarted."""
    now, before = boot(), _noted(host.home)
    restarted = None not in (now, before) and now != before
    at_work = [task for task in host.supervisor.fleet.tasks.values() if _is_at_work(task)]
    host.found = tuple(_found(host.home, task, restarted=restarted) for task in at_work)
    if restarted:
        _close_runs(host.home)
        _unlock_worktrees(host)
        living = [task for task in host.supervisor.fleet.tasks.values() if _has_run(task)]
        host.supervisor.record(
            [e.RunLost(task=task.id, attempt=task.attempt, reason=RESTARTED) for task in living]
        )
    if now is not None and now != before:
        write_private(host.home.boot, msgspec.json.encode(_Boot(now)))


def _noted(home: Home) -> str | None:
    try:
        return msgspec.json.decode(home.boot.read_bytes(), type=_Boot).boot
    except (OSError, msgspec.DecodeError):
        return None


def _is_at_work(task: Task) -> bool:
    return isinstance(task.status, Running | Starting)


def _has_run(task: Task) -> bool:
    return (task.run is not None and task.run.leaving is None) or isinstance(task.status, Starting)


def _found(home: Home, task: Task, *, restarted: bool) -> Found:
    run = task.run
    ended = run is not None and home.run(task.id, run.attempt).exit.exists()
    if not restarted and (ended or (run and is_alive(Identity(run.pid, run.pid_start)))):
        return Found(task.id, "ended" if ended else "alive")
    return Found(task.id, "afresh" if task.conversation is None else "resumed")


def _unlock_worktrees(host: Host) -> None:
    """Remove the locks of git commands that the loss of power cut short in worktrees of ours."""
    for task in host.supervisor.fleet.tasks.values():
        path = host.tools.worktree(task)
        admin = admin_dir(path) if path is not None else None
        if admin is not None:
            remove_stale_locks(admin)


def _close_runs(home: Home) -> None:
    """Say of every run that is not known to have ended that nothing of it is left."""
    for path in (home.root / "tasks").glob("*/runs/*"):
        run_dir = RunDir(Path(path))
        if not run_dir.exit.exists():
            over = Exit(at=time.time(), error=RESTARTED)
            write_private(run_dir.exit, msgspec.json.encode(over))
