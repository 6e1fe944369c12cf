"""What checks printed, for the agent that is told of them: it goes into private files alone.

A note in the ledger only names a log. What stands in there may hold secrets, so it is read when
the agent is told, and neither recorded nor typed.
"""

import os
from pathlib import Path

from fleet.core.causes import CheckResult, ChecksRed, GateRed
from fleet.core.model import Task
from fleet.core.terminal import clean, clean_lines

_MOST_BYTES, _MOST_LINES = 8192, 40


def with_outputs(text: str, task: Task) -> str:
    """Return a note with the end of each log that it names, of checks that sent `task` back."""
    match task.last_cause:
        case ChecksRed(results=results) | GateRed(results=results):
            named = (it for it in results if not it.green and it.log and it.log in text)
            return "\n\n".join((text, *filter(None, map(_told, named))))
        case _:
            return text


def _told(result: CheckResult) -> str:
    lines = _end(Path(result.log))
    said = "\n".join(f"    {line}" for line in lines)
    return f"The end of what {clean(result.name)} printed:\n\n{said}" if lines else ""


def _end(log: Path) -> list[str]:
    """Return the last lines of a log; none where it is gone."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _MOST_BYTES, 0))
            text = file.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return []
    return clean_lines(text).strip("\n").split("\n")[-_MOST_LINES:] if text.strip() else []
