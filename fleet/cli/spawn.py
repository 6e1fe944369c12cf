"""Gives work: a task from a prompt, or a branch made by hand; prints the names of the tasks."""

from typing import Any, get_args

import click
from msgspec import Struct

from fleet.cli.common import (
    Span,
    examples,
    here,
    json_option,
    repository_root,
    supervisor,
    task_names,
    text_of,
)
from fleet.cli.follow import follow_until_settled
from fleet.cli.output import emit
from fleet.client.around import environment_for
from fleet.core.commands import Spawn, Submit
from fleet.core.policy import Done, Land, Priority
from fleet.errors import UsageError

_PRIORITY = click.option(
    "--priority",
    type=click.Choice(get_args(Priority)),
    default="normal",
    help="How soon it lands among what may land.",
)


class Options(Struct, frozen=True):
    """The options of `spawn` that say how and when, as the wire names them."""

    name: str | None
    title: str | None
    agent: str | None
    done: Done | None
    model: str | None
    effort: str | None
    base: str | None
    target: str | None
    after: tuple[str, ...]
    checks: tuple[str, ...]
    attempts: int | None
    retries: int | None
    budget_usd: float | None
    tokens: int | None
    timeout_s: float | None
    expect_lines: int | None
    count: int
    land: Land | None
    priority: Priority
    stacked: bool


@click.command(
    epilog=examples(
        'fleet spawn -p "fix the flaky login test" --check "pytest tests/login" --attempts 3',
        "fleet spawn -f spec.md --name importer --timeout 2h --budget 5 --land auto",
        "gh issue view 42 | fleet spawn - --name issue-42",
        'fleet spawn --agent shell -p "make format" --wait',
        'fleet spawn -p "rename Account to Customer" --after importer --count 3',
        'fleet spawn -p "show what was imported" --stacked --after importer',
    ),
)
@click.argument("source", required=False, metavar="[-]")
@click.option("-p", "--prompt", metavar="PROMPT", help="What is to be done, and how one sees it.")
@click.option("-f", "--file", metavar="FILE", help="The file that says it; - is stdin.")
@click.option("--name", help="The task's name; made from the prompt where none is given.")
@click.option("--title", help="One line for lists and merge commits.")
@click.option("--agent", help="Which agent works; shell runs the prompt as a command.")
@click.option("--done", type=click.Choice(get_args(Done)), help="What says that a run is done.")
@click.option("--model", help="The agent's model.")
@click.option("--effort", help="How hard the model is to think.")
@click.option("--base", help="The commit from which the branch is cut.")
@click.option("--target", help="The branch on which the change will land.")
@click.option("--after", multiple=True, shell_complete=task_names, help="Wait until TASK landed.")
@click.option("--stacked", is_flag=True, help="Begin on the change of TASK once it is in review.")
@click.option("--check", "checks", multiple=True, help="A command that must pass; may be repeated.")
@click.option("--attempts", type=click.IntRange(1, 1000), help="Attempts with a fresh context.")
@click.option("--retries", type=click.IntRange(0, 100), help="Red checks told to a live agent.")
@click.option("--budget", "budget_usd", type=click.FloatRange(0), help="US dollars at most.")
@click.option("--tokens", type=click.IntRange(1), help="Tokens at most.")
@click.option("--timeout", "timeout_s", type=Span(), metavar="2h", help="Wall time at most.")
@click.option("--expect-lines", type=click.IntRange(1), help="The size the change should have.")
@click.option("--count", type=click.IntRange(1, 100), default=1, help="As many tasks like this.")
@click.option("--land", type=click.Choice(get_args(Land)), help="Who decides that it lands.")
@_PRIORITY
@click.option("--wait", is_flag=True, help="Stay until it has landed, ended or needs a person.")
@json_option
def spawn(
    *,
    source: str | None,
    prompt: str | None,
    file: str | None,
    wait: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Give a task to an agent in a workspace of its own; print the task's name."""
    text = _prompt(source, prompt, file)
    chosen = Options(**options)
    fields = {field: getattr(chosen, field) for field in chosen.__struct_fields__}
    request = Spawn(
        cwd=here(), prompt=text, environment=environment_for(repository_root()), **fields
    )
    with supervisor() as client:
        tasks = [str(task) for task in client.ask(request)["tasks"]]
        named = [{"task": task} for task in tasks]
        if as_json:
            emit(named[0] if chosen.count == 1 else named)
        else:
            print("\n".join(tasks), flush=True)
        return follow_until_settled(client, tasks) if wait else 0


def _prompt(source: str | None, prompt: str | None, file: str | None) -> str:
    """Return the one prompt that was given.

    Raises:
        UsageError: there is none, or more than one, or it is empty.
    """
    if source not in (None, "-"):
        raise UsageError(
            f'there is "{source}" where no word is expected', hint='type: fleet spawn -p "PROMPT"'
        )
    given = [it for it in (source, prompt, file) if it is not None]
    if len(given) != 1:
        raise UsageError("give one prompt: -p PROMPT, -f FILE, or - for stdin")
    text = prompt if prompt is not None else text_of(given[0])
    if not text.strip():
        raise UsageError("the prompt is empty", hint='type: fleet spawn -p "PROMPT"')
    return text


@click.command(
    epilog=examples(
        "fleet submit fix-typo",
        'fleet submit feature/export --name export --check "make test" --land auto',
        "fleet submit feature/csv --stacked --after export",
    ),
)
@click.argument("branch")
@click.option("--name", help="The task's name; made from the branch where none is given.")
@click.option("--title", help="One line for lists and merge commits.")
@click.option("--target", help="The branch on which the change will land.")
@click.option("--check", "checks", multiple=True, help="A command that must pass; may be repeated.")
@click.option("--land", type=click.Choice(get_args(Land)), help="Who decides that it lands.")
@click.option("--after", multiple=True, shell_complete=task_names, help="Land it behind TASK.")
@click.option("--stacked", is_flag=True, help="It was made on the change of TASK.")
@_PRIORITY
@json_option
def submit(*, branch: str, as_json: bool, **options: Any) -> None:
    """Put a branch made by hand into the merge queue; again, for its next revision."""
    request = Submit(
        cwd=here(), branch=branch, environment=environment_for(repository_root()), **options
    )
    with supervisor() as client:
        answer = client.ask(request)
    if as_json:
        emit(answer)
    else:
        print(answer["task"])


COMMANDS = (spawn, submit)
