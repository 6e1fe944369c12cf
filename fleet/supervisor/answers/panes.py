"""Answers about an agent's pane: its screen, its log, the way into it and back."""

import asyncio
from pathlib import Path
from typing import Any

from fleet import protocol as p
from fleet.core.model import Task
from fleet.core.names import find
from fleet.core.proof import LOGS
from fleet.core.refusals import attachable
from fleet.errors import RefusedError, ToolError
from fleet.supervisor.host import Host
from fleet.tools.tmux.outer import open_in_user_tmux, prefix_of
from fleet.tools.tmux.settings import way_back

_LOG_LINES = 10_000


async def path(host: Host, query: p.Path) -> dict[str, str]:
    """Return where a task's worktree is."""
    task = find(host.supervisor.fleet, query.task)
    worktree = host.tools.worktree(task)
    if worktree is None:
        raise RefusedError(f"{task.id} has no workspace now", hint=f"fleet show {task.id}")
    return {"path": str(worktree)}


async def screen(host: Host, query: p.Screen) -> dict[str, Any]:
    """Return the pane as it is, or its last words."""
    task = find(host.supervisor.fleet, query.task)
    live = await asyncio.to_thread(_capture, host, task, 0, colour=query.colour)
    if live is not None:
        return {"text": live, "live": True}
    return {"text": last_words(host, task, task.attempt)[-8000:], "live": False}


def _capture(host: Host, task: Task, history: int, *, colour: bool) -> str | None:
    if task.run is None:
        return None
    try:
        return host.tools.panes.capture(task.run.pane, history=history, colours=colour)
    except ToolError:
        return None


def last_words(host: Host, task: Task, attempt: int) -> str:
    """Return what a run's pane showed in the end.

    Raises:
        RefusedError: nothing is kept of that.
    """
    file = host.home.run(task.id, attempt).screen
    if not file.is_file():
        raise RefusedError(
            f"nothing is kept of what {task.id} printed", hint=f"fleet show {task.id}"
        )
    return file.read_text(errors="replace").rstrip("\n") + "\n"


async def log(host: Host, query: p.Log) -> dict[str, Any]:
    """Return all that is kept of what a run printed, or a check of it; or the end of that."""
    answer = await _log(host, query)
    return answer | {"text": answer["text"][-query.last :]} if query.last else answer


async def _log(host: Host, query: p.Log) -> dict[str, Any]:
    task = find(host.supervisor.fleet, query.task)
    if query.check is not None:
        return _check_log(host, task, query.check)
    attempt = query.attempt or task.attempt
    if task.run is not None and attempt == task.run.attempt:
        live = await asyncio.to_thread(_capture, host, task, _LOG_LINES, colour=False)
        if live is not None:
            return {"text": live, "path": None}
    text = last_words(host, task, attempt)
    return {"text": text, "path": str(host.home.run(task.id, attempt).screen)}


def _check_log(host: Host, task: Task, check: str) -> dict[str, Any]:
    folder = host.home.task(task.id) / "checks"
    logs = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime)
    own = [file for file in logs if not file.stem.startswith(LOGS)]  # of its very own code
    named = [file for file in logs if file.stem == check]
    named = named or [file for file in own if file.stem.endswith(f"-{check}")]
    if not named:
        known = ", ".join(file.stem for file in logs) or "none"
        raise RefusedError(f"{task.id} has no output of a check {check}", hint=f"there is: {known}")
    newest: Path = named[-1]
    return {"text": newest.read_text(errors="replace"), "path": str(newest)}


async def attach(host: Host, query: p.Attach) -> dict[str, Any]:
    """Return the program that shows the pane, or open a window for it in the person's tmux."""
    task = find(host.supervisor.fleet, query.task)
    attachable(task)
    prefix = await asyncio.to_thread(prefix_of, query.tmux)
    back = way_back(prefix)
    argv = host.tools.panes.server.attach_argv(task.id, back=back)
    if query.tmux is not None:
        await asyncio.to_thread(open_in_user_tmux, query.tmux, argv, title=task.id)
    return {"argv": argv, "way_back": back, "opened": query.tmux is not None}
