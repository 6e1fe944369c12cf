"""Where the program begins: answers at once what scripts ask all the time, else loads it all."""

import sys
from collections.abc import Sequence

_POLLED = ({"ls", "--json"}, {"ls", "--json", "--all"}, {"ls", "--json", "-a"})
_SHORTEST = 2  # words: without --all


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["ls"] and set(words) in _POLLED and _answered(every=len(words) > _SHORTEST):
        return 0
    from fleet.cli import main as program  # noqa: PLC0415 (only where it is needed)

    return program.main(argv)


def _answered(*, every: bool) -> bool:
    """Print the tasks as `fleet ls --json` does; False where that takes more than asking.

    Loading click takes 30 ms, three times an empty Python: what a script polls goes without it.
    Whatever is out of the ordinary, an error or a supervisor to be started, is left to click's way.
    """
    _spare()
    from fleet import paths  # noqa: PLC0415 (only here)
    from fleet.cli.output import emit  # noqa: PLC0415
    from fleet.client import Client  # noqa: PLC0415
    from fleet.errors import FleetError  # noqa: PLC0415
    from fleet.protocol import List  # noqa: PLC0415

    try:
        with Client.connect(paths.home(), start=False) as client:
            emit(client.ask(List(all=every)))
    except (FleetError, OSError):
        return False
    return True


def _spare() -> None:
    """Load msgspec without `typing_extensions`, where that is installed by chance.

    It would take the same two functions from there that `typing` has, and load `inspect` for them:
    a fifth of the time of the whole command.
    """
    name = "typing_extensions"
    if name not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment] # as the import system wants it
        import msgspec  # noqa: F401, PLC0415 (only here)

        del sys.modules[name]
