"""Finding a program where an agent will look for it, before anything is started."""

import os
import shutil
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
