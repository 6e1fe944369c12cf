"""The spool in which agents' hooks leave reports: each is read at least once, oldest first."""

import contextlib
import errno
import os
import shutil
import stat
import time
from pathlib import Path

from msgspec import Struct

from fleet.errors import ToolError

MOST_BYTES = 1_150_000  # a payload of 1 MiB and its three lines
_KEPT_BAD = 100
_DRAFT_AGE_S = 3600.0  # a hook that was killed while it wrote will not come back for its file
_NOT_OURS = {errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM}


class Report(Struct, frozen=True):
    """What one hook said: the run it spoke for, the hook's name, its own time, and the payload.

    One that `asks` waits for an answer in the pipe that is called as `nonce`.
    """

    run: str
    name: str
    at: float  # seconds since the epoch, by the hook's clock
    nonce: str  # the file's name, which no other report ever has
    payload: bytes
    asks: bool = False


class Garbage(Struct, frozen=True):
    """Something in the spool that no hook wrote; it is in `bad` now."""

    name: str
    reason: str


class _BadError(Exception):
    """This file is no report; the message says why."""


def read(spool: Path, *, most: int = 200) -> list[Report | Garbage]:
    """Return the oldest `most` reports, oldest first; each stays until it is settled.

    What is no report is moved to `bad`, of which the last hundred are kept, and told once. Read
    again after settling, until nothing is returned.

    Raises:
        ToolError: the spool itself cannot be read.
    """
    try:
        names = sorted(os.listdir(spool))  # noqa: PTH208 - names alone are wanted, and fast
    except OSError as error:
        raise ToolError(f"cannot read the spool {spool}: {error.strerror}") from error
    found: list[Report | Garbage] = []
    for name in names:
        if name == "bad" or len(found) == most:
            continue
        if name.startswith("."):
            _forget_draft(spool / name)
        elif report := _read_one(spool, name):
            found.append(report)
    return sorted(found, key=lambda one: one.at if isinstance(one, Report) else 0.0)


def settle(spool: Path, report: Report) -> None:
    """Delete a report, once what it says is recorded."""
    (spool / report.nonce).unlink(missing_ok=True)


def _read_one(spool: Path, name: str) -> Report | Garbage | None:
    try:
        return _parse(name, _content(spool / name))
    except FileNotFoundError:
        return None
    except _BadError as reason:
        _put_aside(spool, name)
        return Garbage(name, str(reason))


def _content(path: Path) -> bytes:
    try:  # neither a link is followed nor a pipe waited for
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NOT_OURS:
            raise _BadError(f"cannot be opened: {error.strerror}") from error
        raise
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
            raise _BadError("not a file of ours")
        if status.st_size > MOST_BYTES:
            raise _BadError(f"too large: {status.st_size} bytes")
        return os.read(file, MOST_BYTES)
    finally:
        os.close(file)


def _parse(name: str, content: bytes) -> Report:
    lines = content.split(b"\n", 3)
    try:
        run, hook, time_, payload = lines
        at, *more = time_.split(b" ")
        if more not in ([], [b"ask"]):
            raise _BadError("not written by fleet-hook")
        return Report(run.decode(), hook.decode(), int(at) / 1e9, name, payload, bool(more))
    except ValueError as error:  # too few lines, not UTF-8, or no number
        raise _BadError("not written by fleet-hook") from error


def _put_aside(spool: Path, name: str) -> None:
    bad = spool / "bad"
    bad.mkdir(mode=0o700, exist_ok=True)
    (spool / name).rename(bad / f"{time.time_ns()}-{name}"[:200])
    for old in sorted(bad.iterdir())[:-_KEPT_BAD]:
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)


def _forget_draft(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.lstat().st_mtime < time.time() - _DRAFT_AGE_S:
            path.unlink()
