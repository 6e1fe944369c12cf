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
# Textual 8.2 waits for ever to write to a terminal that has just gone: one dashboard in twenty did
# when the terminal was closed while it came up.
_PATIENCE_S = 3.0


class Leaves(Protocol):
    """What has to be known of the app."""

    loop: AbstractEventLoop | None  # once it runs
    visiting: bool  # another program has the terminal, and we wait for its end

    def exit(self, result: int) -> None:
        """Leave."""
        ...


@contextmanager
def leaving(app: Leaves) -> Iterator[None]:
    """Have the app leave at a signal, even while a person is in a pane, or else end the process."""

    def leave(number: int, _: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)  # nobody handles its signal: it ends us
        if app.loop is None:
            raise SystemExit(_KILLED + number)
        app.loop.call_soon_threadsafe(app.exit, _KILLED + number)
        if app.visiting:
            raise FleetError("the dashboard was told to end")

    before = {it: signal.signal(it, leave) for it in _SIGNALS}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for it, earlier in before.items():
            signal.signal(it, earlier)
