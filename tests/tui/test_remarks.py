"""Comments, files that were read, and the news of a revision, as a person uses them in a review."""

from typing import Any

import pytest
from drawn import drawn
from fake_link import FakeLink, Running
from msgspec import convert
from reviews import ANSWERS, PATCH, REPLY, diff, remark, shown
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from fleet.core import commands as c
from fleet.core.comments import CommentRow
from fleet.errors import RefusedError
from fleet.protocol import Comments, Diff
from fleet.tui.app import FleetApp
from fleet.tui.dialogs import NoteDialog
from fleet.tui.views.marked import Spot, marked, parsed, still_open
from fleet.tui.views.patch import files

TASK = "export-json"


def rows(*said: dict[str, Any]) -> list[CommentRow]:
    return convert(list(said), list[CommentRow])


def lines(*said: dict[str, Any], seen: tuple[str, ...] = ()) -> list[str]:
    document = marked(files(PATCH), rows(*said), seen).document
    return [f"{row.lead}{row.sign}{row.text}".rstrip() for row in document.rows]


# The layout -----------------------------------------------------------------------------------


def test_every_line_knows_its_name() -> None:
    laid = marked(files(PATCH))
    named = {laid.document.rows[at].text: spot for at, spot in laid.spots.items()}

    assert named["import json"] == Spot("src/export.py", "new", 1)
    assert named["def export(rows, path):"] == Spot("src/export.py", "old", 3)
    assert named["        self.file = None"] == Spot("src/export.py", "new", 43)
    assert named["how to export"] == Spot("docs/old name.md", "old", 3)
    assert named["how to export JSON"] == Spot("docs/new name.md", "new", 3)
    assert named['print("gone")'] == Spot("src/über.py", "old", 1)
    assert laid.document.rows == parsed(PATCH).rows


def test_a_comment_stands_below_its_line() -> None:
    text = lines(remark(replies=[REPLY]))
    at = next(n for n, line in enumerate(text) if 'encoding="utf-8"' in line)

    assert text[at + 1 : at + 4] == [
        "     ┃ export-json#1  unanswered",
        "     ┃ person: and for bytes?",
        "     ┃ export-json: they are decoded before",
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"now_line": 30}, "src/export.py line 30: with open"),
        ({"outdated": True, "now_line": None, "now_path": None}, "on a line that is gone: with"),
        ({"side": "old", "now_line": 30}, "line 30 before the change: with"),
    ],
)
def test_a_line_that_is_not_in_view_is_named_above(said: dict[str, Any], words: str) -> None:
    text = lines(remark(**said))

    assert text[0] == "src/export.py"
    assert words in text[1]


def test_old_lines_of_an_earlier_revision_are_not_those_before_the_change() -> None:
    said = rows(remark(side="old", now_line=3), remark(2, now_line=3))
    document = marked(files(PATCH), said, news=True).document
    text = [row.text for row in document.rows]

    assert "export-json#1  unanswered  src/export.py line 3 before the change" in text[1]
    assert text.index("export-json#2  unanswered") > text.index("import json")


def test_comments_on_other_files_stand_last() -> None:
    text = lines(remark(path="lib/x.py", now_path="lib/x.py"))

    assert text[-3] == "comments elsewhere"
    assert "lib/x.py line 4" in text[-2]


def test_a_file_that_was_read_is_named_alone() -> None:
    text = lines(remark(), seen=("src/export.py",))

    assert text[0] == "src/export.py   seen, and as it was"
    assert "and for bytes?" in text[2]
    assert text[4] == "docs/new name.md   renamed from docs/old name.md"


def test_untrusted_words_are_tidy() -> None:
    text = "\n".join(lines(remark(text="a\x1b[2J\u202eb\nc" + "x" * 9000, quote="\x1b[31mq")))

    assert "\x1b" not in text
    assert "\u202e" not in text


def test_names_that_are_no_utf_8_are_spelled() -> None:
    patch = 'diff --git "a/b\\377.txt" "b/b\\377.txt"\n@@ -0,0 +1 @@\n+x\n'

    assert marked(files(patch)).paths == ("b\\xff.txt",)


def test_what_is_open_is_counted() -> None:
    said = rows(remark(), remark(2, state="answered"), remark(3, state="unsent"))

    assert still_open(said) == [
        "1 of 2 comments unanswered",
        "1 comment to be sent with a return",
    ]
    assert still_open(rows(remark(state="resolved"))) == []


# The screen -----------------------------------------------------------------------------------


@pytest.fixture
def opened(running: Running, link: FakeLink) -> Any:
    link.answers |= ANSWERS

    def run(**said: Any) -> Any:
        return running(shown(), **said)

    return run


async def read(app: FleetApp, pilot: Pilot[int], *keys: str) -> str:
    app.open("review", TASK)
    await pilot.pause()
    await pilot.pause()
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    return drawn(app)


def asked(link: FakeLink, kind: type[Any]) -> list[Any]:
    return [it for it in link.asked if isinstance(it, kind)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_review_with_comments(
    opened: Any, link: FakeLink, snapshot: SnapshotAssertion, size: tuple[int, int]
) -> None:
    more = remark(2, state="unsent", text="why did this go?", side="old", now_line=3, line=3)
    answered = remark(3, state="answered", replies=[REPLY], now_line=6)
    link.answers["Comments"] = [remark(), more, answered]
    link.answers["Diff"] = diff(viewed=["docs/new name.md"])
    async with opened(size=size) as (app, pilot):
        assert await read(app, pilot) == snapshot


async def test_a_comment_is_written_on_the_line_under_the_cursor(
    opened: Any, link: FakeLink
) -> None:
    async with opened() as (app, pilot):
        await read(app, pilot, *"jjjj", "c")
        assert isinstance(app.screen, NoteDialog)
        assert "src/export.py line 3" in drawn(app)
        await pilot.press("ctrl+s")
        assert "nothing said yet" in drawn(app)
        await pilot.press("w", "h", "y")
        link.answers["Comments"] = [remark(now_line=3, text="why", state="unsent")]
        await pilot.press("ctrl+s")
        await pilot.pause()
        await pilot.pause()
        text = drawn(app)
    assert asked(link, c.Comment) == [
        c.Comment(task=TASK, path="src/export.py", line=3, text="why", side="old", revision=2)
    ]
    assert "person: why" in text
    assert "1 comment to be sent with a return" in text


async def test_what_was_not_sent_is_edited_and_taken_back(opened: Any, link: FakeLink) -> None:
    link.answers["Comments"] = [remark(now_line=1, state="unsent", text="first")]
    async with opened() as (app, pilot):
        await read(app, pilot, *"jjj", "c")
        assert "which was not sent yet" in drawn(app)
        assert "first" in drawn(app)
        await pilot.press("!", "ctrl+s")
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
    assert asked(link, c.EditComment) == [c.EditComment(comment=f"{TASK}#1", text="first!")]
    assert asked(link, c.DropComment) == [c.DropComment(comment=f"{TASK}#1")]
    assert len(asked(link, Comments)) == 3


async def test_what_was_sent_is_added_to_and_resolved(opened: Any, link: FakeLink) -> None:
    link.answers["Comments"] = [remark(now_line=1)]
    async with opened() as (app, pilot):
        await read(app, pilot, *"jjj", "c")
        await pilot.press("o", "k", "ctrl+s")
        await pilot.pause()
        await pilot.press("x")
        await pilot.pause()
    assert asked(link, c.Reply) == [c.Reply(comment=f"{TASK}#1", text="ok")]
    assert asked(link, c.ResolveComment) == [c.ResolveComment(comment=f"{TASK}#1")]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("c", "this is no line of a file"),
        ("x", "this is no comment"),
        ("2c", "only lines of the diff"),
        ("2v", "only lines of the diff"),
    ],
)
async def test_what_cannot_be_marked_is_said(opened: Any, keys: str, why: str) -> None:
    async with opened() as (app, pilot):
        assert why in await read(app, pilot, *keys)


async def test_a_branch_so_far_has_no_lines_to_comment_on(opened: Any, link: FakeLink) -> None:
    link.answers["Diff"] = diff(sealed=False)
    async with opened() as (app, pilot):
        assert "no revision yet" in await read(app, pilot, *"jjjc")


async def test_a_file_is_folded_once_it_was_read_and_unfolded(opened: Any, link: FakeLink) -> None:
    async with opened() as (app, pilot):
        folded = await read(app, pilot, "]", "v")
        await pilot.press("v")
        await pilot.pause()
        unfolded = drawn(app)
    assert "docs/new name.md   renamed from docs/old name.md   seen, and as it was" in folded
    assert "+how to export JSON" not in folded
    assert "docs/new name.md  2/4" in folded
    assert "+how to export JSON" in unfolded
    assert asked(link, c.MarkSeen) == [
        c.MarkSeen(task=TASK, paths=("docs/new name.md",), seen=seen, revision=2)
        for seen in (True, False)
    ]


async def test_the_reader_stays_on_its_line(opened: Any, link: FakeLink) -> None:
    async with opened() as (app, pilot):
        await read(app, pilot, "]", *"jjj")
        reader = app.screen.reader
        before = reader.document.rows[reader.row].text
        link.answers["Comments"] = [remark(), remark(2)]
        app.screen._again()
        await pilot.pause()
        await pilot.pause()
        assert before == reader.document.rows[reader.row].text == "how to export JSON"


NEWS = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"


async def test_the_news_since_the_last_review(opened: Any, link: FakeLink) -> None:
    async with opened() as (app, pilot):
        await read(app, pilot)
        link.answers["Diff"] = diff(patch=NEWS, since=1, viewed=["x"], conflicts=["x", "y"])
        await pilot.press("i")
        await pilot.pause()
        news = drawn(app)
        await pilot.press("j", "j", "c")
        refused = drawn(app)
        link.answers["Diff"] = diff()
        await pilot.press("i")
        await pilot.pause()
        whole = drawn(app)
    assert "since revision 1" in news
    assert "revision 1 conflicts with the newer target, whose news shows, too: x  y" in news
    assert "+new" in news  # which folds nothing
    assert "of the earlier revision" in refused
    assert "since revision" not in whole
    assert [it.since_review for it in asked(link, Diff)] == [False, True, False]


async def test_where_nothing_was_read_before_the_whole_stays(opened: Any, link: FakeLink) -> None:
    async with opened() as (app, pilot):
        await read(app, pilot)
        link.answers["Diff"] = RefusedError("you have read no earlier revision of export-json")
        await pilot.press("i")
        await pilot.pause()
        text = drawn(app)
        assert not app.screen.since
    assert "no earlier revision" in text
    assert "lines 1-8" in text


async def test_a_return_takes_the_comments_along(opened: Any, link: FakeLink) -> None:
    link.answers["Comments"] = [remark(state="unsent"), remark(2, state="answered")]
    async with opened() as (app, pilot):
        text = await read(app, pilot, "R")
        assert "1 comment goes along" in text
        await pilot.press("ctrl+s")
        await pilot.pause()
    assert asked(link, c.Return) == [c.Return(task=TASK, note="")]


async def test_without_comments_a_return_needs_a_note(opened: Any, link: FakeLink) -> None:
    async with opened() as (app, pilot):
        await read(app, pilot, "R")
        await pilot.press("ctrl+s")
        assert "the note is empty" in drawn(app)
    assert asked(link, c.Return) == []
