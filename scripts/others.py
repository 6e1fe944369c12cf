"""Other people's programs that ours is measured beside, from PyPI.

Each has an environment of its own in $XDG_CACHE_HOME/fleet-tests.
"""

import os
import shutil
import subprocess
from pathlib import Path

# A benchmark has a HOME of its own later.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fleet-tests"


def install(name: str, version: str, python: str) -> Path | str:
    """Return the program `name`, installed where it was not; or why it cannot be had."""
    place = CACHE / f"{name}-{version}"
    program = place / "bin" / name
    if (place / "ready").exists():
        return program
    shutil.rmtree(place, ignore_errors=True)
    pip = (str(place / "bin" / "python"), "-m", "pip", "install", "-q", f"{name}=={version}")
    for argv in ((python, "-m", "venv", str(place)), pip):
        if subprocess.run(argv, check=False, capture_output=True).returncode:
            return f"not installed: {' '.join(argv[1:4])} failed"
    (place / "ready").touch()
    return program
