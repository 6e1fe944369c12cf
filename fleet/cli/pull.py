"""`fleet pr`: the pull request of a task, as the forge has it now; and closing it."""

from typing import Any

import click

from fleet.cli.common import ask, confirm, examples, json_option, named, task_argument
from fleet.cli.output import Cell, Output, Style, emit
from fleet.core.commands import ClosePull
from fleet.core.terminal import clean
from fleet.errors import RefusedError
from fleet.protocol import Pr

_STYLES: dict[str, Style] = {"passed": "good", "failed": "bad", "pending": "busy"}


@click.command(epilog=examples("fleet pr importer", "fleet pr importer --close"))
@task_argument
@click.option("--close", is_flag=True, help="Close it there, unmerged; its branch stays.")
@json_option
@click.pass_obj
def pr(out: Output, *, task: str, close: bool, as_json: bool) -> None:
    """Ask the forge for the pull request of a task: its checks, its review, where it stands."""
    if close:
        answer = ask(ClosePull(task=task))
        sentence = f"the pull request of {named(answer, task)} is about to be closed"
        confirm(answer, sentence, as_json=as_json)
        return
    row = ask(Pr(task=task))
    if as_json:
        emit(row)
    elif row is None:
        raise RefusedError(f"{task} has no pull request", hint=f"fleet why {task}")
    else:
        _show(out, row)


def _show(out: Output, row: dict[str, Any]) -> None:
    out.line(clean(row["says"]))
    out.line(clean(row["url"]))
    for check in row["checks"]:
        state = Cell(f"{check['state']:8}", _STYLES.get(check["state"], "quiet"))
        out.line("  ", state, " ", clean(check["name"]), "  ", clean(check["url"]))
    if row["trouble"]:
        out.line(Cell(clean(row["trouble"]), "bad"))


COMMANDS = (pr,)
