"""`fleet edit`: changes a task that has not started, and the place of any that has not landed."""

from typing import Any, get_args

import click

from fleet.cli.common import (
    Span,
    confirm,
    editor_text,
    examples,
    json_option,
    named,
    supervisor,
    task_argument,
    task_names,
    text_of,
)
from fleet.cli.output import say
from fleet.core.commands import Edit
from fleet.core.policy import Land, Priority
from fleet.errors import UsageError
from fleet.protocol import Show


@click.command(
    epilog=examples(
        "fleet edit importer                 the prompt, in $EDITOR",
        "fleet edit importer -f spec.md --timeout 4h",
        "fleet edit importer --priority urgent",
        "fleet edit report --alone           it lands without what it was to land behind",
    ),
)
@task_argument
@click.option("-p", "--prompt", metavar="PROMPT", help="A new prompt.")
@click.option("-f", "--file", metavar="FILE", help="The file with a new prompt; - is stdin.")
@click.option("--title", help="One line for lists and merge commits.")
@click.option("--attempts", type=click.IntRange(1, 1000), help="Attempts with a fresh context.")
@click.option("--retries", type=click.IntRange(0, 100), help="Red checks told to a live agent.")
@click.option("--budget", "budget_usd", type=click.FloatRange(0), help="US dollars at most.")
@click.option("--timeout", "timeout_s", type=Span(), metavar="2h", help="Wall time at most.")
@click.option("--land", type=click.Choice(get_args(Land)), help="Who decides that it lands.")
@click.option("--priority", type=click.Choice(get_args(Priority)), help="How soon it lands.")
@click.option("--after", multiple=True, shell_complete=task_names, help="Land it behind TASK.")
@click.option("--alone", is_flag=True, help="Let it land, or start, without waiting for others.")
@json_option
def edit(
    *,
    task: str,
    prompt: str | None,
    file: str | None,
    after: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Change the prompt or the limits of a task that has not started, or when any lands."""
    if prompt is not None and file is not None:
        raise UsageError("give one prompt: -p PROMPT or -f FILE")
    text = text_of(file) if file is not None else prompt
    with supervisor() as client:
        if text is None and not after and all(it in {None, False} for it in options.values()):
            text = editor_text(client.ask(Show(task=task))["prompt"])
            if text is None:
                say("nothing was changed")
                return
        answer = client.ask(Edit(task=task, prompt=text, after=after or None, **options))
    confirm(answer, f"{named(answer, task)} is changed", as_json=as_json)


COMMANDS = (edit,)
