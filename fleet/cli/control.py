"""Controls runs: stop, pause, resume, retry, done; says what was done, and to which task."""

import click

from fleet import paths
from fleet.cli.common import (
    ask,
    confirm,
    examples,
    json_option,
    named,
    supervisor,
    task_argument,
    task_names,
)
from fleet.cli.output import emit, say
from fleet.client.programs import fleet_module
from fleet.core.commands import Command, DeclareDone, Pause, Resume, Retry, Stop, StopAll
from fleet.errors import FleetError, NoSupervisorError, UsageError


@click.command(epilog=examples("fleet stop importer", "fleet stop --all"))
@click.argument("task", required=False, shell_complete=task_names)
@click.option("--all", "every", is_flag=True, help="Every task that is not in the merge queue.")
@json_option
def stop(*, task: str | None, every: bool, as_json: bool) -> None:
    """End a task and its agent; its work stays."""
    if (task is not None) == every:
        raise UsageError("name one task, or say --all", hint="type: fleet stop TASK")
    if task is not None:
        _do(Stop(task=task), task, "is stopped", as_json=as_json)
        return
    try:
        with supervisor(start=False) as client:
            answer = client.ask(StopAll())
    except NoSupervisorError:
        _sweep(as_json=as_json)
        return
    confirm(answer, "all agents are being stopped", as_json=as_json)


def _sweep(*, as_json: bool) -> None:
    """End every process of this home's runs, which live on where the supervisor has died."""
    home = paths.home()
    code, out, said = fleet_module("fleet.supervisor.sweep", str(home.root), home=home)
    if code:
        why = said.strip() or f"exit code {code}"
        raise FleetError(f"not all agents could be stopped: {why}", hint="type: fleet doctor")
    if as_json:
        emit({"swept": True, "said": out.strip()})
    else:
        say(out.strip() or "no supervisor runs, and no agent of this home is left")


@click.command(epilog=examples("fleet pause importer", "fleet resume importer"))
@task_argument
@json_option
def pause(*, task: str, as_json: bool) -> None:
    """Put a task aside: its agent ends, its work and its place stay."""
    _do(Pause(task=task), task, "is paused", as_json=as_json)


@click.command(epilog=examples("fleet resume importer"))
@task_argument
@json_option
def resume(*, task: str, as_json: bool) -> None:
    """Take up a paused or stopped task again."""
    _do(Resume(task=task), task, "goes on", as_json=as_json)


@click.command(epilog=examples("fleet retry importer"))
@task_argument
@json_option
def retry(*, task: str, as_json: bool) -> None:
    """Begin a new attempt with a fresh context, and all attempts anew."""
    _do(Retry(task=task), task, "begins a new attempt", as_json=as_json)


@click.command(epilog=examples("fleet done importer", "fleet done        (typed by its agent)"))
@click.argument("task", envvar="FLEET_TASK", shell_complete=task_names)
@json_option
def done(*, task: str, as_json: bool) -> None:
    """Take the agent's work as it stands; an agent need not name its own task."""
    answer = ask(DeclareDone(task=task))
    confirm(answer, f"{named(answer, task)} is taken as done", as_json=as_json)
    if missing := (answer or {}).get("unanswered"):
        say(f"not answered yet: {', '.join(missing)}; type: fleet reply {missing[0]} -m TEXT")


def _do(request: Command, task: str, sentence: str, *, as_json: bool) -> None:
    answer = ask(request)
    confirm(answer, f"{named(answer, task)} {sentence}", as_json=as_json)


COMMANDS = (stop, pause, resume, retry, done)
