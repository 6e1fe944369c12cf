"""Which open branches do not fit together: the conflict map, in words."""

from datetime import datetime

import click
import msgspec

from fleet.cli.common import ask, examples, here, json_option, task_names
from fleet.cli.output import Cell, Output, emit, say
from fleet.cli.text import age, now
from fleet.core.rows import ConflictMap, ConflictRow, StaleRow
from fleet.protocol import Conflicts


@click.command(
    epilog=examples(
        "fleet conflicts", "fleet conflicts importer", "fleet conflicts --json | jq .pairs"
    )
)
@click.argument("task", required=False, shell_complete=task_names)
@click.option("--here", "around", is_flag=True, help="Only of the repository around you.")
@json_option
@click.pass_obj
def conflicts(out: Output, *, task: str | None, around: bool, as_json: bool) -> None:
    """Show which open branches do not merge with each other, or with their target."""
    answer = ask(Conflicts(task=task, cwd=here() if around else None))
    if as_json:
        emit(answer)
        return
    found = msgspec.convert(answer, ConflictMap)
    moment = now()
    for number, pair in enumerate(found.pairs):
        _pair(out, pair, moment, gap=number > 0)
    for number, stale in enumerate(found.stale, len(found.pairs)):
        _stale(out, stale, moment, gap=number > 0)
    if not found.pairs and not found.stale:
        whose = f" with {task}" if task else ""
        tried = "1 branch was" if found.branches == 1 else f"{found.branches} branches were"
        say(f"nothing conflicts{whose}; {tried} tried")


def _pair(out: Output, pair: ConflictRow, moment: datetime, *, gap: bool) -> None:
    if gap:
        print()
    one, other = pair.tasks
    since = Cell(f"  for {age(pair.since, moment)}, into {pair.target}", "quiet")
    out.line(Cell(one, "strong"), Cell(" conflicts with ", "bad"), Cell(other, "strong"), since)
    for side in pair.sides:
        out.line(Cell(f"  {side.task}: {side.title}", "quiet"))
    _files(out, pair.files)


def _stale(out: Output, stale: StaleRow, moment: datetime, *, gap: bool) -> None:
    if gap:
        print()
    since = Cell(f"  for {age(stale.since, moment)}", "quiet")
    words = Cell(" is stale: it conflicts with ", "bad")
    out.line(Cell(stale.task, "strong"), words, Cell(stale.target, "strong"), since)
    out.line(Cell(f"  {stale.task}: {stale.title}", "quiet"))
    if stale.why:
        out.line(Cell(f"  {stale.why}"))
    _files(out, stale.files)
    for line in stale.landed:
        out.line(Cell(f"  landed: {line}", "quiet"))


def _files(out: Output, files: tuple[str, ...]) -> None:
    for file in files:
        out.line(Cell("  in "), Cell(file))


COMMANDS = (conflicts,)
