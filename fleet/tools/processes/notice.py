"""Telling a person something by a program of theirs, which has a moment's time and no more."""

import threading
from collections.abc import Mapping, Sequence

from fleet.errors import ToolError
from fleet.tools.processes.short import run_short

TIMEOUT_S = 10.0


def tell(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stop: threading.Event,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Run `argv` as `run_short` does, and return when it has ended well.

    Raises:
        ToolError: it could not be started, failed, or had to be ended after `timeout_s`.
    """
    ran = run_short(argv, env=env, stop=stop, timeout_s=timeout_s)
    if ran.code and not stop.is_set():
        words = " ".join(ran.err.split())
        said = f": {words}" if words else f" with exit code {ran.code}"
        raise ToolError(f"{argv[0]} failed{said}", argv=argv)
