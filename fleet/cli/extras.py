"""What comes with the command line: completion for shells, and the demonstration."""

import os

import click

from fleet.cli.common import examples
from fleet.cli.output import Output


@click.command(
    epilog=examples(
        "source <(fleet completion bash)",
        "fleet completion fish > ~/.config/fish/completions/fleet.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print what completes commands, options and task names in your shell."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 (only here)

    kind = get_completion_class(shell)
    if kind is not None:
        print(kind(context.find_root().command, {}, "fleet", "_FLEET_COMPLETE").source())


@click.command(epilog=examples("fleet demo", "fleet demo --plain", "fleet demo --keep"))
@click.option("--plain", is_flag=True, help="Play by itself and print how it goes; no dashboard.")
@click.option("--keep", is_flag=True, help="Leave everything there, to look around.")
@click.pass_obj
def demo(out: Output, *, plain: bool, keep: bool) -> int:
    """Show fleet at work in a throw-away repository; no key is needed.

    At a terminal it opens the dashboard, and removes everything when you leave. In a pipe, in CI
    (the variable CI is set) and with --plain it plays by itself, for less than a minute.
    """
    if out.full_screen and not plain and not os.environ.get("CI"):
        from fleet.cli.demo_open import main as opened  # noqa: PLC0415 (it loads Textual)

        return opened(keep=keep)
    from fleet.cli.demo import main  # noqa: PLC0415 (only here)

    return main(out, keep=keep)


COMMANDS = (completion, demo)
