"""A terminal of the agent's own, between it and the pane's: only status reports do not pass.

A thread copies both ways and never waits for one side on behalf of the other; so the keeper, which
waits for signals meanwhile, is what it is without all this.
"""

import _thread
import fcntl
import posix as os
import select
import termios
import time

from fleet.pane.osc import QUERY, Pace, Sieve, body
from fleet.pane.plain import may_fail
from fleet.pane.told import Told

TYPE_CHECKING = False  # importing it takes 4 ms
if TYPE_CHECKING:
    from typing import Any

_CHUNK = 65536
_FULL = 65536  # bytes under way in one direction, beyond which no more are read
_DRAIN_S = 1.0  # without a byte that got through, after which nobody reads the pane
_IN, _OUT = 0, 1


def opened(told: Told) -> "Terminal | None":
    """Return a terminal for the agent; None where there is no pane, or the system has no more."""
    try:
        return Terminal(told) if os.isatty(_IN) and os.isatty(_OUT) else None
    except (OSError, termios.error):
        return None


class Terminal:
    """The agent's terminal, which this process leads: `agents` is its end of it."""

    def __init__(self, told: Told) -> None:
        self._mode = termios.tcgetattr(_IN)
        self._ours, self.agents = os.openpty()
        self._told, self._sieve = told, Sieve()
        self._answers = Pace(burst=10, every_s=1.0)  # an agent may echo them as further queries
        self._to_agent = self._to_pane = b""
        self._moved = 0
        self._lock, self._copying = _thread.allocate_lock(), _thread.allocate_lock()
        termios.tcsetattr(self.agents, termios.TCSANOW, self._mode)
        self.resize()
        os.setsid()
        fcntl.ioctl(self.agents, termios.TIOCSCTTY, 0)
        for end in (_IN, _OUT, self._ours):
            os.set_blocking(end, False)
        termios.tcsetattr(_IN, termios.TCSANOW, _raw(self._mode))

    def enter(self) -> None:
        """Make this process, just forked, one that knows of no other terminal."""
        for number in range(3):
            os.dup2(self.agents, number)

    def resize(self) -> None:
        """Give the agent's terminal the size of the pane; the kernel tells who runs in it."""
        with may_fail, self._lock:
            if self._ours >= 0:
                size = fcntl.ioctl(_IN, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)

    def start(self) -> None:
        """Begin to copy; from here on this process must not fork."""
        self._copying.acquire()
        _thread.start_new_thread(self._copy, ())

    def finish(self) -> None:
        """Return once all that was written is shown, and leave the pane as it was found."""
        os.close(self.agents)
        moved = -1
        while not self._copying.acquire(timeout=_DRAIN_S) and moved != self._moved:
            moved = self._moved
        try:
            termios.tcsetattr(_IN, termios.TCSANOW, self._mode)
        except termios.error:
            return  # the pane is gone

    def _copy(self) -> None:
        try:
            with may_fail:  # the pane was hung up: closing our end does the same to the agent
                self._exchange()
            self._told.settle()
        finally:
            with self._lock:
                os.close(self._ours)
                self._ours = -1
            self._copying.release()

    def _exchange(self) -> None:
        """Copy until the agent's side has ended and all of it is shown."""
        going = True
        while going or self._to_pane:
            ready = self._ready(going=going)
            if self._ours in ready:
                going = self._from_agent()
            if _IN in ready:
                self._from_pane()
            self._to_pane = self._write(_OUT, self._to_pane)
            if going:
                self._to_agent = self._write(self._ours, self._to_agent)

    def _ready(self, *, going: bool) -> set[int]:
        poll, left_s = select.poll(), self._told.look()
        if going:
            wanted = select.POLLIN * (len(self._to_pane) < _FULL)
            wanted |= select.POLLOUT * bool(self._to_agent)
            if wanted:  # else a hang-up would wake us again and again
                poll.register(self._ours, wanted)
            if len(self._to_agent) < _FULL:
                poll.register(_IN, select.POLLIN)
        if self._to_pane:
            poll.register(_OUT, select.POLLOUT)
        return {end for end, _ in poll.poll(None if left_s is None else left_s * 1000 + 1)}

    def _from_agent(self) -> bool:
        """Take what the agent wrote, and return whether there may be more of it."""
        try:
            data = os.read(self._ours, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:  # nobody has its end open any more
            data = b""
        if not data:
            self._to_pane += self._sieve.rest()
            return False
        passed, taken = self._sieve.feed(data)
        self._to_pane += passed
        for sequence in taken:
            self._take(sequence)
        return True

    def _take(self, sequence: bytes) -> None:
        report = body(sequence)
        if not report.startswith(QUERY):
            self._told.hear(report)
        elif report == QUERY and self._answers.take(time.monotonic()):
            self._to_agent += sequence

    def _from_pane(self) -> None:
        try:
            data = os.read(_IN, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            raise OSError("the pane is gone")
        self._to_agent += data

    def _write(self, end: int, data: bytes) -> bytes:
        """Write what `end` takes now, and return what is left."""
        if not data:
            return data
        try:
            written = os.write(end, data)
        except BlockingIOError:
            return data
        self._moved += written
        return data[written:]


def _raw(mode: "list[Any]") -> "list[Any]":
    """Return a mode of the pane's terminal in which every byte passes as it is."""
    kept_in, out, control, local, *speeds, keys = mode
    kept_in &= ~(termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR)
    kept_in &= ~(termios.IGNCR | termios.ICRNL | termios.IXON)
    local &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    control = control & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    keys = [*keys]
    keys[termios.VMIN], keys[termios.VTIME] = 1, 0
    return [kept_in, out & ~termios.OPOST, control, local, *speeds, keys]
