"""The queue screen as a person uses it."""

from drawn import drawn
from fake_link import FakeLink, Running
from msgspec.structs import replace
from reviews import ANSWERS, HEAD, entry, line, shown
from screens import everything, live, picture

from fleet.core import commands as c
from fleet.tui.queue import QueueScreen
from fleet.tui.review import ReviewScreen


async def test_what_lands_and_what_it_waits_for(running: Running, link: FakeLink) -> None:
    async with running(shown(), size=(100, 24)) as (app, pilot):
        await pilot.press("Q", "G")
        text = drawn(app)
    assert "1 cache ready medium main +20 -4 ✓1 person its turn to land" in " ".join(text.split())
    assert "▌ 4  colours" in text
    assert "conflicts with what landed meanwhile:" in text
    assert "src/menu.py" in text
    assert "no check has run on it" in text


async def test_unanswered_comments_are_said(running: Running, link: FakeLink) -> None:
    rows = (entry("cache", unanswered=1), entry("menu", position=2, unanswered=2))
    async with running(shown(*rows), size=(100, 24)) as (app, pilot):
        await pilot.press("Q")
        first = drawn(app)
        await pilot.press("j")
        second = drawn(app)
    assert "1 comment is unanswered" in first
    assert "2 comments are unanswered" in second


async def test_the_same_change_stays_selected(running: Running, link: FakeLink) -> None:
    async with running(shown()) as (app, pilot):
        await pilot.press("Q", "j")
        moved = (entry("new-menu"), *(replace(it, position=it.position + 1) for it in line()))
        link.show(replace(shown(), tasks=(), queue=moved), whole=False)
        await pilot.pause()
        assert "▌ 3  export-json" in drawn(app)
        link.show(replace(shown(), tasks=(), queue=moved[:1]), whole=False)
        await pilot.pause()
        assert "▌ 1  new-menu" in drawn(app)
        link.show(replace(shown(), tasks=(), queue=()), whole=False)
        await pilot.pause()
        assert "nothing waits to land" in drawn(app)


async def test_several_queues_have_heads(running: Running, link: FakeLink) -> None:
    queue = (*line(), entry("docs", repo="r2", target="release"))
    async with running(replace(shown(), queue=queue)) as (app, pilot):
        await pilot.press("Q", "G")
        text = drawn(app)
    assert "shop → main  4" in text
    assert "shop → release  1" in text
    assert "▌ 1  docs" in text


async def test_one_reads_and_judges(running: Running, link: FakeLink) -> None:
    link.answers |= ANSWERS
    async with running(shown()) as (app, pilot):
        await pilot.press("Q", "j", "a")
        await pilot.pause()
        assert isinstance(app.screen, QueueScreen)
        await pilot.press("W", "y")
        await pilot.pause()
        await pilot.press("R", *"no", "ctrl+s")
        await pilot.pause()
        assert link.asked == [
            c.Approve(task="export-json", head=HEAD),
            c.Withdraw(task="export-json"),
            c.Return(task="export-json", note="no"),
        ]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ReviewScreen)
        await pilot.press("q", "escape")
        assert not isinstance(app.screen, QueueScreen)


async def test_a_frozen_queue_is_thawed(running: Running, link: FakeLink) -> None:
    frozen = live(
        "frozen", kind="frozen", section="needs", of={"repo": "/shop", "needs": "frozen: x"}
    )
    first = replace(picture(*everything(), frozen), queue=(*line(), entry("frozen", position=5)))
    async with running(first) as (app, pilot):
        await pilot.press("Q", "T")
        await pilot.pause()
        assert "the queue of main is not frozen" in drawn(app)
        await pilot.press("G", "T")
        assert "frozen: x" in drawn(app)
        await pilot.press("enter")
        await pilot.pause()
    assert link.asked == [c.Thaw(cwd="/shop", target="main")]


async def test_a_double_click_reads(running: Running, link: FakeLink) -> None:
    link.answers |= ANSWERS
    async with running(shown()) as (app, pilot):
        await pilot.press("Q")
        await pilot.click("#list", offset=(6, 1))
        assert "▌ 2  export-json" in drawn(app)
        await pilot.click("#list", offset=(6, 1), times=2)
        await pilot.pause()
        assert isinstance(app.screen, ReviewScreen)


async def test_a_removal_is_confirmed(running: Running, link: FakeLink) -> None:
    async with running(shown()) as (app, pilot):
        await pilot.press("x")
        text = drawn(app)
        assert "remove importer?" in text
        assert "u brings it back" in text
        await pilot.press("escape")
        assert link.asked == []
        await pilot.press("x", "y")
        await pilot.pause()
        await pilot.press("u")
        await pilot.pause()
    assert link.asked == [c.Remove(task="importer"), c.Restore(task="importer")]


async def test_a_change_is_moved_up_and_down(running: Running, link: FakeLink) -> None:
    async with running(shown(), size=(120, 24)) as (_, pilot):
        await pilot.press("Q", "+", "-")
    task = line()[0].task

    assert [it for it in link.asked if isinstance(it, c.Edit)] == [
        c.Edit(task=task, priority="urgent"),
        c.Edit(task=task, priority="low"),
    ]


async def test_a_priority_ends_where_there_is_no_other(running: Running, link: FakeLink) -> None:
    urgent = live("cache", of={"priority": "urgent"})
    async with running(replace(shown(), tasks=(urgent,)), size=(120, 24)) as (app, pilot):
        await pilot.press("Q", "+")
        text = drawn(app)

    assert "cache has the priority urgent already" in text
    assert [it for it in link.asked if isinstance(it, c.Edit)] == []


async def test_a_stack_is_shown_in_the_order_in_which_it_lands(
    running: Running, link: FakeLink
) -> None:
    both = ("cache", "menu")
    rows = (
        entry("cache", stack=both, priority="urgent"),
        entry("menu", position=2, parent="cache", stack=both, upon=1),
    )
    async with running(shown(*rows), size=(120, 24)) as (app, pilot):
        await pilot.press("Q")
        text = drawn(app)

    assert "└ menu" in text
    assert "stack: cache → menu" in text
    assert "priority: urgent" in text
