"""The review screen as a person uses it: reading, judging, and what is said when it cannot be."""

from typing import Any

import pytest
from drawn import drawn
from fake_link import FakeLink, Running
from msgspec.structs import replace
from reviews import ANSWERS, HEAD, NEXT, detail, diff, entry, line, packet, shown, why
from textual import events
from textual.pilot import Pilot

from fleet.core import commands as c
from fleet.errors import RefusedError
from fleet.protocol import Attach, Comments, Diff, Log, Review, Show, Why
from fleet.tui.app import FleetApp
from fleet.tui.dialogs import NoteDialog
from fleet.tui.review import ReviewScreen

TASK = "export-json"


@pytest.fixture
def opened(running: Running, link: FakeLink) -> Any:
    """Open the review of a change; answers may be other ones."""
    link.answers |= ANSWERS

    def run(**said: Any) -> Any:
        return running(shown(), **said)

    return run


async def read(app: FleetApp, pilot: Pilot[int]) -> str:
    app.open("review", TASK)
    await pilot.pause()
    await pilot.pause()
    return drawn(app)


def commands(link: FakeLink) -> list[c.Command]:
    queries = (Diff, Comments, Show, Why, Log, Review)
    return [asked for asked in link.asked if not isinstance(asked, queries)]


class TestReading:
    async def test_how_it_stands(self, opened: Any, link: FakeLink) -> None:
        async with opened() as (app, pilot):
            text = await read(app, pilot)
        assert "not approved" in text
        assert "revision 2 (you saw 1)  c7edc4c4c7  +6 -6  4 files" in text
        assert "#2 ready, waits for a review" in text
        assert link.asked[0] == Diff(task=TASK, screen=True)

    async def test_work_that_fleet_committed_is_said(self, opened: Any, link: FakeLink) -> None:
        link.answers["Diff"] = diff(auto_commit=True, seen=0)
        async with opened() as (app, pilot):
            text = await read(app, pilot)
        assert "it has uncommitted work that fleet committed" in text
        assert "you saw" not in text

    async def test_a_branch_that_is_no_change_yet(self, opened: Any, link: FakeLink) -> None:
        link.answers["Diff"] = diff(sealed=False)
        async with opened() as (app, pilot):
            assert "the branch so far" in await read(app, pilot)

    async def test_there_is_nothing_to_read(self, opened: Any, link: FakeLink) -> None:
        link.answers["Diff"] = RefusedError("export-json has no branch yet", hint="wait for it")
        async with opened() as (app, pilot):
            text = await read(app, pilot)
            await pilot.press("a")
            await pilot.pause()
        assert "export-json has no branch yet" in text
        assert "wait for it" in text
        assert commands(link) == []

    async def test_panes(self, opened: Any, link: FakeLink) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            assert not any(isinstance(it, Log) for it in link.asked)
            await pilot.press("tab")
            await pilot.pause()
            checks = drawn(app)
            await pilot.press("tab")
            task = drawn(app)
            await pilot.press("shift+tab", "1")
            again = drawn(app)
        assert "✗ lint  failed with 1  0.8s  on the merged tree" in checks
        assert "E501 line too long" in checks
        assert [it.check for it in link.asked if isinstance(it, Log)] == [
            "1-test",
            "gate-1-abc-lint",
        ]
        assert "pytest tests/export" in task
        assert "wall time: 2h" in task
        assert "its change waits for review" in task
        assert "lines 1-8" in again

    async def test_the_packet_begins_with_the_risk(self, opened: Any) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            await pilot.press("4")
            await pilot.pause()
            lines = [line.strip() for line in drawn(app).splitlines()]
        assert "medium risk" in lines[0]
        first = lines.index("risk")
        assert lines[first + 1 : first + 3] == [
            "medium, 4 points",
            "+3  tests are skipped: @pytest.mark.skip",
        ]
        assert "?  one object a line: NO EVIDENCE" in lines

    async def test_a_packet_is_read_again_once_the_change_is_measured(
        self, opened: Any, link: FakeLink
    ) -> None:
        link.answers["Review"] = packet(risk=None, assessment=None)
        async with opened() as (app, pilot):
            await read(app, pilot)
            await pilot.press("4")
            await pilot.pause()
            before = drawn(app)
            link.answers["Review"] = packet()
            link.show(shown())
            await pilot.pause()
            after = drawn(app)
        assert "not assessed yet" in before
        assert "medium, 4 points" in after

    async def test_output_that_cannot_be_had_is_said(self, opened: Any, link: FakeLink) -> None:
        link.answers["Log"] = RefusedError("export-json has no output of a check lint")
        async with opened() as (app, pilot):
            await read(app, pilot)
            await pilot.press("2")
            await pilot.pause()
            assert "has no output of a check" in drawn(app)

    async def test_files_hunks_and_search(self, opened: Any) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            reader = app.screen.reader
            rows = []
            for key in ("]", "]", "[", "{", "}", "G", "g"):
                await pilot.press(key)
                rows.append(reader.document.rows[reader.row].text.split("   ")[0])
            assert rows[:3] == ["docs/new name.md", "logo.png", "docs/new name.md"]
            assert rows[3:5] == ["lines 41-44  class Exporter:", "line 3"]
            await pilot.press("slash", *"INDENT", "enter")
            first = reader.row
            await pilot.press("n", "n", "N")
            assert reader.row > first
            assert "/INDENT 2/2" in drawn(app)
            await pilot.press("escape")
            assert isinstance(app.screen, ReviewScreen)
            assert "/INDENT" not in drawn(app)
            await pilot.press("escape")
            assert not isinstance(app.screen, ReviewScreen)

    async def test_what_is_typed_at_once_is_looked_for(self, opened: Any) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            for key in ("slash", "I", "N", "D", "enter"):  # before the line for it is there
                character = key if len(key) == 1 else {"slash": "/", "enter": "\r"}[key]
                app.post_message(events.Key(key, character))
            await pilot.pause()
            await pilot.pause()
            assert "/IND 1/2" in drawn(app)
            assert not app.screen.typing()

    async def test_long_lines_are_moved(self, opened: Any, link: FakeLink) -> None:
        patch = "diff --git a/x b/x\n@@ -0,0 +1 @@\n+" + "".join(
            f"{it:04} " for it in range(300_000)
        )
        link.answers["Diff"] = diff(patch=patch)
        async with opened() as (app, pilot):
            assert "0000 0001" in await read(app, pilot)
            await pilot.press("l", "l")
            text = drawn(app)
            await pilot.press("h", "h", "h")
            back = drawn(app)
        assert "0000" not in text
        assert "column 33" in text
        assert "0000 0001" in back

    async def test_a_click_in_the_list_of_files(self, opened: Any) -> None:
        async with opened(size=(120, 40)) as (app, pilot):
            await read(app, pilot)
            await pilot.click("#index", offset=(4, 1))
            assert "docs/new name.md  2/4" in drawn(app)

    async def test_untrusted_text_does_no_harm(self, opened: Any, link: FakeLink) -> None:
        nasty = (
            "\x1b[2J\x1b]0;x\x07[red]名前[/] \u202e\u0301\u0301\u0301\u0301 שלום " + "z" * 1_000_000
        )
        patch = f"diff --git a/{nasty} b/{nasty}\n@@ -1 +1 @@\n-{nasty}\n+{nasty}\n"
        link.answers |= {
            "Diff": diff(patch=patch),
            "Show": detail(prompt=nasty, notes=nasty, messages=(nasty,)),
            "Why": why(because=(nasty,)),
            "Log": {"text": nasty, "path": None},
        }
        async with opened(size=(80, 24)) as (app, pilot):
            pages = [await read(app, pilot)]
            for pane in "23":
                await pilot.press(pane)
                await pilot.pause()
                pages.append(drawn(app))
        for page in pages:
            assert "[red]" in page
            assert "\x1b" not in page
            assert len(page.splitlines()) == 24


class TestVerdicts:
    async def test_approve_names_the_commit_on_the_screen(
        self, opened: Any, link: FakeLink
    ) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            await pilot.press("a")
            await pilot.pause()
            assert not isinstance(app.screen, ReviewScreen)
        assert commands(link) == [c.Approve(task=TASK, head=HEAD)]

    async def test_a_newer_revision_is_read_when_the_old_one_is_refused(
        self, opened: Any, link: FakeLink
    ) -> None:
        why_not = f"{TASK} stands at {NEXT[:12]}, not at {HEAD}"
        link.answers["Approve"] = RefusedError(why_not, hint="read it again")
        async with opened() as (app, pilot):
            await read(app, pilot)
            link.answers["Diff"] = diff(head=NEXT, revision=3, seen=2)
            await pilot.press("a")
            await pilot.pause()
            await pilot.pause()
            text = drawn(app)
            assert isinstance(app.screen, ReviewScreen)
        assert "revision 3 (you saw 2)  99aa88bb99" in text
        assert why_not[:40] in text

    async def test_a_newer_revision_is_said_and_read_on_demand(
        self, opened: Any, link: FakeLink
    ) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            queue = (line()[0], entry(TASK, position=2, head=NEXT))
            link.show(replace(shown(), tasks=(), queue=queue), whole=False)
            await pilot.pause()
            assert "a newer revision has come; r reads it" in drawn(app)
            assert "c7edc4c4c7" in drawn(app)
            link.answers["Diff"] = diff(head=NEXT, revision=3, seen=2)
            await pilot.press("r")
            await pilot.pause()
            assert "a newer revision" not in drawn(app)

    async def test_what_was_read_stays_where_it_cannot_be_read_again(
        self, opened: Any, link: FakeLink
    ) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            link.answers["Diff"] = RefusedError("export-json is gone")
            await pilot.press("r")
            await pilot.pause()
            text = drawn(app)
        assert "export-json is gone" in text
        assert "lines 1-8" in text

    async def test_return_keeps_the_note_until_it_has_gone(
        self, opened: Any, link: FakeLink
    ) -> None:
        link.answers["Return"] = RefusedError("export-json is being landed", hint="wait for it")
        async with opened() as (app, pilot):
            await read(app, pilot)
            await pilot.press("R", "ctrl+s")
            assert "the note is empty" in drawn(app)
            await pilot.press(*"keep q", "enter", *"it", "ctrl+s")
            await pilot.pause()
            assert "export-json is being landed" in drawn(app)
            await pilot.press("escape", "R")
            assert "keep q" in drawn(app)
            link.answers["Return"] = {"task": TASK}
            await pilot.press("ctrl+s")
            await pilot.pause()
            assert not isinstance(app.screen, NoteDialog | ReviewScreen)
            assert app.drafts == {}
        assert commands(link)[-1] == c.Return(task=TASK, note="keep q\nit")

    async def test_withdraw_is_confirmed(self, opened: Any, link: FakeLink) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            await pilot.press("W")
            assert "withdraw export-json?" in drawn(app)
            await pilot.press("n")
            assert commands(link) == []
            await pilot.press("W", "y")
            await pilot.pause()
        assert commands(link) == [c.Withdraw(task=TASK)]

    async def test_what_the_supervisor_would_refuse_is_not_asked(
        self, running: Running, link: FakeLink
    ) -> None:
        link.answers |= ANSWERS
        first = shown()
        refused = {"approve": "export-json has landed already"}
        lives = [replace(it, refusals=refused) for it in first.tasks if it.row.task == TASK]
        async with running(replace(first, tasks=tuple(lives))) as (app, pilot):
            await read(app, pilot)
            await pilot.press("a")
            await pilot.pause()
            assert "export-json has landed already" in drawn(app)
        assert commands(link) == []

    async def test_nothing_is_judged_while_the_supervisor_is_away(
        self, opened: Any, link: FakeLink
    ) -> None:
        async with opened() as (app, pilot):
            await read(app, pilot)
            link.lose()
            await pilot.pause()
            await pilot.press("a")
            await pilot.pause()
            text = drawn(app)
        assert "the supervisor went away" in text
        assert "the supervisor is away; what you see is as it was" in text
        assert commands(link) == []

    async def test_attach_and_the_worktree(self, opened: Any, link: FakeLink) -> None:
        link.answers["Attach"] = {"argv": [], "way_back": "ctrl+b d", "opened": True}
        async with opened() as (app, pilot):
            app.open("review", "importer")
            await pilot.pause()
            await pilot.press("o")
            await pilot.pause()
            assert "copied: /w/importer" in drawn(app)
            await pilot.press("enter")
            await pilot.pause()
            assert "importer is open in a new window" in drawn(app)
        assert isinstance(commands(link)[-1], Attach)


async def test_answers_that_come_too_late_are_dropped(opened: Any, link: FakeLink) -> None:
    async with opened() as (app, pilot):
        app.open("review", TASK)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, ReviewScreen)


async def test_help_and_palette_know_its_keys(opened: Any) -> None:
    async with opened(size=(100, 60)) as (app, pilot):
        await read(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        text = drawn(app)
        assert "let the commit that is on the screen land" in text
        assert "to the next piece of the diff" in text
        await pilot.press("escape")
        assert isinstance(app.screen, ReviewScreen)


async def test_a_message_goes_to_the_agent_from_here(opened: Any, link: FakeLink) -> None:
    link.answers["Send"] = {"sent": []}
    async with opened() as (app, pilot):
        app.open("review", "importer")
        await pilot.pause()
        await pilot.press("space", *"hi", "enter")
        await pilot.pause()
    assert commands(link) == [c.Send(task="importer", text="hi")]
