"""One connection to the supervisor on the app's own event loop: answers and streams by request."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import msgspec
from msgspec import Raw, Struct

from fleet.client.environment import actor
from fleet.core.commands import Command
from fleet.errors import FleetError, RefusedError, UsageError
from fleet.protocol import LINE_LIMIT, encode

_NOTHING = Raw(b"null")


class _Reply(Struct, frozen=True):
    """Any reply, whose payload is read by whoever knows its type."""

    kind: str
    id: int
    item: Raw = _NOTHING
    result: Raw = _NOTHING
    message: str = ""
    hint: str | None = None
    exit_code: int = 1


_replies = msgspec.json.Decoder(_Reply)
Heard = Callable[[Raw], None]


class Stream:
    """A request that is under way: `done` gets its result, or the reason why there is none."""

    def __init__(self, number: int, heard: Heard | None) -> None:
        self.number = number
        self.heard = heard
        self.done: asyncio.Future[Raw] = asyncio.get_running_loop().create_future()


class Wire:
    """A connection. `gone` ends when the supervisor has gone away, or `close` was called."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._under_way: dict[int, Stream] = {}
        self._last = 1  # the first request was the greeting
        self.gone = asyncio.create_task(self._read())

    @classmethod
    async def over(cls, connected: socket.socket) -> Self:
        """Take over a connection on which the greeting has been answered."""
        reader, writer = await asyncio.open_unix_connection(sock=connected, limit=LINE_LIMIT)
        return cls(reader, writer)

    def stream(self, request: Command, heard: Heard | None = None) -> Stream:
        """Send a request; `heard` gets its items as they come.

        Raises:
            FleetError: it is too long, or the supervisor has gone away.
        """
        if self.gone.done():
            raise gone()
        self._last += 1
        line = encode({"id": self._last, "ask": request, "actor": actor()}) + b"\n"
        if len(line) > LINE_LIMIT:
            raise UsageError(f"this is too long: {len(line)} bytes, {LINE_LIMIT} may be sent")
        stream = self._under_way[self._last] = Stream(self._last, heard)
        self._writer.write(line)
        return stream

    async def ask(self, request: Command) -> Any:
        """Return the answer to a request.

        Raises:
            FleetError: it was refused or failed, or the supervisor went away.
        """
        return msgspec.json.decode(await self.stream(request).done)

    async def close(self) -> None:
        """End the connection; what is under way fails."""
        self.gone.cancel()
        self._writer.close()
        await asyncio.wait({self.gone})
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._deliver(_replies.decode(line))
        except (OSError, ValueError, msgspec.MsgspecError):
            pass  # cut off, a line beyond all limits, or no sense: in any case this one is over
        finally:
            self._writer.close()
            for stream in self._under_way.values():
                if not stream.done.done():
                    stream.done.set_exception(gone())
                    stream.done.exception()  # seen: whoever waits for it sees it again

    def _deliver(self, reply: _Reply) -> None:
        stream = self._under_way.get(reply.id)
        if stream is None:
            return
        if reply.kind == "item":
            if stream.heard is not None:
                stream.heard(reply.item)
            return
        del self._under_way[reply.id]
        if stream.done.done():
            return
        if reply.kind == "result":
            stream.done.set_result(reply.result)
        else:
            error = RefusedError(reply.message, hint=reply.hint)
            error.exit_code = reply.exit_code
            stream.done.set_exception(error)
            stream.done.exception()


def gone() -> FleetError:
    """Return what is said where the supervisor left before it answered."""
    return FleetError("the supervisor went away before it answered")
