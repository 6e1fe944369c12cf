"""The fleet screen as a person uses it: keys become requests, refusals become notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from drawn import drawn as screen_of
from fake_link import FakeLink, Running
from screens import QUESTION, asking, changed, everything, live, picture
from textual import events
from textual.pilot import Pilot

from fleet.core.commands import (
    Answer,
    Command,
    DeclareDone,
    Pause,
    Remove,
    Restore,
    Resume,
    Retry,
    Send,
    Stop,
)
from fleet.core.rows import Frame
from fleet.errors import RefusedError
from fleet.protocol import Attach
from fleet.tui import tasks
from fleet.tui.app import FleetApp
from fleet.tui.fleet import FleetListScreen
from fleet.tui.pane import PaneView
from fleet.tui.widgets import Lines


def shown(app: FleetApp, part: str) -> str:
    """Return what a part says; the rule is the first line above the pane, the detail the rest."""
    places = {"rule": ("pane", slice(1)), "detail": ("pane", slice(1, None))}
    name, some = places.get(part, (part, slice(None)))
    lines = app.screen.query_one(f"#{name}", Lines).lines[some]
    return "\n".join("".join(span.text for span in line) for line in lines)


def selected(app: FleetApp) -> str | None:
    screen = app.screen
    assert isinstance(screen, FleetListScreen)
    found = screen.live()
    return found.row.task if found else None


def notices(app: FleetApp) -> list[str]:
    return [it.message for it in app._notifications]


async def pressed(pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def settled(app: FleetApp) -> None:
    """Wait for all that is under way, but for the link, which never ends."""
    while under_way := [it for it in app.workers if it.group != "link" and not it.is_finished]:
        await app.workers.wait_for_complete(under_way)


def frame(task: str, *lines: str, **said: object) -> Frame:
    usual = {"live": True, "width": 80, "height": len(lines), "lines": dict(enumerate(lines))}
    return Frame(task=task, **(usual | said))  # type: ignore[arg-type]  # what is said varies


# --- moving -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "task"),
    [
        ("j", "schema"),
        ("down down up", "schema"),
        ("G", "readme"),
        ("G k", "colours"),
        ("G g", "importer"),
        ("3", "export-json"),
        ("w", "schema"),
        ("w w w w", "importer"),
        ("pagedown", "readme"),
        ("pagedown pageup", "importer"),
    ],
)
async def test_keys_move_the_selection(keys: str, task: str, running: Running) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, *keys.split())
        assert selected(app) == task


async def test_the_selection_stays_with_its_task(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "G", "k", "k")
        assert selected(app) == "cache"
        rest = [it for it in everything() if it.row.task not in ("cache", "importer")]
        link.show(picture(asking("cache"), *rest))
        await pilot.pause()
        assert selected(app) == "cache"
        assert "▌ cache" in shown(app, "list")


async def test_the_selection_stays_in_view(running: Running, link: FakeLink) -> None:
    many = [live(f"task-{number:02}") for number in range(60)]
    async with running(picture(*many), size=(80, 24)) as (app, pilot):
        tasks_ = app.screen.query_one("#list", Lines)
        await pressed(pilot, "9")
        assert tasks_.scroll_offset.y == 0
        link.show(picture(*[asking(f"new-{number}") for number in range(20)], *many))
        await pilot.pause()
        assert selected(app) == "task-08"
        assert tasks_.sees(tasks_.cursor)


@pytest.mark.parametrize("size", [(20, 5), (80, 6), (400, 100)])
async def test_the_selection_is_seen_on_any_terminal(
    running: Running, link: FakeLink, size: tuple[int, int]
) -> None:
    async with running(size=size) as (app, pilot):
        for key in ("down", "down", "G", "k", "g", "down"):
            await pilot.press(key)
            assert "▌" in screen_of(app)


async def test_a_click_selects(running: Running) -> None:
    async with running() as (app, pilot):
        await pilot.click("#list", offset=(10, 3))
        await pilot.pause()
        assert selected(app) == "export-json"


async def test_a_filter_narrows_the_list_until_escape(running: Running) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "slash", *"docs")
        assert selected(app) == "docs"
        assert "importer" not in shown(app, "list")
        await pressed(pilot, "enter", "j")
        assert selected(app) == "docs"
        await pressed(pilot, "w")
        assert selected(app) == "importer"
        await pressed(pilot, "slash", *"zz", "escape")
        assert "docs" in shown(app, "list")


# --- what keys ask for ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "request_"),
    [
        ("y", Answer(task="importer", verdict="allow", ask="ask-1")),
        ("N", Answer(task="importer", verdict="deny", ask="ask-1")),
        (
            "j 2",
            Answer(task="schema", verdict="text", text="SQLite, a file beside it", ask="ask-2"),
        ),
        ("j space h i enter", Answer(task="schema", verdict="text", text="hi", ask="ask-2")),
        ("space h i enter", Send(task="importer", text="hi")),
        ("m h ctrl+j i enter", Send(task="importer", text="h\ni")),
        ("s s", Stop(task="importer")),
        ("r", Retry(task="importer")),
        ("p", Pause(task="importer")),
        ("f", DeclareDone(task="importer")),
        ("x y", Remove(task="importer")),
    ],
)
async def test_a_key_asks_for_one_thing(
    keys: str, request_: Command, running: Running, link: FakeLink
) -> None:
    link.answers["Send"] = {"sent": []}
    async with running() as (_, pilot):
        await pressed(pilot, *keys.split())
    assert link.asked == [request_]


async def test_what_is_paused_is_resumed(running: Running, link: FakeLink) -> None:
    paused = live("a", refusals={"pause": "it is paused"}, of={"status": "paused"})
    async with running(picture(paused)) as (_, pilot):
        await pressed(pilot, "p")
    assert link.asked == [Resume(task="a")]


async def test_the_ask_that_is_on_the_screen_is_answered(running: Running, link: FakeLink) -> None:
    async with running() as (_, pilot):
        newer = asking("importer", QUESTION)
        link.show(picture(newer), whole=False)
        await pilot.pause()
        await pressed(pilot, "3")
    assert link.asked == [Answer(task="importer", verdict="text", text="both", ask="ask-2")]


async def test_stop_wants_to_be_pressed_twice(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "s", "j", "s")
        assert link.asked == []
        assert notices(app) == ["press it again to stop schema; its work stays"]


async def test_what_was_removed_comes_back(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "u")
        assert "nothing was removed here" in notices(app)[0]
        await pressed(pilot, "x", "y")
        assert notices(app) == ["importer is removed; u brings it back"]
        await pressed(pilot, "u")
    assert link.asked == [Remove(task="importer"), Restore(task="importer")]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("3 enter", "it has no agent at work"),
        ("3 y", "export-json asks for nothing"),
        ("j y", "schema asks a question; choose an answer, or send one"),
        ("j 9", "there are 3 choices"),
        ("3 space", "it has no agent at work"),
    ],
)
async def test_a_key_that_is_refused_says_why(
    keys: str, why: str, running: Running, link: FakeLink
) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, *keys.split())
        assert notices(app) == [why]
        assert link.asked == []


async def test_the_supervisors_refusal_is_said_with_its_hint(
    running: Running, link: FakeLink
) -> None:
    link.answers["Retry"] = RefusedError("it [bold]runs\x1b[2J", hint="wait for it")
    async with running() as (app, pilot):
        await pressed(pilot, "r")
        assert notices(app) == ["it [bold]runs\nwait for it"]


# --- sending ------------------------------------------------------------------------------------


async def test_a_message_is_kept_until_it_has_gone(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "space", *"wait", "escape", "j", "k", "space")
        link.lose()
        await pressed(pilot, "x", "enter")
        assert notices(app) == ["the supervisor is away\nwhat you typed stays until it is back"]
        link.answers["Send"] = RefusedError("the supervisor went away before it answered")
        link.come_back()
        await pressed(pilot, "y", "enter")
        assert "went away" in notices(app)[-1]
        link.answers["Send"] = {
            "sent": [{"task": "importer", "outcome": "unconfirmed", "reason": "it is busy"}]
        }
        await pressed(pilot, "space", "enter")
        assert notices(app) == ["importer: unconfirmed: it is busy"]
        await pressed(pilot, "space", "enter")
    assert [it.text for it in link.asked if isinstance(it, Send)] == ["waitxy", "waitxy"]


async def test_keys_are_text_while_someone_types(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "space", "q", "s", "colon")
        assert app.is_running
        assert "leave, and keep the text" in shown(app, "footer")
    assert link.asked == []


# --- the supervisor away, and back ---------------------------------------------------------------


async def test_a_lost_link_is_said_and_refuses(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        link.lose("no supervisor runs", "type: fleet up")
        await pilot.pause()
        assert "! no supervisor runs; type: fleet up" in shown(app, "header")
        assert "importer" in shown(app, "list")
        await pressed(pilot, "r")
        assert "the supervisor is away" in notices(app)[0]
        link.come_back()
        link.show(picture(live("other")))
        await pilot.pause()
        assert "!" not in shown(app, "header")
        assert selected(app) == "other"


async def test_the_bell_rings_for_a_new_need(
    running: Running, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    async with running(picture(live("a"), live("b"))) as (app, pilot):
        monkeypatch.setattr(app, "bell", lambda: rung.append("bell"))
        link.show(picture(changed(live("a"), added=4), live("b")), whole=False)
        await pilot.pause()
        assert rung == []
        link.show(picture(asking("a"), rings=("a",)), whole=False)
        link.show(picture(asking("a")), whole=False)
        await pilot.pause()
        assert rung == ["bell"]


# --- the pane ----------------------------------------------------------------------------------


def pane(app: FleetApp) -> PaneView:
    return app.screen.query_one(PaneView)


def drawn(app: FleetApp) -> list[str]:
    view = pane(app)
    rows = range(len(view.lines), view.size.height)
    return [view.render_line(y).text[1:].rstrip() for y in rows]


@contextmanager
def viewed(app: FleetApp, link: FakeLink) -> Iterator[None]:
    """Let the pane of the selected task come into view at once."""
    screen = app.screen
    assert isinstance(screen, FleetListScreen)
    screen._view()
    yield
    assert link.viewed[-1][0] == selected(app)


async def test_a_pane_is_followed_to_its_end(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        with viewed(app, link):
            link.draw(frame("importer", *[f"\x1b[3{n % 8}mline {n}" for n in range(90)], "", ""))
            await pilot.pause()
            assert drawn(app)[-1] == "line 89"
            assert "live" in shown(app, "rule")
            link.draw(frame("importer", height=92, lines={89: "changed"}), whole=False)
            await pilot.pause()
            assert drawn(app)[-1] == "changed"
            link.draw(frame("other", "not this one"))
            await pilot.pause()
            assert drawn(app)[-1] == "changed"


async def test_a_pane_scrolls_back_and_asks_for_more(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        with viewed(app, link):
            link.draw(frame("importer", *[f"line {n}" for n in range(60)]))
            await pressed(pilot, "tab", "k")
            assert "scrolled; G follows" in shown(app, "rule")
            await pressed(pilot, "g")
            assert drawn(app)[0] == "line 0"
            assert link.viewed[-1] == ("importer", 400)
            more = [f"old {n}" for n in range(100)] + [f"line {n}" for n in range(60)]
            link.draw(frame("importer", *more, history=100))
            await pilot.pause()
            assert drawn(app)[0] == "line 0"
            await pressed(pilot, "G")
            assert drawn(app)[-1] == "line 59"
            assert "live" in shown(app, "rule")


async def test_the_next_pane_of_a_task_comes_into_view(running: Running, link: FakeLink) -> None:
    async with running(picture(live("a", of={"pane": None}))) as (app, pilot):
        with viewed(app, link):
            link.end_view("a", "it has no pane yet")
            await pilot.pause()
            assert "it has no pane yet" in shown(app, "rule")
        known = len(link.viewed)
        link.show(picture(live("a", of={"pane": "%7"})), whole=False)
        while len(link.viewed) == known:
            await pilot.pause()
        assert link.viewed[known:] == [("a", 0)]
        assert "it has no pane yet" not in shown(app, "rule")


async def test_escape_leaves_the_pane_and_then_the_filter(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "slash", *"docs", "enter", "tab", "escape", "j", "escape")
        assert "importer" in shown(app, "list")
        await pressed(pilot, "escape", "g", "j")
        assert selected(app) == "schema"


async def test_the_wheel_scrolls_the_pane(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        with viewed(app, link):
            link.draw(frame("importer", *[f"line {n}" for n in range(60)]))
            await pilot.pause()
            at: dict[str, Any] = {"widget": pane(app), "x": 5, "y": 9, "delta_x": 0, "delta_y": 0}
            at |= dict.fromkeys(("button", "shift", "meta", "ctrl"), 0)
            pane(app).post_message(events.MouseScrollUp(**at))
            await pilot.pause()
            assert drawn(app)[-1] == "line 56"
            pane(app).post_message(events.MouseScrollDown(**at))
            await pilot.pause()
            assert drawn(app)[-1] == "line 59"
            assert "live" in shown(app, "rule")


async def test_a_pane_that_is_gone_says_so(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        with viewed(app, link):
            link.end_view("importer")
            await pilot.pause()
            assert "this pane is gone" in shown(app, "rule")
            link.draw(frame("importer", "last words", live=False, cursor=(0, 0)))
            link.end_view("importer")
            await pilot.pause()
            assert "its last words" in shown(app, "rule")
            assert drawn(app)[0] == "last words"


async def test_a_pane_that_comes_back_with_the_supervisor_is_live(
    running: Running, link: FakeLink
) -> None:
    async with running() as (app, pilot):
        with viewed(app, link):
            link.draw(frame("importer", "before"))
            link.end_view("importer", "the supervisor went away before it answered")
            link.lose()
            await pilot.pause()
            assert "as it was" in shown(app, "rule")
            link.come_back()
            link.draw(frame("importer", "after"))
            await pilot.pause()
            assert "live" in shown(app, "rule")
            assert "went away" not in shown(app, "rule")


async def test_an_answer_in_words_is_kept_until_it_has_gone(
    running: Running, link: FakeLink
) -> None:
    link.answers["Answer"] = RefusedError("the supervisor went away before it answered")
    async with running() as (_, pilot):
        await pressed(pilot, "j", "space", *"blue", "enter")
        link.answers["Answer"] = {}
        await pressed(pilot, "space", "enter")
    assert [it.text for it in link.asked if isinstance(it, Answer)] == ["blue", "blue"]


# --- attaching, help, palette, leaving ------------------------------------------------------------


async def test_attaching_inside_tmux_opens_a_window_there(
    running: Running, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/outer,1,0")
    link.answers["Attach"] = {"opened": True, "argv": [], "way_back": "ctrl+b d"}
    async with running() as (app, pilot):
        await pressed(pilot, "enter")
        assert notices(app) == ["importer is open in a new window; ctrl+b d leads back"]
    [asked] = link.asked
    assert isinstance(asked, Attach)
    assert (asked.task, asked.tmux) == ("importer", "/tmp/outer,1,0")
    assert asked.fleet[-3:] == ("-P", "-m", "fleet")


async def test_attaching_outside_gives_the_terminal_away(
    running: Running, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(tasks, "foreground", lambda argv, _: ran.append(argv))
    monkeypatch.setattr(FleetApp, "suspend", lambda _: memoryview(b""))
    link.answers["Attach"] = {"opened": False, "argv": ["tmux", "attach"], "way_back": "x"}
    async with running() as (app, pilot):
        await pressed(pilot, "j", "enter")
        await settled(app)
        assert selected(app) == "schema"
    assert ran == [["tmux", "attach"]]
    assert link.resting == ["rest", "wake"]


async def test_a_program_that_is_not_there_is_refused(
    running: Running, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FleetApp, "suspend", lambda _: memoryview(b""))
    link.answers["Attach"] = {"opened": False, "argv": ["/no/such/program"], "way_back": "x"}
    async with running() as (app, pilot):
        await pressed(pilot, "enter")
        await pilot.pause()
        assert "cannot run /no/such/program" in notices(app)[0]
    assert link.resting == ["rest", "wake"]


async def test_help_lists_the_keys_and_leads_back(running: Running) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "question_mark")
        assert "the selected agent" in shown(app, "list")
        await pressed(pilot, "j", "k", "pagedown", "pageup", "q")
        assert selected(app) == "importer"


async def test_the_palette_finds_commands_and_themes(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "colon", *"retry")
        await settled(app)
        await pressed(pilot, "down", "enter")
        assert link.asked == [Retry(task="importer")]


async def test_keys_of_a_persons_own(running: Running, link: FakeLink) -> None:
    async with running(keys={"retry": ["ctrl+r", "!"]}) as (_, pilot):
        await pressed(pilot, "r")
        assert link.asked == []
        await pressed(pilot, "ctrl+r")
        await pressed(pilot, "exclamation_mark")
    assert link.asked == [Retry(task="importer")] * 2


async def test_leaving_changes_nothing(running: Running, link: FakeLink) -> None:
    async with running() as (app, pilot):
        await pressed(pilot, "q")
        assert app.return_code == 0
    assert link.asked == []


async def test_run_twice_it_shows_the_same(running: Running, link: FakeLink) -> None:
    seen = []
    for _ in range(2):
        async with running() as (app, pilot):
            await pressed(pilot, "j")
            seen.append([shown(app, part) for part in ("header", "list", "detail", "footer")])
    assert seen[0] == seen[1]
