"""`fleet edit`: changes a task that has not started, by options or in an editor."""

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
    text_of,
)
from fleet.cli.output import say
from fleet.core.commands import Edit
from fleet.core.policy import Land
from fleet.errors import UsageError
from fleet.protocol import Show


@click.command(
    epilog=examples(
        "fleet edit importer                 the prompt, in $EDITOR",
        "fleet edit importer -f spec.md --timeout 4h",
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
@json_option
def edit(*, task: str, prompt: str | None, file: str | None, as_json: bool, **options: Any) -> None:
    """Change the prompt or the limits of a task that has not started."""
    if prompt is not None and file is not None:
        raise UsageError("give one prompt: -p PROMPT or -f FILE")
    text = text_of(file) if file is not None else prompt
    with supervisor() as client:
        if text is None and all(value is None for value in options.values()):
            text = editor_text(client.ask(Show(task=task))["prompt"])
            if text is None:
                say("nothing was changed")
                return
        answer = client.ask(Edit(task=task, prompt=text, **options))
    confirm(answer, f"{named(answer, task)} is changed", as_json=as_json)


COMMANDS = (edit,)
