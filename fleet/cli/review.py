"""What a reviewer reads: the merge queue, and the change as it would land."""

import os
import re
import sys
from typing import Any

import click
import msgspec

from fleet.cli.common import ask, examples, here, json_option, task_argument
from fleet.cli.output import Output, Style, emit, say
from fleet.cli.rows import queue_table, short
from fleet.cli.text import count
from fleet.core.rows import QueueRow
from fleet.core.terminal import clean, clean_lines
from fleet.protocol import Diff, Queue

_LINE: tuple[tuple[str, Style], ...] = (
    ("diff ", "strong"),
    ("index ", "strong"),
    ("+++ ", "strong"),
    ("--- ", "strong"),
    ("@@", "busy"),
    ("+", "good"),
    ("-", "bad"),
)


@click.command(epilog=examples("fleet queue", "fleet queue --here --json"))
@click.option("--here", "around", is_flag=True, help="Only of the repository around you.")
@json_option
@click.pass_obj
def queue(out: Output, *, around: bool, as_json: bool) -> None:
    """Show the merge queue in landing order, and what each change waits for."""
    answer = ask(Queue(cwd=here() if around else None))
    if as_json:
        emit(answer)
    elif answer:
        queue_table(out, msgspec.convert(answer, list[QueueRow]))
    else:
        say("the merge queue is empty")


@click.command(epilog=examples("fleet diff importer", "fleet diff importer | git apply --stat"))
@task_argument
@json_option
@click.pass_obj
def diff(out: Output, *, task: str, as_json: bool) -> None:
    """Show a task's change as it would be reviewed, or its branch so far."""
    answer = ask(Diff(task=task))
    if as_json:
        emit(answer)
    elif out.terminal:
        _page(f"{_summary(answer)}\n\n{painted(out, answer['patch'])}", colours=out.colours)
    else:
        say(_summary(answer))
        _write_raw(answer["patch"])


def _summary(answer: dict[str, Any]) -> str:
    """Return one line: which task and commit, how much, and what fleet itself committed."""
    files, added, removed = (_number(answer["stat"], word) for word in ("file", "insert", "delet"))
    saved = ", with uncommitted work that fleet committed" if answer.get("auto_commit") else ""
    size = f"{count(files, 'file')}, +{added} -{removed}"
    span = f"{short(answer['base'])}..{short(answer['head'])}"
    return clean(f"{answer['task']} {span}: {size}{saved}")


def _number(stat: str, word: str) -> int:
    """Return a number of the last line of `git diff --stat`: 3 files changed, 2 insertions(+)."""
    found = re.findall(rf"(\d+) {word}", stat.strip().rsplit("\n", maxsplit=1)[-1])
    return int(found[-1]) if found else 0


def painted(out: Output, patch: str) -> str:
    """Return a patch in colours that are ours: its own text has none that a terminal obeys."""
    return "\n".join(out.paint(line, _style(line)) for line in clean_lines(patch).split("\n"))


def _style(line: str) -> Style:
    return next((style for sign, style in _LINE if line.startswith(sign)), "plain")


def _page(text: str, *, colours: bool) -> None:
    os.environ.setdefault("LESS", "FRX")  # leave at once what fits on a screen, and let it stand
    click.echo_via_pager(text, color=colours)


def _write_raw(patch: str) -> None:
    """Write a patch byte for byte: another program is going to apply it."""
    sys.stdout.flush()
    sys.stdout.buffer.write(patch.encode(errors="surrogateescape"))
    sys.stdout.buffer.flush()


COMMANDS = (queue, diff)
