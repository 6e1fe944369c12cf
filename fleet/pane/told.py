"""Leaving an agent's status reports in the spool, as fleet-hook does, and never a flood of them."""

import posix as os
import time

from fleet.pane.osc import Pace
from fleet.pane.plain import may_fail

NAME = "status-report"  # which stands where a hook's name does


class Told:
    """Writes each report at once, or the newest of too many as soon as it may."""

    def __init__(self, home: bytes, run: bytes) -> None:
        self._spool, self._run = home + b"/spool/", run
        self._newest = b""
        self._at = 0
        self._pace = Pace(burst=10, every_s=0.5)

    def hear(self, report: bytes) -> None:
        self._newest, self._at = report, time.time_ns()
        self.look()

    def look(self) -> float | None:
        """Write what may be written by now; return the seconds until there is more to write."""
        now = time.monotonic()
        if not self._newest:
            return None
        if not self._pace.take(now):
            return self._pace.wait(now)
        self.settle()
        return None

    def settle(self) -> None:
        """Write what waits, whether or not it is its time."""
        if self._newest:
            head = self._run + f"\n{NAME}\n{self._at}\n".encode()
            with may_fail:  # the disk is full: an agent never stands still for that
                _leave(self._spool, f"{self._at}.{os.getpid()}".encode(), head + self._newest)
        self._newest = b""


def _leave(folder: bytes, name: bytes, content: bytes) -> None:
    """Write a file whole or not at all, readable by us alone."""
    draft = folder + b"." + name
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        whole = os.write(file, content) == len(content)
    except OSError:
        whole = False
    os.close(file)
    if whole:
        os.rename(draft, folder + name)
    else:
        os.unlink(draft)
