"""Shows the demonstration as it goes: in place on a terminal, else a line for what is new."""

import time
from collections.abc import Sequence

from fleet.cli.demo_cast import CAST
from fleet.cli.output import Cell, Output, status_style
from fleet.core.rows import TaskRow
from fleet.core.spans import span
from fleet.core.terminal import clean

_NAME, _STATUS, _AGE = 13, 12, 5


class Show:
    """What is on the screen: one line for each agent, below what has been said."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._drawn = 0
        self._seen: dict[str, tuple[str, float]] = {}
        self._titles = {part.name: part.title for part in CAST}

    def say(self, text: str) -> None:
        """Print a sentence above the lines of the agents."""
        self._clear()
        self._out.line(Cell(text, "strong"))

    def update(self, rows: Sequence[TaskRow]) -> None:
        """Show where everyone stands: in place on a terminal, else only what is new."""
        fresh = [row for row in rows if self._note(row)]
        if not self._out.terminal:
            for row in fresh:
                print(f"{row.task}: {clean(row.status)}{_needs(row)}", flush=True)
            return
        self._clear()
        for row in rows:
            self._draw(row)
        self._drawn = len(rows)
        print(end="", flush=True)

    def _note(self, row: TaskRow) -> bool:
        status = row.status + (row.needs or "")
        if self._seen.get(row.task, ("", 0.0))[0] == status:
            return False
        self._seen[row.task] = (status, time.monotonic())
        return True

    def _draw(self, row: TaskRow) -> None:
        since = span(time.monotonic() - self._seen[row.task][1])
        self._out.line(
            Cell(f"  {row.task:{_NAME}}", "strong"),
            Cell(f"{row.status:{_STATUS}}", status_style(row.status)),
            Cell(f"{since:>{_AGE}}  ", "quiet"),
            Cell(row.needs, "wanted") if row.needs else Cell(self._titles[row.task], "quiet"),
        )

    def _clear(self) -> None:
        if self._drawn:
            print(f"\x1b[{self._drawn}A\x1b[J", end="")
            self._drawn = 0


def _needs(row: TaskRow) -> str:
    return f" (needs you: {clean(row.needs)})" if row.needs else ""
