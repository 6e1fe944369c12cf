"""One connection to the supervisor: each request gets its own answer, or the reason why not."""

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from fleet import __version__
from fleet.client import starting
from fleet.client.environment import actor
from fleet.core.commands import Command
from fleet.errors import FleetError, RefusedError, UsageError
from fleet.paths import Home
from fleet.protocol import LINE_LIMIT, Failure, Hello, Item, Reply, encode, replies

HELLO_S = 30.0  # a supervisor that listens has read its ledger, so this is long
_CHUNK = 1 << 16
_STATUS = "type: fleet status"


class Stream(Iterator[Any]):
    """The items of one request as they come; `result` is its answer once they have ended."""

    def __init__(self, client: "Client", request: int) -> None:
        self._client = client
        self._request = request
        self.result: Any = None
        self.ended = False

    def __next__(self) -> Any:
        item = self.wait(None)
        if item is None:
            raise StopIteration
        return item

    def wait(self, seconds: float | None) -> Any:
        """Return the next item, or None when it has `ended` or nothing came within `seconds`.

        Raises:
            FleetError: the request failed, or the supervisor went away.
        """
        while not self.ended:
            reply = self._client.reply(self._request, seconds)
            if reply is None:
                return None
            if isinstance(reply, Item):
                return reply.item
            self.ended = True
            if isinstance(reply, Failure):
                raise _refusal(reply)
            self.result = reply.result
        return None

    def answer(self) -> Any:
        """Wait until it has ended, and return its result.

        Raises:
            FleetError: the request failed, or the supervisor went away.
        """
        for _ in self:
            pass
        return self.result


class _GoneError(FleetError):
    """The connection ended before an answer came."""


class Client:
    """A connection, as a context manager; not to be shared by threads.

    `supervisor` is what the other side said of itself: version, pid and home.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = bytearray()
        self._mail: dict[int, deque[Reply]] = {}
        self._last = 0
        self.supervisor: dict[str, Any] = {}

    @classmethod
    def connect(
        cls,
        home: Home,
        *,
        start: bool,
        waiting: Callable[[float], None] = starting.silent,
    ) -> Self:
        """Connect to the supervisor of `home`, which with `start` is started where none runs.

        One that is older than this client begins anew as this version first. `waiting` is called
        now and then with the seconds that it has taken so far.

        Raises:
            NoSupervisorError: none runs, and it is not to be started.
            HomeError: the socket is another user's, or the home cannot be used.
            FleetError: the supervisor could not be started, or does not answer.
        """
        client = cls(starting.connected(home, start=start, waiting=waiting))
        try:
            restarting = client._greet()
        except _GoneError:  # it was just dying, and nothing had been asked of it
            client = cls(starting.connected(home, start=start, waiting=waiting))
            restarting = client._greet()
        if restarting:
            client._await_end()
            client.close()
            client = cls(starting.reconnected(home, waiting=waiting))
            if client._greet():
                client.close()
                raise FleetError("the supervisor could not become this version", hint=_STATUS)
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; what was asked and has not been answered is given up."""
        self._socket.close()

    def detach(self) -> socket.socket:
        """Give the connection, on which nothing is under way, to one who goes on in another way."""
        return self._socket

    def ask(self, request: Command) -> Any:
        """Return the answer to one request.

        Raises:
            FleetError: it was refused or failed, or the supervisor went away.
        """
        return self.stream(request).answer()

    def ask_all(self, requests: Sequence[Command]) -> list[Any]:
        """Return the answers to several requests, sent at once, in the order of the requests.

        Raises:
            FleetError: one of them was refused or failed, or the supervisor went away.
        """
        streams = [self.stream(request) for request in requests]
        return [stream.answer() for stream in streams]

    def stream(self, request: Command) -> Stream:
        """Send a request, and return its items as they come.

        Raises:
            UsageError: it is longer than one line may be, or no text.
            FleetError: the supervisor went away.
        """
        self._last += 1
        try:
            line = encode({"id": self._last, "ask": request, "actor": actor()}) + b"\n"
        except UnicodeEncodeError as error:
            raise UsageError("this is no text in UTF-8", hint="type it once more") from error
        if len(line) > LINE_LIMIT:
            raise UsageError(f"this is too long: {len(line)} bytes, {LINE_LIMIT} may be sent")
        self._mail[self._last] = deque()
        try:
            self._socket.sendall(line)
        except OSError as error:
            raise _gone() from error
        return Stream(self, self._last)

    def reply(self, request: int, seconds: float | None) -> Reply | None:
        """Return the next reply to `request`, or None where none comes within `seconds`."""
        mail = self._mail[request]
        deadline = None if seconds is None else time.monotonic() + seconds
        while not mail:
            line = self._line(None if deadline is None else max(deadline - time.monotonic(), 0.0))
            if line is None:
                return None
            self._deliver(_decoded(line))
        reply = mail.popleft()
        if not isinstance(reply, Item):
            del self._mail[request]
        return reply

    def _deliver(self, reply: Reply) -> None:
        if reply.id in self._mail:
            self._mail[reply.id].append(reply)
        elif isinstance(reply, Failure):
            raise _refusal(reply)  # of no request in particular: the connection's own

    def _line(self, seconds: float | None) -> bytes | None:
        while (end := self._received.find(b"\n")) < 0:
            if not select.select([self._socket], [], [], seconds)[0]:
                return None
            chunk = self._receive()
            if not chunk or len(self._received) > LINE_LIMIT:
                raise _gone()
            self._received += chunk
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(_CHUNK)
        except OSError as error:
            raise _gone() from error

    def _greet(self) -> bool:
        """Say who we are; return whether the supervisor now makes itself this version."""
        try:
            hello = self.stream(Hello(version=__version__))
            hello.wait(HELLO_S)
        except FleetError:
            self.close()
            raise
        if not hello.ended:
            self.close()
            raise FleetError("the supervisor does not answer", hint=_STATUS)
        self.supervisor = hello.result or {}
        return bool(self.supervisor.get("restarting"))

    def _await_end(self) -> None:
        deadline = time.monotonic() + starting.START_S
        while select.select([self._socket], [], [], max(deadline - time.monotonic(), 0.0))[0]:
            try:
                if not self._socket.recv(_CHUNK):
                    return
            except OSError:
                return


def _decoded(line: bytes) -> Reply:
    try:
        reply: Reply = replies.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FleetError(
            f"the supervisor's answer makes no sense to fleet {__version__}",
            hint="compare fleet --version with fleet status",
        ) from error
    return reply


def _refusal(failure: Failure) -> FleetError:
    error = RefusedError(failure.message, hint=failure.hint)
    error.exit_code = failure.exit_code
    return error


def _gone() -> FleetError:
    return _GoneError("the supervisor went away before it answered", hint=_STATUS)
