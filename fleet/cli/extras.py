"""What comes with the command line: completion for shells, and the demonstration."""

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


@click.command(epilog=examples("fleet demo", "fleet demo --keep"))
@click.option("--keep", is_flag=True, help="Leave everything there, to look around.")
@click.pass_obj
def demo(out: Output, *, keep: bool) -> int:
    """Show fleet at work in a throw-away repository: a minute, and no key is needed."""
    from fleet.cli.demo import main  # noqa: PLC0415 (only here)

    return main(out, keep=keep)


COMMANDS = (completion, demo)
