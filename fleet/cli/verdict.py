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
    task_names,
    with_pull,
)
from fleet.cli.follow import tell
from fleet.cli.output import emit, say
from fleet.cli.text import count
from fleet.client import Client
from fleet.core.commands import Approve, Return, Revert, Revoke, Thaw, Withdraw
from fleet.errors import UsageError
from fleet.protocol import Wait


@click.command(
    epilog=examples(
        "fleet approve importer",
        "fleet approve importer --head 3f1c2ab",
        "fleet approve docs readme --as ann",
        "fleet approve --revoke importer",
    ),
)
@click.argument("tasks", metavar="TASK...", nargs=-1, required=True, shell_complete=task_names)
@click.option("--head", metavar="SHA", help="Only if this is the commit that would be approved.")
@click.option("--as", "by", metavar="NAME", help="Whose word it is, where several people review.")
@click.option("--revoke", is_flag=True, help="Take the approval back, before it lands.")
@json_option
def approve(
    *, tasks: tuple[str, ...], head: str | None, by: str | None, revoke: bool, as_json: bool
) -> None:
    """Approve a change at its sealed commit, and print that commit.

    Several TASKs are approved together, all or none, and only where their risk is low.
    """
    first, *more = tasks
    if revoke:
        _revoke(tasks, head=head, by=by, as_json=as_json)
        return
    answer = ask(Approve(task=first, head=head, by=by, more=tuple(more)))
    if as_json:
        emit(answer)
        return
    for one in answer.get("approved") or [answer]:
        lacks = one.get("lacks")
        then = f"still lacks {lacks}" if lacks else "it lands when it is ready"
        say(f"{named(one, first)} is approved; {then}")
        print(one["head"])


def _revoke(tasks: tuple[str, ...], *, head: str | None, by: str | None, as_json: bool) -> None:
    if head is not None or len(tasks) > 1:
        raise UsageError(
            "--revoke is for one task, at whatever commit it was approved",
            hint="type: fleet approve --revoke TASK",
        )
    answer = ask(Revoke(task=tasks[0], by=by))
    confirm(answer, f"{named(answer, tasks[0])} is no longer approved", as_json=as_json)


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
    said = f"{named(answer, task)} is withdrawn"
    confirm(answer, with_pull(said, answer), as_json=as_json)


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
    """Let the merge queue of the repository around you move again.

    It was frozen, or its target fails its own checks: these are run again, and so is what was red.
    """
    answer = ask(Thaw(cwd=here(), target=target))
    confirm(answer, "the merge queue moves again", as_json=as_json)


COMMANDS = (approve, return_, withdraw, revert, thaw)
