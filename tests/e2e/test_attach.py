"""A person joins an agent's pane and finds the way back, outside their own tmux and inside it."""

import contextlib
import os
import pty
import shlex
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import libtmux
import psutil
import pytest
from place import FLEET, Place
from waiting import until

pytestmark = pytest.mark.slow

WAY_BACK = b"\x11"  # Ctrl-Q
AGENT = "echo i am here; read line; echo heard $line; sleep 100"


class Terminal:
    """A terminal in which a program runs."""

    def __init__(self, place: Place, *argv: str) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 120))
        os.set_blocking(self._ours, False)
        self.program = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=place.repo,
            env=place.env | {"TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = b""

    def sees(self, text: str) -> bool:
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self._ours, 65536):
                self._seen += data
        return text.encode() in self._seen

    def types(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def presses(self, key: bytes, *, until_it_sees: str) -> None:
        """Press a key as a person would: again, where nothing happened for a second or two."""
        for _ in range(15):
            with contextlib.suppress(OSError):  # the program ended meanwhile
                self.types(key)
            with contextlib.suppress(AssertionError):
                until(lambda: self.sees(until_it_sees), timeout=2)
                return
        raise AssertionError(f"never saw {until_it_sees}: {self._seen[-500:]!r}")

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._ours)


@contextmanager
def attached(place: Place) -> Iterator[Terminal]:
    terminal = Terminal(place, *FLEET, "attach", "one")
    try:
        yield terminal
    finally:
        terminal.close()


def test_outside_tmux(place: Place) -> None:
    place.spawn("one", AGENT)
    place.becomes("one", "working")

    with attached(place) as terminal:
        until(lambda: terminal.sees("i am here"))
        assert terminal.sees("the way back: C-q or C-b d")
        terminal.types(b"hello\r")
        until(lambda: terminal.sees("heard hello"))
        terminal.presses(WAY_BACK, until_it_sees="[detached")

        assert terminal.program.wait(5) == 0
    assert place.becomes("one", "working")


@pytest.fixture
def theirs(place: Place) -> Iterator[libtmux.Server]:
    """A person's own tmux server, whose prefix is our way back."""
    server = libtmux.Server(socket_path=place.root / "theirs", config_file="/dev/null")
    server.new_session("mine", x=150, y=40)
    server.cmd("set-option", "-g", "prefix", "C-q")
    process = psutil.Process(int(server.cmd("display-message", "-p", "#{pid}").stdout[0]))
    yield server
    server.kill()
    process.wait(5)
    (place.root / "theirs").unlink(missing_ok=True)


def test_inside_tmux(place: Place, theirs: libtmux.Server) -> None:
    place.spawn("one", AGENT)
    place.becomes("one", "working")

    def windows() -> list[str]:
        return list(theirs.cmd("list-windows", "-F", "#{window_name}").stdout)

    before = windows()
    theirs.cmd("send-keys", shlex.join([*FLEET, "attach", "one"]), "Enter")
    until(lambda: windows() == [*before, "one"])

    def shown() -> str:
        return "\n".join(theirs.cmd("capture-pane", "-p", "-t", ":one").stdout)

    until(lambda: "i am here" in shown() and "back to fleet: C-b d" in shown())
    theirs.cmd("send-keys", "-t", ":one", "C-b", "d")
    until(lambda: windows() == before)

    assert place.becomes("one", "working")


def test_one_that_has_ended_has_no_pane(place: Place) -> None:
    place.spawn("one", "echo hi >a.txt", "--check", "true")
    place.becomes("one", "review")

    with attached(place) as terminal:
        until(lambda: terminal.sees("one has no pane now"))
        assert terminal.program.wait(5) == 1
