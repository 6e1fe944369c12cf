"""Turns the rows that the supervisor sends into cells: what is shown, and how it looks."""

from collections.abc import Sequence
from datetime import datetime

from fleet.cli.output import Cell, Output, Style, status_style
from fleet.cli.text import age, changes
from fleet.core.rows import QueueRow, TaskRow

TASK_HEADS = ("TASK", "STATUS", "AGE", "AGENT", "CHANGES", "NEEDS YOU", "TITLE")
QUEUE_HEADS = (
    *("", "TASK", "STATE", "RISK", "INTO", "CHANGES", "CHECKS", "APPROVED", "WAITS FOR", "TITLE"),
)
_HEAD = 8
_RISKS: dict[str, Style] = {"low": "good", "medium": "wanted", "high": "bad"}
_CHECKED = ("ready", "landing")  # the states in which nothing is left to be checked


def task_table(out: Output, rows: Sequence[TaskRow], now: datetime) -> None:
    """Print tasks, a line each."""
    out.table(TASK_HEADS, (task_cells(row, now) for row in rows), give=(6, 5, 0, 6))


def task_cells(row: TaskRow, now: datetime) -> list[Cell]:
    """Return the cells of one task, under `TASK_HEADS`."""
    return [
        Cell(row.task, "strong"),
        Cell(f"{row.status}{', removed' if row.removed_at else ''}", status_style(row.status)),
        Cell(age(row.updated_at, now), "quiet"),
        Cell(row.agent or "by hand", "quiet"),
        Cell(changes(row.added, row.removed)),
        Cell(row.needs, "wanted") if row.needs else Cell(row.waits or "", "quiet"),
        Cell(titled(row)),
    ]


def titled(row: TaskRow | QueueRow) -> str:
    """Return what a task is about; in a stack, also on whose change it stands."""
    return f"{row.title} (on {row.parent})" if row.parent else row.title


def queue_table(out: Output, rows: Sequence[QueueRow]) -> None:
    """Print the merge queue in landing order, a line for each change."""
    out.table(QUEUE_HEADS, (_queue_cells(row) for row in rows), give=(9, 8, 6, 1, 9))


def _queue_cells(row: QueueRow) -> list[Cell]:
    passed = all(check.state in ("passed", "flaky") for check in row.checks)
    return [
        Cell(str(row.position), "quiet"),
        Cell(row.task, "strong"),
        Cell(row.state, status_style(row.state)),
        Cell(row.risk or "", _RISKS.get(row.risk or "", "plain")),
        Cell(row.target),
        Cell(changes(row.added, row.removed)),
        Cell(checks_phrase(row), "good" if passed and row.checks else "wanted"),
        Cell(row.approved_by or "no", "plain" if row.approved_by else "quiet"),
        Cell(waits_phrase(row), "wanted"),
        Cell(titled(row)),
    ]


def checks_phrase(row: QueueRow) -> str:
    """Return how a change's checks stand: never green where there are none."""
    if not row.checks:
        return "no checks" if row.state in _CHECKED else "not yet"
    passed = sum(check.state in ("passed", "flaky") for check in row.checks)
    red = [f"{check.name} {check.state}" for check in row.checks if check.state != "passed"]
    return f"{passed}/{len(row.checks)} passed" + (f": {', '.join(red)}" if red else "")


def waits_phrase(row: QueueRow) -> str:
    """Return what a change waits for; where nothing else is said, the files of a conflict."""
    files = f"conflict in {', '.join(row.conflicts)}" if row.conflicts else ""
    missing = f"{row.unanswered} unanswered" if row.unanswered else ""
    return ", ".join(filter(None, (row.waits_for or files, missing)))


def short(commit: str | None) -> str:
    """Return as much of a commit's name as a person reads."""
    return commit[:_HEAD] if commit else "none yet"
