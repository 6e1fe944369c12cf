"""A person's verdict on a change, before and after it landed; and thaw, for a stopped queue."""

import click

from fleet.cli.common import (
    ask,
    confirm,
    examples,
    here,
    json_option,
    named,
    supervisor,
    task_argument,
)
from fleet.cli.follow import tell
from fleet.cli.output import emit, say
from fleet.client import Client
from fleet.core.commands import Approve, Return, Revert, Thaw, Withdraw
from fleet.errors import UsageError
from fleet.protocol import Wait


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
    epilog=examples('fleet return importer -m "the test deletes the fixture: keep it"'),
)
@task_argument
@click.option("-m", "--note", metavar="NOTE", required=True, help="What is to be done better.")
@json_option
def return_(*, task: str, note: str, as_json: bool) -> None:
    """Send a change back to its agent with a note."""
    if not note.strip():
        raise UsageError("the note is empty", hint=f'type: fleet return {task} -m "NOTE"')
    answer = ask(Return(task=task, note=note))
    confirm(answer, f"{named(answer, task)} goes back to its agent", as_json=as_json)


@click.command(epilog=examples("fleet withdraw importer"))
@task_argument
@json_option
def withdraw(*, task: str, as_json: bool) -> None:
    """Take a change out of the merge queue; its branch stays."""
    answer = ask(Withdraw(task=task))
    confirm(answer, f"{named(answer, task)} is withdrawn", as_json=as_json)


@click.command(epilog=examples("fleet revert importer", "fleet revert importer --approve"))
@task_argument
@click.option("--approve", "at_once", is_flag=True, help="Approve it, too, once it is sealed.")
@json_option
def revert(*, task: str, at_once: bool, as_json: bool) -> int:
    """Undo what landed for a task, by a change in the merge queue; print its name."""
    with supervisor() as client:
        answer = client.ask(Revert(task=task))
        name = answer["task"]
        approved = not at_once or _approve_when_sealed(client, name, answer["head"])
    if as_json:
        emit(answer)
    else:
        verdict = "is approved" if at_once and approved else "waits for its checks and a review"
        say(f"{name} undoes {named({'task': answer['reverts']}, task)}; it {verdict}")
        print(name)
    return 0 if approved else 1


def _approve_when_sealed(client: Client, name: str, head: str) -> bool:
    """Approve exactly the commit that undoes it; False where it never comes up for review."""
    stream = client.stream(Wait(tasks=(name,), state="review"))
    for item in stream:
        tell(item)
    if not all(it["reached"] for it in stream.result):
        return False
    client.ask(Approve(task=name, head=head))
    return True


@click.command(epilog=examples("fleet thaw", "fleet thaw --target release"))
@click.option("--target", help="The branch whose queue is frozen; all of them by default.")
@json_option
def thaw(*, target: str | None, as_json: bool) -> None:
    """Let the merge queue of the repository around you move again after it was frozen."""
    answer = ask(Thaw(cwd=here(), target=target))
    confirm(answer, "the merge queue moves again", as_json=as_json)


COMMANDS = (approve, return_, withdraw, revert, thaw)
