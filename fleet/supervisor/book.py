"""The state and the ledger it is folded from, kept in step; nobody is told before the disk is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from fleet.core import events as e
from fleet.core.model import Fleet
from fleet.core.reducer import reduce
from fleet.ledger import Ledger

Watcher = Callable[[Sequence[e.Entry]], None]


class Book:
    """Records facts and folds them; `fleet` is what they come to."""

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._ledger, self._now = ledger, now
        self._watchers: list[Watcher] = []
        self._untold: list[e.Entry] = []
        self._open = False
        self.fleet = Fleet()
        for entry in ledger.entries():
            self.fleet = reduce(self.fleet, entry)

    def append(self, events: Sequence[e.AnyEvent], actor: str) -> None:
        """Put facts on disk, fold them, and tell whoever watches.

        Raises:
            HomeError: the disk is full or fails; nothing was recorded and nothing folded.
        """
        if not events:
            return
        with self.together():
            entries = self._ledger.append(events, at=self._now(), actor=actor)
            for entry in entries:
                self.fleet = reduce(self.fleet, entry)
            self._untold.extend(entries)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Wait for the disk once for all that is appended inside, and only then tell anyone."""
        if self._open:
            yield
            return
        before, self._open = self.fleet, True
        try:
            with self._ledger.together():
                yield
        except BaseException:
            self.fleet = before  # as the ledger has it
            self._untold.clear()
            raise
        finally:
            self._open = False
        self._tell()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with every batch of new entries, until the returned function is called."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def entries(self, after: int) -> list[e.Entry]:
        """Return what the ledger holds after `after`."""
        return list(self._ledger.entries(after))

    def _tell(self) -> None:
        entries, self._untold = self._untold, []
        for watcher in tuple(self._watchers) if entries else ():
            watcher(entries)
