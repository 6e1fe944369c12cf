"""Has a change measured by a process of its own, which what it reads may stall or kill."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import msgspec
from msgspec.structs import replace

from fleet.core.assessment import NOT_REACHED, Report, Request

_LOOK_EVERY_S = 0.1  # a threading.Event cannot wake who waits for a process
_GRACE_S = 1.0  # for it to end its git
_LEEWAY_S = 10.0  # beyond the time that it gives itself
_MOST_WHY = 200  # characters


def measure(request: Request, *, stop: threading.Event, leeway_s: float = _LEEWAY_S) -> Report:
    """Return what was measured; what was not is `unknown` there, and nothing else fails.

    Setting `stop` ends it. No process of it is left.
    """
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "fleet.evaluation"],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return _nothing(f"it could not be started: {error.strerror}")
    deadline = time.monotonic() + request.seconds + leeway_s
    out, err, late = _attend(child, msgspec.json.encode(request), deadline, stop)
    why = _why(child.returncode, err, late=late)
    report = _last(out)
    return _nothing(why) if report is None else _explained(report, why)


def _attend(
    child: subprocess.Popen[bytes], told: bytes, deadline: float, stop: threading.Event
) -> tuple[bytes, bytes, bool]:
    """Return what it says, and whether it had to be ended."""
    late = False
    rest: bytes | None = told
    while True:
        try:
            out, err = child.communicate(rest, timeout=_LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            rest = None  # it is remembered
            if late:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            elif stop.is_set() or time.monotonic() > deadline:
                late = True
                child.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_GRACE_S)
        else:
            return out, err, late


def _why(code: int, err: bytes, *, late: bool) -> str:
    if late:
        return "it took too long"
    if code < 0:
        return f"it was killed by signal {-code}"
    lines = err.decode(errors="replace").strip().splitlines()
    return lines[-1][:_MOST_WHY] if lines else f"it ended with exit code {code}"


def _last(out: bytes) -> Report | None:
    """Return the most whole report; a last line may be cut off."""
    for line in reversed(out.split(b"\n")):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(line, type=Report)
    return None


def _explained(report: Report, why: str) -> Report:
    unknown = (
        f"{it.removesuffix(NOT_REACHED)}{why}" if it.endswith(NOT_REACHED) else it
        for it in report.unknown
    )
    return replace(report, unknown=tuple(unknown))


def _nothing(why: str) -> Report:
    return Report(unknown=(f"the whole change: {why}",))
