"""Telling a person that they are wanted, in each of the ways that they chose; none may fail us."""

import os
import shlex
import threading
from collections.abc import Sequence

from fleet.core import events as e
from fleet.core.effects import Notify
from fleet.core.model import Fleet
from fleet.core.terminal import clean
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.tools.processes.notice import tell
from fleet.tools.programs import find_program

BELL, DESKTOP = "bell", "desktop"
_SEND = "notify-send"


def notify(tools: Tools, effect: Notify, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Tell it once in each way, and say in which it was told; the dashboards ring by themselves."""
    ways = tools.policies.fleet.notify
    task = fleet.tasks[effect.task]
    sentence = clean(f"{task.id} needs you: {effect.need}")
    said = {
        "FLEET_TASK": task.id,
        "FLEET_NEED": clean(effect.need),
        "FLEET_TITLE": clean(task.spec.title),
        "FLEET_REPO": fleet.repos[task.repo].root,
    }
    for way in ways:
        try:
            _tell(way, sentence, said, stop)
        except FleetError as error:
            tools.note_garbage(f"notify: {error.message}")
    return [e.NeedTold(task=task.id, need=effect.need, since=effect.since, by=ways)]


def _tell(way: str, sentence: str, said: dict[str, str], stop: threading.Event) -> None:
    if way != BELL:
        tell([*_argv(way), sentence], env=dict(os.environ) | said, stop=stop)


def _argv(way: str) -> Sequence[str]:
    if way != DESKTOP:
        return shlex.split(way)
    program = find_program(_SEND, path=os.environ.get("PATH"), cwd="/")
    return (program, "--app-name=fleet", "--")
