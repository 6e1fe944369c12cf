"""Whoever watches is told everything once, and then what changes, and no more than that."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import histories as h
import pytest
from house import House
from msgspec.structs import replace

from fleet import protocol as p
from fleet.core import events as e
from fleet.core import live
from fleet.core.activity import Waiting
from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Task
from fleet.core.policy import RepoPolicy
from fleet.core.queue_rows import queue_rows
from fleet.core.rows import LiveRow, Picture, QueueRow, TaskRow
from fleet.core.views import Need
from fleet.supervisor.answers import watch
from fleet.supervisor.host import now
from fleet.supervisor.probes.vitals import Vitals

A, B, C = h.A, h.B, h.C


class Screen:
    """What somebody sees who draws every picture."""

    def __init__(self, pictures: AsyncGenerator[Picture, None]) -> None:
        self._pictures = pictures
        self.last: Picture
        self.rows: dict[str, LiveRow] = {}
        self.queue: tuple[QueueRow, ...] = ()
        self.pictures = 0

    async def next(self) -> Picture:
        async with asyncio.timeout(20):
            picture = await anext(self._pictures)
        self.pictures += 1
        self.last = picture
        for name in picture.gone:
            del self.rows[name]
        self.rows |= {row.row.task: row for row in picture.tasks}
        self.queue = self.queue if picture.queue is None else picture.queue
        assert set(picture.order) == self.rows.keys()
        return picture

    @property
    def seen(self) -> Any:
        told = self.last
        return self.rows, self.queue, told.order, told.slots_used, told.cost_usd, told.degraded

    async def close(self) -> None:
        await self._pictures.aclose()


@asynccontextmanager
async def watching(house: House, **query: Any) -> AsyncIterator[Screen]:
    screen = Screen(watch.watch(house.host, p.Watch(**query)))
    try:
        yield screen
    finally:
        await screen.close()


@pytest.fixture
def quiet(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A supervisor that begins nothing by itself; its state is what is recorded."""
    monkeypatch.setattr(watch, "PAUSE_S", 0.0)
    house.quiet()
    house.record(*h.SETTING)
    house.tools.policies.keep(h.REPO, "main", h.CHECKED)
    return house


def asks(task: TaskId = A, need: str = "which one?") -> e.ActivityChanged:
    return e.ActivityChanged(task=task, attempt=1, activity=Waiting(need), source="hook")


async def test_the_first_is_whole(quiet: House) -> None:
    quiet.record(*h.running(A), asks(), h.added(B), *h.by_hand(C))
    async with watching(quiet) as screen:
        first = await screen.next()
    assert first.order == ("a", "b", "c")
    assert {row.row.task: row.section for row in first.tasks} == {
        "a": "needs",
        "b": "working",
        "c": "queue",
    }
    assert first.queue == tuple(queue_rows(quiet.fleet, quiet.host.circumstances()))
    assert (first.seq, first.slots_used, first.slots_all) == (quiet.fleet.seq, 1, 8)
    assert screen.rows["a"].row.needs == "which one?"
    assert screen.rows["c"].position == 1
    assert "approve" in screen.rows["a"].refusals


async def test_then_only_what_changes(quiet: House) -> None:
    quiet.record(*h.running(A), h.added(B), *h.by_hand(C))
    async with watching(quiet) as screen:
        await screen.next()
        quiet.record(asks())
        second = await screen.next()
        assert [row.row.task for row in second.tasks] == ["a"]
        assert (second.queue, second.gone) == (None, ())
        quiet.record(h.approved(C))
        third = await screen.next()
        assert [row.row.task for row in third.tasks] == ["c"]
        assert third.queue is not None
        assert third.queue[0].approved_by == "person"


async def test_what_ends_and_is_removed_goes(quiet: House) -> None:
    quiet.record(h.added(A), h.added(B), e.TaskStopped(task=B, by="x"))
    async with watching(quiet, ended=1) as screen:
        assert (await screen.next()).order == ("a", "b")
        quiet.record(e.TaskStopped(task=A, by="x"))
        second = await screen.next()
        assert (second.order, second.gone) == (("a",), ("b",))
        quiet.record(e.TaskRemoved(task=A, by="x"))
        third = await screen.next()
        assert (third.order, third.gone) == (("b",), ("a",))


async def test_nothing_is_told_where_nothing_changed(quiet: House) -> None:
    quiet.record(h.added(A))
    painter = watch.Painter(quiet.host, repo=None, ended=50)
    assert painter.look() is not None
    assert painter.look() is None
    quiet.record(e.SlotPlanned(repo=h.REPO, slot=7))  # nobody is shown that
    assert painter.look() is None
    quiet.record(e.ConversationKnown(task=A, attempt=1, conversation="c"))
    assert painter.look() is None
    quiet.record(e.TaskPaused(task=A, by="x"))
    picture = painter.look()
    assert picture
    assert [row.row.status for row in picture.tasks] == ["paused"]
    assert painter.look() is None


async def test_much_in_a_short_time_is_told_once(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAUSE_S", 0.05)
    quiet.record(*h.running(A))
    async with watching(quiet) as screen:
        await screen.next()
        for number in range(50):
            quiet.record(asks(need=f"need {number}"))
        assert (await screen.next()).tasks[0].row.needs == "need 49"
        began = asyncio.get_running_loop().time()
        work = asyncio.create_task(_keep_busy(quiet))
        seen = 0
        while screen.rows["a"].row.needs != "the end":
            await screen.next()
            seen += 1
        await work
        took = asyncio.get_running_loop().time() - began
    assert seen <= took / 0.05 + 2


async def _keep_busy(house: House) -> None:
    for number in range(200):
        house.record(asks(need=f"more {number}"))
        await asyncio.sleep(0)
    house.record(asks(need="the end"))


async def test_who_comes_later_sees_the_same(quiet: House) -> None:
    quiet.record(*h.running(A), h.added(B), *h.by_hand(C))
    async with watching(quiet) as screen:
        await screen.next()
        for facts in (
            [asks()],
            [h.gated(C)],
            [e.TaskStopped(task=B, by="x"), h.added(TaskId("d"))],
            [e.TaskRemoved(task=B, by="x"), e.UsageReported(task=A, cost_usd=2.0, tokens=1)],
        ):
            quiet.record(*facts)
            await screen.next()
        async with watching(quiet) as other:
            await other.next()
            assert other.seen == screen.seen


async def test_only_what_changed_is_made_anew(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = live.live_row

    def noted(fleet: Fleet, task: Task, row: TaskRow, need: Need | None) -> LiveRow:
        made.append(task.id)
        return make(fleet, task, row, need)

    monkeypatch.setattr(live, "live_row", noted)
    quiet.record(*h.running(A), h.added(B), *h.by_hand(C))
    async with watching(quiet) as screen:
        await screen.next()
        assert sorted(made) == ["a", "b", "c"]
        made.clear()
        quiet.host.vitals.last_output[A] = now()
        quiet.host.vitals.doing[A] = "runs the tests"
        quiet.host.vitals.context[A] = 0.25
        quiet.host.vitals.attached = frozenset({A})
        quiet.host.audience.stir()
        [row] = (await screen.next()).tasks
        assert (row.doing, row.context, row.attached) == ("runs the tests", 0.25, True)
        assert row.last_output is not None
        assert made == []
        quiet.record(asks())
        await screen.next()
        assert made == ["a"]


async def test_what_others_decide_is_seen_too(quiet: House) -> None:
    """What a task needs may change with its repository's file, its queue and other tasks."""
    quiet.record(h.added(B), h.added(A, h.spec(after=(B,))), *h.by_hand(C))
    async with watching(quiet) as screen:
        await screen.next()
        quiet.record(e.TaskFailed(task=B, reason="x"))
        await screen.next()
        assert screen.rows["a"].row.needs == "waits for b, which will not land"
        quiet.record(e.QueueFrozen(repo=h.REPO, target="main", reason="it moved"))
        await screen.next()
        assert (screen.rows["c"].kind, screen.rows["c"].section) == ("frozen", "needs")
        policy = RepoPolicy(checks=(h.CHECK,), digest="other")
        quiet.tools.policies.keep(h.REPO, "main", policy)
        quiet.record(e.QueueThawed(repo=h.REPO, target="main"))
        await screen.next()
        assert screen.rows["c"].kind == "trust"


async def test_troubles_and_cost_are_told(quiet: House) -> None:
    quiet.record(h.added(A))
    async with watching(quiet) as screen:
        await screen.next()
        quiet.host.vitals.note_garbage("a strange file")
        quiet.host.audience.stir()
        assert (await screen.next()).degraded == ("a strange file",)
        quiet.record(e.UsageReported(task=A, cost_usd=1.5, tokens=1))
        assert (await screen.next()).cost_usd == 1.5


async def test_a_bell_rings_once_for_whoever_looks_on(quiet: House) -> None:
    told = e.NeedTold(task=A, need="which one?", since=h.NOON, by=("bell",))
    quiet.record(*h.running(A), asks(), told)
    async with watching(quiet) as screen, watching(quiet) as other:
        assert (await screen.next()).rings == ()
        await other.next()
        quiet.record(replace(told, by=("desktop",)))
        quiet.record(replace(told, by=("desktop", "bell")))
        assert (await screen.next()).rings == (await other.next()).rings == ("a",)
        quiet.record(asks(need="another"))
        assert (await screen.next()).rings == ()


async def test_one_repository(quiet: House) -> None:
    quiet.spawn("true", "mine")
    quiet.record(h.added(A), *h.by_hand(C))
    async with watching(quiet, cwd=str(quiet.repo)) as screen:
        first = await screen.next()
        assert (first.order, first.queue) == (("mine",), ())


async def test_nobody_is_left_in_the_audience(quiet: House) -> None:
    watchers = len(quiet.supervisor._book._watchers)
    async with watching(quiet) as screen:
        await screen.next()
        async with asyncio.timeout(5):
            await quiet.host.audience.present()
    assert not quiet.host.audience._present.is_set()
    assert len(quiet.supervisor._book._watchers) == watchers


async def test_nothing_is_looked_at_while_nobody_watches(quiet: House) -> None:
    glance = asyncio.create_task(Vitals(quiet.host).glance())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not glance.done()
    async with watching(quiet) as screen:
        await screen.next()
        await glance


async def test_panes_are_looked_at_more_often_while_somebody_watches(house: House) -> None:
    house.begin("while read -r line; do echo $line; done")
    house.record(house.start())
    vitals = Vitals(house.host)
    alone = asyncio.create_task(vitals.glance())
    await asyncio.sleep(0)
    assert not alone.done()
    async with watching(house) as screen:
        await screen.next()
        await alone
        first = house.host.vitals.last_output[A]
        await vitals.beat()
        await vitals.glance()
        run = house.task("a").run
        assert run
        tmux = house.tools.panes.server.connection()
        tmux.command("send-keys", "-l", "-t", run.pane, "x\n")
        async with asyncio.timeout(20):
            while house.host.vitals.last_output[A] == first:
                await vitals.glance()
        await screen.next()
        assert screen.rows["a"].last_output is not None


async def test_a_server_that_died_is_no_trouble(house: House) -> None:
    house.begin("exec sleep 1000")
    house.record(house.start())
    vitals = Vitals(house.host)
    async with watching(house) as screen:
        await screen.next()
        house.tools.panes.server.stop()
        await vitals.glance()
        house.record(asks())
        assert (await screen.next()).order == ("a",)
