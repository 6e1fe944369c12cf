"""Bringing runs up and down: one at a time for each task, each only when its elders are gone."""

import contextlib
import secrets
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from fleet import paths
from fleet.agents.adapter import Request
from fleet.core import events as e
from fleet.core.effects import EndRun, StartRun, Tell
from fleet.core.model import Fleet, Task
from fleet.core.policy import RepoPolicy
from fleet.core.schedule import pause
from fleet.errors import FleetError, ToolError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.perform.workspaces import enter
from fleet.supervisor.rundir import Exit, Started, read_exit, read_started, read_token, tidy
from fleet.tools.processes.fence import fence
from fleet.tools.processes.table import identify
from fleet.tools.tmux.input import Delivered, RefusedInput, Unconfirmed, fits
from fleet.tools.tmux.settings import way_back

GRACE_S = 5.0
_STUCK_PAUSE = timedelta(seconds=30)
_HISTORY = 10_000
_ANSWER_S = 3.0
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
            policy = tools.trusted_policy(fleet, task.repo)
            token = _write_launch(tools, task, effect.attempt, worktree, policy=policy)
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
        )
    ]


def _write_launch(
    tools: Tools, task: Task, attempt: int, worktree: Path, *, policy: RepoPolicy
) -> str:
    """Write down how the run is started, and return its token."""
    run_dir, adapter = tools.home.run(task.id, attempt), tools.adapter(task, policy)
    token = tools.token(task.id, attempt, secrets.token_hex(8))
    for message in task.messages:
        surroundings.add_note(tools, task.id, f"Before attempt {attempt}", message.text)
    launch = adapter.launch(_request(tools, task, attempt, worktree))
    environment = surroundings.agent_environment(tools, task, policy)
    for name in (*launch.unset, *adapter.scrub):
        environment.pop(name, None)
    for name, text in launch.files.items():
        surroundings.write_private(run_dir.root / name, text.encode())
    written = {
        "token": token,
        "argv": launch.argv,
        "cwd": str(worktree),
        "env": environment | launch.env | {"FLEET_RUN": token},
        "grace_s": GRACE_S,
        "title": task.spec.title,
    }
    surroundings.write_private(run_dir.launch, msgspec.json.encode(written))
    return token


def _request(tools: Tools, task: Task, attempt: int, worktree: Path) -> Request:
    home = tools.home
    return Request(
        task=task.id,
        prompt=task.spec.prompt,
        worktree=str(worktree),
        run_dir=str(home.run(task.id, attempt).root),
        home=str(home.root),
        notes=str(home.notes(task.id)),
        model=task.spec.model,
        effort=task.spec.effort,
        conversation=task.conversation,
        attempt=attempt,
        messages=tuple(message.text for message in task.messages),
    )


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
    )


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


def tell(tools: Tools, effect: Tell, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Type a message into the agent's pane; a long one goes into a file that a line names."""
    task = fleet.tasks[effect.task]
    run, message = task.run, next((m for m in task.messages if m.id == effect.message), None)
    token = read_token(tools.home.run(task.id, effect.attempt), tools.note_garbage)
    if run is None or message is None or token is None:
        return [_settled(effect, "refused", "its run is over")]
    line = message.text if fits(message.text) else _by_file(tools, effect, message.text)
    since = time.monotonic()

    def heard() -> bool:
        return tools.reports.wait(task.id, since=since, timeout_s=_ANSWER_S)

    confirm = heard if tools.reports.ever(task.id) else None
    try:
        outcome = tools.keyboard.send(run.pane, line, run=token, confirm=confirm)
    except ToolError as error:
        return [_settled(effect, "unconfirmed", error.message)]
    match outcome:
        case Delivered():
            return [_settled(effect, "delivered")]
        case Unconfirmed(reason=reason):
            return [_settled(effect, "unconfirmed", reason)]
        case RefusedInput(reason=reason):
            return [_settled(effect, "refused", reason)]


def _by_file(tools: Tools, effect: Tell, text: str) -> str:
    folder = tools.home.run(effect.task, effect.attempt).root / "messages"
    file = folder / f"{effect.message}.txt"
    surroundings.write_private(file, text.encode())
    return f"Read {file} and act on it: it holds a message for you."


def _settled(effect: Tell, outcome: str, reason: str = "") -> e.MessageSettled:
    return e.MessageSettled(
        task=effect.task, message=effect.message, outcome=outcome, reason=reason
    )
