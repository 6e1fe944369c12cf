"""The command line: finds the command, and is the one place that prints errors and exit codes."""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from fleet import __version__
from fleet.cli.output import Colour, output
from fleet.core.terminal import clean_lines
from fleet.errors import FleetError

# Looking for garbage while modules load takes a twentieth of a short command's time.
gc.set_threshold(100_000)

INTERRUPTED = 130
# Each command and the module that holds it: nothing but the command that is typed is loaded.
SECTIONS: dict[str, dict[str, str]] = {
    "give work": {"spawn": "spawn", "submit": "spawn", "edit": "edit"},
    "look": {
        **dict.fromkeys(("ls", "show", "why", "next", "path"), "look"),
        "events": "events",
        "report": "report",
    },
    "the pane": dict.fromkeys(("attach", "screen", "log", "send", "answer"), "pane"),
    "control": {
        **dict.fromkeys(("stop", "pause", "resume", "retry", "done"), "control"),
        **dict.fromkeys(("rm", "restore", "clean"), "remove"),
    },
    "review and land": {
        **dict.fromkeys(("queue", "diff"), "review"),
        "review": "packet",
        **dict.fromkeys(("comment", "comments", "reply"), "comments"),
        "conflicts": "conflicts",
        "pr": "pull",
        **dict.fromkeys(("approve", "return", "withdraw", "revert", "thaw"), "verdict"),
    },
    "scripts": {"wait": "waiting"},
    "set up": {
        **dict.fromkeys(("up", "down", "status", "doctor"), "system"),
        **dict.fromkeys(("init", "trust"), "repository"),
        **dict.fromkeys(("demo", "completion"), "extras"),
    },
}
MODULES = {name: module for names in SECTIONS.values() for name, module in names.items()}


class NobodyReadsError(Exception):
    """What we print to has been closed; click would call a broken pipe a failure."""


class LazyGroup(click.Group):
    """A group that loads a command's module only when that command is wanted."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise NobodyReadsError from error
        return code

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in MODULES:
            return None
        module = import_module(f"fleet.cli.{MODULES[cmd_name]}")
        command: click.Command = next(it for it in module.COMMANDS if it.name == cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in MODULES:
            _refuse_unknown(ctx, args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, names in SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(section):
                formatter.write_dl(
                    [(name, it.get_short_help_str(90)) for name, it in commands if it]
                )


def _refuse_unknown(ctx: click.Context, name: str) -> NoReturn:
    import difflib  # noqa: PLC0415 (only a mistyped command needs it)

    near = difflib.get_close_matches(name, MODULES, n=1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    raise click.UsageError(f'there is no command "{name}"{guess}', ctx)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
    examples:
      fleet spawn -p "add a --json option to the export command" --check "make test"
      fleet                    what every agent does, and what needs you
      fleet diff TASK          read a finished change
      fleet approve TASK       let it land
      fleet demo               see all of it in a minute, with no key
    """,
)
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Whether to use colours; auto: on a terminal, unless NO_COLOR is set.",
)
@click.version_option(__version__, prog_name="fleet", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, colour: Colour) -> int:
    """Run dozens of coding agents side by side; land only what passed checks and review.

    Without a command: the dashboard; in a pipe or with --color, what every agent does, as text.
    """
    ctx.obj = output(colour)
    if ctx.invoked_subcommand is not None:
        return 0
    if colour == "auto" and ctx.obj.full_screen:
        from fleet.cli.dashboard import dashboard  # noqa: PLC0415 (it loads Textual)

        return dashboard()
    from fleet.cli.overview import overview  # noqa: PLC0415 (only without a command)

    overview(ctx.obj)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: the only place where errors are printed."""
    try:
        code = cli.main(argv, prog_name="fleet", standalone_mode=False)
    except NobodyReadsError:
        return _end_quietly()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except FleetError as error:
        return _print_error(error.message, error.hint, error.exit_code)
    except click.ClickException as error:
        return _print_click(error)
    return code if isinstance(code, int) else 0


def _print_error(message: str, hint: str | None, code: int) -> int:
    print(f"fleet: {clean_lines(message)}", file=sys.stderr)
    if hint:
        print(f"       {clean_lines(hint)}", file=sys.stderr)
    return code


def _print_click(error: click.ClickException) -> int:
    message = error.format_message().rstrip(".")
    hint = None
    if isinstance(error, click.UsageError):
        hint = f"type: {error.ctx.command_path if error.ctx else 'fleet'} --help"
    return _print_error(message[:1].lower() + message[1:], hint, error.exit_code)


def _end_quietly() -> int:
    """Let Python, which flushes stdout when it ends, write what is left to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return 0
