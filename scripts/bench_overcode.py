"""The dashboard beside overcode's, each with twenty shell agents that print a line a second.

overcode comes from PyPI and needs Python 3.12. It starts `claude`, in whose place a shell script
prints. Where it cannot be had, the figures say so.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench_dashboard import TICKS, Dashboard, dashboard
from others import install

AGENTS = 20
VERSION = "0.6.2"
NEEDS_PYTHON = "not installed: needs Python 3.12"
PYTHONS = ("python3.12", "python3.13", "python3.14")
PRINTS = "i=0; while :; do i=$((i+1)); echo line $i; sleep 1; done"
LAUNCH_S = 180
Row = dict[str, Any]


@dataclass(frozen=True)
class Shown:
    """A dashboard to be measured: how it is started, and what its first picture has."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    first: bytes
    root: Path  # that its processes carry in their environment
    waiting: Callable[[], int]  # how many agents it says need a person


def measure(shown: Shown, *, window: float) -> Row:
    with dashboard(dict(shown.env), *shown.argv) as screen:
        first = screen.until(shown.first) - screen.began
        screen.drain(10.0)
        mine, all_, began = tree(screen), sum(carrying(shown.root).values()), time.perf_counter()
        screen.drain(window)
        lasted = time.perf_counter() - began
        return {
            "first paint s": first,
            "cpu %": 100 * (tree(screen) - mine) / lasted,
            "all cpu %": 100 * (sum(carrying(shown.root).values()) - all_) / lasted,
            "rss MB": screen.rss(),
            "shown waiting": shown.waiting(),
        }


def used(pid: int) -> float:
    """Seconds that a process and those it has waited for have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def tree(screen: Dashboard) -> float:
    """Return what a dashboard has used, with all that it has started."""
    left, total = [screen.pid], 0.0
    while left:
        pid = left.pop()
        with suppress(OSError):
            total += used(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                left += [int(child) for child in children.read_text().split()]
    return total


def carrying(root: Path) -> dict[int, float]:
    """Return what every process has used that has `root` in its environment: agents, too."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(f"{root}/") in (entry / "environ").read_bytes():
                found[int(entry.name)] = used(int(entry.name))
    found.pop(os.getpid(), None)
    return found


# --- overcode ------------------------------------------------------------------------------------


def installed() -> Path | str:
    """Return the program, installed where it was not; or why it cannot be had."""
    python = next(filter(None, map(_python, PYTHONS)), None)
    return install("overcode", VERSION, python) if python else NEEDS_PYTHON


def _python(name: str) -> str | None:
    """Return the interpreter itself: a name in PATH may be a shim for one that is not there."""
    places = [*os.environ["PATH"].split(os.pathsep)]
    places += map(str, Path(os.environ.get("PYENV_ROOT", "/")).glob("versions/*/bin"))
    asked = ("-I", "-c", "import sys; print(sys.version_info >= (3, 12) and sys.executable)")
    for place in places:
        if (program := Path(place) / name).exists():
            ran = subprocess.run([program, *asked], capture_output=True, text=True, check=False)
            if ran.stdout.startswith("/"):
                return ran.stdout.strip()
    return None


@contextmanager
def theirs(work: Path, program: Path) -> Iterator[Shown]:
    """Let overcode have the agents, and end all of it."""
    root = Path(tempfile.mkdtemp(prefix="o", dir=work))
    (root / "claude").write_text(f"#!/bin/sh\n{PRINTS}\n")
    (root / "claude").chmod(0o755)
    env = {
        **{name: os.environ[name] for name in ("LC_ALL", "GIT_CONFIG_NOSYSTEM")},
        "PATH": f"{root}:{os.environ['PATH']}",
        "HOME": f"{root}/",
        "TMPDIR": f"{root}/",
        "TMUX_TMPDIR": f"{root}/",
        "OVERCODE_DIR": f"{root}/overcode",
        "OVERCODE_TMUX_SOCKET": "bench",
        "OVERCODE_NO_USAGE_FETCH": "1",
        "CLAUDE_COMMAND": f"{root}/claude",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    repo = root / "repo"
    subprocess.run(["git", "init", "-q", repo], check=True)
    launch = (str(program), "launch", "--directory", str(repo), "--name")
    quiet: dict[str, Any] = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        begun = [subprocess.Popen([*launch, f"agent-{n}"], **quiet) for n in range(AGENTS)]
        for one in begun:
            one.wait(LAUNCH_S)
        new = ("tmux", "-L", "bench", "new-session", "-d", "-t", "agents", "-s", "shown")
        subprocess.run(new, check=True, **quiet)

        def waiting() -> int:
            listed = subprocess.run(
                [program, "list"], env=env, capture_output=True, text=True, check=False
            )
            return listed.stdout.count("\N{LARGE RED CIRCLE}")

        argv = (str(program), "monitor", "--sync-target", "shown")
        yield Shown(argv, env, b"agent-1", root, waiting)
    finally:
        for _ in range(10):  # what one of them has just started is seen by the next look
            for pid in carrying(root):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def other(work: Path, like: Row, *, quick: bool) -> Row:
    """Return overcode's row, or one like ours that says why there is none."""
    program = installed()
    if isinstance(program, str):
        return dict.fromkeys(like, "-") | {"dashboard": f"overcode {program}"}
    with theirs(work, program) as shown:
        return row("overcode", shown, quick=quick)


def row(name: str, shown: Shown, *, quick: bool) -> Row:
    """Return medians of three runs, or of one."""
    window, rounds = (10.0, 1) if quick else (60.0, 3)
    found = [measure(shown, window=window) for _ in range(rounds)]
    figures = {key: median(one[key] for one in found) for key in found[0]}
    return {"dashboard": name, "agents": AGENTS, **figures}
