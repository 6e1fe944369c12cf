"""The link to a supervisor that listens, goes away and comes back: over the real socket."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pytest
from fake_supervisor import FakeSupervisor, HangUpError, Items, SilenceError
from msgspec import to_builtins
from screens import live, picture
from textual.message import Message

from fleet import paths
from fleet.client import starting
from fleet.core.commands import Retry
from fleet.core.rows import Frame
from fleet.errors import FleetError, RefusedError
from fleet.paths import Home
from fleet.tui import link as linking
from fleet.tui.link import (
    FrameCame,
    LinkBack,
    LinkLost,
    PictureCame,
    SupervisorLink,
    ViewEnded,
)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="ft-") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        monkeypatch.setenv("FLEET_HOME", f"{short}/home")
        monkeypatch.setattr(starting, "_started", _refuse_to_start)
        tried.clear()
        monkeypatch.setattr(linking, "BACK_OFF_S", (0.01,))
        yield paths.home()


def _refuse_to_start(home: Home, _: object) -> NoReturn:
    tried.append(home)
    raise FleetError(f"this would have started a supervisor for {home.root}")


tried: list[Home] = []  # who would have had a supervisor started
WATCH = Items([to_builtins(picture(live("a")))], open_end=True)


def frames(ask: dict[str, Any]) -> Items:
    whole = Frame(task=ask["task"], live=True, width=9, height=1, lines={0: "hello"})
    changed = Frame(task=ask["task"], live=True, width=9, height=1, lines={0: "again"})
    return Items([to_builtins(whole, str_keys=True), to_builtins(changed, str_keys=True)])


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSupervisor]:
    supervisor = FakeSupervisor(home, {"watch": WATCH, "view": frames})
    yield supervisor
    supervisor.close()


class Heard:
    """What the link has posted."""

    def __init__(self, link: SupervisorLink) -> None:
        self.link = link
        self.messages: list[Message] = []
        self._more = asyncio.Event()

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self._more.set()

    async def until(self, wanted: Callable[[list[Message]], Any]) -> Any:
        while not (found := wanted(self.messages)):
            self._more.clear()
            await self._more.wait()
        return found

    async def of(self, kind: type[Message], number: int = 1) -> list[Any]:
        def enough(messages: list[Message]) -> list[Message]:
            found = [it for it in messages if type(it) is kind]
            return found if len(found) >= number else []

        found: list[Any] = await self.until(enough)
        return found


@asynccontextmanager
async def listening(home: Home) -> Any:
    heard = Heard(SupervisorLink(home))
    running = asyncio.create_task(heard.link.run(heard))
    try:
        yield heard
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_pictures_come_and_the_first_is_whole(home: Home, fake: FakeSupervisor) -> None:
    two = to_builtins(picture(live("a"))), to_builtins(picture(live("b")))
    fake.answers["watch"] = Items(two, open_end=True)
    async with listening(home) as heard:
        first, second = await heard.of(PictureCame, 2)
    assert [first.whole, second.whole] == [True, False]
    assert first.picture == picture(live("a"))
    assert type(heard.messages[0]) is LinkBack


async def test_requests_are_answered_or_refused(home: Home, fake: FakeSupervisor) -> None:
    fake.answers["retry"] = {"task": "a"}
    async with listening(home) as heard:
        await heard.of(PictureCame)
        assert await heard.link.ask(Retry(task="a")) == {"task": "a"}
        fake.answers["retry"] = RefusedError("not now", hint="later")
        with pytest.raises(RefusedError) as caught:
            await heard.link.ask(Retry(task="a"))
    assert (caught.value.message, caught.value.hint) == ("not now", "later")


async def test_a_request_that_is_too_long_is_not_sent(home: Home, fake: FakeSupervisor) -> None:
    async with listening(home) as heard:
        await heard.of(PictureCame)
        with pytest.raises(FleetError, match="too long"):
            await heard.link.ask(Retry(task="a" * (5 << 20)))


async def test_a_view_shows_frames_to_its_end(home: Home, fake: FakeSupervisor) -> None:
    async with listening(home) as heard:
        await heard.of(LinkBack)
        heard.link.view("a")
        first, second = await heard.of(FrameCame, 2)
        [ended] = await heard.of(ViewEnded)
    assert [first.whole, second.whole] == [True, False]
    assert second.frame.lines == {0: "again"}
    assert (ended.task, ended.why) == ("a", None)


async def test_a_view_that_is_refused_says_why(home: Home, fake: FakeSupervisor) -> None:
    fake.answers["view"] = RefusedError("a has no pane")
    async with listening(home) as heard:
        await heard.of(LinkBack)
        heard.link.view("a", 100)
        [ended] = await heard.of(ViewEnded)
    assert ended.why == "a has no pane"
    assert fake.calls("view")[-1]["history"] == 100


async def test_another_view_ends_the_one_before(home: Home, fake: FakeSupervisor) -> None:
    async with listening(home) as heard:
        await heard.of(LinkBack)
        heard.link.view("a")
        heard.link.view("b")
        await heard.of(ViewEnded)
        heard.link.view(None)
    assert {it.frame.task for it in await heard.of(FrameCame)} == {"b"}
    assert [it.task for it in await heard.of(ViewEnded)] == ["b"]


async def test_it_comes_back_to_a_supervisor_that_was_away(
    home: Home, fake: FakeSupervisor
) -> None:
    async with listening(home) as heard:
        await heard.of(PictureCame)
        heard.link.view("a")
        await heard.of(ViewEnded)
        fake.close()
        [lost, *_] = await heard.of(LinkLost)
        with pytest.raises(FleetError, match="is away"):
            await heard.link.ask(Retry(task="a"))
        await heard.of(LinkLost, 3)
        again = FakeSupervisor(home, {"watch": WATCH, "view": frames})
        *_, last = await heard.of(PictureCame, 2)
        await heard.of(ViewEnded, 2)
        again.close()
    assert lost.why == "the supervisor went away"
    assert last.whole
    assert [ask["task"] for ask in again.calls("view")] == ["a"]


async def test_what_is_under_way_fails_when_the_supervisor_goes(
    home: Home, fake: FakeSupervisor
) -> None:
    fake.answers["retry"] = SilenceError()
    async with listening(home) as heard:
        await heard.of(PictureCame)
        asked = asyncio.create_task(heard.link.ask(Retry(task="a")))
        await asyncio.sleep(0)
        fake.close()
        with pytest.raises(FleetError, match="went away before"):
            await asked


async def test_nonsense_ends_the_connection(home: Home, fake: FakeSupervisor) -> None:
    fake.answers["watch"] = HangUpError()
    async with listening(home) as heard:
        await heard.of(LinkLost, 2)


async def test_a_supervisor_is_started_once_and_when_a_person_wants_it(home: Home) -> None:
    async with listening(home) as heard:
        first, second, *_ = await heard.of(LinkLost, 3)
        assert tried == [home]
        heard.link.start()
        await heard.of(LinkLost, 5)
    assert tried == [home, home]
    assert "would have started" in first.why
    assert second.why == first.why  # that none runs now is no news


async def test_it_rests_and_wakes_with_a_whole_picture(home: Home, fake: FakeSupervisor) -> None:
    async with listening(home) as heard:
        await heard.of(PictureCame)
        await heard.link.rest()
        with pytest.raises(FleetError):
            await heard.link.ask(Retry(task="a"))
        heard.link.wake()
        *_, last = await heard.of(PictureCame, 2)
    assert last.whole
    assert not [it for it in heard.messages if type(it) is LinkLost]
