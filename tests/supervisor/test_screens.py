"""A pane that is viewed is drawn as it changes, and whoever looks on is in nobody's way."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from house import House
from waiting import until

from fleet import protocol as p
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.core.rows import Frame
from fleet.core.terminal import clean
from fleet.errors import RefusedError
from fleet.supervisor.answers import screens
from fleet.supervisor.probes.vitals import Vitals
from fleet.tools.tmux.view import Drawn

A = TaskId("a")
ECHO = """\
stty -echo
printf '\\033]2;ready\\007'
while IFS= read -r line; do printf "$line"; done
"""


class Sight:
    """What somebody sees who draws every frame of a view."""

    def __init__(self, frames: AsyncGenerator[Frame, None]) -> None:
        self._frames = frames
        self.frames: list[Frame] = []
        self.lines: list[str] = []

    async def next(self) -> Frame:
        async with asyncio.timeout(20):
            frame = await anext(self._frames)
        self.frames.append(frame)
        self.lines = [
            frame.lines.get(number, self.lines[number] if number < len(self.lines) else "")
            for number in range(frame.height)
        ]
        return frame

    async def until(self, condition: Callable[[str], bool]) -> Frame:
        while not condition("\n".join(self.lines)):
            await self.next()
        return self.frames[-1]

    async def to_the_end(self) -> Frame:
        async with asyncio.timeout(20):
            async for frame in self._frames:
                self.frames.append(frame)
        return self.frames[-1]

    async def close(self) -> None:
        await self._frames.aclose()


@asynccontextmanager
async def viewing(
    house: House, *, history: int = 0, over: asyncio.Event | None = None, name: str = "a"
) -> AsyncIterator[Sight]:
    query = p.View(task=name, history=history)
    sight = Sight(screens.view(house.host, query, over or asyncio.Event()))
    try:
        yield sight
    finally:
        await sight.close()


def at_work(house: House, prompt: str = ECHO, name: str = "a") -> None:
    house.begin(prompt, name)
    house.record(house.start(name))
    if prompt == ECHO:
        panes = house.tools.panes
        until(lambda: any((it.session, it.title) == (name, "ready") for it in panes.all()))


def type_(house: House, text: str, name: str = "a") -> None:
    """Type a line into the agent's terminal."""
    run = house.task(name).run
    assert run
    house.tools.panes.server.connection().command("send-keys", "-l", "-t", run.pane, f"{text}\n")


def clients(house: House) -> int:
    return len(house.tools.panes.server.connection().command("list-clients"))


class TestFrames:
    async def test_the_first_is_whole_and_then_comes_what_changes(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            first = await sight.next()
            assert (first.live, first.width, first.height, first.history) == (True, 200, 50, 0)
            assert first.lines == dict.fromkeys(range(50), "")

            type_(house, "\\033[31mred\\033[0m\\n\\033]0;title\\007日本e\u0301")
            last = await sight.until(lambda text: "日本e\u0301" in text)

        assert [clean(line) for line in sight.lines[:2]] == ["red", "日本e\u0301"]
        assert sight.lines[0] == "\x1b[31mred\x1b[0m"
        assert last.cursor == (5, 1)
        assert {number for frame in sight.frames[1:] for number in frame.lines} == {0, 1}

    async def test_nothing_is_sent_where_nothing_changed(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            await sight.next()
            type_(house, r"\007")  # a bell: output, and nothing to be seen
            type_(house, "end")
            await sight.until(lambda text: "end" in text)
        assert all(frame.lines or frame.cursor for frame in sight.frames)
        assert not [one for one, two in pairwise(sight.frames) if one == two]

    async def test_lines_above_the_screen(self, house: House) -> None:
        at_work(house, "seq 1 100; exec sleep 1000")
        async with viewing(house, history=20) as sight:
            await sight.until(lambda text: "100" in text)
            last = sight.frames[-1]
            assert (last.height, last.history) == (70, 20)
            assert sight.lines[:2] == ["32", "33"]
            assert last.cursor == (0, 69)

    async def test_a_colour_that_runs_on_is_begun_anew_in_each_line(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            type_(house, r"\033[1;42mone\ntwo\033[0m\nend")
            await sight.until(lambda text: "end" in text)
        assert sight.lines[:2] == ["\x1b[1m\x1b[42mone\x1b[0m", "\x1b[1;42mtwo\x1b[0m"]
        assert clean(sight.lines[2]) == "end"

    async def test_a_pane_that_goes_leaves_its_last_words(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            type_(house, "first")
            await sight.until(lambda text: "first" in text)
            type_(house, r"\nlast words")
            run = house.task("a").run
            assert run
            until(lambda: "last words" in house.tools.panes.capture(run.pane))
            house.perform(f.EndRun(A, 1))
            last = await sight.to_the_end()
        assert not last.live
        assert [frame.live for frame in sight.frames[:-1]] == [True] * (len(sight.frames) - 1)
        assert "last words" in "\n".join(line for it in sight.frames for line in it.lines.values())

    async def test_a_server_that_died_leaves_what_was_seen(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            type_(house, "seen")
            await sight.until(lambda text: "seen" in text)
            house.tools.panes.server.stop()
            last = await sight.next()
            assert (last.live, last.lines, sight.lines[0]) == (False, {}, "seen")
            with pytest.raises(StopAsyncIteration):
                await sight.next()

    async def test_a_run_that_is_over_is_shown_as_it_ended(self, house: House) -> None:
        at_work(house, "seq 1 80")
        run = house.task("a").run
        assert run
        until(lambda: "80" in house.tools.panes.capture(run.pane))
        house.perform(f.EndRun(A, 1))
        house.record(e.RunEnded(task=A, attempt=1))
        async with viewing(house, history=10) as sight:
            last = await sight.to_the_end()
        assert (last.live, last.cursor, last.height, last.history) == (False, None, 60, 10)

    async def test_where_nothing_is_left_it_is_refused(self, house: House) -> None:
        house.begin("true")
        async with viewing(house) as sight:
            with pytest.raises(RefusedError, match="nothing is kept"):
                await sight.next()
        async with viewing(house, name="nobody") as sight:
            with pytest.raises(RefusedError, match="no task nobody"):
                await sight.next()

    async def test_a_pane_of_another_run_is_not_shown(self, house: House) -> None:
        at_work(house)
        other = house.task("a").run
        assert other
        house.record(e.RunEnded(task=A, attempt=1))
        house.attempt()
        house.record(e.RunStarted(task=A, attempt=2, pane=other.pane, pid=other.pid, pid_start=1))
        async with viewing(house) as sight:
            with pytest.raises(RefusedError):
                await sight.next()


class TestLookingOn:
    async def test_a_client_that_is_thrown_out_comes_back(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            await sight.next()
            type_(house, "one")
            await sight.until(lambda text: "one" in text)
            tmux = house.tools.panes.server.connection()
            tmux.command("detach-client", "-s", "=a:")
            type_(house, " two")
            await sight.until(lambda text: "one two" in text)

    async def test_no_pane_is_resized_and_nobody_counts_as_attached(self, house: House) -> None:
        at_work(house)
        vitals = Vitals(house.host)
        async with viewing(house) as sight:
            await sight.next()
            type_(house, "x")
            await sight.until(lambda text: "x" in text)
            assert clients(house) == 2
            [pane] = [it for it in house.tools.panes.all() if it.session == "a"]
            assert (pane.width, pane.height, pane.attached) == (200, 50, 0)
            await vitals.beat()
            assert house.host.vitals.attached == frozenset()

    async def test_nothing_is_left_of_one_who_leaves(self, house: House) -> None:
        at_work(house)
        watching, before = clients(house), _children()
        async with viewing(house) as sight, viewing(house) as other:
            for one in (sight, other):
                await one.next()
                type_(house, "x")
                await one.until(lambda text: "x" in text)
            until(lambda: clients(house) == 3)
        until(lambda: clients(house) == watching and not _children() - before)

    async def test_one_view_is_over_when_the_next_is_wanted(self, house: House) -> None:
        at_work(house)
        over = asyncio.Event()
        async with viewing(house, over=over) as sight:
            await sight.next()
            over.set()
            assert (await sight.to_the_end()).live

    async def test_an_agent_is_not_slowed_by_one_who_does_not_read(
        self, house: House, tmp_path: Path
    ) -> None:
        """Its output would fill the pipe to tmux, and it would stand still, never to say so."""
        done = tmp_path / "done"
        at_work(house, f"seq 1 300000; touch {done}; exec sleep 1000")
        run = house.task("a").run
        assert run
        look = house.tools.panes.drawn(run.pane)
        push = house.tools.panes.push(look)  # of which nothing is ever read
        try:
            until(done.exists, timeout=25)
            until(lambda: "\n299999\n300000" in house.tools.panes.capture(run.pane))
        finally:
            push.close()

    async def test_what_tmux_left_out_is_asked_for_again(self, house: House) -> None:
        at_work(house)
        async with viewing(house) as sight:
            await sight.next()
            type_(house, "x")
            await sight.until(lambda text: "x" in text)
            tmux = house.tools.panes.server.connection()
            run = house.task("a").run
            assert run
            [name] = [
                row.split()[0]
                for row in tmux.command("list-clients", "-F", "#{client_name} #{session_name}")
                if row.endswith(" a")
            ]
            tmux.command("refresh-client", "-t", name, "-A", f"{run.pane}:pause")
            type_(house, " y")
            await sight.until(lambda text: "x y" in text)


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children())


def test_a_sketch_tells_only_what_is_new() -> None:
    sketch = screens.Sketch("a")
    assert sketch.over() is None

    def look(*rows: str, cursor: tuple[int, int] | None = None) -> Drawn:
        return Drawn("%1", "r", "$1", 80, 0, list(rows), cursor)

    first = sketch.live(look("a", "b"))
    assert first
    assert first.lines == {0: "a", 1: "b"}
    assert sketch.live(look("a", "b")) is None
    moved = sketch.live(look("a", "b", cursor=(1, 1)))
    assert moved
    assert (moved.lines, moved.cursor) == ({}, (1, 1))
    longer = sketch.live(look("a", "c", "d"))
    assert longer
    assert (longer.lines, longer.height) == ({1: "c", 2: "d"}, 3)
    shorter = sketch.live(look("a"))
    assert shorter
    assert (shorter.lines, shorter.height) == ({}, 1)
