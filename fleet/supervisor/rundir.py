"""Reading what `fleet-pane` leaves in a run's directory; whatever else lies there is put aside."""

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from fleet.paths import RunDir

_LIMIT = 1024 * 1024  # bytes; what is larger was not written by us
T = TypeVar("T", bound=Struct)
Note = Callable[[str], None]  # is told once of everything that is put aside


class Launch(Struct, frozen=True):
    """The part of a launch that is needed later."""

    token: str
    env: dict[str, str] = {}


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


def read_launch(run_dir: RunDir, note: Note) -> Launch | None:
    return _read(run_dir.launch, Launch, note)


def read_token(run_dir: RunDir, note: Note) -> str | None:
    launch = read_launch(run_dir, note)
    return launch.token if launch else None


def read_started(run_dir: RunDir, note: Note) -> Started | None:
    return _read(run_dir.started, Started, note)


def read_exit(run_dir: RunDir, note: Note) -> Exit | None:
    return _read(run_dir.exit, Exit, note)


def tidy(run_dir: RunDir, note: Note) -> None:
    """Put all garbage aside, so that whoever works with these files finds ours or none."""
    read_token(run_dir, note)
    read_started(run_dir, note)
    read_exit(run_dir, note)
    if not run_dir.alive.is_file() and os.path.lexists(run_dir.alive):
        _put_aside(run_dir.alive, "not a file", note)


def _read(file: Path, kind: type[T], note: Note) -> T | None:
    """Return what the file says, None where it is missing, no file of ours, or garbage."""
    try:
        return msgspec.json.decode(_content(file), type=kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
    except (msgspec.DecodeError, RecursionError) as error:
        why = str(error)
    _put_aside(file, why, note)
    return None


def _content(file: Path) -> bytes:
    # Neither is a link followed nor a pipe waited for.
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as opened:  # noqa: PTH123 - a descriptor has no path
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("not a file")
        content = opened.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise OSError("too large")
    return content


def _put_aside(file: Path, why: str, note: Note) -> None:
    with contextlib.suppress(OSError):  # where it cannot be moved it stays, and is told again
        file.rename(file.with_name(f"{file.name}.bad"))
    note(f"{file}: {why}")
