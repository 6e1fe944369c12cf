"""`fleet report`: what landed, what failed and why, what waits for you, and what it all cost."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from fleet.cli.common import ask, examples, json_option, moment
from fleet.cli.output import Cell, Output, Style, emit
from fleet.cli.text import age, changes, clock, count, now
from fleet.core.rows import TaskRow
from fleet.protocol import Report

_HEADS = ("", "TASK", "AGE", "ATTEMPTS", "COST", "CHANGES", "WHY", "TITLE")
_SECTIONS: tuple[tuple[str, Style], ...] = (
    ("landed", "good"),
    ("failed", "bad"),
    ("waiting", "wanted"),
)


@click.command(
    epilog=examples(
        "fleet report --since 12h         what the night brought",
        "fleet report --json | jq .cost_usd",
    )
)
@click.option("--since", metavar="T", help="12h, 2026-01-31 or 2026-01-31T09:00:00Z.")
@json_option
@click.pass_obj
def report(out: Output, *, since: str | None, as_json: bool) -> None:
    """Say what landed, what failed and why, what waits for you, and what it cost.

    With --since, of the tasks on which something happened after that time; what waits for you is
    told in any case. Costs are those of these tasks from their beginning.
    """
    began = moment(since)
    answer = ask(Report(since=began))
    if as_json:
        emit(answer)
        return
    out.line(Cell(_summary(answer), "strong"))
    out.line(Cell(f"since {clock(began)}" if began else "since the beginning", "quiet"))
    rows = [cells for section, style in _SECTIONS for cells in _rows(answer, section, style)]
    if rows:
        print()
        out.table(_HEADS, rows, give=(7, 6, 1))
    for line in _flaky(answer):
        out.line(Cell(line, "wanted"))


def _summary(answer: dict[str, Any]) -> str:
    landed, failed, waiting = (len(answer[section]) for section, _ in _SECTIONS)
    wait = "1 waits" if waiting == 1 else f"{waiting} wait"
    spent = f"{count(answer['attempts'], 'attempt')}, ${answer['cost_usd']:.2f}"
    tokens = f", {answer['tokens']} tokens" if answer["tokens"] else ""
    return f"{landed} landed, {failed} failed, {wait} for you; {spent}{tokens}"


def _rows(answer: dict[str, Any], section: str, style: Style) -> Iterator[list[Cell]]:
    for row in msgspec.convert(answer[section], list[TaskRow]):
        yield [
            Cell(section, style),
            Cell(row.task, "strong"),
            Cell(age(row.updated_at, now()), "quiet"),
            Cell(str(row.attempt)),
            Cell(f"${row.cost_usd:.2f}" if row.cost_usd else "", "quiet"),
            Cell(changes(row.added, row.removed)),
            Cell(row.needs or "", style),
            Cell(row.title),
        ]


def _flaky(answer: dict[str, Any]) -> Iterator[str]:
    times = Counter(one["check"] for one in answer["flaky"])
    for check, number in times.most_common():
        yield f"{check} was flaky {'once' if number == 1 else f'{number} times'}"


COMMANDS = (report,)
