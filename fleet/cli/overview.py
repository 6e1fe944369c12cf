"""`fleet` without a command: what needs you, who is at work, and what is about to land."""

import msgspec

from fleet.cli.common import supervisor
from fleet.cli.output import Cell, Output
from fleet.cli.rows import queue_table, task_table
from fleet.cli.text import age, count, now
from fleet.core.rows import QueueRow, TaskRow
from fleet.protocol import List, Queue, Status


def overview(out: Output) -> None:
    """Print the screen."""
    with supervisor() as client:
        listed, queued, status = client.ask_all([List(), Queue(), Status()])
    rows = msgspec.convert(listed, list[TaskRow])
    changes = msgspec.convert(queued, list[QueueRow])
    wanting = [row for row in rows if row.needs]
    _header(out, rows, wanting, status)
    _needs(out, wanting)
    others = [row for row in rows if not row.needs]
    if others:
        _heading(out, "at work")
        task_table(out, others, now())
    if changes:
        _heading(out, "merge queue")
        queue_table(out, changes)
    _farewell(out, rows)


def _header(
    out: Output, rows: list[TaskRow], wanting: list[TaskRow], status: dict[str, object]
) -> None:
    cost = sum(row.cost_usd for row in rows)
    spent = f", ${cost:.2f}" if cost else ""
    needs = f", {len(wanting)} need you" if len(wanting) > 1 else ", 1 needs you"
    facts = f"{count(len(rows), 'task')}{needs if wanting else ''}{spent}"
    out.line(Cell("fleet", "strong"), f"  {facts}", Cell(f"  {status['home']}", "quiet"))
    degraded = status.get("degraded")
    for sentence in degraded if isinstance(degraded, list) else []:
        out.line(Cell(f"! {sentence}", "wanted"))


def _heading(out: Output, title: str) -> None:
    print()
    out.line(Cell(title, "quiet"))


def _needs(out: Output, wanting: list[TaskRow]) -> None:
    if not wanting:
        return
    _heading(out, "needs you")
    for row in sorted(wanting, key=lambda row: row.updated_at):
        out.line(
            Cell("! ", "wanted"),
            Cell(row.task, "strong"),
            Cell(f"  {row.needs}", "wanted"),
            Cell(f"  {age(row.updated_at, now())}  {row.title}", "quiet"),
        )
        out.line(Cell(f"    {next_step(row)}", "quiet"))


def next_step(row: TaskRow) -> str:
    """Return the command with which a person would begin to give `row` what it needs."""
    if row.status == "review":
        return f"fleet diff {row.task}"
    if row.status == "idle":
        return f"fleet done {row.task}, or fleet send {row.task} TEXT"
    if row.pane is not None:
        return f"fleet attach {row.task}"
    return f"fleet why {row.task}"


def _farewell(out: Output, rows: list[TaskRow]) -> None:
    print()
    if rows:
        out.line(Cell("fleet why TASK says more; fleet --help lists the commands", "quiet"))
    else:
        out.line('nothing is under way; begin with: fleet spawn -p "PROMPT"')
