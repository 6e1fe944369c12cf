"""What the screens look like, as text: a change of it is seen in the difference of a commit."""

import io
from dataclasses import dataclass

import pytest
from fake_link import FakeLink, Running
from rich.color import ColorType
from rich.console import Console
from screens import NOON, asking, everything, live, picture
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from fleet.core.rows import Frame, LiveRow
from fleet.tui.app import FleetApp
from fleet.tui.fleet import FleetListScreen

SMALL, USUAL, LARGE = (80, 24), (120, 40), (200, 50)
NASTY = live(
    "na[red]me\x1b[2J",
    of={"title": "مرحبا \u202e[b]title[/b]", "agent": "界" * 20, "needs": "e" + "\u0301" * 50},
    section="needs",
    doing="x" * 9000,
)
SCREEN = [
    "\x1b[1m$ make test\x1b[0m",
    "\x1b[32m142 passed\x1b[0m in 3.1s",
    "\x1b[2J\x1b]0;title\x07kept 日本語",
    "",
]


def text(app: FleetApp) -> str:
    """Return the screen as text, without the blanks at the ends of its lines."""
    columns, rows = app.size
    console = Console(width=columns, height=rows, file=io.StringIO(), record=True)
    console.print(app.screen._compositor.render_update(full=True))
    shown = console.export_text(styles=False)
    return "\n".join(line.rstrip() for line in shown.splitlines())


async def look(
    app: FleetApp, pilot: Pilot[int], link: FakeLink, *, pane: bool, keys: str = ""
) -> str:
    """Press keys, let the pane be drawn, and return what is seen."""
    await pilot.press(*keys.split())
    screen = app.screen
    if isinstance(screen, FleetListScreen):
        screen._view()
        task = link.viewed[-1][0] if pane else None
        if task:
            lines = dict(enumerate(SCREEN))
            link.draw(Frame(task=task, live=True, width=80, height=len(SCREEN), lines=lines))
    for _ in range(3):  # what is drawn moves what is around it
        await pilot.pause()
    return text(app)


@dataclass(frozen=True)
class Look:
    name: str
    size: tuple[int, int]
    keys: str = ""
    lives: tuple[LiveRow, ...] = everything()


LOOKS = (
    Look("small", SMALL),
    Look("usual", USUAL),
    Look("large", LARGE),
    Look("question", USUAL, "j"),
    Look("review", SMALL, "3"),
    Look("message", SMALL, "space h i ctrl+j y o u"),
    Look("filter", SMALL, "slash d o c s"),
    Look("pane", USUAL, "6 tab"),
    Look("nothing", SMALL, lives=()),
    Look("harm", SMALL, lives=(NASTY, asking("next"))),
    Look("help", USUAL, "3 question_mark"),
)


@pytest.mark.parametrize("one", LOOKS, ids=lambda one: one.name)
async def test_screens(
    one: Look, running: Running, link: FakeLink, snapshot: SnapshotAssertion
) -> None:
    async with running(picture(*one.lives), size=one.size) as (app, pilot):
        seen = await look(app, pilot, link, pane=True, keys=one.keys)
    assert seen == snapshot


async def test_without_colours_nothing_is_lost(
    running: Running, link: FakeLink, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(size=SMALL) as (app, pilot):
        seen = await look(app, pilot, link, pane=True)
        strips = app.screen._compositor.render_strips()
        colours = {it.style.color for strip in strips for it in strip if it.style}
    assert seen == snapshot
    assert {colour.type for colour in colours if colour} <= {ColorType.DEFAULT}


async def test_the_supervisor_away(
    running: Running, link: FakeLink, snapshot: SnapshotAssertion
) -> None:
    worst = picture(*everything(), at=NOON, degraded=("agents end when you log out: no linger",))
    async with running(worst, size=SMALL) as (app, pilot):
        link.lose("no supervisor runs", "type: fleet up")
        seen = await look(app, pilot, link, pane=False, keys="r")
    assert seen == snapshot
