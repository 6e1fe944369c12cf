"""Reading what `fleet-pane` leaves in a run's directory; whatever else lies there is no answer."""

from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from fleet.paths import RunDir

_LIMIT = 1024 * 1024  # bytes; what is larger was not written by us
T = TypeVar("T", bound=Struct)


class Launch(Struct, frozen=True):
    """The part of a launch that is needed later."""

    token: str


class Started(Struct, frozen=True):
    """`fleet-pane` and the agent that it started: pids with their start times in clock ticks."""

    pid: int
    start: int
    agent: int | None = None
    agent_start: int | None = None
    at: float = 0.0


class Exit(Struct, frozen=True):
    """How a run ended; `left` is the number of its processes that could not be ended."""

    at: float = 0.0
    code: int | None = None
    signal: int | None = None
    left: int = 0
    swept: int = 0
    error: str | None = None


def read_token(run_dir: RunDir) -> str | None:
    launch = _read(run_dir.launch, Launch)
    return launch.token if launch else None


def read_started(run_dir: RunDir) -> Started | None:
    return _read(run_dir.started, Started)


def read_exit(run_dir: RunDir) -> Exit | None:
    return _read(run_dir.exit, Exit)


def _read(file: Path, kind: type[T]) -> T | None:
    """Return what the file says, None where it is missing, no file of ours, or garbage."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _LIMIT:
            return None
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None
