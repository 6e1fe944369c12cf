"""A person's desk: a terminal of 120x40 in a tmux of its own, read as text and driven by keys."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import libtmux
import psutil
from place import FLEET, Place
from waiting import until

from fleet.client import Client

SIZE = (120, 40)
LIMIT_S = 60.0
_FEW = 5
_END = "ended with code "
_RUN = f'"$@"; echo "{_END}$?"; exec cat'
_PLAIN = ("env", "-u", "COLUMNS", "-u", "LINES")  # what would be believed more than the terminal


class Desk:
    """One window of the tmux in which `argv` runs."""

    def __init__(self, server: libtmux.Server, name: str) -> None:
        self._server, self.name = server, name

    def open(self, argv: Sequence[str], place: Place) -> None:
        """Begin a window; it stays when its program has ended."""
        here = ("-t", f":={self.name}")
        self._tmux("new-window", "-d", "-n", self.name, "cat")
        self._tmux("resize-window", *here, "-x", str(SIZE[0]), "-y", str(SIZE[1]))
        self._tmux(
            "respawn-pane",
            "-k",
            *here,
            "-c",
            str(place.repo),
            shlex.join((*_PLAIN, "sh", "-c", _RUN, "sh", *argv)),
        )

    def _tmux(self, *words: str) -> list[str]:
        done = self._server.cmd(*words)
        assert not done.stderr, done.stderr
        return list(done.stdout)

    def text(self, *, window: str = "") -> str:
        """Return what is on the screen."""
        return "\n".join(self._tmux("capture-pane", "-p", "-t", f":={window or self.name}"))

    def sees(self, *words: str, without: Sequence[str] = (), window: str = "") -> str:
        """Return the screen once all of `words` and nothing of `without` stand on it."""
        return self._until(
            lambda seen: all(it in seen for it in words) and not any(it in seen for it in without),
            f"never {words} without {without}",
            window,
        )

    def _until(self, good: Callable[[str], bool], what: str, window: str = "") -> str:
        """Return the screen that is good; else tell how it has changed."""
        seen: list[str] = [""]

        def there() -> bool:
            seen.append(self.text(window=window))
            return good(seen[-1])

        try:
            until(there, timeout=LIMIT_S)
        except AssertionError:
            shown = list(dict.fromkeys(seen))
            raise AssertionError("\n".join((what, *shown[:_FEW], "...", *shown[-1:]))) from None
        return seen[-1]

    def press(self, *keys: str, window: str = "") -> None:
        """Press keys by their names in tmux."""
        self._tmux("send-keys", "-t", f":={window or self.name}", *keys)

    def type(self, text: str, *, window: str = "") -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-t", f":={window or self.name}", "-l", text)

    def windows(self) -> list[str]:
        """Return the names of all windows."""
        return self._tmux("list-windows", "-F", "#{window_name}")

    def opens(self, window: str) -> None:
        """Wait for a further window."""
        self._until(lambda _: window in self.windows(), f"no window {window}")

    def pid(self) -> int:
        """Return the process of the program."""
        shell = self._tmux("display-message", "-p", "-t", f":={self.name}", "#{pane_pid}")[0]
        (program,) = psutil.Process(int(shell)).children()
        return int(program.pid)

    def ended(self) -> int:
        """Wait until its program has ended, and return the exit code."""
        return int(self.sees(_END).rpartition(_END)[2].split()[0])


class Room:
    """A person's tmux, and the place that they work in."""

    def __init__(self, server: libtmux.Server, place: Place) -> None:
        self._server, self._place = server, place

    def dashboard(self, name: str = "board", *, apart: bool = False) -> Desk:
        """Open a dashboard in a window; `apart`: as if that were no tmux."""
        argv = ("env", "-u", "TMUX", "-u", "TMUX_PANE", *FLEET) if apart else FLEET
        return self.run(name, *argv)

    def run(self, name: str, *argv: str) -> Desk:
        """Run a program in a window."""
        desk = Desk(self._server, name)
        desk.open(argv, self._place)
        return desk


@contextmanager
def room(place: Place) -> Iterator[Room]:
    """Give a person's own tmux, which is gone afterwards with all that ran in it."""
    server = libtmux.Server(socket_path=place.root / "desk", config_file="/dev/null")
    server.new_session("mine")
    server.cmd("set-option", "-g", "automatic-rename", "off")
    server.cmd("set-option", "-s", "escape-time", "0")
    process = psutil.Process(int(server.cmd("display-message", "-p", "#{pid}").stdout[0]))
    try:
        yield Room(server, place)
    finally:
        inside = process.children(recursive=True)
        server.kill()
        process.wait(20)
        # A dashboard that is still leaving may start the supervisor once more: what it started is
        # up before it is told to end.
        psutil.wait_procs(inside, timeout=20)
        with Client.connect(place.home, start=True):
            place.clear()
        (place.root / "desk").unlink(missing_ok=True)
