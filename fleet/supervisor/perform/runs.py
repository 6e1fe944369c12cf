"""Bringing runs up and down: one at a time for each task, each only when its elders are gone."""

import contextlib
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from fleet import paths
from fleet.agents import traits
from fleet.core import events as e
from fleet.core.effects import EndRun, StartRun
from fleet.core.model import Fleet, Task
from fleet.core.pauses import pause
from fleet.errors import FleetError, ToolError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.launching import GRACE_S, Asked, write_launch
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.perform.workspaces import enter
from fleet.supervisor.rundir import Exit, Started, read_exit, read_started, read_token, tidy
from fleet.tools.processes.fence import fence
from fleet.tools.processes.table import identify
from fleet.tools.tmux.settings import way_back

_STUCK_PAUSE = timedelta(seconds=30)
_HISTORY = 10_000
# The interpreter itself, not the virtual environment's link to it: it starts in half the time.
_PYTHON = str(Path(sys.executable).resolve())


def start(tools: Tools, effect: StartRun, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Bring up the run of `effect.attempt`, or adopt it where a crash left it half brought up."""
    task = fleet.tasks[effect.task]
    run_dir = tools.home.run(task.id, effect.attempt)
    try:
        _fence_elders(tools, task, effect.attempt)
        token = read_token(run_dir, tools.note_garbage)
        if token and (started := read_started(run_dir, tools.note_garbage)) is not None:
            return _adopt(tools, task, effect.attempt, token, started)
        tools.panes.server.ensure()
        worktree = enter(tools, task, fleet, stop)
        if token is None:
            policy = tools.trusted_policy(fleet, task.repo, task.target)
            asked = Asked(task, effect.attempt, worktree, fleet.repos[task.repo])
            token = write_launch(tools, asked, policy)
            tools.reports.begin(task.id)
        return [_open(tools, task, effect.attempt, token, worktree)]
    except ToolError as error:
        return [_failed(task, effect.attempt, error.message, fatal=False)]
    except FleetError as error:
        return [_failed(task, effect.attempt, error.message, fatal=True)]


def _failed(task: Task, attempt: int, reason: str, *, fatal: bool) -> e.StartFailed:
    later = datetime.now(UTC) + pause(task.losses + 1)
    return e.StartFailed(
        task=task.id, attempt=attempt, reason=reason, fatal=fatal, not_before=later
    )


def _fence_elders(tools: Tools, task: Task, attempt: int) -> None:
    """See that nothing of an earlier run lives: two writers must never share a worktree."""
    for earlier in range(attempt - 1, 0, -1):
        run_dir = tools.home.run(task.id, earlier)
        if not run_dir.root.exists():
            continue
        _fence_one(tools, task, earlier, run_dir)


def _fence_one(tools: Tools, task: Task, attempt: int, run_dir: paths.RunDir) -> None:
    tidy(run_dir, tools.note_garbage)
    prefix = tools.attempt_prefix(task.id, attempt)
    ended = read_exit(run_dir, tools.note_garbage)
    if ended is None or ended.left:
        fence(prefix, rundirs=[run_dir], grace_s=GRACE_S)
        if read_exit(run_dir, tools.note_garbage) is None:
            _write_exit(run_dir)
    _close_panes(tools, prefix)


def _write_exit(run_dir: paths.RunDir) -> None:
    """Say that a run is over whose own shim could not: it need not be fenced again."""
    over = Exit(at=time.time(), left=0, error="ended by the supervisor")
    surroundings.write_private(run_dir.exit, msgspec.json.encode(over))


def _close_panes(tools: Tools, prefix: str) -> None:
    """Close all panes of an attempt; its launch, which would name one, may be gone by now."""
    with contextlib.suppress(ToolError):  # no server, no panes
        for pane in tools.panes.all():
            if pane.run.startswith(prefix):
                tools.panes.close(pane.pane_id, run=pane.run)


def _adopt(
    tools: Tools, task: Task, attempt: int, token: str, started: Started
) -> list[e.AnyEvent]:
    """The run came up before we could record it: it is this one, alive or over."""
    try:
        pane = next((pane.pane_id for pane in tools.panes.all() if pane.run == token), "")
    except ToolError:
        pane = ""
    return [
        e.RunStarted(
            task=task.id,
            attempt=attempt,
            pane=pane,
            pid=started.pid,
            pid_start=started.start,
            account=_account(tools, task),
        )
    ]


def _open(tools: Tools, task: Task, attempt: int, token: str, worktree: Path) -> e.RunStarted:
    run_dir = tools.home.run(task.id, attempt)
    pane = tools.panes.open(
        session=task.id,
        run=token,
        cwd=worktree,
        argv=[_PYTHON, *paths.PANE, str(run_dir.root)],
        options={"@fleet_title": task.spec.title, "@fleet_back": way_back(None)},
    )
    shim = identify(pane.pid)
    return e.RunStarted(
        task=task.id,
        attempt=attempt,
        pane=pane.pane_id,
        pid=pane.pid,
        pid_start=shim.start if shim else 0,
        account=_account(tools, task),
    )


def _account(tools: Tools, task: Task) -> str | None:
    """Return the account that a run uses; None where the agent is not known any more."""
    try:
        environment = surroundings.base_environment(tools, task.id)
        return traits.account(tools.adapter(task), environment, salt=tools.home_id)
    except FleetError:
        return None


def end(tools: Tools, effect: EndRun, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """End every process of the run, keep its last words, and close its pane."""
    task = fleet.tasks[effect.task]
    run_dir = tools.home.run(task.id, effect.attempt)
    if run_dir.root.exists():
        if not run_dir.screen.exists():
            _keep_last_words(tools, run_dir, tools.attempt_prefix(task.id, effect.attempt))
        try:
            _fence_one(tools, task, effect.attempt, run_dir)
        except ToolError as error:
            return [_not_ended(effect, error)]
    return [e.RunEnded(task=task.id, attempt=effect.attempt)]


def _not_ended(effect: EndRun, error: ToolError) -> e.RunNotEnded:
    why = f"{error.message} ({error.hint})" if error.hint else error.message
    later = datetime.now(UTC) + _STUCK_PAUSE
    return e.RunNotEnded(task=effect.task, attempt=effect.attempt, reason=why, not_before=later)


def _keep_last_words(tools: Tools, run_dir: paths.RunDir, prefix: str) -> None:
    try:
        pane = next((pane for pane in tools.panes.all() if pane.run.startswith(prefix)), None)
        text = tools.panes.capture(pane.pane_id, history=_HISTORY, colours=True) if pane else None
    except ToolError:
        return  # the server is gone, and the words with it
    if text is not None:
        surroundings.write_private(run_dir.screen, text.encode(errors="replace"))
