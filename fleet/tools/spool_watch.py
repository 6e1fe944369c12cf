"""Wakes an event loop when a report arrives in the spool: by inotify, elsewhere by looking."""

import contextlib
import ctypes
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_IN_MOVED_TO = 0x80  # how fleet-hook's file gets its name, and so is whole
_LOOK_EVERY_S = 0.25


class SpoolWatch:
    """Give `fileno()` to a loop's `add_reader`; when it is readable, `drain()` and read the spool.

    One wake-up may stand for many reports, and may be spurious.
    """

    def __init__(self, spool: Path, *, inotify: bool = True) -> None:
        self._spool = spool
        self._seen = self._changed()
        self._closing = threading.Event()
        self._looker: threading.Thread | None = None
        self._ends: tuple[int, ...] = ()
        if inotify:
            self._ends = _inotify(spool)
        if not self._ends:
            self._ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            self._looker = threading.Thread(target=self._look, name="spool", daemon=True)
            self._looker.start()

    def fileno(self) -> int:
        return self._ends[0]

    def drain(self) -> None:
        """Forget all wake-ups so far; call it before reading the spool."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._ends[0], 65536):
                pass

    def close(self) -> None:
        self._closing.set()
        if self._looker:
            self._looker.join()
        for end in self._ends:
            os.close(end)
        self._ends = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _look(self) -> None:
        while not self._closing.wait(_LOOK_EVERY_S):  # nothing tells of a change here
            now = self._changed()
            if now != self._seen:
                self._seen = now
                with contextlib.suppress(BlockingIOError):
                    os.write(self._ends[1], b"!")

    def _changed(self) -> int:
        try:
            return self._spool.stat().st_mtime_ns
        except OSError:
            return 0


def _inotify(spool: Path) -> tuple[int, ...]:
    """Return a descriptor that is readable after a rename into `spool`, or nothing."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "inotify_init1"):
        return ()
    watch: int = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if watch < 0:  # the user's limit of such watches is reached
        return ()
    if library.inotify_add_watch(watch, os.fsencode(spool), _IN_MOVED_TO) < 0:
        os.close(watch)
        return ()
    return (watch,)
