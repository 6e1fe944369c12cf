"""Typing messages into a live agent's pane: delivered is only what the agent was heard to hear."""

import threading
import time
from collections.abc import Callable

from fleet.agents.adapter import overrides
from fleet.core import events as e
from fleet.core.activity import Run
from fleet.core.effects import Tell
from fleet.core.model import Fleet, Task
from fleet.core.signals import HOOK, PROCESS, REPORT
from fleet.errors import FleetError, ToolError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.rundir import read_token
from fleet.tools.tmux.input import Delivered, RefusedInput, Unconfirmed, clean, fits

_ANSWER_S = 3.0
_HEARD_S = 5.0
_UP_S = 30.0


def tell(tools: Tools, effect: Tell, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Type a message into the agent's pane; a long one goes into a file that a line names."""
    task = fleet.tasks[effect.task]
    run, message = task.run, next((m for m in task.messages if m.id == effect.message), None)
    token = read_token(tools.home.run(task.id, effect.attempt), tools.note_garbage)
    if run is None or message is None or token is None:
        return [_settled(effect, "refused", "its run is over")]
    if not _is_up(tools, task, run):
        return [_settled(effect, "refused", "its agent has not said yet that it is up")]
    line = message.text if fits(message.text) else _by_file(tools, effect, message.text)
    confirm = _confirmation(tools, effect, run, clean(line))
    try:
        outcome = tools.keyboard.send(run.pane, line, run=token, confirm=confirm)
    except ToolError as error:
        return [_settled(effect, "unconfirmed", error.message)]
    match outcome:
        case Delivered():
            return [_settled(effect, "delivered")]
        case Unconfirmed(reason=reason):
            tools.reports.expect(task.id, message.id, clean(line))
            return [_settled(effect, "unconfirmed", reason)]
        case RefusedInput(reason=reason):
            return [_settled(effect, "refused", reason)]


def _is_up(tools: Tools, task: Task, run: Run) -> bool:
    """Wait for the first word of an agent that reports its start: before, it would hear nothing."""
    try:
        reports_start = overrides(tools.adapter(task), "presence_file")
    except FleetError:
        return True  # whoever is in the pane now was started long ago
    if not reports_start or run.source != PROCESS or tools.reports.ever(task.id):
        return True
    return tools.reports.wait(task.id, since=0.0, timeout_s=_UP_S)


def _confirmation(tools: Tools, effect: Tell, run: Run, line: str) -> Callable[[], bool] | None:
    """Return what waits for the agent's word that it was told; None where it never speaks."""
    reports, since = tools.reports, time.monotonic()
    if reports.repeats(effect.task):
        return lambda: reports.wait_for(effect.task, line, since=since, timeout_s=_HEARD_S)
    if reports.ever(effect.task) or run.source in {HOOK, REPORT}:
        return lambda: reports.wait(effect.task, since=since, timeout_s=_ANSWER_S)
    return None


def _by_file(tools: Tools, effect: Tell, text: str) -> str:
    folder = tools.home.run(effect.task, effect.attempt).root / "messages"
    file = folder / f"{effect.message}.txt"
    surroundings.write_private(file, text.encode())
    return f"Read {file} and act on it: it holds a message for you."


def _settled(effect: Tell, outcome: str, reason: str = "") -> e.MessageSettled:
    return e.MessageSettled(
        task=effect.task, message=effect.message, outcome=outcome, reason=reason
    )
