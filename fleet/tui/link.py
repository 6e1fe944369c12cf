"""The way to the supervisor: found or started, lost and found again; it tells by messages only."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec import Raw
from textual.message import Message

from fleet.client import Client
from fleet.core.commands import Command
from fleet.core.rows import Frame, Picture
from fleet.errors import FleetError
from fleet.paths import Home
from fleet.protocol import View, Watch
from fleet.tui.wire import Stream, Wire

BACK_OFF_S = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
Post = Callable[[Message], object]
_pictures = msgspec.json.Decoder(Picture)
_frames = msgspec.json.Decoder(Frame)


class PictureCame(Message):
    """What has changed; `whole` where it replaces all that was known before."""

    def __init__(self, picture: Picture, *, whole: bool) -> None:
        super().__init__()
        self.picture, self.whole = picture, whole


class FrameCame(Message):
    """What has changed in the pane in view; `whole` where it is the first of its view."""

    def __init__(self, frame: Frame, *, whole: bool) -> None:
        super().__init__()
        self.frame, self.whole = frame, whole


class ViewEnded(Message):
    """There is nothing more to be seen of a task's pane; `why` where that was refused."""

    def __init__(self, task: str, why: str | None) -> None:
        super().__init__()
        self.task, self.why = task, why


class LinkLost(Message):
    """The supervisor is away, and is looked for again."""

    def __init__(self, why: str, hint: str | None) -> None:
        super().__init__()
        self.why, self.hint = why, hint


class LinkBack(Message):
    """The supervisor is there."""


class Link(Protocol):
    """What the app needs of the supervisor."""

    async def run(self, post: Post) -> None:
        """Keep the connection, and post what comes over it, until cancelled."""
        ...

    async def ask(self, request: Command) -> Any:
        """Return the answer to a request.

        Raises:
            FleetError: it was refused or failed, or the supervisor is away.
        """
        ...

    def view(self, task: str | None, history: int = 0) -> None:
        """Show this task's pane from now on, and no other."""
        ...

    def start(self) -> None:
        """Start a supervisor where none runs, as soon as may be."""
        ...

    async def rest(self) -> None:
        """Hear nothing until `wake`: someone is about to hold the event loop up."""
        ...

    def wake(self) -> None:
        """Go on; the next picture is whole."""
        ...


class SupervisorLink:
    """A `Link` over two connections, because one connection has one view at a time.

    The supervisor is started the first time and when a person asks for it, and not again after
    that: one that went down on purpose stays down, and one that crashed is brought back by others.
    """

    def __init__(self, home: Home, *, cwd: str | None = None) -> None:
        self._home, self._cwd = home, cwd
        self._post: Post = lambda _: None
        self._may_start = True
        self._hurry, self._awake = asyncio.Event(), asyncio.Event()
        self._awake.set()
        self._ended = False
        self._fresh: tuple[socket.socket, ...] = ()  # connected, and nobody's yet
        self._main: Wire | None = None
        self._panes: Wire | None = None
        self._viewed: tuple[str | None, int] = (None, 0)
        self._view: Stream | None = None

    async def run(self, post: Post) -> None:
        """Keep the connections, and post what comes over them, until cancelled."""
        self._post = post
        try:
            await self._keep(post)
        finally:
            self._ended = True  # a thread that is still connecting closes what it gets
            self._close_fresh()

    async def _keep(self, post: Post) -> None:
        failures = 0
        why: FleetError | None = None
        while True:
            begins = self._may_start
            try:
                await self._connected()
                failures, why = 0, None
                await self._until_gone()
                if self._awake.is_set():
                    post(LinkLost("the supervisor went away", None))
            except FleetError as error:
                why = error if begins or why is None else why  # why it could not be started
                post(LinkLost(why.message, why.hint))
            finally:
                await self._disconnect()
            await self._awake.wait()
            await self._pause(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    async def ask(self, request: Command) -> Any:
        """Return the answer to a request."""
        if self._main is None:
            raise FleetError("the supervisor is away", hint="try again when it is back")
        return await self._main.ask(request)

    def view(self, task: str | None, history: int = 0) -> None:
        """Show this task's pane from now on, and no other."""
        self._viewed = (task, history)
        self._open_view()

    def start(self) -> None:
        """Start a supervisor where none runs, as soon as may be."""
        self._may_start = True
        self._hurry.set()

    async def rest(self) -> None:
        """Hear nothing until `wake`: someone is about to hold the event loop up."""
        self._awake.clear()
        await self._disconnect()

    def wake(self) -> None:
        """Go on; the next picture is whole."""
        self._awake.set()
        self._hurry.set()

    async def _connected(self) -> None:
        await asyncio.to_thread(self._connect)
        first, second = self._fresh
        self._main, self._panes = await Wire.over(first), await Wire.over(second)
        self._fresh = ()
        self._post(LinkBack())
        self._watch(self._main)
        self._open_view()

    def _connect(self) -> None:
        """Make both connections, in a thread: what starts a supervisor waits for it."""
        start, self._may_start = self._may_start, False
        first = Client.connect(self._home, start=start).detach()
        try:
            second = Client.connect(self._home, start=False).detach()
        except FleetError:
            first.close()
            raise
        self._fresh = (first, second)
        if self._ended:
            self._close_fresh()

    def _close_fresh(self) -> None:
        for it in self._fresh:
            it.close()

    def _watch(self, wire: Wire) -> None:
        whole = True

        def heard(item: Raw) -> None:
            nonlocal whole
            self._post(PictureCame(_pictures.decode(item), whole=whole))
            whole = False

        wire.stream(Watch(cwd=self._cwd), heard)

    def _open_view(self) -> None:
        task, history = self._viewed
        if self._view is not None:
            self._view.heard = None  # its last frames are of no interest
        self._view = None
        if self._panes is None or self._panes.gone.done() or task is None:
            return
        stream = self._view = self._panes.stream(View(task=task, history=history))
        whole = True

        def heard(item: Raw) -> None:
            nonlocal whole
            self._post(FrameCame(_frames.decode(item), whole=whole))
            whole = False

        stream.heard = heard
        stream.done.add_done_callback(lambda done: self._view_ended(task, stream, done))

    def _view_ended(self, task: str, stream: Stream, done: asyncio.Future[Raw]) -> None:
        if stream is self._view and not done.cancelled():
            error = done.exception()
            why = error.message if isinstance(error, FleetError) else None
            self._post(ViewEnded(task, why))

    async def _until_gone(self) -> None:
        if self._main and self._panes:
            both = {self._main.gone, self._panes.gone}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    async def _disconnect(self) -> None:
        wires, self._view = (self._main, self._panes), None
        self._viewed = (self._viewed[0], 0)  # a long history may be what was too much
        self._main = self._panes = None
        for wire in wires:
            if wire is not None:
                await wire.close()

    async def _pause(self, seconds: float) -> None:
        """Wait, unless a person wants the supervisor now."""
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except TimeoutError:
            return
        self._hurry.clear()
