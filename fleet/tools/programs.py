"""Finding a program where an agent will look for it, and asking it for its version."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleet.errors import RefusedError


def find_program(name: str, *, path: str | None, cwd: str) -> str:
    """Return the executable that `name` means on `path`; one with a slash is relative to `cwd`.

    Raises:
        RefusedError: there is none, or it may not be executed.
    """
    if os.sep in name:
        found = Path(cwd, name).expanduser()
        if not (found.is_file() and os.access(found, os.X_OK)):
            raise RefusedError(f"cannot execute {name}", hint=f"look at it: ls -l {found}")
        return str(found)
    on_path = shutil.which(name, path=path or os.defpath)
    if on_path is None:
        raise RefusedError(
            f"the program {name} is not on your PATH", hint=f"install {name}, or name another agent"
        )
    return on_path


class Versions:
    """What programs say of their versions; each is asked once, and again when it was replaced."""

    def __init__(self, *, timeout_s: float = 20.0) -> None:
        self._timeout_s = timeout_s
        self._known: dict[tuple[str, int], str | None] = {}
        self._asking = threading.Lock()

    def of(self, argv: Sequence[str], *, environment: Mapping[str, str], cwd: str) -> str | None:
        """Return the first number with a dot that `argv` prints; None where it prints none."""
        try:
            program = find_program(argv[0], path=environment.get("PATH"), cwd=cwd)
            key = (os.path.realpath(program), Path(program).stat().st_mtime_ns)
        except (RefusedError, OSError):
            return None  # whoever starts it says so
        with self._asking:
            if key not in self._known:
                self._known[key] = self._ask([program, *argv[1:]], environment, cwd)
            return self._known[key]

    def _ask(self, argv: Sequence[str], environment: Mapping[str, str], cwd: str) -> str | None:
        try:
            said = subprocess.run(
                argv,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        number = re.search(rb"\d+(?:\.\d+)+", said.stdout[:4096])
        return number[0].decode() if number else None
