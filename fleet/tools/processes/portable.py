"""The process table where there is no /proc, by psutil: the same shape, at four times the cost."""

import os
from collections.abc import Collection

import psutil

from fleet.tools.processes.model import Process

_TICKS = os.sysconf("SC_CLK_TCK")
_STATES = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_DEAD: "X"}


def one(pid: int) -> Process | None:
    """Return the process of this number, which may be a zombie."""
    try:
        return _process(psutil.Process(pid))
    except (psutil.Error, OSError):
        return None


def table() -> dict[int, Process]:
    """Return all processes by number."""
    return {process.pid: process for pid in psutil.pids() if (process := one(pid))}


def variable(pid: int, name: str) -> str | None:
    """Return a variable of the environment that the process was started with."""
    try:
        return psutil.Process(pid).environ().get(name)
    except (psutil.Error, OSError):
        return None


def holds(pid: int, names: Collection[str]) -> bool:
    """Tell whether the process has one of these files open; pipes are not seen here."""
    try:
        return any(file.path in names for file in psutil.Process(pid).open_files())
    except (psutil.Error, OSError):
        return False


def boot() -> None:
    """Return nothing: here start times are times of day, and those never return."""


def _process(process: psutil.Process) -> Process:
    with process.oneshot():
        times = process.cpu_times()
        return Process(
            pid=process.pid,
            ppid=process.ppid(),
            pgid=os.getpgid(process.pid),
            session=os.getsid(process.pid),
            start=round(process.create_time() * _TICKS),
            state=_STATES.get(process.status(), "R"),
            cpu_ticks=round((times.user + times.system) * _TICKS),
            rss_bytes=process.memory_info().rss,
        )
