"""The worktrees in which checks are run on a tree: lent to one user at a time, and so many at once.

A worktree here holds nothing of value, and is made where it is missing. The one that was used
last is lent first: build caches and an index are warm in it.
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fleet.core.ids import RepoId
from fleet.errors import FleetError
from fleet.paths import Home
from fleet.tools.git.files import delete_trash
from fleet.tools.git.repository import Place
from fleet.tools.git.workspaces import drop

_LOOK_EVERY_S = 0.1  # a threading.Event cannot wake who waits for a condition


class GatePool:
    """The gate worktrees of all repositories of a home; safe to use from many threads.

    `place` finds a repository that is known already; worktrees of others are left alone.
    """

    def __init__(self, home: Home, place: Callable[[RepoId], Place | None]) -> None:
        self._home = home
        self._place = place
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()  # who came first is served first
        self._lent: set[Path] = set()
        self._leaving: set[Path] = set()  # being removed
        self._used: list[Path] = []  # since we run, the last one at the end

    @contextmanager
    def borrow(self, repo: RepoId, *, workers: int, stop: threading.Event) -> Iterator[Path | None]:
        """Lend the path of a worktree that nobody else uses until the block ends.

        At most `workers` are lent at once, over all repositories. Waits for one; gives None once
        `stop` is set before one came free. Whoever borrows sees that no process is left in it.
        """
        path = self._take(repo, workers, stop)
        try:
            if path is not None:
                self._remove([it for it in self._idle(repo) if not _within(it, workers)])
            yield path
        finally:
            if path is not None:
                self._give_back(path)

    def lent(self) -> int:
        """Return how many are in use."""
        return len(self._lent)

    def make_room(self, crowded: Collection[RepoId]) -> None:
        """Remove the idle worktrees of repositories that use too much disk, but for a warm one."""
        for repo in crowded:
            with self._changed:
                idle = sorted(self._idle(repo), key=self._warmth, reverse=True)
            self._remove(idle[1:])

    def _take(self, repo: RepoId, workers: int, stop: threading.Event) -> Path | None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not stop.is_set():
                    if self._waiting[0] is ticket and (path := self._free(repo, workers)):
                        self._lent.add(path)
                        return path
                    self._changed.wait(_LOOK_EVERY_S)
                return None
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _free(self, repo: RepoId, workers: int) -> Path | None:
        """Return the warmest worktree that is free, or the name of one to be made."""
        if len(self._lent) >= workers:
            return None
        names = (self._home.gate(repo, str(number)) for number in range(workers))
        free = [path for path in names if path not in self._lent | self._leaving]
        return max(free, key=self._warmth, default=None)

    def _warmth(self, path: Path) -> tuple[int, bool]:
        return (self._used.index(path) if path in self._used else -1, path.is_dir())

    def _give_back(self, path: Path) -> None:
        with self._changed:
            self._lent.discard(path)
            with suppress(ValueError):
                self._used.remove(path)
            self._used.append(path)
            self._changed.notify_all()

    def _idle(self, repo: RepoId) -> list[Path]:
        """Return the worktrees that are there and that nobody uses; nothing that is not ours."""
        root = self._home.gate(repo, "0").parent
        busy = self._lent | self._leaving
        return [it for it in root.glob("*") if it not in busy and _is_ours(it)]

    def _remove(self, paths: list[Path]) -> None:
        """Give the disk space of worktrees back, as far as nobody borrowed them meanwhile."""
        for path in paths:
            with self._changed:
                if path in self._lent | self._leaving:
                    continue
                self._leaving.add(path)
            try:
                self._drop(path)
            finally:
                with self._changed:
                    self._leaving.discard(path)
                    self._changed.notify_all()

    def _drop(self, path: Path) -> None:
        repo = RepoId(path.parent.name)
        place = self._place(repo)
        if place is None:
            return
        with suppress(FleetError):  # it is in nobody's way, and the next who borrows tries again
            drop(place, path, trash=self._home.trash, lock=self._home.worktree_lock(repo))
            delete_trash(self._home.trash)


def _within(path: Path, workers: int) -> bool:
    return path.name in {str(number) for number in range(workers)}


def _is_ours(path: Path) -> bool:
    """Whether it is a worktree: what is a repository of its own, or no directory, is not."""
    return path.is_dir() and not path.is_symlink() and (path / ".git").is_file()
