"""Conflicts between open branches, in the list, in the queue and on a screen of their own."""

from datetime import timedelta

from drawn import drawn
from fake_link import FakeLink, Running
from msgspec.structs import replace
from reviews import ANSWERS, entry
from screens import NOON, changed, live, picture

from fleet.core.rows import ConflictWith, LiveRow, Picture
from fleet.tui.app import FleetApp
from fleet.tui.cells import Line
from fleet.tui.conflicts import ConflictScreen
from fleet.tui.model import EMPTY, fold
from fleet.tui.refusals import Context
from fleet.tui.review import ReviewScreen
from fleet.tui.views import conflicts as view
from fleet.tui.views import detail
from fleet.tui.views import queue as queue_view


def against(*tasks: str, files: tuple[str, ...] = ("src/a.py",)) -> tuple[ConflictWith, ...]:
    since = NOON - timedelta(minutes=3)
    return tuple(ConflictWith(task=it, files=files, since=since) for it in tasks)


def task(name: str, *others: str, stale: tuple[str, ...] = ()) -> LiveRow:
    return live(name, of={"conflicts_with": against(*others), "stale": stale})


def clashing() -> Picture:
    return picture(
        task("importer", "exporter", "menu"),
        task("exporter", "importer"),
        task("menu", "importer"),
        task("old", stale=("docs/b.md",)),
        task("calm"),
    )


def texts(*lines: Line) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def selected(app: FleetApp) -> str | None:
    screen = app.screen
    assert isinstance(screen, ConflictScreen)
    live = screen.live()
    return live.row.task if live else None


def test_a_task_says_with_whom_in_a_sign_and_a_word() -> None:
    assert view.sign(task("a", "b")).text == "≠ b"
    assert view.sign(task("a", "b", "c")).text == "≠ 2 tasks"
    assert view.sign(task("a", "b", stale=("x",))).text == "≠ main"
    assert view.sign(task("a")).text == ""


def test_the_detail_names_task_and_files() -> None:
    lines = detail.needs(task("a", "b", stale=("x\x1b[2J",)), [], Context(), 80)

    said = texts(*lines)
    assert "≠ conflicts with b in: src/a.py" in said
    assert "≠ stale: conflicts with main in: x" in said
    assert "\x1b" not in said


def test_the_queue_says_with_whom_a_change_conflicts() -> None:
    row = entry("a", waits_for="a review", conflicts_with=against("b", "c"))

    assert queue_view.waits(row).text == "a review; ≠ conflicts with b, c"
    assert "≠ conflicts with c in: src/a.py" in texts(*queue_view.details(row, 80))


def test_each_pair_is_listed_once_and_the_busiest_first() -> None:
    found = [it for it in view.entries(fold(EMPTY, clashing())) if isinstance(it, view.Clash)]

    assert [(it.task, it.other) for it in found] == [
        ("exporter", "importer"),
        ("importer", "menu"),
        ("old", None),
    ]
    assert found[0].age_s == 180


async def test_the_screen_lists_them_and_leads_to_either_task(
    running: Running, link: FakeLink
) -> None:
    link.answers |= ANSWERS
    async with running(clashing(), size=(100, 24)) as (app, pilot):
        assert "≠ 2 tasks" in drawn(app)
        assert "≠ main" in drawn(app)
        await pilot.press("C")
        await pilot.pause()
        text = drawn(app)
        assert "with each other  2" in text
        assert "stale: with their target  1" in text
        assert "▌ exporter  ≠  importer    3m  src/a.py" in text
        assert selected(app) == "exporter"
        await pilot.press("tab")
        assert selected(app) == "importer"
        await pilot.press("G")
        assert selected(app) == "old"
        assert "docs/b.md" in drawn(app)
        await pilot.press("k", "pageup", "pagedown", "g", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ReviewScreen)
        await pilot.press("escape", "C")
        assert not isinstance(app.screen, ConflictScreen)


async def test_the_same_conflict_stays_selected_and_none_is_said(
    running: Running, link: FakeLink
) -> None:
    async with running(clashing()) as (app, pilot):
        await pilot.press("C", "j", "tab")
        assert selected(app) == "menu"
        gone = changed(task("exporter"), conflicts_with=())
        less = changed(task("importer", "menu"), status="working")
        link.show(replace(clashing(), tasks=(gone, less)), whole=False)
        await pilot.pause()
        assert selected(app) == "menu"
        calm = tuple(task(it) for it in ("importer", "exporter", "menu", "old"))
        link.show(replace(clashing(), tasks=calm), whole=False)
        await pilot.pause()
        assert selected(app) is None
        assert "no open branches conflict" in drawn(app)
