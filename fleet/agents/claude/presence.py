"""The file in which each Claude Code process says, within a tenth of a second, what it does.

It is not documented, so that whatever is not understood says nothing.
"""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from fleet.agents.adapter import Presence, SaysIdle, SaysWaiting, SaysWorking, Signal
from fleet.agents.generic import one_line

_WAITS = {
    "permission prompt": ("permission", "permission"),
    "sandbox request": ("permission to leave its sandbox", "permission"),
    "worker request": ("permission for one of its workers", "permission"),
    "input needed": ("an answer", "question"),
    "dialog open": ("an answer to the dialog in its pane", "question"),
}


class _File(Struct, rename="camel"):
    proc_start: str  # as in /proc/PID/stat: a file of a killed process stays, and numbers return
    status: str
    status_updated_at: int  # milliseconds
    waiting_for: str = ""


def read(content: bytes, *, pid_start: int) -> Presence | None:
    try:
        said = msgspec.json.decode(content, type=_File)
        at = datetime.fromtimestamp(said.status_updated_at / 1000, UTC)
    except (ValueError, RecursionError, OverflowError, OSError):  # torn, foreign, from year 9999
        return None
    signal = _signal(said) if said.proc_start == str(pid_start) else None
    return None if signal is None else Presence(signal, at)


def _signal(said: _File) -> Signal | None:
    match said.status:
        case "busy":
            return SaysWorking()
        case "idle":
            return SaysIdle()
        case "shell":  # its turn has ended, and a command that it left running has not
            return SaysIdle(background=True)
        case "waiting":
            unknown = (one_line(said.waiting_for) or "an answer", "question")
            return SaysWaiting(*_WAITS.get(said.waiting_for, unknown))
        case _:
            return None
