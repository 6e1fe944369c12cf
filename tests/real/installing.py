"""Agents' own programs, installed from their registry into a cache that outlives the tests.

`python installing.py claude 2.1.332` prints where the program is. Exits with 3, and says why, where
the registry cannot be reached.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # it is run as a program, too

from real.clis import Cli, cli_of

_LIMIT_S = 600.0
# By a registry that was reached, or by a disk.
_REFUSALS = ("E404", "ETARGET", "ENOSPC", "EACCES", "No space left", "No matching distribution")


class UnreachableError(Exception):
    """The registry cannot be reached, and the message says why."""


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "fleet-tests"


def installed(cli: Cli, version: str) -> Path:
    """Return the program of an agent in this version, which is a number, not a tag."""
    folder = cache() / f"{cli.name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _found(cli, folder) or _install(cli, version, folder)


def latest(cli: Cli) -> str:
    """Return the number of the newest version: without a tag, npm chooses one for its own node."""
    if cli.registry == "pip":
        said = _run(sys.executable, "-m", "pip", "index", "versions", cli.package)
        return said.partition("(")[2].partition(")")[0]
    return _npm("view", f"{cli.package}@latest", "version").strip()


def _found(cli: Cli, folder: Path) -> Path | None:
    found = (path for path in folder.glob(cli.program) if (folder / "whole").exists())
    return next((path for path in found if os.access(path, os.X_OK)), None)


def _install(cli: Cli, version: str, folder: Path) -> Path:
    if cli.registry == "pip":
        _run(sys.executable, "-m", "venv", str(folder / "venv"))
        _run(str(folder / "venv/bin/pip"), "install", f"{cli.package}=={version}")
    else:
        package = f"{cli.package}@{version}"
        _npm("install", "--prefix", str(folder), "--no-save", "--ignore-scripts", package)
    (folder / "whole").touch()
    program = _found(cli, folder)
    if program is None:
        raise RuntimeError(f"{cli.package} {version} has no program for this machine")
    return program


def _npm(*words: str) -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise UnreachableError("npm is not installed")
    return _run(npm, *words, "--no-audit", "--no-fund")


def _run(program: str, *words: str) -> str:
    what = " ".join((Path(program).name, *words[:2]))
    try:
        ran = subprocess.run(
            [program, *words], capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{what} took more than {_LIMIT_S:.0f} s") from None
    if ran.returncode and any(sign in ran.stderr for sign in _REFUSALS):
        raise RuntimeError(f"{what}: {ran.stderr.strip()}")
    if ran.returncode:
        said = ran.stderr.strip().splitlines() or ["nothing"]
        raise UnreachableError(f"{what} failed: {said[-1]}")
    return ran.stdout


def main(agent: str, version: str = "") -> int:
    cli = cli_of(agent)
    try:
        number = latest(cli) if version == "latest" else version or cli.pinned
        print(installed(cli, number))
    except UnreachableError as reason:
        print(reason, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
