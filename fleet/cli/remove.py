"""Removes tasks, archived first, and brings them back; these need a task's exact name."""

import click

from fleet.cli.common import Span, ask, confirm, examples, json_option, task_argument, with_pull
from fleet.cli.output import emit, say
from fleet.core.commands import Clean, Remove, Restore


@click.command(epilog=examples("fleet rm importer", "fleet restore importer"))
@task_argument
@json_option
def rm(*, task: str, as_json: bool) -> None:
    """Archive what a task holds, then remove its workspace and branch."""
    answer = ask(Remove(task=task))
    said = f"{task} is removed; to undo it: fleet restore {task}"
    confirm(answer, with_pull(said, answer), as_json=as_json)


@click.command(epilog=examples("fleet restore importer"))
@task_argument
@json_option
def restore(*, task: str, as_json: bool) -> None:
    """Undo rm: the task is there again with all that it held."""
    confirm(ask(Restore(task=task)), f"{task} is back", as_json=as_json)


@click.command(epilog=examples("fleet clean --dry-run", "fleet clean --forget 30d"))
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--forget",
    "forget_s",
    type=Span(),
    metavar="AGE",
    help="Also delete for good what tasks left that were removed that long ago: archives, sealed "
    "revisions, logs. Nothing brings it back.",
)
@json_option
def clean(*, dry_run: bool, forget_s: float | None, as_json: bool) -> None:
    """Remove what is proven landed, and nothing else; print the names."""
    answer = ask(Clean(dry_run=dry_run, forget_s=forget_s))
    if as_json:
        emit(answer)
        return
    would = "would be" if dry_run else "are"
    unlanded = set(answer["unlanded"])
    names = answer["tasks"]
    old = [f"{name} (never landed)" if name in unlanded else name for name in answer["forgotten"]]
    for said, lines in ((f"these {would} removed:", names), (f"these {would} forgotten:", old)):
        if lines:
            say(said)
            print("\n".join(lines))
    if not names and not old:
        say("there is nothing to clean")


COMMANDS = (rm, restore, clean)
