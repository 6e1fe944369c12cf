"""`fleet events`: what has happened, a line each, and what happens from now on."""

import json
from datetime import datetime
from typing import Any

import click

from fleet.cli.common import examples, supervisor, task_names
from fleet.cli.output import Cell, Output, Style
from fleet.cli.text import clock
from fleet.core.durations import moment
from fleet.protocol import Events

_HEAD = frozenset({"seq", "at", "actor", "type", "task"})
_BAD = ("failed", "conflict", "lost", "crash", "frozen", "broken", "missed", "not-sealed")
_GOOD = ("landed", "passed", "approved")


@click.command(
    epilog=examples(
        "fleet events --since 2h",
        "fleet events --follow --task importer",
        "fleet events --json --since-seq 1200     one object a line, for scripts",
    ),
)
@click.option("--follow", is_flag=True, help="Stay, and print each event as it happens.")
@click.option("--since", metavar="T", help="2h, 2026-01-31 or 2026-01-31T09:00:00Z.")
@click.option("--since-seq", type=click.IntRange(0), help="Only events after this number.")
@click.option("--task", shell_complete=task_names, help="Only events of this task.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, for scripts.")
@click.pass_obj
def events(
    out: Output,
    *,
    follow: bool,
    since: str | None,
    since_seq: int | None,
    task: str | None,
    as_json: bool,
) -> None:
    """Print what has happened: time, task, event and its details."""
    request = Events(follow=follow, since_seq=since_seq, since=_moment(since), task=task)
    with supervisor() as client:
        for entry in client.stream(request):
            if as_json:
                print(json.dumps(entry, separators=(",", ":")), flush=follow)
            else:
                _print(out, entry)
                if follow:
                    print(end="", flush=True)


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    return moment(since, now=datetime.now().astimezone())


def _print(out: Output, entry: dict[str, Any]) -> None:
    kind = str(entry["type"])
    details = "  ".join(
        f"{name}={_short(value)}"
        for name, value in entry.items()
        if name not in _HEAD and value not in (None, [], "", {})
    )
    out.line(
        Cell(clock(datetime.fromisoformat(entry["at"])), "quiet"),
        Cell(f"  {entry['task'] or entry.get('repo') or '':16}", "strong"),
        Cell(f"  {kind:18}", _style(kind)),
        Cell(f"  {details}" if details else ""),
    )


def _style(kind: str) -> Style:
    name = kind.split(".", maxsplit=1)[-1]
    if name.endswith(_BAD):
        return "bad"
    return "good" if name.endswith(_GOOD) else "busy"


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


COMMANDS = (events,)
