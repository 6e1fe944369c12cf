"""The process table as Linux shows it in /proc."""

import contextlib
import os
from collections.abc import Collection

from fleet.tools.processes.model import Process

_PAGE = os.sysconf("SC_PAGE_SIZE")
_CHUNK = 65_536


def one(pid: int) -> Process | None:
    """Return the process of this number, which may be a zombie."""
    stat = _content(f"/proc/{pid}/stat")
    if not stat:
        return None
    # The name stands in brackets and may hold anything, brackets too.
    fields = stat.rpartition(b")")[2].split()
    return Process(
        pid=pid,
        state=fields[0].decode(),
        ppid=int(fields[1]),
        pgid=int(fields[2]),
        session=int(fields[3]),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        start=int(fields[19]),
        rss_bytes=int(fields[21]) * _PAGE,
    )


def table() -> dict[int, Process]:
    """Return all processes by number: 16 ms for 1,000 of them, a quarter of what psutil takes."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names only
    return {process.pid: process for pid in pids if (process := one(pid))}


def variable(pid: int, name: str) -> str | None:
    """Return a variable of the environment that the process was started with."""
    wanted = os.fsencode(f"{name}=")
    environ = _content(f"/proc/{pid}/environ")
    if wanted in environ:
        for entry in environ.split(b"\0"):
            if entry.startswith(wanted):
                return os.fsdecode(entry.removeprefix(wanted))
    return None


def holds(pid: int, names: Collection[str]) -> bool:
    """Tell whether the process has one of these open: a real path, or `pipe:[inode]`."""
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if os.readlink(entry.path).removesuffix(" (deleted)") in names:  # noqa: PTH115 - fast
                    return True
    return False


def boot() -> str | None:
    """Return the name of this start of the machine."""
    return _content("/proc/sys/kernel/random/boot_id").decode().strip() or None


def _content(path: str) -> bytes:
    """Return what a file of /proc holds; pathlib takes twice as long, hundreds of times a look."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # it ended meanwhile, or belongs to another user
        return b""
    try:
        parts = []
        while part := os.read(handle, _CHUNK):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(handle)
