"""Real panes and the children that agents leave behind, for tests that must end them all."""

import json
import os
import signal
import subprocess
import sys
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
# As in every pane, unless it is to be measured: that needs site-packages and a module's name.
MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ
PROGRAM = ("-I", "-m", "fleet.pane") if MEASURED else ("-I", "-S", str(PANE))
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

    def shown(self) -> str:
        """What stood on the pane, once nobody can write there any more."""
        out, _ = self.process.communicate(timeout=20)
        return out.decode()

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


def _json(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def end_all(processes: Sequence[Identity]) -> None:
    for one in processes:
        send(one, signal.SIGKILL)
        assert wait_gone(one, 10)
