"""Changes references by a git that is kept open for a while: a process a change would take 3 ms."""

import os
import select
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from fleet.errors import ToolError
from fleet.tools.git.refs import stamp
from fleet.tools.git.run import Answer, failure, spawn

_IDLE_S = 5.0  # it keeps the repository's disk in use, so not for longer
_PATIENCE_S = 60.0  # each reference in the way is waited for 0.1 s by git itself
_OPENED, _DONE = b"start: ok\n", b"commit: ok\n"


def update(git_dir: Path, *orders: str) -> str:
    """Carry out `orders` (in the words of `git update-ref --stdin`), all of them or none.

    Returns what git complained of, and nothing where it did as it was told.

    Raises:
        ToolError: there is no git, or it does not answer.
    """
    text = "\n".join(("start", *orders, "commit", "")).encode(errors="surrogateescape")
    complaint = ""
    for _ in range(2):  # one that was ended from outside began nothing
        heard, complaint = _session(git_dir).ask(text)
        if heard.endswith(_DONE):
            return ""
        if heard.startswith(_OPENED):
            break
    return complaint or "git ended early"


def refused(git_dir: Path, complaint: str) -> ToolError:
    """Return the error for a complaint that nobody expected."""
    return failure(git_dir, ("update-ref",), Answer(128, b"", complaint))


class _Session:
    """One open `git update-ref --stdin`; it ends with the first order that it must refuse."""

    def __init__(self, git_dir: Path) -> None:
        self._child = spawn(git_dir, "update-ref", "-m", "fleet", "--stdin")
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._used = time.monotonic()
        threading.Thread(target=self._end_when_idle, daemon=True, name="update-ref").start()

    @property
    def is_open(self) -> bool:
        return not self._ended.is_set()

    def ask(self, text: bytes) -> tuple[bytes, str]:
        """Return what it answers and what it complains of; nothing where it has ended before."""
        with self._lock:
            if not self.is_open:
                return b"", ""
            self._used = time.monotonic()
            with suppress(BrokenPipeError):
                os.write(cast("IO[bytes]", self._child.stdin).fileno(), text)
            heard, complaint = self._listen()
            if not heard.endswith(_DONE):
                self._end()
            return heard, complaint

    def _listen(self) -> tuple[bytes, str]:
        """Return what it says and complains of until it is done, or ends."""
        out, err = (
            cast("IO[bytes]", it).fileno() for it in (self._child.stdout, self._child.stderr)
        )
        heard = {out: b"", err: b""}
        poll = select.poll()
        for pipe in heard:
            poll.register(pipe, select.POLLIN)
        silent = 0
        while silent < len(heard) and not heard[out].endswith(_DONE):
            ready = poll.poll(_PATIENCE_S * 1000)
            for pipe, _ in ready:
                data = os.read(pipe, 1 << 16)
                heard[pipe] += data
                if not data:
                    poll.unregister(pipe)
                    silent += 1
            if not ready:
                self._child.kill()
        return heard[out], os.fsdecode(heard[err]).strip()

    def _end_when_idle(self) -> None:
        while not self._ended.wait(_IDLE_S):
            with self._lock:
                if time.monotonic() - self._used >= _IDLE_S:
                    self._end()

    def _end(self) -> None:
        """See that it ends: where its input ends, it has nothing more to do."""
        self._ended.set()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            with suppress(OSError):
                cast("IO[bytes]", pipe).close()
        try:
            self._child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


_sessions: dict[Path, tuple[object, _Session]] = {}
_opening = threading.Lock()


def _session(git_dir: Path) -> _Session:
    """Return the open git of this very repository, as it is configured now."""
    try:
        status = git_dir.stat()
    except OSError as error:
        raise ToolError(f"the repository {git_dir} is gone") from error
    known_by = (status.st_dev, status.st_ino, stamp(git_dir / "config"))
    with _opening:
        kept = _sessions.get(git_dir)
        if kept is None or kept[0] != known_by or not kept[1].is_open:
            kept = _sessions[git_dir] = (known_by, _Session(git_dir))
        return kept[1]
