"""What a reviewer reads: the merge queue, and the change as it would land."""

import os
import re
import sys
from typing import Any

import click
import msgspec

from fleet.cli.common import ask, confirm, examples, here, json_option, task_argument
from fleet.cli.output import Output, Style, emit, say
from fleet.cli.rows import queue_table, short
from fleet.cli.text import count
from fleet.core.commands import MarkSeen
from fleet.core.phrases import files_phrase
from fleet.core.rows import QueueRow
from fleet.core.spelling import spelled
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


@click.command(
    epilog=examples(
        "fleet diff importer",
        "fleet diff importer --since-review",
        "fleet diff importer src/orders.py --mark-seen",
        "fleet diff importer | git apply --stat",
    )
)
@task_argument
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--since-review", is_flag=True, help="Against the revision that you read last.")
@click.option("--since", metavar="REVISION", type=click.IntRange(min=1), help="Against that one.")
@click.option("--mark-seen", is_flag=True, help="Note that you have read them, as they are now.")
@click.option("--all", "whole", is_flag=True, help="Also files that you have marked as seen.")
@json_option
@click.pass_obj
def diff(
    out: Output,
    *,
    task: str,
    files: tuple[str, ...],
    since_review: bool,
    since: int | None,
    mark_seen: bool,
    whole: bool,
    as_json: bool,
) -> None:
    """Show a task's change as it would be reviewed, or its branch so far.

    On a terminal, files that you have marked as seen and that are as they were are only named.
    """
    paths = tuple(map(spelled, files))
    if mark_seen:
        _mark_seen(task, paths, as_json=as_json)
        return
    fold = out.terminal and not (whole or as_json or paths)
    request = Diff(task=task, paths=paths, since=since, since_review=since_review, unseen=fold)
    answer = ask(request)
    if as_json:
        emit(answer)
    elif out.terminal:
        seen = _folded(answer) if fold else ""
        patch = painted(out, answer["patch"])
        _page(f"{_summary(answer)}\n{seen}\n{patch}", colours=out.colours)
    else:
        say(_summary(answer))
        _write_raw(answer["patch"])


def _mark_seen(task: str, paths: tuple[str, ...], *, as_json: bool) -> None:
    answer = ask(MarkSeen(task=task, paths=paths))
    marked = count(len(answer["files"]), "file")
    confirm(answer, f"{marked} of {answer['task']} marked as seen", as_json=as_json)


def _summary(answer: dict[str, Any]) -> str:
    """Return one line: which task and commit, how much, and what fleet itself committed."""
    files, added, removed = (_number(answer["stat"], word) for word in ("file", "insert", "delet"))
    saved = ", with uncommitted work that fleet committed" if answer.get("auto_commit") else ""
    size = f"{count(files, 'file')}, +{added} -{removed}"
    span = f"{short(answer['base'])}..{short(answer['head'])}"
    if since := answer.get("since"):
        span = f"revision {since}..{answer['revision']}"
    return clean(f"{answer['task']} {span}: {size}{saved}{_unfit(answer)}")


def _unfit(answer: dict[str, Any]) -> str:
    """Say where the earlier revision does not fit onto the newer target."""
    files = answer.get("conflicts") or ()
    if not files:
        return ""
    where = files_phrase(tuple(files))
    return f"; conflicts with the newer target in {where}, so what came from there shows as well"


def _folded(answer: dict[str, Any]) -> str:
    """Name the files that were seen as they are, and are left out."""
    seen = answer.get("viewed") or ()
    said = f"seen, and as they were: {', '.join(seen)} (--all shows them)" if seen else ""
    return f"{clean(said)}\n" if said else ""


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
