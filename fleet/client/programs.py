"""Runs the programs that a command needs beside the supervisor, in a place that cannot mislead."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleet.client.environment import keeper_environment
from fleet.errors import ToolError
from fleet.paths import Home

_LIMIT_S = 120.0


def fleet_module(module: str, *arguments: str, home: Home) -> tuple[int, str, str]:
    """Run one of fleet's own modules as a program; return its exit code, stdout and stderr.

    It runs in "/", because Python would import modules from the directory it runs in.
    """
    argv = [sys.executable, "-m", module, *arguments]
    return _run(argv, cwd=Path("/"), environment=keeper_environment(home.root))


def program(*argv: str, cwd: Path, environment: Mapping[str, str]) -> str:
    """Run a program, and return its stdout.

    Raises:
        ToolError: it could not be run, or failed.
    """
    code, out, said = _run(list(argv), cwd=cwd, environment=environment)
    if code:
        why = said.strip() or f"exit code {code}"
        raise ToolError(f"{argv[0]} failed: {why}", argv=argv, code=code, stderr=said)
    return out


def foreground(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program that has our terminal to itself until it ends; return its exit code.

    Raises:
        ToolError: it could not be run.
    """
    try:
        return subprocess.run(list(argv), env=dict(environment), check=False).returncode
    except OSError as error:
        raise ToolError(f"cannot run {argv[0]}: {error.strerror}", argv=argv) from error


def _run(argv: list[str], *, cwd: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"cannot run {argv[0]}: {error}", argv=argv) from error
    return done.returncode, done.stdout, done.stderr
