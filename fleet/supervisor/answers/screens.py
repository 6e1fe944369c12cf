"""One pane as it is drawn: whole at first, then only the lines that have changed."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from functools import lru_cache

from msgspec import structs

from fleet import protocol as p
from fleet.core import terminal
from fleet.core.model import Task
from fleet.core.names import find
from fleet.core.rows import Frame
from fleet.errors import RefusedError, ToolError
from fleet.supervisor.answers.panes import last_words
from fleet.supervisor.host import Host
from fleet.tools.tmux.view import Drawn

PAUSE_S = 0.035  # between two frames
MOST_PAUSE_S = 0.1  # of what is drawn all the time: nobody reads faster
MOST_HISTORY = 10_000
_ROWS = 50  # of a screen of which nothing else is known
_clean_row = lru_cache(maxsize=8192)(terminal.clean_row)  # most rows are as they were before


async def view(host: Host, query: p.View, over: asyncio.Event) -> AsyncGenerator[Frame, None]:
    """Give a frame at each change, until the pane is gone or `over` is set.

    Raises:
        RefusedError: there is no such task, or nothing is left of what it printed.
    """
    task = find(host.supervisor.fleet, query.task)
    history = min(max(query.history, 0), MOST_HISTORY)
    sketch = Sketch(task.id)
    while not over.is_set() and (look := await _look(host, task, history)) is not None:
        async with _news(host, look, over) as news:
            pace = Pace()
            while look is not None:
                if (frame := sketch.live(look)) is not None:
                    yield frame
                await asyncio.sleep(pace.pause_s)
                look = await _look(host, task, history) if await news() else None
                pace.looked(asyncio.get_running_loop().time())
    if not over.is_set():
        yield await asyncio.to_thread(_last, host, task, sketch, history)


class Pace:
    """How long to wait between two frames: longer while each is followed by the next at once."""

    def __init__(self) -> None:
        self.pause_s = PAUSE_S
        self._at = -MOST_PAUSE_S

    def looked(self, at: float) -> None:
        """Take in when the pane was looked at, as there was news."""
        hurried = at - self._at < 2 * MOST_PAUSE_S
        self.pause_s = min(self.pause_s * 1.5, MOST_PAUSE_S) if hurried else PAUSE_S
        self._at = at


async def _look(host: Host, task: Task, history: int) -> Drawn | None:
    """Return the pane of the task's run as it is now, or None where that is gone."""
    if task.run is None:
        return None
    try:
        look = await asyncio.to_thread(host.tools.panes.drawn, task.run.pane, history=history)
    except ToolError:
        return None
    ours = look.run.startswith(host.tools.attempt_prefix(task.id, task.run.attempt))
    return look if ours else None


@contextlib.asynccontextmanager
async def _news(
    host: Host, look: Drawn, over: asyncio.Event
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Give what waits until the pane may look different, and says whether to go on looking."""
    push = host.tools.panes.push(look)  # not in a thread, which could not be called off
    loop, stirred = asyncio.get_running_loop(), asyncio.Event()

    def hear() -> None:
        if push.drawn():
            stirred.set()
        if push.ended:
            loop.remove_reader(push)

    async def news() -> bool:
        if not (push.ended or over.is_set()):
            await stirred.wait()
            stirred.clear()
        return not (push.ended or over.is_set())

    async def end() -> None:
        await over.wait()
        stirred.set()

    ending = asyncio.create_task(end())
    loop.add_reader(push, hear)
    try:
        yield news
    finally:
        ending.cancel()
        loop.remove_reader(push)
        push.close()


def _last(host: Host, task: Task, sketch: "Sketch", history: int) -> Frame:
    try:
        text = last_words(host, task, task.attempt)
    except RefusedError:
        if (frame := sketch.over()) is None:
            raise
        return frame
    return sketch.last(text.splitlines(), history=history)


class Sketch:
    """What one client has been shown of a pane; it tells what is new to it."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._rows: list[str] = []
        self._frame: Frame | None = None  # the last one, without its lines

    def live(self, look: Drawn) -> Frame | None:
        """Return what brings the client up to date; None where it is."""
        frame = Frame(
            task=self._task,
            live=True,
            width=look.width,
            height=len(look.rows),
            history=look.history,
            cursor=look.cursor,
        )
        known = self._frame
        news = self._news(frame, look.rows)
        return news if news.lines or frame != known else None

    def last(self, rows: Sequence[str], *, history: int) -> Frame:
        """Return the frame of a pane that is gone, and of which `rows` are left."""
        known = self._frame
        screen = known.height - known.history if known else _ROWS
        kept = rows[-(history + screen) :]
        frame = Frame(
            task=self._task,
            live=False,
            width=known.width if known else max(map(len, kept), default=0),
            height=len(kept),
            history=max(len(kept) - screen, 0),
        )
        return self._news(frame, kept)

    def over(self) -> Frame | None:
        """Return the frame of a pane that is gone, of which what was shown is all that is left."""
        known = self._frame
        if known is None:
            return None
        return Frame(
            task=self._task,
            live=False,
            width=known.width,
            height=known.height,
            history=known.history,
        )

    def _news(self, frame: Frame, rows: Sequence[str]) -> Frame:
        known, shown = self._rows, _clean(rows)
        lines = {
            number: row
            for number, row in enumerate(shown)
            if number >= len(known) or known[number] != row
        }
        self._rows, self._frame = shown, frame
        return structs.replace(frame, lines=lines)


def _clean(rows: Sequence[str]) -> list[str]:
    cleaned, colour = [], ""
    for row in rows:
        text, colour = _clean_row(row, colour)
        cleaned.append(text)
    return cleaned
