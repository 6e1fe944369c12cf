"""`fleet wait`: blocks a script until tasks are where it wants them."""

import click

from fleet.cli.common import Span, examples, json_option, supervisor, task_names
from fleet.cli.follow import tell
from fleet.cli.output import emit, say
from fleet.protocol import Wait


@click.command(
    epilog=examples(
        "fleet wait importer && ./deploy",
        "fleet wait importer exporter --for review --timeout 2h",
    ),
)
@click.argument("tasks", metavar="TASK...", nargs=-1, required=True, shell_complete=task_names)
@click.option(
    "--for",
    "state",
    type=click.Choice(["review", "landed", "ended"]),
    default="landed",
    show_default=True,
    help="What to wait for; ended: landed, failed, stopped or withdrawn.",
)
@click.option("--timeout", type=Span(), metavar="60s", help="Give up after so long.")
@json_option
def wait(*, tasks: tuple[str, ...], state: str, timeout: float | None, as_json: bool) -> int:
    """Wait until each TASK is there; exit with 1 where one cannot get there, 124 on time-out."""
    with supervisor() as client:
        stream = client.stream(Wait(tasks=tasks, state=state, timeout_s=timeout))
        for item in stream:
            tell(item)
    if as_json:
        emit(stream.result)
    missed = [it for it in stream.result if not it["reached"]]
    for it in missed:
        say(f"{it['task']} cannot get there: {it['needs'] or it['status']}")
    return 1 if missed else 0


COMMANDS = (wait,)
