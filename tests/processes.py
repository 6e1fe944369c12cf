"""The living processes whose command line names something, read as quickly as can be."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def naming(directory: Path) -> list[int]:
    """Return the processes that have `directory` in their command line; zombies have none."""
    name = os.fsencode(directory)
    return [pid for pid, words in _command_lines() if name in words]


def alive(pid: int) -> bool:
    """Whether it runs, or a thread of it that has still to let go of sockets and locks."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" or len(list((process / "task").iterdir())) > 1
    except OSError:
        return False


def kill_all(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _command_lines() -> Iterator[tuple[int, bytes]]:
    for process in os.scandir("/proc"):
        if process.name.isdigit():
            with suppress(OSError):
                yield int(process.name), Path(process.path, "cmdline").read_bytes()
