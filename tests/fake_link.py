"""A link to no supervisor: what was asked is kept, what it answers and shows is a test's choice."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from textual.pilot import Pilot

from fleet.core.commands import Command
from fleet.core.rows import Frame, Picture
from fleet.errors import FleetError
from fleet.tui.app import FleetApp
from fleet.tui.link import FrameCame, LinkBack, LinkLost, PictureCame, Post, ViewEnded
from fleet.tui.wire import gone

Running = Callable[..., AbstractAsyncContextManager[tuple[FleetApp, Pilot[int]]]]


class FakeLink:
    """Answers by the name of the request's class; an error is raised, anything else returned."""

    def __init__(self) -> None:
        self.asked: list[Command] = []
        self.viewed: list[tuple[str | None, int]] = []
        self.answers: dict[str, Any] = {}
        self.started = 0
        self.away = False
        self.resting: list[str] = []
        self._post: Post = lambda _: None
        self._there = asyncio.Event()

    async def there(self) -> None:
        await self._there.wait()

    async def run(self, post: Post) -> None:
        self._post = post
        post(LinkBack())
        self._there.set()
        await asyncio.Event().wait()

    async def ask(self, request: Command) -> Any:
        self.asked.append(request)
        if self.away:
            raise gone()
        answer = self.answers.get(type(request).__name__)
        if isinstance(answer, FleetError):
            raise answer
        return answer

    def view(self, task: str | None, history: int = 0) -> None:
        self.viewed.append((task, history))

    def start(self) -> None:
        self.started += 1

    async def rest(self) -> None:
        self.resting.append("rest")

    def wake(self) -> None:
        self.resting.append("wake")

    def show(self, picture: Picture, *, whole: bool = True) -> None:
        self._post(PictureCame(picture, whole=whole))

    def draw(self, frame: Frame, *, whole: bool = True) -> None:
        self._post(FrameCame(frame, whole=whole))

    def end_view(self, task: str, why: str | None = None) -> None:
        self._post(ViewEnded(task, why))

    def lose(self, why: str = "the supervisor went away", hint: str | None = None) -> None:
        self.away = True
        self._post(LinkLost(why, hint))

    def come_back(self) -> None:
        self.away = False
        self._post(LinkBack())
