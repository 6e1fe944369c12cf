"""The socket answers each request, whoever asks what, and outlives every client."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from house import COMMIT, House, git

from fleet import protocol as p
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.supervisor import server as server_module
from fleet.supervisor.answers import look
from fleet.supervisor.server import Server

A = TaskId("a")


class Caller:
    """A client that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._last = reader, writer, 0

    async def say(self, line: bytes) -> None:
        self._writer.write(line + b"\n")
        await self._writer.drain()

    async def ask(self, ask: c.Command, *, actor: str = "person") -> int:
        self._last += 1
        await self.say(msgspec.json.encode({"id": self._last, "ask": ask, "actor": actor}))
        return self._last

    async def hear(self) -> p.Reply | None:
        async with asyncio.timeout(15):
            line = await self._reader.readline()
        return p.replies.decode(line) if line else None

    async def answer(self, ask: c.Command, *, actor: str = "person") -> Any:
        """Return the result of a request, or its failure."""
        await self.ask(ask, actor=actor)
        while isinstance(reply := await self.hear(), p.Item):
            pass
        assert reply is not None
        return reply.result if isinstance(reply, p.Result) else reply

    def leave(self) -> None:
        self._writer.close()


class Open:
    """A supervisor whose socket is open, and what clients had it do."""

    def __init__(self, house: House) -> None:
        self.house, self.asked = house, list[str]()
        self.server = Server(
            house.host,
            on_down=lambda: self.asked.append("down"),
            on_restart=lambda: self.asked.append("restart"),
        )
        self._callers: list[Caller] = []

    async def call(self) -> Caller:
        path = str(self.house.home.socket())
        caller = Caller(*await asyncio.open_unix_connection(path))
        self._callers.append(caller)
        return caller

    async def close(self) -> None:
        for caller in self._callers:
            caller.leave()
        await self.server.close()


@pytest_asyncio.fixture
async def served(house: House) -> AsyncIterator[Open]:
    unknown: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unknown.append(context))
    served = Open(house)
    await served.server.open()
    yield served
    await served.close()
    assert unknown == []


@pytest_asyncio.fixture
async def caller(served: Open) -> Caller:
    return await served.call()


def spawn(house: House, prompt: str = "true", **options: Any) -> c.Spawn:
    environment = {"PATH": os.environ["PATH"], "SHOP_API_KEY": "s3cret"}
    return c.Spawn(cwd=str(house.repo), prompt=prompt, environment=environment, **options)


async def broken(*_: object) -> None:
    raise ZeroDivisionError("s3cret")


def broken_facts(*_: object) -> None:
    raise ZeroDivisionError("s3cret")


class TestTalking:
    async def test_a_greeting(self, caller: Caller, house: House) -> None:
        told = await caller.answer(p.Hello(version="1.2.3"))
        assert told["version"] == "1.2.3"
        assert (told["pid"], told["restarting"]) == (os.getpid(), False)
        assert house.home.socket().stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        ("version", "restart"),
        [("1.2.4", True), ("1.10.0", True), ("2", True), ("1.2.2", False), ("1.2.3.dev1", False)],
    )
    async def test_a_newer_client_has_us_begin_anew(
        self, served: Open, version: str, *, restart: bool
    ) -> None:
        told = await (await served.call()).answer(p.Hello(version=version))
        assert told["restarting"] is restart
        assert served.asked == (["restart"] if restart else [])

    @pytest.mark.parametrize(
        ("line", "number"),
        [
            (b"what?", 0),
            (b"\xff\xfe", 0),
            (b"", 0),
            (b'{"id": 7}', 7),
            (b'{"id": 8, "ask": {"call": "sing"}}', 8),
            (b'{"id": 9, "ask": {"call": "ls", "all": "x"}}', 9),
            (b"[" * 100_000, 0),
        ],
    )
    async def test_what_is_not_understood_is_said_and_the_next_is_answered(
        self, caller: Caller, house: House, line: bytes, number: int
    ) -> None:
        await caller.say(line)
        reply = await caller.hear()
        assert isinstance(reply, p.Failure)
        assert (reply.id, reply.exit_code) == (number, 2)
        assert await caller.answer(p.List()) == []
        assert any("on the socket" in told for told in house.degraded)

    async def test_a_line_without_end_ends_the_connection_and_no_other(
        self, served: Open, caller: Caller
    ) -> None:
        other = await served.call()
        with contextlib.suppress(ConnectionError):
            await caller.say(b"x" * (p.LINE_LIMIT + 10))
            assert await caller.hear() is None
        assert await other.answer(p.List()) == []

    async def test_another_user_is_not_heard(
        self, served: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "_uid", lambda _: os.getuid() + 1)
        stranger = await served.call()
        with contextlib.suppress(ConnectionError):
            await stranger.ask(p.List())
            assert await stranger.hear() is None

    async def test_requests_of_one_connection_do_not_wait_for_each_other(
        self, caller: Caller
    ) -> None:
        first = await caller.ask(p.Events(follow=True))
        second = await caller.ask(p.List())
        reply = await caller.hear()
        assert isinstance(reply, p.Result)
        assert reply.id == second != first

    async def test_a_client_that_leaves_in_the_middle_of_a_stream_is_forgotten(
        self, served: Open, caller: Caller, house: House
    ) -> None:
        watchers = len(house.supervisor._book._watchers)
        await caller.ask(p.Events(follow=True))
        await _until(lambda: len(house.supervisor._book._watchers) == watchers + 1)
        caller.leave()
        await _until(lambda: len(house.supervisor._book._watchers) == watchers)
        assert await (await served.call()).answer(p.List()) == []

    async def test_one_that_leaves_while_it_is_flooded_hurts_nobody(
        self, served: Open, house: House
    ) -> None:
        house.quiet()
        house.spawn("true")
        text = "x" * 100_000
        for _ in range(20):
            house.record(e.MessageQueued(task=A, text=text, by="me"))
        rude = await served.call()
        await rude.ask(p.Events(since_seq=0))
        rude.leave()
        await _until(lambda: not served.server._requests)
        assert len(await (await served.call()).answer(p.List())) == 1

    async def test_a_socket_that_was_left_behind_is_replaced(self, house: House) -> None:
        house.home.socket().write_text("left")
        served = Open(house)
        await served.server.open()
        assert await (await served.call()).answer(p.List()) == []
        await served.close()
        assert not house.home.socket().exists()

    async def test_closing_answers_nobody_any_more(self, served: Open, caller: Caller) -> None:
        await caller.ask(p.Events(follow=True))
        await _until(lambda: bool(served.server._requests))
        await served.server.close()
        assert served.server._requests == set()


class TestScreens:
    async def test_whoever_watches_is_told_what_changes(self, caller: Caller, house: House) -> None:
        house.quiet()
        await caller.ask(p.Watch())
        first = await caller.hear()
        assert isinstance(first, p.Item)
        assert first.item["order"] == []
        house.spawn("true")
        second = await caller.hear()
        assert isinstance(second, p.Item)
        assert [row["row"]["task"] for row in second.item["tasks"]] == ["a"]

    async def test_a_connection_has_one_view_at_a_time(self, caller: Caller, house: House) -> None:
        for name in ("a", "b"):
            house.begin("exec sleep 1000", name)
            house.record(house.start(name))
        first = await caller.ask(p.View(task="a"))
        assert isinstance(await caller.hear(), p.Item)
        second = await caller.ask(p.View(task="b"))
        said = [await caller.hear(), await caller.hear()]
        [ended] = [it for it in said if isinstance(it, p.Result)]
        [shown] = [it for it in said if isinstance(it, p.Item)]
        assert (ended.id, ended.result) == (first, None)
        assert (shown.id, shown.item["task"]) == (second, "b")


async def _until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


class TestCommands:
    async def test_a_task_is_added_and_its_secrets_are_kept_privately(
        self, caller: Caller, house: House
    ) -> None:
        house.quiet()
        told = await caller.answer(spawn(house, name="a"))
        assert told == {"tasks": ["a"]}
        assert house.home.environment("a").stat().st_mode & 0o777 == 0o600
        assert b"s3cret" in house.home.environment("a").read_bytes()
        assert b"s3cret" not in house.home.ledger.read_bytes()
        again = await caller.answer(spawn(house, name="a"))
        assert isinstance(again, p.Failure)
        assert (again.exit_code, again.hint is not None) == (1, True)

    async def test_a_failure_carries_its_exit_code(self, caller: Caller, house: House) -> None:
        assert (await caller.answer(spawn(house, prompt=" "))).exit_code == 2
        assert (await caller.answer(c.Stop(task="nobody"))).exit_code == 1

    async def test_a_query_that_meets_an_error_of_ours_is_answered_and_so_is_the_next(
        self,
        caller: Caller,
        house: House,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(server_module, "_ANSWERS", {p.Status: broken, p.List: look.ls})
        failed = await caller.answer(p.Status())
        assert failed.message == "an internal error of fleet: ZeroDivisionError"
        assert failed.hint == f"{house.home.log} has the details"
        assert "ZeroDivisionError: s3cret" in capfd.readouterr().err
        assert await caller.answer(p.List()) == []

    async def test_a_command_that_meets_one_is_answered_and_we_begin_anew(
        self, caller: Caller, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ends: list[BaseException] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: ends.append(context["exception"])
        )
        monkeypatch.setattr(server_module, "facts_for", broken_facts)
        failed = await caller.answer(spawn(house, "true"))
        assert failed.message == "an internal error of fleet: ZeroDivisionError"
        assert [type(error) for error in ends] == [ZeroDivisionError]

    async def test_a_branch_made_by_hand_is_submitted(self, caller: Caller, house: House) -> None:
        house.quiet()
        git(house.repo, "branch", "mine")
        told = await caller.answer(
            c.Submit(cwd=str(house.repo), branch="mine", environment={"SECRET": "s3cret"})
        )
        assert told["task"] == "mine"
        assert house.home.environment("mine").exists()

    async def test_a_message_is_answered_when_its_fate_is_known(
        self, caller: Caller, house: House
    ) -> None:
        house.configure("agents:\n  cat:\n    command: [cat]\n    converses: true\n")
        async with house.watching():
            await caller.answer(spawn(house, name="a", agent="cat"))
            await house.until_word("a", "working")
            told = await caller.answer(c.Send(task="a", text="hello"))
        assert [one["outcome"] for one in told["sent"]] == ["unconfirmed"]

    async def test_a_message_to_a_run_that_ends_is_refused(
        self, caller: Caller, house: House
    ) -> None:
        house.configure("agents:\n  cat:\n    command: [cat]\n    converses: true\n")
        house.begin("x", agent="cat")
        house.record(e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1))
        await caller.ask(c.Send(task="a", text="hello"))
        await house.until(lambda fleet: bool(fleet.tasks[A].messages))
        house.record(e.RunEnded(task=A, attempt=1))
        reply = await caller.hear()
        assert isinstance(reply, p.Result)
        assert reply.result["sent"][0]["outcome"] == "refused"

    async def test_a_message_to_nobody_is_answered_at_once(self, caller: Caller) -> None:
        assert await caller.answer(c.Send(task=None, text="x")) == {"sent": []}

    async def test_what_an_agent_is_shown_does_not_count_as_shown(
        self, caller: Caller, house: House
    ) -> None:
        async with house.watching():
            house.spawn(f"echo hi > new.txt; {COMMIT}")
            await house.until_word("a", "review")
            await house.settled()
        told = await caller.answer(p.Diff(task="a"), actor="b")
        assert "+hi" in told["patch"]
        assert house.task("a").shown == 0
        await caller.answer(p.Diff(task="a", colour=True))
        assert house.task("a").shown == 1
        await caller.answer(p.Diff(task="a"))
        assert len(house.events(e.ChangeShown)) == 1

    async def test_settled_is_answered_when_nothing_is_under_way(self, caller: Caller) -> None:
        assert await caller.answer(p.Settled()) is None


class TestStreams:
    async def test_events_since_and_of_a_task_and_as_they_come(
        self, caller: Caller, house: House
    ) -> None:
        house.quiet()
        house.spawn("true")
        house.spawn("true", "b")
        last = house.fleet.seq
        number = await caller.ask(p.Events(since_seq=0, task="b", follow=True))
        first = await caller.hear()
        assert isinstance(first, p.Item)
        assert (first.item["task"], first.item["type"]) == ("b", "task.added")
        house.record(e.TaskPaused(task=A, by="me"), e.TaskPaused(task=TaskId("b"), by="me"))
        second = await caller.hear()
        assert isinstance(second, p.Item)
        assert (second.id, second.item["seq"]) == (number, last + 2)

    async def test_events_since_a_time(self, caller: Caller, house: House) -> None:
        house.quiet()
        house.spawn("true")
        at = house.supervisor.entries(0)[-1].at
        await caller.ask(p.Events(since=at))
        heard = [await caller.hear() for _ in range(2)]
        while isinstance(heard[-1], p.Item):
            heard.append(await caller.hear())
        seqs = [reply.item["seq"] for reply in heard if isinstance(reply, p.Item)]
        assert seqs
        assert seqs[-1] == house.fleet.seq

    async def test_waiting_for_review_and_for_the_landing(
        self, caller: Caller, served: Open, house: House
    ) -> None:
        async with house.watching():
            house.spawn(f"echo hi > new.txt; {COMMIT}")
            [told] = await caller.answer(p.Wait(tasks=("a",), state="review"))
            assert (told["task"], told["status"], told["reached"]) == ("a", "review", True)
            waiter = await served.call()
            await waiter.ask(p.Wait(tasks=("a",)))
            assert isinstance(await waiter.hear(), p.Item)
            await caller.answer(c.Approve(task="a"))
            while isinstance(reply := await waiter.hear(), p.Item):
                pass
            assert isinstance(reply, p.Result)
            assert [one["reached"] for one in reply.result] == [True]
            [ended] = await caller.answer(p.Wait(tasks=("a",), state="ended"))
            assert ended["reached"]
            [reviewed] = await caller.answer(p.Wait(tasks=("a",), state="review"))
            assert reviewed["reached"]

    async def test_waiting_for_what_cannot_come_any_more_ends(
        self, caller: Caller, house: House
    ) -> None:
        house.quiet()
        house.spawn("true")
        house.record(e.TaskFailed(task=A, reason="x"))
        [told] = await caller.answer(p.Wait(tasks=("a",), state="landed"))
        assert told["reached"] is False

    async def test_waiting_too_long_has_its_own_exit_code(
        self, caller: Caller, house: House
    ) -> None:
        house.quiet()
        house.spawn("true")
        reply = await caller.answer(p.Wait(tasks=("a",), timeout_s=0.02))
        assert isinstance(reply, p.Failure)
        assert reply.exit_code == 124
        assert "a" in reply.message

    async def test_no_time_at_all_is_one_look(self, caller: Caller, house: House) -> None:
        house.quiet()
        house.spawn("true")
        house.record(e.TaskFailed(task=A, reason="x"))
        [told] = await caller.answer(p.Wait(tasks=("a",), state="ended", timeout_s=0.0))
        assert told["reached"]

    async def test_waiting_for_nonsense_is_refused(self, caller: Caller, house: House) -> None:
        house.quiet()
        house.spawn("true")
        assert (await caller.answer(p.Wait(tasks=("a",), state="glory"))).exit_code == 2
        assert (await caller.answer(p.Wait(tasks=("nobody",)))).exit_code == 1


class TestGoingDown:
    async def test_agents_are_left_running(self, served: Open, caller: Caller) -> None:
        assert await caller.answer(p.Shutdown()) == {"stopped": 0}
        await _until(lambda: served.asked == ["down"])

    async def test_with_the_agents_everything_ends_and_nothing_starts(
        self, served: Open, caller: Caller, house: House
    ) -> None:
        async with house.watching():
            house.spawn("exec sleep 1000")
            await house.until_word("a", "working")
            assert await caller.answer(p.Shutdown(stop_agents=True)) == {"stopped": 1}
            assert house.word("a") == "paused"
            refused = await caller.answer(spawn(house))
            assert isinstance(refused, p.Failure)
        await _until(lambda: served.asked == ["down"])
        assert house.tools.panes.server.pid() is None

    async def test_with_nobody_at_work_it_is_said(self, served: Open, caller: Caller) -> None:
        await caller.ask(p.Shutdown(stop_agents=True))
        first = await caller.hear()
        assert isinstance(first, p.Item)
        assert first.item == "no agents run"

    async def test_one_who_leaves_before_the_end_leaves_us_at_work(
        self, served: Open, caller: Caller, house: House
    ) -> None:
        house.begin("true")
        house.record(e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1))
        await caller.ask(p.Shutdown(stop_agents=True))
        await _until(lambda: house.host.vitals.draining)
        caller.leave()
        await _until(lambda: not house.host.vitals.draining)
        assert served.asked == []
        house.record(e.RunEnded(task=A, attempt=1))
        assert (await (await served.call()).answer(spawn(house)))["tasks"]
