"""Keeps one supervisor running: starts it, and starts it again when it dies, ever less often.

It imports little and does nothing but wait. `python -m fleet.supervisor.keeper HOME`.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fleet import paths
from fleet.supervisor.exit_codes import DONE, REFUSED, RESTART, RUNS_ALREADY

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 30.0
_HEALTHY_S = 60.0  # a supervisor that lived so long starts a new count of failures


def main(root: str) -> int:
    """Keep the supervisor of the home `root` until it goes down on purpose."""
    home = paths.Home(Path(root))
    paths.private_directory(home.root)
    failures = 0
    while not home.down.exists():  # who wants it up again removes that wish first
        with locked(home.keeper_lock, wait=False) as mine:
            if not mine:
                return DONE  # another keeper does it
            home.keeper_lock.write_text(str(os.getpid()))
            began = time.monotonic()
            code = _supervise(home)
            if code in (DONE, REFUSED) or home.down.exists():
                return code
        if code == RESTART:
            continue
        failures = 1 if time.monotonic() - began > _HEALTHY_S else failures + 1
        # Nobody can be waited for here: the pause is the purpose. Meanwhile the lock is free, so
        # that whoever cannot wait so long starts a keeper of their own.
        time.sleep(min(_FIRST_PAUSE_S * 2 ** (failures - 1), _LONGEST_PAUSE_S))
    return DONE


def _supervise(home: paths.Home) -> int:
    """Start a supervisor and return how it ended; where one runs already, wait for its end."""
    argv = [sys.executable, "-m", "fleet.supervisor", str(home.root)]
    code = subprocess.call(argv, stdin=subprocess.DEVNULL)
    if code == RUNS_ALREADY:
        with locked(home.supervisor_lock, wait=True):
            pass
    return code


@contextlib.contextmanager
def locked(file: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of `file`; where another process has it, wait for it or give False."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


def keeper_pid(home: paths.Home) -> int | None:
    """Return the process that last took the keeper's lock, None where nothing tells."""
    try:
        return int(home.keeper_lock.read_text())
    except (OSError, ValueError):
        return None


def ensure_keeper(home: paths.Home) -> None:
    """Start a keeper where none is: one that was killed is replaced by the one it kept."""
    if home.down.exists() or not home.keeper_lock.exists():
        return
    with locked(home.keeper_lock, wait=False) as nobody:
        if not nobody:
            return
    with home.log.open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "fleet.supervisor.keeper", str(home.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
