"""Notes what a landing may leave behind if it is killed, and removes that and nothing else."""

import os
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

from fleet.errors import ToolError
from fleet.tools.git.refs import is_open

TOKEN = "FLEET_LANDING"  # noqa: S105 - a mark in the environment of each git that lands a change
_PATIENCE_S = 60.0


class Journal(msgspec.Struct, frozen=True):
    """What is written before a landing begins: all that it may leave behind if it is killed.

    `between` are the commits of the changes that land in the same move as that of `commit`.
    `missing` are the files that they touch and that `checkout` lacked already then.
    """

    commit: str
    parent: str
    locks: tuple[str, ...]
    checkout: str | None = None
    missing: tuple[str, ...] = ()
    between: tuple[str, ...] = ()


def write_journal(path: Path, journal: Journal) -> None:
    """Write `journal`, whole or not at all; it is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with open(handle, "wb") as file:  # noqa: PTH123 - it is open already
        file.write(msgspec.json.encode(journal))
        file.flush()
        os.fsync(file.fileno())
    Path(name).rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_journal(path: Path) -> Journal | None:
    """Return the journal at `path`, or None where no landing was begun.

    Raises:
        ToolError: it cannot be understood.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Journal)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ToolError(f"the landing journal {path} cannot be read: {error}") from error


def await_end(token: str, *, patience_s: float = _PATIENCE_S) -> None:
    """Return once no process is left whose environment holds `token` as `TOKEN`.

    A git that outlives its supervisor does no harm: it finishes what it was told to do.

    Raises:
        ToolError: one is still there after `patience_s` seconds.
    """
    deadline = time.monotonic() + patience_s
    while alive := _carriers(token):
        if time.monotonic() > deadline:
            raise ToolError(
                f"git (process {alive[0].pid}) of an earlier landing is still at work",
                hint=f"wait for it, or end it: kill {alive[0].pid}",
            )
        # Not longer: an orphan that nobody reaps never ends for psutil.
        psutil.wait_procs(alive, timeout=min(patience_s, 0.2))


def remove_locks(journal: Journal, *, since_ns: int) -> None:
    """Remove the lock files that the landing of `journal` left; its processes must be gone.

    Ours is a lock that is named in the journal, is not older than `since_ns`, that no process
    holds open, and whose content, for a reference, is a value that the landing would write.

    Raises:
        ToolError: another lock is in the way; it stays.
    """
    locks = [lock for name in journal.locks if (lock := Path(name)).exists()]
    foreign = [lock for lock in locks if not _is_ours(lock, journal, since_ns=since_ns)]
    for lock in locks:
        if lock not in foreign:
            lock.unlink(missing_ok=True)
    if foreign:
        raise ToolError(
            f"{foreign[0]} was not made by fleet, and is in the way of a landing",
            hint=f"wait for the git command that made it; if none runs, remove {foreign[0]}",
        )


def _carriers(token: str) -> list[psutil.Process]:
    # What ended has no environment, even if nobody has asked for its exit code yet.
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(TOKEN) == token
    ]


def _is_ours(lock: Path, journal: Journal, *, since_ns: int) -> bool:
    if lock.stat().st_mtime_ns < since_ns or is_open(lock):
        return False
    if lock.name in {"index.lock", "packed-refs.lock"}:
        return True
    said = lock.read_text(errors="replace").strip()
    return any(
        value.startswith(said) for value in (journal.commit, journal.parent, *journal.between)
    )
