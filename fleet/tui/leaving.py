"""Signals end the dashboard as a person leaves it, so that the terminal is left in order."""

import signal
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from fleet.errors import FleetError

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_KILLED = 128  # a shell says so of whoever a signal has ended


class Leaves(Protocol):
    """What has to be known of the app."""

    loop: AbstractEventLoop | None  # once it runs
    visiting: bool  # another program has the terminal, and we wait for its end

    def exit(self, result: int) -> None:
        """Leave."""
        ...


@contextmanager
def leaving(app: Leaves) -> Iterator[None]:
    """Have the app leave at a signal, even while a person is in a pane."""

    def leave(number: int, _: FrameType | None) -> None:
        if app.loop is None:
            raise SystemExit(_KILLED + number)
        app.loop.call_soon_threadsafe(app.exit, _KILLED + number)
        if app.visiting:
            raise FleetError("the dashboard was told to end")

    before = {it: signal.signal(it, leave) for it in _SIGNALS}
    try:
        yield
    finally:
        for it, earlier in before.items():
            signal.signal(it, earlier)
