"""The words of control mode: commands that tmux reads as they are meant, and its replies."""

import os
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

Command = Sequence[str]

_SPECIAL = re.compile(r'[\x00-\x1f\x7f"\\$~\udc80-\udcff]')


@dataclass(frozen=True)
class Block:
    """One command's output; `ours` tells it from what tmux runs for reasons of its own."""

    lines: list[str]
    failed: bool
    ours: bool


class Parser:
    """Takes tmux's side of the conversation apart, however the bytes are cut.

    A screen may itself hold a line such as `%end 1 2 1`; only the three numbers of the opening
    line close a block. `notices` keeps the last hundred lines that tmux said unasked.
    """

    def __init__(self) -> None:
        self.notices: deque[str] = deque(maxlen=100)
        self._rest = b""
        self._guard: bytes | None = None
        self._lines: list[str] = []

    def feed(self, data: bytes) -> list[Block]:
        """Return the blocks that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [block for line in lines if (block := self._take(line))]

    def _take(self, line: bytes) -> Block | None:
        word, _, guard = line.partition(b" ")
        if self._guard is None:
            self._open(word, guard, line)
        elif guard == self._guard and word in (b"%end", b"%error"):
            self._guard = None
            return Block(self._lines, failed=word == b"%error", ours=guard.endswith(b" 1"))
        else:
            self._lines.append(_text(line))
        return None

    def _open(self, word: bytes, guard: bytes, line: bytes) -> None:
        if word == b"%begin":
            self._guard, self._lines = guard, []
        else:
            self.notices.append(_text(line))


def line(commands: Sequence[Command]) -> str:
    """Return the line that makes tmux run `commands` in one go, each argument as it is."""
    if not all(commands):
        raise ValueError("an empty command makes tmux end the conversation")
    return " ; ".join(" ".join(map(quote, command)) for command in commands) + "\n"


def quote(argument: str) -> str:
    """Return `argument` as tmux's command language writes it, on one line."""
    if "\0" in argument:
        raise ValueError("tmux arguments cannot hold a NUL")
    return f'"{_SPECIAL.sub(_escape, argument)}"'


def _escape(match: re.Match[str]) -> str:
    if match[0].isprintable():
        return f"\\{match[0]}"
    # Control characters, and bytes that are no UTF-8: tmux takes a bare 0xff for the end.
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(match[0]))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
