"""The app on a screen that no one sees, with a link that says what a test tells it to say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_link import FakeLink, Running
from screens import NOON, everything, picture
from textual.pilot import Pilot

from fleet.core.rows import Picture
from fleet.paths import Home
from fleet.tui.app import FleetApp, Settings


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def running(link: FakeLink, tmp_path: Path) -> Running:
    """Run the app; without a picture of its own it is shown one of everything."""

    @asynccontextmanager
    async def run(
        first: Picture | None = None, size: tuple[int, int] = (120, 40), **settings: Any
    ) -> AsyncIterator[tuple[FleetApp, Pilot[int]]]:
        app = FleetApp(link, Home(tmp_path), Settings(**settings), now=lambda: NOON)
        async with app.run_test(size=size, notifications=True) as pilot:
            await link.there()
            link.show(picture(*everything()) if first is None else first)
            await pilot.pause()
            yield app, pilot

    return run
