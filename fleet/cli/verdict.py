"""A person's verdict on a change: approve, return, withdraw; and thaw, for a queue that stopped."""

import click

from fleet.cli.common import ask, confirm, examples, here, json_option, named, task_argument
from fleet.cli.output import emit, say
from fleet.cli.text import count
from fleet.core.commands import Approve, Return, Thaw, Withdraw
from fleet.errors import UsageError


@click.command(epilog=examples("fleet approve importer", "fleet approve importer --head 3f1c2ab"))
@task_argument
@click.option("--head", metavar="SHA", help="Only if this is the commit that would be approved.")
@json_option
def approve(*, task: str, head: str | None, as_json: bool) -> None:
    """Approve a change at its sealed commit, and print that commit."""
    answer = ask(Approve(task=task, head=head))
    if as_json:
        emit(answer)
        return
    say(f"{named(answer, task)} is approved; it lands when it is ready")
    print(answer["head"])


@click.command(
    name="return",
    epilog=examples(
        'fleet return importer -m "the test deletes the fixture: keep it"',
        "fleet return importer      (with the comments on its lines)",
    ),
)
@task_argument
@click.option("-m", "--note", metavar="NOTE", help="What is to be done better.")
@json_option
def return_(*, task: str, note: str | None, as_json: bool) -> None:
    """Send a change back to its agent, with a note and the comments that were not sent yet."""
    if note is not None and not note.strip():
        raise UsageError("the note is empty", hint=f'type: fleet return {task} -m "NOTE"')
    answer = ask(Return(task=task, note=note or ""))
    sent = len(answer.get("comments") or ())
    along = f" with {count(sent, 'comment')}" if sent else ""
    confirm(answer, f"{named(answer, task)} goes back to its agent{along}", as_json=as_json)


@click.command(epilog=examples("fleet withdraw importer"))
@task_argument
@json_option
def withdraw(*, task: str, as_json: bool) -> None:
    """Take a change out of the merge queue; its branch stays."""
    answer = ask(Withdraw(task=task))
    confirm(answer, f"{named(answer, task)} is withdrawn", as_json=as_json)


@click.command(epilog=examples("fleet thaw", "fleet thaw --target release"))
@click.option("--target", help="The branch whose queue is frozen; all of them by default.")
@json_option
def thaw(*, target: str | None, as_json: bool) -> None:
    """Let the merge queue of the repository around you move again after it was frozen."""
    answer = ask(Thaw(cwd=here(), target=target))
    confirm(answer, "the merge queue moves again", as_json=as_json)


COMMANDS = (approve, return_, withdraw, thaw)
