"""The pipes in which agents' hooks wait for answers: an answer goes in at once, or there is no one.

A hook holds its pipe open for as long as it waits, so a pipe without a reader is one that was left.
"""

import contextlib
import os
import select
import stat
import time
from pathlib import Path

from fleet.errors import ToolError

_PATIENCE_S = 3.0  # for a reader that is there to take what does not go in at once
_LEFT_AGE_S = 60.0


def give(pipe: Path, text: str) -> bool:
    """Write an answer into a hook's pipe; False where nobody waits there any more.

    Raises:
        ToolError: somebody waits, and does not take it.
    """
    handle = _opened(pipe)
    if handle is None:
        return False
    try:
        content = text.encode()
        return _write(handle, b"%d\n%b" % (len(content), content))
    except OSError as error:
        raise ToolError(f"cannot write to {pipe}: {error.strerror}") from error
    finally:
        os.close(handle)


def waits(pipe: Path) -> bool:
    """Return whether a hook waits there now."""
    handle = _opened(pipe)
    if handle is not None:
        os.close(handle)
    return handle is not None


def tidy(asks: Path) -> None:
    """Remove the pipes that killed hooks left behind."""
    for pipe in asks.iterdir():
        with contextlib.suppress(OSError):
            if pipe.lstat().st_mtime < time.time() - _LEFT_AGE_S and not waits(pipe):
                pipe.unlink()


def _opened(pipe: Path) -> int | None:
    try:
        handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None  # no pipe, or one without a reader
    if stat.S_ISFIFO(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    return None


def _write(handle: int, content: bytes) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while content:
        try:
            content = content[os.write(handle, content) :]
        except BlockingIOError:
            left = deadline - time.monotonic()
            if not select.select([], [handle], [], max(left, 0))[1]:
                raise ToolError("the agent's hook does not read its answer") from None
        except BrokenPipeError:
            return False
    return True
