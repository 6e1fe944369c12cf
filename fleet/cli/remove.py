"""Removes tasks, archived first, and brings them back; these need a task's exact name."""

from typing import Any

import click

from fleet.cli.common import ask, confirm, examples, json_option, task_argument
from fleet.cli.output import emit, say
from fleet.core.commands import Clean, Remove, Restore


@click.command(epilog=examples("fleet rm importer", "fleet restore importer"))
@task_argument
@json_option
def rm(*, task: str, as_json: bool) -> None:
    """Archive what a task holds, then remove its workspace and branch."""
    answer = ask(Remove(task=task))
    confirm(answer, f"{task} is removed; to undo it: fleet restore {task}", as_json=as_json)


@click.command(epilog=examples("fleet restore importer"))
@task_argument
@json_option
def restore(*, task: str, as_json: bool) -> None:
    """Undo rm: the task is there again with all that it held."""
    confirm(ask(Restore(task=task)), f"{task} is back", as_json=as_json)


@click.command(epilog=examples("fleet clean --dry-run", "fleet clean"))
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
def clean(*, dry_run: bool, as_json: bool) -> None:
    """Remove what is proven landed, and nothing else; print the names."""
    answer = ask(Clean(dry_run=dry_run))
    if as_json:
        emit(answer)
        return
    names = _names(answer)
    if not names:
        say("there is nothing to clean")
        return
    say("these would be removed:" if dry_run else "these are removed:")
    print("\n".join(names))


def _names(answer: Any) -> list[str]:
    tasks = answer["tasks"] if isinstance(answer, dict) else answer
    return [str(task) for task in tasks or ()]


COMMANDS = (rm, restore, clean)
