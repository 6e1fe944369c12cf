"""What the commands have in common: the supervisor they ask, their arguments, their examples."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from fleet import paths
from fleet.cli.output import Waiting, emit, say
from fleet.client import Client
from fleet.client.around import repository_around
from fleet.core.commands import Command
from fleet.core.durations import moment as moment_in
from fleet.core.durations import seconds
from fleet.errors import FleetError, UsageError

F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def supervisor(*, start: bool = True) -> Iterator[Client]:
    """Give a connection to the supervisor, which with `start` is started where none runs."""
    waiting = Waiting("starting the supervisor")
    try:
        client = Client.connect(paths.home(), start=start, waiting=waiting)
    finally:
        waiting.clear()
    with client:
        yield client


def ask(request: Command) -> Any:
    """Return the supervisor's answer to one request."""
    with supervisor() as client:
        return client.ask(request)


def here() -> str:
    """Return the directory that we are in.

    Raises:
        UsageError: it has been removed.
    """
    try:
        return str(Path.cwd())
    except FileNotFoundError as error:
        raise UsageError("the directory you are in is gone", hint="type: cd DIRECTORY") from error


def repository_root() -> Path | None:
    """Return the root of the checkout around the directory that we are in, or None outside one."""
    return repository_around(Path(here()))


def examples(*lines: str) -> str:
    """Return examples as click prints them below a command's options."""
    return "\b\nexamples:\n" + "\n".join(f"  {line}" for line in lines)


def json_option(function: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(
        function
    )


def task_argument(function: F) -> F:
    """Add TASK, with completion."""
    return click.argument("task", shell_complete=task_names)(function)


def task_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the tasks whose names begin so; none where no supervisor runs."""
    from fleet.protocol import List  # noqa: PLC0415 (only for completion)

    try:
        with supervisor(start=False) as client:
            rows = client.ask(List(all=True))
    except FleetError:
        return []
    return [row["task"] for row in rows if row["task"].startswith(incomplete)]


def confirm(answer: Any, sentence: str, *, as_json: bool) -> None:
    """Print a command's answer as JSON, or else say that it has been done."""
    if as_json:
        emit(answer)
    else:
        say(sentence)


def with_pull(sentence: str, answer: Any) -> str:
    """Return the sentence, and that a pull request outlives what was done, if one does."""
    left = answer.get("pr") if isinstance(answer, dict) else None
    return f"{sentence}; {left}" if left else sentence


def named(answer: Any, task: str) -> str:
    """Return the full name of the task that was asked for by `task`, which may be a prefix."""
    return str(answer.get("task") or task) if isinstance(answer, dict) else task


class Span(click.ParamType[float]):
    """A span of time like 90s, 10m or 2h, in seconds."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        return value if isinstance(value, float) else seconds(str(value))


def text_of(file: str) -> str:
    """Return the text of a file, or with `-` of stdin.

    Raises:
        UsageError: it cannot be read, or is not UTF-8.
    """
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"cannot read {file}: {why}") from error


def editor_text(text: str) -> str | None:
    """Return `text` as a person left it in $EDITOR, or None where it was not changed.

    Raises:
        UsageError: there is no terminal for an editor.
    """
    if not sys.stdin.isatty():
        raise UsageError("an editor needs a terminal", hint="give the prompt: -p PROMPT or -f FILE")
    edited = click.edit(text, extension=".md")
    return None if edited is None or edited == text else edited


def replace_program(argv: list[str], environment: dict[str, str]) -> None:
    """Become another program.

    Raises:
        FleetError: it is not there.
    """
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 (no shell is wanted)
    except OSError as error:
        raise FleetError(f"cannot run {argv[0]}: {error.strerror}") from error


def moment(text: str | None) -> datetime | None:
    """Return the time that `--since` names, or None where it names none.

    Raises:
        UsageError: it is neither a time nor a span of time.
    """
    if text is None:
        return None
    return moment_in(text, now=datetime.now().astimezone())
