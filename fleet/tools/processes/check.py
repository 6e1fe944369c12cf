"""Running one check: whatever becomes of it, none of its processes is left when we return."""

import contextlib
import fcntl
import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from msgspec import Struct

from fleet.tools.processes import marks
from fleet.tools.processes.capped_log import CappedLog
from fleet.tools.processes.fence import Found, Mark, end, find, held
from fleet.tools.processes.table import system

_GRACE_S = 2.0  # for what is left, or has to stop
_LOOK_EVERY_S = 0.1  # a threading.Event, or a child without a pidfd, cannot wake a poll
_NO_HANDLE = -1


class Passed(Struct, frozen=True):
    """The command exited with 0."""

    seconds: float


class Failed(Struct, frozen=True):
    """The command exited with another code; 126 and 127 are the shell's, for one not found."""

    seconds: float
    code: int


class Killed(Struct, frozen=True):
    """The command's shell was ended by a signal that we did not send."""

    seconds: float
    signal: int


class TimedOut(Struct, frozen=True):
    """The command ran for longer than it may, and was ended."""

    seconds: float


class CouldNotStart(Struct, frozen=True):
    """Nothing was run, so nothing was checked."""

    reason: str


class Cancelled(Struct, frozen=True):
    """The caller wanted no result any more, and the command was ended."""


CheckResult = Passed | Failed | Killed | TimedOut | CouldNotStart | Cancelled


def alive_file(log: Path) -> Path:
    """Return the file that a check writing to `log` keeps open; `fence_check` wants it."""
    return log.with_name(f"{log.name}.alive")


def run_check(
    command: str,
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    log: Path,
    token: str,
    stop: threading.Event | None = None,
) -> CheckResult:
    """Run `command` by `/bin/sh -c` in `cwd`, what it prints in `log`, and tell how it went.

    `env` is its whole environment; `token`, made by `marks.token`, is added. Setting `stop`
    cancels it. May be called in several threads at once.

    Raises:
        ToolError: a process of the check cannot be ended.
    """
    if not command.strip():
        return CouldNotStart("the check has no command")
    begun = time.monotonic()
    try:
        with CappedLog(log) as output:
            shell = _start(command, cwd=cwd, env=env, token=token, alive=alive_file(log))
            return _attend(shell, output, begun=begun, timeout_s=timeout_s, token=token, stop=stop)
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        return CouldNotStart(f"cannot run the check in {cwd}: {what.lower()}")
    finally:
        with contextlib.suppress(OSError):
            alive_file(log).unlink()


def _start(
    command: str, *, cwd: Path, env: Mapping[str, str], token: str, alive: Path
) -> subprocess.Popen[bytes]:
    own = {name: value for name, value in env.items() if name != marks.RUN}
    with alive.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # which the check inherits, and we let go of
        return subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=cwd,
            env=own | {marks.CHECK: token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )


def _attend(
    shell: subprocess.Popen[bytes],
    output: CappedLog,
    *,
    begun: float,
    timeout_s: float,
    token: str,
    stop: threading.Event | None,
) -> CheckResult:
    assert shell.stdout is not None  # noqa: S101 - it was asked for
    with shell.stdout as pipe:
        os.set_blocking(pipe.fileno(), False)
        try:
            cut_short = _watch(shell, output, deadline=begun + timeout_s, stop=stop)
        finally:
            seconds = time.monotonic() - begun
            _end_all(shell, token=token, alive=alive_file(output.path))
        _pump(pipe, output)
    if cut_short:
        return cut_short(seconds) if cut_short is TimedOut else Cancelled()
    return _verdict(shell.returncode, seconds)


def _verdict(code: int, seconds: float) -> CheckResult:
    if code < 0:
        return Killed(seconds, -code)
    return Failed(seconds, code) if code else Passed(seconds)


def _watch(
    shell: subprocess.Popen[bytes],
    output: CappedLog,
    *,
    deadline: float,
    stop: threading.Event | None,
) -> type[TimedOut | Cancelled] | None:
    """Write down what is printed until the shell ends; say what cut it short, if anything did."""
    poll = select.poll()
    assert shell.stdout is not None  # noqa: S101 - it was asked for
    poll.register(shell.stdout, select.POLLIN)
    with _end_of(shell.pid) as handle:
        if handle != _NO_HANDLE:
            poll.register(handle, select.POLLIN)
        must_look = stop is not None or handle == _NO_HANDLE
        while True:
            if stop is not None and stop.is_set():
                return Cancelled
            if (left := deadline - time.monotonic()) <= 0:
                return TimedOut
            ready = {
                fd for fd, _ in poll.poll(min(left, _LOOK_EVERY_S if must_look else left) * 1000)
            }
            if shell.stdout.fileno() in ready and _pump(shell.stdout, output):
                poll.unregister(shell.stdout)
            if handle in ready or (handle == _NO_HANDLE and shell.poll() is not None):
                return None


@contextlib.contextmanager
def _end_of(pid: int) -> Iterator[int]:
    """Give a descriptor that is readable once our child has ended; it is not reaped by that."""
    if not hasattr(os, "pidfd_open"):
        yield _NO_HANDLE
        return
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _pump(pipe: IO[bytes], output: CappedLog) -> bool:
    """Write down what is there; true at the end, when nobody can print any more."""
    with contextlib.suppress(BlockingIOError):
        while data := os.read(pipe.fileno(), 65536):
            output.write(data)
        return True
    return False


def _end_all(shell: subprocess.Popen[bytes], *, token: str, alive: Path) -> None:
    """End the check's processes; the shell is reaped last, so that its number stays its own."""
    assert shell.stdout is not None  # noqa: S101 - it was asked for
    pipe = shell.stdout.fileno()
    poll = select.poll()
    poll.register(pipe, 0)
    leader = system.one(shell.pid)  # not reaped yet, so it is there, a zombie at least
    since = leader.start if leader else 0

    def look() -> Found:
        names = held([alive])
        if not poll.poll(0):  # nobody has hung up: someone can still print
            names |= {os.readlink(f"/proc/self/fd/{pipe}")}  # noqa: PTH115 - it is no path
        sessions = frozenset({shell.pid} if shell.returncode is None else ())
        mark = Mark(token, variable=marks.CHECK, open_names=names, sessions=sessions, since=since)
        return find(mark)

    try:
        end(look, _GRACE_S)
    finally:
        shell.poll()
