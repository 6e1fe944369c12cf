"""The control-mode client: tmux commands asked and answered over one lasting connection.

Its promise: a reply is returned for the very command that caused it, or the connection is given
up. A process for each command would cost 3 to 7 ms, and 760 ms to look at 200 panes; here it is
1.5 ms and 6 ms. libtmux starts a process for every call, so it serves the rare operations only.
"""

import contextlib
import select
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Self

from fleet.errors import ToolError
from fleet.tools.tmux.language import Block, Command, Parser, line
from fleet.tools.tmux.starting import started

_CHUNK = 1 << 16


class TmuxGoneError(ToolError):
    """The tmux server, or our connection to it, is no more."""


class Control:
    """One control-mode client. Safe to use from many threads; each exchange has it to itself."""

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = process
        self._connection = connection
        self._parser = Parser()
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, argv: Sequence[str], *, env: Mapping[str, str], timeout_s: float = 10) -> Self:
        """Run `argv`, a `tmux -C` client, and return it once it is attached.

        Raises:
            TmuxGoneError: there is no server, or it ended while we came.
            ToolError: tmux cannot be started, or refuses.
        """
        process, ours = started(argv, env=env)
        control = cls(process, ours)
        control._greet(time.monotonic() + timeout_s)
        return control

    @property
    def closed(self) -> bool:
        """Whether the connection is known to be over."""
        return self._closed

    @property
    def notices(self) -> list[str]:
        """What tmux said unasked up to the last exchange, oldest first: at most 100 lines."""
        return list(self._parser.notices)

    def command(self, *args: str, timeout_s: float = 10) -> list[str]:
        """Run one tmux command and return the lines of its output; any characters may be in `args`.

        Raises:
            TmuxGoneError: the server or the connection is gone; whether it ran is not known.
            ToolError: tmux refused, in its own words; or no reply came within `timeout_s`.
        """
        return self.group([args], timeout_s=timeout_s)[0]

    def pipeline(
        self, commands: Sequence[Command], *, timeout_s: float = 10
    ) -> list[list[str] | ToolError]:
        """Run `commands` at the cost of one round trip; each succeeds or fails by itself."""
        answers = self._ask([[command] for command in commands], timeout_s)
        return [
            _refusal(command, answer[0]) if answer[0].failed else answer[0].lines
            for command, answer in zip(commands, answers, strict=True)
        ]

    def group(self, commands: Sequence[Command], *, timeout_s: float = 10) -> list[list[str]]:
        """Run `commands` with nothing in between; the first that fails ends it and is raised."""
        [answer] = self._ask([commands], timeout_s)
        if answer[-1].failed:
            raise _refusal(commands[len(answer) - 1], answer[-1])
        return [block.lines for block in answer]

    def close(self) -> None:
        """End this client; the server and its panes stay."""
        with self._lock:
            self._end()

    def _ask(self, groups: Sequence[Sequence[Command]], timeout_s: float) -> list[list[Block]]:
        deadline = time.monotonic() + timeout_s
        data = "".join(line(group) for group in groups).encode()
        if not self._lock.acquire(timeout=timeout_s):
            raise ToolError(f"tmux was busy for {timeout_s:g} seconds")
        try:
            return self._exchange(data, [len(group) for group in groups], deadline)
        except BaseException:
            self._end()  # a reply still under way would be taken for the next command's
            raise
        finally:
            self._lock.release()

    def _exchange(self, data: bytes, sizes: Sequence[int], deadline: float) -> list[list[Block]]:
        answers: list[list[Block]] = [[] for _ in sizes]
        waiting = deque(zip(answers, sizes, strict=True))
        unsent = memoryview(data)
        while waiting:
            unsent = self._send(unsent)
            for block in self._receive(deadline, writing=bool(unsent)):
                if not block.ours:
                    continue
                if not waiting:
                    raise self._gone("it answered what nobody asked")
                answer, size = waiting[0]
                answer.append(block)
                if block.failed or len(answer) == size:
                    waiting.popleft()
        return answers

    def _send(self, data: memoryview) -> memoryview:
        try:
            return data[self._connection.send(data) :] if data else data
        except BlockingIOError:
            return data
        except OSError as error:
            raise self._gone() from error

    def _receive(self, deadline: float, *, writing: bool = False) -> list[Block]:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN | (select.POLLOUT if writing else 0))
        left = deadline - time.monotonic()
        if left <= 0 or not (ready := poll.poll(left * 1000)):
            raise ToolError("tmux does not answer", hint="fleet doctor looks at the tmux server")
        if ready[0][1] == select.POLLOUT:
            return []
        try:
            data = self._connection.recv(_CHUNK)
        except OSError as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        return self._parser.feed(data)

    def _greet(self, deadline: float) -> None:
        """Wait for the reply to the command line's own command, which attaches us."""
        try:
            while not (blocks := self._receive(deadline)):
                pass
        except BaseException:
            self._end()
            raise
        if blocks[0].failed:
            self._end()
            raise _refusal(("attach",), blocks[0])

    def _gone(self, why: str = "") -> TmuxGoneError:
        last = self._parser.notices[-1] if self._parser.notices else ""
        why = why or last.removeprefix("%exit").strip() or "the connection was closed"
        return TmuxGoneError(f"the tmux server is gone: {why}", hint="fleet up starts it again")

    def _end(self) -> None:
        self._closed = True
        self._connection.close()
        with contextlib.suppress(OSError):
            self._process.kill()  # it may be waiting for a server that is stuck
        self._process.wait()


def _refusal(command: Command, block: Block) -> ToolError:
    # The arguments may hold an agent's environment: they stay out of errors, and so of logs.
    said = " ".join(block.lines) or "no reason given"
    return ToolError(f"tmux {command[0]}: {said}", argv=("tmux", command[0]), code=1, stderr=said)
