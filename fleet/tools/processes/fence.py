"""Fencing: a run's processes are found by what we gave them, and ended until none is left."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from fleet.errors import ToolError
from fleet.paths import RunDir
from fleet.tools.processes import marks
from fleet.tools.processes.model import Identity, Process
from fleet.tools.processes.table import by_parent, scan, send, system, wait_gone

_SURVIVAL_S = 10.0  # what outlives SIGKILL so long is stuck in the kernel
_SLICE_S = 0.25  # in which new children of processes that are ending are noticed
_SHIM_MARGIN_S = 1.5  # fleet-pane ends its tree by itself, and writes how it ended


class Mark(Struct, frozen=True):
    """How the processes of a run, a check, or many of them are known.

    `sessions` may name only sessions whose leader the caller has not reaped. What started before
    `since` (in clock ticks, as `Identity.start`) is none of them, and is not looked at closely.
    """

    prefix: str
    variable: str = marks.RUN
    open_names: frozenset[str] = frozenset()
    shims: frozenset[Identity] = frozenset()
    sessions: frozenset[int] = frozenset()
    spare: frozenset[int] = frozenset()
    since: int = 0


class Found(Struct):
    """Living processes: each fleet-pane, what it will end by itself, and what only we can end.

    `parents` are those that have a fleet-pane for a child: tmux, which is none of ours to end.
    """

    shims: set[Identity] = set()
    parents: set[int] = set()
    below: set[Identity] = set()
    others: set[Identity] = set()

    def __contains__(self, one: Identity) -> bool:
        return one in self.shims or one in self.below or one in self.others

    @property
    def all(self) -> set[Identity]:
        return self.shims | self.below | self.others


class Fenced(Struct, frozen=True):
    """None of the processes is left; `ended` had to be ended."""

    ended: int


def members(
    run_prefix: str, *, rundirs: Sequence[RunDir] = (), spare: Collection[int] = ()
) -> set[Identity]:
    """Return every process of the runs whose token begins with `run_prefix`.

    Those are fleet-pane and its descendants, processes that carry the token or hold the run's
    `alive` file open, and their descendants; never ourselves, our ancestors, the parent of a
    fleet-pane (tmux), the pids in `spare`, or what carries the token of another run. What has an
    empty environment and no open file, after both processes of fleet-pane were killed at once, is
    not found.
    """
    return find(_run_mark(run_prefix, rundirs, spare)).all


def fence(
    run_prefix: str, *, rundirs: Sequence[RunDir], grace_s: float, spare: Collection[int] = ()
) -> Fenced:
    """End every process of these runs, and return once two looks in a row found none.

    The launch files are removed first, so that a pane which has not read its own never starts.

    Raises:
        ToolError: a process outlived SIGKILL by ten seconds.
    """
    for rundir in rundirs:
        rundir.launch.unlink(missing_ok=True)
    spared = set(spare)

    def look() -> Found:
        found = find(_run_mark(run_prefix, rundirs, spared))
        spared.update(found.parents)  # also when their fleet-pane is gone, at the next look
        return found

    return end(look, grace_s)


def fence_check(token_prefix: str, *, alive: Sequence[Path] = (), grace_s: float = 1.0) -> Fenced:
    """End what checks left behind when their supervisor was killed; as `fence`."""
    return end(lambda: find(check_mark(token_prefix, alive)), grace_s)


def check_mark(token_prefix: str, alive: Sequence[Path]) -> Mark:
    return Mark(token_prefix, variable=marks.CHECK, open_names=held(alive))


def held(files: Sequence[Path]) -> frozenset[str]:
    """Return the real paths of those files that some process has locked and so holds open."""
    return frozenset(str(file.resolve()) for file in files if _is_locked(file))


def _is_locked(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def shim(rundir: RunDir) -> Identity | None:
    """Return the fleet-pane that started this run, dead or alive."""
    try:
        told = json.loads(rundir.started.read_bytes())
        return Identity(int(told["pid"]), int(told["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _run_mark(prefix: str, rundirs: Sequence[RunDir], spare: Collection[int]) -> Mark:
    return Mark(
        prefix,
        open_names=held([rundir.alive for rundir in rundirs]),
        shims=frozenset(filter(None, map(shim, rundirs))),
        spare=frozenset(spare),
    )


def find(mark: Mark) -> Found:
    """Return the living processes that bear the mark, with their descendants."""
    if not mark.prefix.strip(":"):
        raise ValueError("a mark must name a fleet home at least")
    table = scan()
    living = {process.identity for process in table.values() if process.is_alive}
    shims = {one.pid for one in mark.shims & living}
    parents = {table[pid].ppid for pid in shims}
    found = Found(shims={table[pid].identity for pid in shims}, parents=parents)
    passed_over = mark.spare | _ancestry(table) | parents
    children = by_parent(table)

    def collect(todo: list[Process], into: set[Identity]) -> None:
        while todo:
            process = todo.pop()
            known = process.identity in found or process.pid in passed_over
            if process.is_alive and not known and not _is_foreign(process, mark):
                into.add(process.identity)
                todo += children.get(process.pid, ())

    collect([child for pid in shims for child in children.get(pid, ())], found.below)
    collect([process for process in table.values() if _bears(process, mark)], found.others)
    return found


def _ancestry(table: Mapping[int, Process]) -> set[int]:
    found = {0, 1}
    pid = os.getpid()
    while pid in table and pid not in found:
        found.add(pid)
        pid = table[pid].ppid
    return found


def _bears(process: Process, mark: Mark) -> bool:
    if process.start < mark.since:
        return False
    value = system.variable(process.pid, mark.variable)
    return (
        (value is not None and marks.matches(value, mark.prefix))
        or process.session in mark.sessions
        or _holds(process, mark)
    )


def _holds(process: Process, mark: Mark) -> bool:
    # A child that another thread of ours has forked has all our files until it becomes a program.
    inherited = process.ppid == os.getpid()
    return bool(mark.open_names) and not inherited and system.holds(process.pid, mark.open_names)


def _is_foreign(process: Process, mark: Mark) -> bool:
    value = system.variable(process.pid, mark.variable)
    return value is not None and marks.is_foreign(value, mark.prefix)


def end(look: Callable[[], Found], grace_s: float) -> Fenced:
    """Signal what `look` finds until it finds nothing twice: SIGTERM, `grace_s`, SIGKILL.

    Raises:
        ToolError: a process outlived SIGKILL by ten seconds.
    """
    kill_at = time.monotonic() + grace_s
    ended: set[Identity] = set()
    quiet = 0
    while quiet < 2:  # noqa: PLR2004 - one look can miss a process that is just being forked
        found = look()
        quiet = 0 if found.all else quiet + 1
        now = time.monotonic()
        if now > kill_at + _SURVIVAL_S and found.all:
            raise _stuck(found.all)
        if now < kill_at + (_SHIM_MARGIN_S if found.shims else 0.0):
            _ask(found, already=ended)
        else:
            _kill(found)
        ended |= found.all
        _wait(found.all, min(_SLICE_S, max(kill_at - now, 0.0) or _SLICE_S))
    return Fenced(len(ended))


def _ask(found: Found, *, already: Collection[Identity]) -> None:
    for one in (found.shims | found.others).difference(already):
        send(one, signal.SIGTERM, signal.SIGCONT)


def _kill(found: Found) -> None:
    """Leave fleet-pane for last: it writes down how its tree ended."""
    for one in (found.below | found.others) or found.shims:
        send(one, signal.SIGKILL)


def _stuck(processes: set[Identity]) -> ToolError:
    pids = ", ".join(str(one.pid) for one in sorted(processes))
    return ToolError(
        f"cannot end process {pids}",
        hint=f"stuck in the kernel, or another user's: ps -o pid,user,stat,wchan -p {pids}",
    )


def _wait(processes: set[Identity], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for one in processes:
        wait_gone(one, deadline - time.monotonic())
