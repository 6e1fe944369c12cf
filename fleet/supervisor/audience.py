"""Who looks on just now: what is only looked at for them is looked at no more often than needed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Audience:
    """The screens that are open; each is stirred where there may be something new to show."""

    def __init__(self) -> None:
        self._stirred: set[asyncio.Event] = set()
        self._present = asyncio.Event()

    @contextmanager
    def join(self) -> Iterator[asyncio.Event]:
        """Belong to it; the event is set whenever there may be something new."""
        stirred = asyncio.Event()
        self._stirred.add(stirred)
        self._present.set()
        try:
            yield stirred
        finally:
            self._stirred.discard(stirred)
            if not self._stirred:
                self._present.clear()

    def stir(self) -> None:
        for stirred in self._stirred:
            stirred.set()

    async def present(self) -> None:
        """Return when somebody looks on."""
        await self._present.wait()
