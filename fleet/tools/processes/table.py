"""Looking at processes and signalling one of them: never another that got the same number."""

import contextlib
import os
import select
import signal
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from fleet.tools.processes import linux, portable
from fleet.tools.processes.model import Identity, Process, Usage


class System(Protocol):
    """What an operating system tells of its processes."""

    def one(self, pid: int) -> Process | None: ...

    def table(self) -> dict[int, Process]: ...

    def variable(self, pid: int, name: str) -> str | None: ...

    def holds(self, pid: int, names: Collection[str]) -> bool: ...

    def boot(self) -> str | None: ...


def choose(proc: Path) -> System:
    """Return the way to look at processes: the only place that chooses."""
    return linux if (proc / "self" / "stat").exists() else portable


system = choose(Path("/proc"))
_LOOK_EVERY_S = 0.02


def boot() -> str | None:
    """Return what tells this start of the machine from others; None where nothing does."""
    return system.boot()


def scan() -> dict[int, Process]:
    """Return every process on the machine by number, from one pass."""
    return system.table()


def identify(pid: int) -> Identity | None:
    """Return who has this number now; None if nobody alive has it."""
    process = system.one(pid)
    return process.identity if process and process.is_alive else None


def is_alive(identity: Identity) -> bool:
    """Tell whether this very process still runs; a zombie does not."""
    return identify(identity.pid) == identity


def usage(table: Mapping[int, Process], root_pids: Iterable[int]) -> dict[int, Usage]:
    """Return what the tree under each root uses; a root that is gone uses nothing."""
    children = by_parent(table)
    return {root: _sum(_tree(root, table, children)) for root in root_pids}


def by_parent(table: Mapping[int, Process]) -> Mapping[int, list[Process]]:
    """Return the living processes by their parent's number."""
    children: defaultdict[int, list[Process]] = defaultdict(list)
    for process in table.values():
        if process.is_alive:
            children[process.ppid].append(process)
    return children


def _tree(
    root: int, table: Mapping[int, Process], children: Mapping[int, list[Process]]
) -> list[Process]:
    found = [table[root]] if root in table and table[root].is_alive else []
    for process in found:  # which grows on the way
        found.extend(children.get(process.pid, ()))
    return found


def _sum(processes: list[Process]) -> Usage:
    return Usage(
        cpu_ticks=sum(process.cpu_ticks for process in processes),
        rss_bytes=sum(process.rss_bytes for process in processes),
        processes=len(processes),
    )


def send(identity: Identity, *signals: int) -> None:
    """Signal exactly this process, if it is still there and we may; else do nothing."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if not hasattr(os, "pidfd_open"):
            for signum in signals if is_alive(identity) else ():
                os.kill(identity.pid, signum)
            return
        handle = os.pidfd_open(identity.pid)
        try:  # the handle is this process's for ever, so what is checked now stays true
            for signum in signals if is_alive(identity) else ():
                signal.pidfd_send_signal(handle, signum)
        finally:
            os.close(handle)


def wait_gone(identity: Identity, timeout_s: float) -> bool:
    """Wait until this process has ended; false if it has not within `timeout_s` seconds."""
    if not hasattr(os, "pidfd_open"):
        return _look_until_gone(identity, time.monotonic() + timeout_s)
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return True
    try:
        if not is_alive(identity):
            return True
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(max(timeout_s, 0.0) * 1000))
    finally:
        os.close(handle)


def _look_until_gone(identity: Identity, deadline: float) -> bool:
    while is_alive(identity):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_EVERY_S)  # nothing here tells of the end of someone else's child
    return True
