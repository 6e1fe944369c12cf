"""Telling a person something by a program of theirs, which has a moment's time and no more."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

from fleet.errors import ToolError

TIMEOUT_S = 10.0
_LOOK_EVERY_S = 0.1  # a threading.Event cannot wake whoever waits for a child
_GRACE_S = 2.0  # when nobody waits for it any more
_MOST = 500  # bytes of what it complains about


def tell(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stop: threading.Event,
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Run `argv` in a process group of its own, and return when it has ended well.

    Setting `stop` leaves it two seconds more, and its end is no failure: most are through by then.

    Raises:
        ToolError: it could not be started, failed, or had to be ended after `timeout_s`.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                argv,
                cwd="/",
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ToolError(f"{argv[0]} cannot be started: {why}", argv=argv) from error
        if not _ends(process, deadline=time.monotonic() + timeout_s, stop=stop):
            raise ToolError(f"{argv[0]} took longer than {timeout_s:g} s", argv=argv)
        if process.returncode and not stop.is_set():
            raise ToolError(f"{argv[0]} failed{_words(said, process.returncode)}", argv=argv)


def _ends(process: subprocess.Popen[bytes], *, deadline: float, stop: threading.Event) -> bool:
    """Wait for its end, or bring it about; return false where its time was over."""
    stopped = False
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(left, _LOOK_EVERY_S))
            return True
        if stop.is_set() and not stopped:
            stopped, deadline = True, min(deadline, time.monotonic() + _GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it is not reaped yet, so the number is its own
    process.wait()
    return stopped


def _words(said: IO[bytes], code: int) -> str:
    said.seek(0)
    words = " ".join(said.read(_MOST).decode(errors="replace").split())
    return f": {words}" if words else f" with exit code {code}"
