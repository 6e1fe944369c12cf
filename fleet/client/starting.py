"""Finds the supervisor, and starts one where none listens: a single one, however many ask."""

import fcntl
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.client.environment import inside_a_run, keeper_environment
from fleet.errors import FleetError, HomeError, NoSupervisorError
from fleet.paths import Home

if TYPE_CHECKING:
    import subprocess

START_S = 10.0
_AGAIN_S = 0.5
_SHOWN_LINES = 5
_UCRED = struct.Struct("3i")  # pid, uid, gid: see unix(7)
_keepers: list["subprocess.Popen[bytes]"] = []  # one that is dropped while it runs warns of it


def silent(seconds: float) -> None:
    """Say nothing of the time that passes."""


def connected(home: Home, *, start: bool, waiting: Callable[[float], None]) -> socket.socket:
    """Return a socket to the supervisor, which with `start` is started where none listens.

    Raises:
        NoSupervisorError: none listens, and it is not to be started, or not by us.
        HomeError: the socket is another user's, or the home cannot be written.
        FleetError: the supervisor ended as soon as it began, or took too long.
    """
    found = attempt(home)
    if found is not None:
        return found
    if start and inside_a_run(home):
        raise NoSupervisorError(
            f"no supervisor runs for {home.root}, and an agent of it may not start one",
            hint="a person has to: fleet up",
        )
    if not start:
        raise NoSupervisorError(f"no supervisor runs for {home.root}", hint="type: fleet up")
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(home.start_lock):
            return attempt(home) or _started(home, waiting)
    except OSError as error:
        raise HomeError(
            f"cannot write in {home.root}: {error.strerror}",
            hint="set FLEET_HOME to a directory that you can write",
        ) from error


def reconnected(home: Home, *, waiting: Callable[[float], None]) -> socket.socket:
    """Return a socket to a supervisor that is just beginning anew.

    Raises:
        FleetError: it does not listen within `START_S` seconds.
    """
    return _awaited(home, waiting, lambda: None)


def attempt(home: Home) -> socket.socket | None:
    """Return a socket to the supervisor, or None where none listens.

    Raises:
        HomeError: the socket is another user's.
    """
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = home.socket()
    try:
        found.connect(str(path))
        _refuse_stranger(found, path)
    except (FileNotFoundError, ConnectionRefusedError, ConnectionResetError):
        found.close()
        return None
    except OSError as error:
        found.close()
        raise HomeError(f"cannot use {path}: {error.strerror}") from error
    except HomeError:
        found.close()
        raise
    return found


def ended(home: Home, *, within: float) -> bool:
    """Return whether supervisor and keeper of `home` are gone, after `within` seconds at most."""
    deadline = time.monotonic() + within
    while not (_free(home.keeper_lock) and _free(home.supervisor_lock)) or _keeping():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # waiting for a lock cannot be given a time limit
    return True


def _keeping() -> bool:
    """Whether a keeper lives that this process has started: it may be on its way to the lock."""
    return any(keeper.poll() is None for keeper in _keepers)


def _free(lock: Path) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _refuse_stranger(found: socket.socket, path: Path) -> None:
    if not hasattr(socket, "SO_PEERCRED"):
        return  # no Linux: the socket's directory is ours alone, as `fleet.paths` has checked
    _, uid, _ = _UCRED.unpack(found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    if uid != os.getuid():
        raise HomeError(
            f"{path} belongs to another user's program", hint=f"find out why, then remove {path}"
        )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold `lock`, so that of several clients that find no supervisor only one starts it."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _started(home: Home, waiting: Callable[[float], None]) -> socket.socket:
    begin = home.log.stat().st_size if home.log.exists() else 0
    keeper, started = _keeper(home), time.monotonic()

    def look() -> None:
        nonlocal keeper, started
        if keeper.poll():
            said = _last_lines(home.log, begin) or f"it exited with {keeper.returncode}"
            raise FleetError(f"the supervisor did not start: {said}", hint=f"see {home.log}")
        # One that ended with 0 has found another at work, which by now may pause after a crash.
        if keeper.returncode == 0 and time.monotonic() > started + _AGAIN_S:
            keeper, started = _keeper(home), time.monotonic()

    return _awaited(home, waiting, look)


def _keeper(home: Home) -> "subprocess.Popen[bytes]":
    import subprocess  # noqa: PLC0415 (most commands find a supervisor and need not load this)

    home.down.unlink(missing_ok=True)  # the wish to stay down is withdrawn by this one
    log = os.open(home.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "fleet.supervisor.keeper", str(home.root)],
            cwd="/",
            env=keeper_environment(home.root),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    _keepers.append(keeper)
    return keeper


def _awaited(
    home: Home, waiting: Callable[[float], None], look: Callable[[], None]
) -> socket.socket:
    began, pause = time.monotonic(), 0.005
    while (passed := time.monotonic() - began) < START_S:
        found = attempt(home)
        if found is not None:
            return found
        look()
        waiting(passed)
        time.sleep(pause)  # nothing tells a client that a socket is being listened on
        pause = min(pause * 1.3, 0.1)
    raise FleetError(
        f"the supervisor does not listen after {START_S:.0f} s", hint=f"see {home.log}"
    )


def _last_lines(log: Path, begin: int) -> str:
    with suppress(OSError), log.open("rb") as lines:
        lines.seek(begin)
        text = lines.read().decode(errors="replace")
        return "\n       ".join(text.strip().splitlines()[-_SHOWN_LINES:])
    return ""
