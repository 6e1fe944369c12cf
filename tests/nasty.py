"""Real panes and the children that agents leave behind, for tests that must end them all."""

import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from waiting import until

from fleet.paths import PANE, RunDir
from fleet.tools.processes.model import Identity
from fleet.tools.processes.table import identify, send, wait_gone

# What a descendant does to get away; STAY is a script that ignores what it can and stays.
ESCAPES = {
    "ignores signals": "sh STAY &",
    "setsid": "setsid sh STAY &",
    "double fork": "(setsid sh STAY &);",
    "nohup": "(nohup sh STAY >/dev/null 2>&1 &);",
    "empty environment": "(setsid env -i /bin/sh STAY &);",
    "closed files": "(setsid sh STAY closed &);",
    "nothing of ours": "(setsid env -i /bin/sh STAY closed &);",
}
# As it runs in every pane, unless it is to be measured: that needs site-packages, and an end that
# leaves time to write down what was seen.
MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ
_SLOWLY = """\
import _thread, sys, threading
from fleet.pane.main import main
start, trace = _thread.start_new_thread, threading.gettrace()
_thread.start_new_thread = lambda does, _: start(lambda: (sys.settrace(trace), does()), ())
sys.exit(main(sys.argv[1]))
"""
PROGRAM = ("-I", "-c", _SLOWLY) if MEASURED else PANE
_LEADS = """\
import fcntl, posix, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
posix.execv(sys.argv[1], sys.argv[1:])
"""
_STAY = """trap '' TERM HUP INT
[ -z "$1" ] || exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
echo $$ >{note}.new && mv {note}.new {note}
exec sleep 1000
"""


def escape(how: str, note: Path) -> str:
    """A shell command that starts such a child and waits until it is on its own."""
    stay = note.with_suffix(".sh")
    stay.write_text(_STAY.format(note=note))
    return f"{ESCAPES[how].replace('STAY', str(stay))} while ! [ -e {note} ]; do sleep 0.01; done"


def noted(note: Path) -> Identity:
    """Who wrote its number there, once it has."""
    until(note.exists)
    found = identify(int(note.read_text()))
    assert found is not None
    return found


class Pane:
    """A fleet-pane of our own, without tmux unless `start` is not called."""

    def __init__(self, root: Path, token: str = "home:task:1:nonce") -> None:
        root.mkdir(parents=True)
        self.rundir = RunDir(root)
        self.token = token
        self._started: subprocess.Popen[bytes] | None = None

    def launch(self, script: str, *, grace_s: float = 0.1, **other: Any) -> "Pane":
        asked = {
            "token": self.token,
            "argv": ["/bin/sh", "-c", script],
            "cwd": str(self.rundir.root),
            "env": {"PATH": os.environ["PATH"]},
            "grace_s": grace_s,
            "title": "",
        }
        self.rundir.launch.write_text(json.dumps(asked | other))
        return self

    def argv(self) -> list[str]:
        return [sys.executable, *PROGRAM, str(self.rundir.root)]

    def start(self, env: Mapping[str, str] | None = None) -> "Pane":
        self._started = subprocess.Popen(
            self.argv(), env=env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._started is not None
        return self._started

    def wait(self) -> int:
        return self.process.wait(20)

    def read(self) -> bytes:
        """What is written on the pane next, as soon as there is something; nothing at its end."""
        assert self.process.stdout is not None
        return os.read(self.process.stdout.fileno(), 65536)

    def written(self) -> bytes:
        """What is written on the pane, until nobody can write there any more."""
        whole = b""
        while more := self.read():
            whole += more
        return whole

    def shown(self) -> str:
        """The lines on the pane, once nobody can write there any more."""
        return self.written().decode().replace("\r\r\n", "\r\n")

    def started(self) -> dict[str, Any]:
        return _json(until(lambda: self.rundir.started if self.rundir.started.exists() else None))

    def ended(self) -> dict[str, Any]:
        return _json(until(lambda: self.rundir.exit if self.rundir.exit.exists() else None))

    def guard(self) -> Identity:
        told = self.started()
        return Identity(told["pid"], told["start"])

    def agent(self) -> Identity:
        told = self.started()
        return Identity(told["agent"], told["agent_start"])

    def keeper(self) -> int:
        children = Path(f"/proc/{self.guard().pid}/task/{self.guard().pid}/children")
        return int(children.read_text().split()[0])

    def close(self) -> None:
        if self._started is not None:
            self._started.terminate()
            self._started.communicate(timeout=20)


class PaneWithTerminal(Pane):
    """The same on a terminal, and the agent has one of its own between it and that."""

    def __init__(self, root: Path, token: str = "home:task:1:nonce") -> None:
        super().__init__(root, token)
        self.spool = root / "home" / "spool"
        self.spool.mkdir(parents=True)
        self.outer, self._inner = os.openpty()
        self.name = os.ttyname(self._inner)
        termios.tcsetwinsize(self._inner, (24, 80))

    def launch(self, script: str, *, grace_s: float = 0.1, **other: Any) -> "Pane":
        env = {"PATH": os.environ["PATH"]} | other.pop("env", {})
        env["FLEET_HOME"] = str(self.spool.parent)
        return super().launch(script, grace_s=grace_s, reports=True, env=env, **other)

    def start(self, env: Mapping[str, str] | None = None) -> "Pane":
        self._started = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LEADS, *self.argv()],
            env=env,
            stdin=self._inner,
            stdout=self._inner,
            stderr=self._inner,
            start_new_session=True,
        )
        os.close(self._inner)
        self._inner = -1
        return self

    def read(self) -> bytes:
        try:
            return os.read(self.outer, 65536)
        except OSError:
            return b""

    def types(self, keys: bytes) -> None:
        os.write(self.outer, keys)

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self.outer)
        self.outer = -1

    def reports(self) -> list[str]:
        """The reports in the spool so far, oldest first."""
        files = sorted(self.spool.iterdir(), key=lambda it: it.name)
        return [it.read_text().split("\n", 3)[3] for it in files if it.name[0] != "."]

    def close(self) -> None:
        if self._started is not None:
            self._started.terminate()
            self._started.wait(20)
        for end in (self.outer, self._inner):
            if end >= 0:
                os.close(end)


def _json(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def end_all(processes: Sequence[Identity]) -> None:
    for one in processes:
        send(one, signal.SIGKILL)
        assert wait_gone(one, 10)
