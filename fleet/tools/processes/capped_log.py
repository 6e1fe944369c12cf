"""A private log file that keeps the beginning and the end of however much is written to it."""

import os
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

_HEAD = _TAIL = 5_000_000


class CappedLog:
    """Write to `path` (0600, made anew); what exceeds 10 MB is left out in the middle.

    The end is in the file once the log is closed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._room = _HEAD
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._left_out = 0

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "wb", buffering=0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if self._left_out:
                self._file.write(b"\n[fleet left out %d bytes here]\n" % self._left_out)
            self._file.writelines(self._tail)

    def write(self, data: bytes) -> None:
        self._file.write(data[: self._room])
        rest = data[self._room :]
        self._room -= len(data) - len(rest)
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail_size > _TAIL:
            dropped = self._tail.popleft()
            self._tail_size -= len(dropped)
            self._left_out += len(dropped)
