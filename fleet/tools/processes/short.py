"""Running a program that has a moment's time and no more, and hearing what it says."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from fleet.errors import ToolError

_LOOK_EVERY_S = 0.1  # a threading.Event cannot wake whoever waits for a child
_GRACE_S = 2.0  # when nobody waits for it any more


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and the beginning of what it printed and complained about."""

    code: int
    out: bytes
    err: str


def run_short(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stop: threading.Event,
    timeout_s: float,
    most: int = 0,
    complaints: int = 500,
) -> Ran:
    """Run `argv` in a process group of its own, with `env` as all of its environment.

    Of its output `most` bytes are kept; one that prints more is ended, unless that is 0. Setting
    `stop` leaves it two seconds more, and its end is no failure: most are through by then.

    Raises:
        ToolError: it could not be started, printed too much, or had to be ended after `timeout_s`.
    """
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as printed:
        try:
            process = subprocess.Popen(
                argv,
                cwd="/",
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=printed if most else subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ToolError(f"{argv[0]} cannot be started: {why}", argv=argv) from error
        attended = _Attended(process, printed, most)
        if not attended.ends(deadline=time.monotonic() + timeout_s, stop=stop):
            what = "printed too much" if attended.too_much else f"took longer than {timeout_s:g} s"
            raise ToolError(f"{argv[0]} {what}", argv=argv)
        words = _start_of(said, complaints).decode(errors="replace")
        return Ran(process.returncode, _start_of(printed, most), words)


@dataclass
class _Attended:
    process: subprocess.Popen[bytes]
    printed: IO[bytes]
    most: int
    too_much: bool = False

    def ends(self, *, deadline: float, stop: threading.Event) -> bool:
        """Wait for its end, or bring it about; return false where its time was over."""
        stopped = False
        while not self.too_much and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(min(left, _LOOK_EVERY_S))
                self._look()
                return not self.too_much
            self._look()
            if stop.is_set() and not stopped:
                stopped, deadline = True, min(deadline, time.monotonic() + _GRACE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # not reaped yet: the number is its own
        self.process.wait()
        return stopped

    def _look(self) -> None:
        self.too_much = os.fstat(self.printed.fileno()).st_size > self.most


def _start_of(file: IO[bytes], most: int) -> bytes:
    file.seek(0)
    return file.read(most)
