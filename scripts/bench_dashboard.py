"""What the dashboard costs while a big fleet is busy: the real program on a terminal of its own.

The supervisor is scripts/pretend.py, which changes 40 of 200 tasks and draws the pane in view anew
four times a second. What is used is user and system time, of the program and all it has waited for.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
TASKS, CHANGING, COLUMNS, ROWS = 200, 40, 120, 40
TICKS = os.sysconf("SC_CLK_TCK")
SELECTED = "▌".encode()  # drawn where the selection is, and so after a key that moves it
FIRST = b"needs you"
LIMIT_S = 30.0
Row = dict[str, float]


@dataclass
class Dashboard:
    """The program, and the terminal's other end."""

    pid: int
    terminal: int
    began: float

    def until(self, words: bytes) -> float:
        """Read until `words` are drawn; return when that was."""
        seen, end = b"", time.perf_counter() + LIMIT_S
        while words not in seen:
            if not select.select([self.terminal], [], [], end - time.perf_counter())[0]:
                sys.exit(f"bench: the dashboard did not draw {words.decode()} in {LIMIT_S:.0f} s")
            seen = seen[-100:] + os.read(self.terminal, 1 << 16)
        return time.perf_counter()

    def drain(self, seconds: float) -> int:
        """Read for so long; return how many bytes were drawn."""
        drawn, end = 0, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.terminal], [], [], left)[0]:
                drawn += len(os.read(self.terminal, 1 << 16))
        return drawn

    def press(self, key: bytes) -> float:
        """Return how many seconds after a key the selection was drawn elsewhere."""
        began = time.perf_counter()
        os.write(self.terminal, key)
        return self.until(SELECTED) - began

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICKS

    def rss(self) -> float:
        """Return the most memory that it has had so far."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def terminal() -> dict[str, str]:
    """Return our environment on a terminal of many colours."""
    return os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@contextmanager
def pretended(work: Path) -> Iterator[dict[str, str]]:
    """Let a made-up supervisor serve; yield the environment in which it is found."""
    root = Path(tempfile.mkdtemp(prefix="d", dir=work))
    for name in ("home", "run"):
        (root / name).mkdir(mode=0o700)
    env = terminal() | {
        "FLEET_HOME": str(root / "home"),
        "XDG_RUNTIME_DIR": str(root / "run"),
        "XDG_CONFIG_HOME": str(root),
    }
    sizes = ("--tasks", str(TASKS), "--changing", str(CHANGING))
    argv = [sys.executable, str(ROOT / "scripts/pretend.py"), str(root / "home"), *sizes]
    made_up = subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL)
    try:
        end = time.perf_counter() + LIMIT_S
        while not any((root / "run").rglob("*.sock")) and time.perf_counter() < end:
            os.sched_yield()
        yield env
    finally:
        made_up.terminate()
        made_up.wait()


FLOOR = f"""
import os, tty
tty.setraw(0)
os.write(1, {FIRST!r})
while os.read(0, 9):
    os.write(1, {SELECTED!r})
"""


@contextmanager
def dashboard(env: dict[str, str], *argv: str) -> Iterator[Dashboard]:
    """Run `fleet`, or another program, on a new terminal."""
    program = argv or (str(ROOT / ".venv/bin/fleet"),)
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execve(program[0], program, env)
    try:
        yield Dashboard(pid, terminal, began)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def measure(env: dict[str, str], *, window: float, keys: int) -> Row:
    with dashboard(env) as shown:
        first = shown.until(FIRST) - shown.began
        first_cpu = shown.cpu()
        shown.drain(2.0)
        before, began = shown.cpu(), time.perf_counter()
        drawn = shown.drain(window)
        used = 100 * (shown.cpu() - before) / (time.perf_counter() - began)
        delays = pressed(shown, keys)
        return {
            "first paint s": first,
            "of it cpu s": first_cpu,
            "cpu %": used,
            "kB/s": drawn / window / 1000,
            "key ms p50": median(delays),
            "key ms p95": quantiles(delays, n=20)[-1],
            "rss MB": shown.rss(),
        }


def pressed(shown: Dashboard, keys: int) -> list[float]:
    """Return the milliseconds from each key to the line that it has moved."""
    delays = []
    for number in range(keys):
        delays.append(1000 * shown.press(b"j" if number % 20 < 10 else b"k"))
        shown.drain(0.11)  # no multiple of the beat
    return delays


def floor(env: dict[str, str], keys: int) -> Row:
    """What a program that does nothing but answer keys takes on this machine, now."""
    with dashboard(env, sys.executable, "-I", "-S", "-c", FLOOR) as shown:
        first = shown.until(FIRST) - shown.began
        delays = pressed(shown, keys)
    return {"floor paint s": first, "floor key p95": quantiles(delays, n=20)[-1]}


def run(work: Path, *, quick: bool) -> list[Row]:
    """Return medians of three runs, or of one."""
    window, keys, rounds = (5.0, 30, 1) if quick else (60.0, 100, 3)
    with pretended(work) as env:
        with dashboard(env) as once:
            once.until(FIRST)  # files are in memory now, as they are on any second start
        found = [measure(env, window=window, keys=keys) | floor(env, keys) for _ in range(rounds)]
    return [{name: median(row[name] for row in found) for name in found[0]}]
