"""What is recorded of hooks, presence files and screens, and what is only shown."""

import asyncio
import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from house import House
from msgspec.structs import replace
from person import Person
from waiting import until

from fleet import protocol as p
from fleet.agents import traits
from fleet.agents.adapter import (
    BadHook,
    Presence,
    SaysDoing,
    SaysFailed,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.shell import ShellAdapter
from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.activity import Activity, Idle, Unknown, Waiting, Working
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.policy import RepoPolicy
from fleet.core.rows import Ask
from fleet.core.signals import FRESH
from fleet.core.views import needs
from fleet.errors import ToolError
from fleet.supervisor.answers import look, reasons
from fleet.supervisor.host import Host, now
from fleet.supervisor.judge import Judge
from fleet.supervisor.perform import telling
from fleet.supervisor.probes import screens as screens_module
from fleet.supervisor.probes import vitals as vitals_module
from fleet.supervisor.probes.presence import Presences
from fleet.supervisor.probes.screens import Screens
from fleet.supervisor.probes.spool import Spool
from fleet.supervisor.probes.vitals import Vitals
from fleet.supervisor.reports import Reports
from fleet.tools import pipes
from fleet.tools.tmux.input import Busy, Typed

A = TaskId("a")
says = msgspec.json.Encoder().encode
_Said = msgspec.json.Decoder(tuple[Signal, ...])


@dataclass
class Open(ShellAdapter):
    """Its hooks are signals as they are; its presence file and its screen can be read."""

    folder: Path
    converses: bool = True
    environments: list[Mapping[str, str]] = field(default_factory=list)

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        try:
            return _Said.decode(payload)
        except msgspec.DecodeError as error:
            return (BadHook(str(error)),)

    def presence_file(self, environment: Mapping[str, str], pid: int) -> str | None:
        self.environments.append(environment)
        return str(self.folder / f"{pid}.json")

    def read_presence(self, content: bytes, *, pid_start: int) -> Presence | None:
        try:
            return msgspec.json.decode(content, type=Presence)
        except msgspec.DecodeError:
            return None

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        last = text.splitlines()[-1] if text else ""
        if "too many" in last:
            return (SaysFailed(last.strip(), "rate-limit"),)
        if "again in" in last:
            return (SaysWaiting(last.strip(), "rate-limit"),)
        return (SaysDoing("x"),)


@pytest.fixture
def adapter(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    made = Open(tmp_path)
    monkeypatch.setattr(house.tools, "adapter", lambda task, policy=None: made)
    return made


def at_work(house: House, prompt: str = "exec sleep 1000", *, talks: bool = False) -> None:
    task = house.begin(prompt)
    if talks:
        house.record(e.TaskEdited(task=A, spec=replace(task.spec, converses=True)))
    house.record(house.start())
    until(house.home.run("a", 1).started.exists)


def hook(house: House, *signals: Signal, attempt: int = 1) -> None:
    token = house.tools.token(A, attempt, "n")
    env = {"FLEET_HOME": str(house.home.root), "FLEET_RUN": token, "PATH": os.environ["PATH"]}
    subprocess.run([house.home.hook, "x"], input=says(signals), env=env, check=True)


@contextlib.contextmanager
def asking(house: House, *signals: Signal) -> Iterator[subprocess.Popen[bytes]]:
    """A hook that has asked, and waits for its answer."""
    env = {
        "FLEET_HOME": str(house.home.root),
        "FLEET_RUN": house.tools.token(A, 1, "n"),
        "PATH": os.environ["PATH"],
    }
    argv = [str(house.home.hook), "x", "--ask"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as hook:
        assert hook.stdin is not None
        hook.stdin.write(says(signals))
        hook.stdin.close()
        until(lambda: [it for it in house.home.spool.iterdir() if it.name[0] != "."])
        yield hook
        hook.kill()


def hear(house: House) -> Spool:
    spool = Spool(house.host)
    spool.hear()
    spool._watch.close()
    return spool


def told(house: House) -> list[tuple[Activity, str]]:
    return [(it.activity, it.source) for it in house.events(e.ActivityChanged)]


def activity(house: House) -> Activity:
    run = house.task("a").run
    assert run is not None
    return run.activity


class TestPresence:
    def file(self, house: House, adapter: Open) -> Path:
        started = msgspec.json.decode(house.home.run("a", 1).started.read_bytes())
        return adapter.folder / f"{started['agent']}.json"

    def say(self, file: Path, signal: Signal, at: datetime | None = None) -> None:
        draft = file.with_suffix(".new")
        draft.write_bytes(says(Presence(signal, at or now())))
        draft.replace(file)

    async def test_each_change_of_the_file_is_heard(self, house: House, adapter: Open) -> None:
        at_work(house)
        watch, file = Presences(house.host), self.file(house, adapter)
        await watch.look()
        assert told(house) == []
        self.say(file, SaysWaiting("a dialog"))
        await watch.look()
        await watch.look()
        self.say(file, SaysWorking())
        await watch.look()

        assert told(house) == [(Waiting("a dialog"), "presence"), (Working(), "presence")]
        assert adapter.environments[0]["FLEET_TASK"] == "a"
        assert len(adapter.environments) == 1

    async def test_a_file_that_goes_or_cannot_be_read_says_nothing(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        watch, file = Presences(house.host), self.file(house, adapter)

        def tear(file: Path) -> None:
            file.write_text("{")
            os.utime(file, (1_000_000_000,) * 2)

        for spoil in (Path.unlink, tear):
            self.say(file, SaysWaiting("a dialog"))
            await watch.look()
            assert activity(house) == Waiting("a dialog")
            spoil(file)
            await watch.look()
            assert activity(house) == Working()

    async def test_a_file_that_is_half_written_is_read_again(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        watch, file = Presences(house.host), self.file(house, adapter)
        self.say(file, SaysWaiting("a dialog"))
        await watch.look()
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        await watch.look()

        assert activity(house) == Waiting("a dialog")

    async def test_a_file_written_twice_in_one_moment_is_read_twice(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        watch, file = Presences(house.host), self.file(house, adapter)
        moment = time.time_ns() + 60 * 10**9  # so that it is young for as long as this takes
        for second, need in ((1, "one"), (2, "two")):
            at = datetime(2999, 1, 1, 0, 0, second, tzinfo=UTC)
            file.write_bytes(says(Presence(SaysWaiting(need), at)))
            os.utime(file, ns=(moment, moment))
            await watch.look()
            assert activity(house) == Waiting(need)

    async def test_an_interrupted_turn_is_idle_soon_and_needs_a_person(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        watch, file = Presences(house.host), self.file(house, adapter)
        hook(house, SaysWorking())
        hear(house)
        begun = now()
        self.say(file, SaysIdle(), begun)
        await watch.look()
        house.host.judge.look(begun + timedelta(seconds=0.3))
        assert activity(house) == Working()
        house.host.judge.look(begun + timedelta(seconds=0.5))

        assert activity(house) == Idle()
        assert needs(house.fleet, house.task("a"), house.tools.target_policy(house.repo_id, "main"))

    async def test_a_hook_ends_that_was_answered_in_the_pane(
        self, house: House, adapter: Open
    ) -> None:
        """Claude Code leaves it where it waits, and says that it runs, until the agent ends."""
        at_work(house)
        watch, file = Presences(house.host), self.file(house, adapter)
        with asking(house, SaysWaiting("may it", "permission")) as asks:
            spool = hear(house)
            self.say(file, SaysWorking(), now() + timedelta(seconds=1))
            await watch.look()
            (*_, closed) = house.events(e.ActivityChanged)
            spool.sync([e.Entry(seq=1, at=now(), actor="a", event=closed)])
            await asyncio.sleep(0)

            assert asks.wait(timeout=5) == 0
            assert asks.stdout is not None
            assert asks.stdout.read() == b""

    async def test_an_agent_without_such_a_file_is_asked_once(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def adapter(task: Task, policy: object = None) -> ShellAdapter:
            asked.append(task)
            return ShellAdapter()

        monkeypatch.setattr(house.tools, "adapter", adapter)
        at_work(house)
        asked.clear()
        watch = Presences(house.host)
        for _ in range(5):
            await watch.look()
        assert len(asked) == 1
        house.record(e.RunEnded(task=A, attempt=1))
        await watch.look()
        assert watch._attempts == {}

    async def test_before_its_agent_has_started_it_is_looked_for_again(
        self, house: House, adapter: Open
    ) -> None:
        house.begin("true")
        house.record(e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1))
        watch = Presences(house.host)
        await watch.look()

        assert adapter.environments == []
        assert A not in watch._watched


class TestScreens:
    def draw(self, house: House, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        panes = house.tools.panes
        monkeypatch.setattr(panes, "capture_many", lambda ids: dict.fromkeys(ids, text))

    async def test_what_a_screen_shows_counts_until_it_shows_it_no_more(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        screens = Screens(house.host)
        self.draw(house, monkeypatch, "x\ntoo many requests, 9 s\n\n")
        await screens.look([(A, "%1")])
        self.draw(house, monkeypatch, "x\ntoo many requests, 8 s\n\n")
        await screens.look([(A, "%1")])
        limited = Waiting("too many requests, 9 s", "rate-limit")
        assert told(house) == [(limited, "screen")]

        self.draw(house, monkeypatch, "> ")
        await screens.look([])
        assert told(house) == [(limited, "screen")]
        await screens.look([(A, "%1")])
        assert told(house)[1:] == [(Working(), "process")]

    @pytest.mark.parametrize(
        ("other", "moves"),
        [
            ("* Baking... (12s · 300 tokens)\nesc", False),
            ("✻ Baking… (2m 31s · ↑ 1.2k tokens)\nesc", False),
            ("⠋ Baking (9 %) ▓▓░░ --\nesc", True),  # its tokens are gone
            ("* Baking (12s · 300 tokens)\nesc to interrupt", True),
        ],
    )
    async def test_what_counts_and_spins_is_no_progress(
        self,
        house: House,
        adapter: Open,
        monkeypatch: pytest.MonkeyPatch,
        *,
        other: str,
        moves: bool,
    ) -> None:
        at_work(house)
        screens, moved = Screens(house.host), house.host.vitals.last_moved
        self.draw(house, monkeypatch, "· Baking. (1s · 0 tokens)\nesc")
        await screens.look([(A, "%1")])
        before = moved[A]
        self.draw(house, monkeypatch, other)
        await screens.look([(A, "%1")])

        assert (moved[A] != before) is moves

    async def test_who_only_spins_gets_nowhere_and_needs_somebody(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        hook(house, SaysWorking())
        hear(house)
        vitals, late = house.host.vitals, now() + timedelta(minutes=16)
        vitals.last_moved[A] = now()
        vitals.last_output[A] = vitals.last_drawn[A] = late
        house.host.judge.look(late, every=True)
        assert needs(house.fleet, house.task("a"), RepoPolicy()) == "no progress for 15m"
        assert house.word("a") == "stalled"

        vitals.last_moved[A] = late
        house.host.judge.look(late, every=True)
        assert house.word("a") == "working"

    async def test_a_limit_after_which_it_tries_again_by_itself_is_nothing_to_be_told(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        self.draw(house, monkeypatch, "again in 90 s")
        await Screens(house.host).look([(A, "%1")])

        assert activity(house) == Waiting("again in 90 s", "rate-limit", retries=True)
        assert needs(house.fleet, house.task("a"), RepoPolicy()) is None
        row = (await look.ls(house.host, p.List()))[0]
        assert row.waits == "again in 90 s: it tries again by itself"

    async def test_who_has_just_spoken_is_looked_at_later(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        screens = Screens(house.host)
        self.draw(house, monkeypatch, "too many")
        hook(house, SaysWorking())
        hear(house)
        await screens.look([(A, "%1")])
        assert told(house) == []

        later = now() + timedelta(seconds=3.5)
        monkeypatch.setattr(screens_module, "now", lambda: later)
        monkeypatch.setattr("fleet.supervisor.probes.words.now", lambda: later)
        await screens.look([])
        assert activity(house) == Waiting("too many", "rate-limit")

    async def test_a_pane_that_is_drawn_to_is_read(self, house: House, adapter: Open) -> None:
        at_work(house, "printf 'too many of them'; exec sleep 1000")
        vitals, deadline = Vitals(house.host), time.monotonic() + 20
        while not isinstance(activity(house), Waiting) and time.monotonic() < deadline:
            await vitals.beat()
        assert activity(house) == Waiting("too many of them", "rate-limit")
        assert A in house.host.vitals.last_drawn

    async def test_agents_whose_screens_cannot_be_read_cost_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        monkeypatch.setattr(house.tools.panes, "capture_many", None)
        await Screens(house.host).look([(A, "%1"), (TaskId("gone"), "%2")])
        assert told(house) == []


class TestHooks:
    async def test_a_failure_needs_somebody_and_says_until_when(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        when = datetime(2999, 1, 1, tzinfo=UTC)
        hook(house, SaysFailed("too many requests", "rate-limit", when))
        hear(house)

        assert told(house) == [(Waiting("too many requests", "rate-limit", when), "hook")]

    async def test_a_request_that_is_made_again_is_shown_and_only_then_waited_for(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        hook(house, SaysFailed("too many requests", "rate-limit", retrying=True))
        hear(house)
        assert told(house) == []
        assert house.host.vitals.doing == {A: "too many requests"}

        house.host.judge.look(now() + FRESH)
        assert told(house) == [(Waiting("too many requests", "rate-limit"), "retry")]
        assert "failed request" in str(await reasons.why(house.host, p.Why(task="a")))

    @pytest.mark.parametrize("hides", [True, False])
    async def test_what_hides_its_dialog_is_left_to_a_person_in_the_pane(
        self, house: House, adapter: Open, *, hides: bool
    ) -> None:
        at_work(house)
        with asking(house, SaysWaiting("may it", "permission", hides=hides)) as asked:
            hear(house)
            await Vitals(house.host).beat()
            (pipe,) = house.home.asks.iterdir()
            assert pipes.waits(pipe)

            person = Person(house.tools.panes.server.attach_argv("a"), dict(os.environ))
            until(lambda: any(it.attached for it in house.tools.panes.all()))
            await Vitals(house.host).beat()
            person.leave()
            if not hides:
                pipes.give(pipe, "allowed")
            assert asked.stdout is not None
            assert asked.stdout.read() == (b"" if hides else b"allowed")

    async def test_each_run_says_whose_account_it_uses(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        adapter.accounts = ("HOME",)
        at_work(house)
        (started,) = house.events(e.RunStarted)

        assert started.account == traits.account(
            adapter, {"HOME": os.environ["HOME"]}, salt=house.tools.home_id
        )
        assert house.task("a").account == started.account
        assert house.events(e.TaskAdded)[0].account == ""  # as the shell's own adapter has it

    async def test_a_task_that_is_held_says_so(self, house: House, adapter: Open) -> None:
        at_work(house)
        hook(house, SaysFailed("log in", "login"))
        hear(house)
        house.spawn("true", "b")
        for name in ("a", "b"):
            task = replace(house.task(name), account="one")
            house.fleet.tasks[task.id] = task

        said = await reasons.why(house.host, p.Why(task="b"))
        assert said.because == ("shell's account waits for a login: see a",)
        assert said.needs is None

    async def test_what_is_shown_alone_is_not_recorded(self, house: House, adapter: Open) -> None:
        at_work(house)
        before = house.fleet.seq
        hook(house, SaysDoing("reads\x1b[31m a\nfile"), SaysUsage(context=0.25))
        hear(house)
        vitals = house.host.vitals

        assert (vitals.doing, vitals.context) == ({A: "reads a file"}, {A: 0.25})
        assert house.fleet.seq == before
        house.record(e.RunEnded(task=A, attempt=1))
        await Vitals(house.host).beat()
        assert (vitals.doing, vitals.context, vitals.last_told) == ({}, {}, {})

    async def test_what_was_used_is_recorded_when_it_is_more(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        for _ in range(3):
            hook(house, SaysUsage(cost_usd=0.5, context=0.1))
        hear(house)
        assert len(house.events(e.UsageReported)) == 1

    async def test_a_report_that_comes_before_its_run_is_on_record_waits(
        self, house: House, adapter: Open
    ) -> None:
        house.begin("exec sleep 1000")
        hook(house, SaysWaiting("a password"))
        spool = hear(house)
        assert told(house) == []
        assert len(list(house.home.spool.iterdir())) == 1

        started = house.start()
        house.record(started)
        spool.hear = lambda: hear(house)  # type: ignore[method-assign,assignment]
        spool.sync([e.Entry(1, now(), "fleet", started)])
        await house.until(lambda _: bool(told(house)))
        assert activity(house) == Waiting("a password")
        assert list(house.home.spool.iterdir()) == []

    async def test_a_report_of_a_start_that_failed_is_dropped(
        self, house: House, adapter: Open
    ) -> None:
        house.begin("true")
        hook(house, SaysWaiting("a password"))
        hook(house, SaysWaiting("another attempt's"), attempt=2)
        hear(house)
        assert len(list(house.home.spool.iterdir())) == 1
        house.record(e.StartFailed(task=A, attempt=1, reason="x"))
        hear(house)
        assert list(house.home.spool.iterdir()) == []

    async def test_silence_after_its_own_word_makes_it_unknown(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        vitals = Vitals(house.host)
        hook(house, SaysWorking())
        hear(house)
        await vitals.beat()
        assert told(house) == []

        later = now() + timedelta(seconds=61)
        monkeypatch.setattr(vitals_module, "now", lambda: later)
        await vitals.beat()
        assert told(house) == [(Unknown(), "hook")]
        house.host.vitals.last_drawn[A] = later
        await vitals.beat()
        assert told(house)[1:] == [(Working(), "hook")]


class TestRestart:
    def again(self, house: House) -> Judge:
        """A supervisor that knows no more than what is on record."""
        host = Host(
            house.home, house.tools, house.host.vitals, house.supervisor, now(), version="1"
        )
        return host.judge

    async def test_what_is_on_record_is_where_the_next_one_begins(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house)
        hook(house, SaysIdle(background=True))
        hear(house)
        judged = self.again(house).judged(A, now())

        assert judged is not None
        assert (judged.activity, judged.wins.source) == (Working(background=True), "hook")

    async def test_one_that_was_unknown_still_is(self, house: House, adapter: Open) -> None:
        at_work(house)
        hook(house, SaysWorking())
        hear(house)
        later = now() + timedelta(seconds=61)
        house.host.judge.look(later, every=True)
        assert activity(house) == Unknown()
        house.host.vitals.last_told.clear()
        judged = self.again(house).judged(A, later)

        assert judged is not None
        assert judged.activity == Unknown()


class TestAsking:
    """Several hooks of one agent may wait at a time."""

    def ask(self, house: House, text: str) -> subprocess.Popen[bytes]:
        token = house.tools.token(A, 1, "n")
        env = {"FLEET_HOME": str(house.home.root), "FLEET_RUN": token, "PATH": os.environ["PATH"]}
        payload = says({"kind": "permission", "need": text})
        asked = subprocess.Popen(
            [house.home.hook, "waiting", "--ask"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert asked.stdin is not None
        asked.stdin.write(payload)
        asked.stdin.close()
        asked.stdin = None
        until(lambda: [it for it in house.home.spool.iterdir() if not it.name.startswith(".")])
        hear(house)
        return asked

    def answer(self, house: House) -> e.AnswerSettled:
        run = house.task("a").run
        assert run is not None
        assert isinstance(run.activity, Waiting)
        assert run.activity.ask is not None
        ask = run.activity.ask.id
        assert ask is not None
        given = e.AnswerGiven(task=A, attempt=1, ask=ask, verdict="allow", text="", by="me")
        house.record(given)
        [settled] = house.perform(f.PassAnswer(A, 1, ask))
        assert isinstance(settled, e.AnswerSettled)
        house.record(settled)
        return settled

    async def test_after_the_newest_the_older_one_shows_again(self, house: House) -> None:
        at_work(house)
        first, second = self.ask(house, "first"), self.ask(house, "second")
        spool = Spool(house.host)
        try:
            settled = self.answer(house)
            assert second.communicate(timeout=20)[0] == b'{"verdict":"allow","text":""}\n'
            assert activity(house) == Working()
            spool.sync([e.Entry(1, now(), "fleet", settled)])
            await house.until(lambda _: isinstance(activity(house), Waiting))
            waits: Any = activity(house)
            assert (waits.need, waits.ask.kind) == ("first", "permission")
            assert self.answer(house).outcome == "delivered"
            assert first.communicate(timeout=20)[0] == b'{"verdict":"allow","text":""}\n'
        finally:
            spool._watch.close()

    async def test_one_that_was_answered_in_the_pane_does_not_show_again(
        self, house: House
    ) -> None:
        at_work(house)
        first = self.ask(house, "first")
        token = house.tools.token(A, 1, "n")
        env = {"FLEET_HOME": str(house.home.root), "FLEET_RUN": token, "PATH": os.environ["PATH"]}
        subprocess.run([house.home.hook, "working"], input=b"", env=env, check=True)
        hear(house)
        assert activity(house) == Working()
        second = self.ask(house, "second")
        spool = Spool(house.host)
        spool._watch.close()
        settled = self.answer(house)
        second.communicate(timeout=20)
        spool._uncover(A, 1, settled.ask)

        assert activity(house) == Working()
        first.terminate()
        first.communicate(timeout=20)

    async def test_a_hook_that_asks_nothing_is_let_go(self, house: House, adapter: Open) -> None:
        at_work(house)
        asked = self.ask(house, "x")  # which this adapter does not understand
        assert asked.communicate(timeout=20)[0] == b""
        assert told(house) == []

    async def test_what_it_asks_with_is_private_and_not_on_record(self, house: House) -> None:
        at_work(house)
        asked = self.ask(house, "may it")
        [file] = house.home.run("a", 1).asks.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert msgspec.json.decode(file.read_bytes())["said"]["need"] == "may it"
        why = await reasons.why(house.host, p.Why(task="a"))
        assert why.ask is not None
        assert why.next == "fleet answer a allow|deny"
        asked.terminate()
        asked.communicate(timeout=20)
        settled = self.answer(house)
        assert (settled.outcome, settled.over) == ("refused", True)

    async def test_an_answer_that_was_written_before_a_crash_is_not_too_late(
        self, house: House
    ) -> None:
        at_work(house)
        asked = self.ask(house, "may it")
        waits: Any = activity(house)
        ask = waits.ask.id
        house.record(e.AnswerGiven(task=A, attempt=1, ask=ask, verdict="deny", text="no", by="me"))
        for _ in range(2):
            [settled] = house.perform(f.PassAnswer(A, 1, ask))
            assert isinstance(settled, e.AnswerSettled)
            assert settled.outcome == "delivered"
            asked.wait(20)
        assert asked.communicate()[0] == b'{"verdict":"deny","text":"no"}\n'

    async def test_what_its_agent_would_not_take_is_said(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        asked = self.ask(house, "may it")
        monkeypatch.setattr(ShellAdapter, "answer", lambda *_: None)
        settled = self.answer(house)
        assert (settled.outcome, settled.over) == ("refused", False)
        assert "takes no such answer" in settled.reason
        asked.terminate()
        asked.communicate(timeout=20)

    @pytest.mark.parametrize("ask", ["../../x", ".hidden", "none"])
    async def test_what_nobody_asked_is_not_answered(self, house: House, ask: str) -> None:
        at_work(house)
        house.record(
            e.ActivityChanged(
                task=A, attempt=1, activity=Waiting("x", ask=Ask(id=ask)), source="hook"
            )
        )
        assert self.answer(house).outcome == "refused"


class TestTelling:
    def tell(self, house: House, text: str) -> e.MessageSettled:
        house.record(e.MessageQueued(task=A, text=text, by="me"))
        number = house.task("a").messages[-1].id
        [settled] = house.perform(f.Tell(A, 1, number))
        assert isinstance(settled, e.MessageSettled)
        house.record(settled)
        return settled

    @pytest.fixture
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("_ANSWER_S", "_HEARD_S", "_UP_S"):
            monkeypatch.setattr(f"fleet.supervisor.perform.telling.{name}", 0.01)

    async def test_delivered_is_what_the_agent_says_it_heard(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("the prompt"))
        hear(house)
        reports = house.tools.reports
        wait = reports.wait_heard

        def speak(task: TaskId, message: int, **options: Any) -> bool:
            reports.hear(task, "  do   it\n")
            return wait(task, message, **options)

        monkeypatch.setattr(reports, "wait_heard", speak)
        assert self.tell(house, "do it").outcome == "delivered"

    @pytest.mark.usefixtures("quick")
    async def test_other_words_confirm_nothing_and_late_ones_do(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("do it"))
        hear(house)
        assert self.tell(house, "do it").outcome == "unconfirmed"
        hook(house, SaysHeard("something else"), SaysWorking())
        hear(house)
        assert [it.outcome for it in house.events(e.MessageSettled)] == ["unconfirmed"]
        hook(house, SaysHeard("do it"))
        hook(house, SaysHeard("do it"))
        hear(house)

        outcomes = [it.outcome for it in house.events(e.MessageSettled)]
        assert outcomes == ["unconfirmed", "delivered"]

    @pytest.mark.usefixtures("quick")
    async def test_nothing_is_typed_before_the_agent_is_up(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house, "exec cat")
        settled = self.tell(house, "do it")
        assert settled.outcome == "refused"
        assert "up" in settled.reason
        hook(house, SaysIdle())
        hear(house)
        assert self.tell(house, "do it").outcome == "unconfirmed"

    @pytest.mark.usefixtures("quick")
    async def test_a_busy_agents_other_words_confirm_nothing(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        tell = f.Tell(A, 1, 1)
        house.record(e.ActivityChanged(task=A, attempt=1, activity=Working(), source="hook"))
        house.record(e.MessageQueued(task=A, text="do it", by="me"))
        house.tools.reports.note(A)
        wait = house.tools.reports.wait_heard

        def speak(task: TaskId, message: int, **options: Any) -> bool:
            house.tools.reports.begins(task)
            return wait(task, message, **options)

        monkeypatch.setattr(house.tools.reports, "wait_heard", speak)
        [settled] = house.perform(tell)
        assert settled == e.MessageSettled(
            task=A, message=1, outcome="unconfirmed", reason="the agent did not report it"
        )
        assert house.tools.reports.hear(A, "do it") == 1  # so it is known now

    async def test_what_was_to_stop_is_taken_up_and_typed_once(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("the prompt"))
        hear(house)
        house.record(e.MessageQueued(task=A, text="do it", by="me"))
        stop, reports = threading.Event(), house.tools.reports
        wait = reports.wait_heard

        def closing(task: TaskId, message: int, **options: Any) -> bool:
            stop.set()
            return wait(task, message, **options)

        with monkeypatch.context() as patch:
            patch.setattr(reports, "wait_heard", closing)
            assert telling.tell(house.tools, f.Tell(A, 1, 1), house.fleet, stop) == []
        house.tools.reports = Reports()  # as the next supervisor begins
        house.tools.reports.hear(A, "do it")

        [settled] = house.perform(f.Tell(A, 1, 1))
        assert settled == e.MessageSettled(task=A, message=1, outcome="delivered")
        run = house.task("a").run
        assert run is not None
        until(lambda: house.tools.panes.capture(run.pane).count("do it") == 2)  # typed, and printed

    async def test_a_message_waits_while_a_person_is_at_the_keyboard(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("do it"))
        hear(house)
        house.record(e.MessageQueued(task=A, text="do it", by="me"))
        monkeypatch.setattr(house.tools.keyboard, "type", lambda *_, **__: Busy("someone types"))

        [held] = house.perform(f.Tell(A, 1, 1))
        assert isinstance(held, e.MessageHeld)
        assert held.reason == "someone types"
        house.record(held)
        assert [it.held for it in house.task("a").messages] == ["someone types"]
        said = await house.host.settled_messages({(A, 1)})
        assert said == [{"task": A, "outcome": "queued", "reason": "someone types"}]
        house.tools.reports.hear(A, "do it")  # as a person has it
        never = threading.Event()
        heard = house.tools.reports.wait_heard
        assert not heard(A, 1, begun=None, timeout_s=0.0, stop=never)

    @pytest.mark.parametrize(("by_person", "outcome"), [(True, "held"), (False, "refused")])
    async def test_what_finds_no_room_for_long_is_refused_unless_a_person_is_there(
        self,
        house: House,
        adapter: Open,
        monkeypatch: pytest.MonkeyPatch,
        *,
        by_person: bool,
        outcome: str,
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("do it"))
        hear(house)
        house.record(e.MessageQueued(task=A, text="do it", by="me"))
        busy = Busy("no room", by_person=by_person)
        monkeypatch.setattr(house.tools.keyboard, "type", lambda *_, **__: busy)
        for _ in range(telling._MOST_HOLDS):
            [held] = house.perform(f.Tell(A, 1, 1))
            assert isinstance(held, e.MessageHeld)
            house.record(held)

        [last] = house.perform(f.Tell(A, 1, 1))
        found = last.outcome if isinstance(last, e.MessageSettled) else "held"
        assert found == outcome

    async def test_what_was_cleared_is_said(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("x"))
        hear(house)

        def typed(*_: object, **__: object) -> Typed:
            house.tools.reports.hear(A, "do it")
            return Typed(cleared="half a\nthought")

        monkeypatch.setattr(house.tools.keyboard, "type", typed)
        settled = self.tell(house, "do it")
        assert settled.outcome == "delivered"
        assert settled.reason == "taken out of its input line before: half a thought"

    async def test_what_fails_on_the_way_is_unconfirmed_until_it_is_heard(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("x"))
        hear(house)
        monkeypatch.setattr("fleet.supervisor.perform.telling._HEARD_S", 0.01)

        def fails(*_: object, **__: object) -> Typed:
            raise ToolError("tmux is gone")

        monkeypatch.setattr(house.tools.keyboard, "type", fails)
        settled = self.tell(house, "do it")
        assert (settled.outcome, settled.reason) == ("unconfirmed", "tmux is gone")
        assert house.tools.reports.hear(A, "do it") == 1

    async def test_a_text_that_finds_no_room_is_refused(self, house: House, adapter: Open) -> None:
        at_work(house, "exec cat")
        hook(house, SaysHeard("x"))
        hear(house)
        (house.home.run("a", 1).root / "messages").write_text("in the way")
        assert self.tell(house, "two\nlines").outcome == "refused"

    async def test_a_message_at_a_dialog_is_queued_and_its_sender_told(
        self, house: House, adapter: Open
    ) -> None:
        at_work(house, talks=True)
        asks = Waiting("may it", "permission", None, Ask(id="1.1"))
        house.record(e.ActivityChanged(task=A, attempt=1, activity=asks, source="hook"))
        house.submit(c.Send(task="a", text="x"))
        said = await house.host.settled_messages({(A, 1)})
        why = "it waits for may it, and is told after that"
        assert said == [{"task": A, "outcome": "queued", "reason": why}]
        assert [message.text for message in house.task("a").messages] == ["x"]

    async def test_what_is_typed_just_now_is_not_queued(
        self, house: House, adapter: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, talks=True)
        asks = Waiting("may it", "permission", None, Ask(id="1.1"))
        house.record(e.ActivityChanged(task=A, attempt=1, activity=asks, source="hook"))
        house.record(e.MessageQueued(task=A, text="x", by="me"))  # and it asked because of that
        tell = f.Tell(A, 1, 1)
        monkeypatch.setattr(house.supervisor, "is_under_way", lambda effect: effect == tell)
        fate = asyncio.ensure_future(house.host.settled_messages({(A, 1)}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not fate.done()

        house.record(e.MessageSettled(task=A, message=1, outcome="delivered"))
        house.host.supervisor._notify()
        assert [it["outcome"] for it in await fate] == ["delivered"]

    async def test_a_new_run_has_said_nothing(self, house: House) -> None:
        house.tools.reports.note(A)
        house.tools.reports.hear(A, "x")
        at_work(house)
        assert not house.tools.reports.ever(A)
        assert not house.tools.reports.repeats(A)


class TestReports:
    NEVER = threading.Event()

    def heard(self, reports: Reports, message: int) -> bool:
        return reports.wait_heard(A, message, begun=None, timeout_s=0.0, stop=self.NEVER)

    def test_one_report_confirms_one_message_the_first(self) -> None:
        reports = Reports()
        for message in (1, 2):
            reports.expect(A, message, "go on")
        assert reports.hear(A, " go\non ") is None
        assert self.heard(reports, 1)
        assert not self.heard(reports, 2)
        assert reports.hear(A, "go on") == 2
        assert reports.hear(A, "go on") is None

    def test_two_reports_confirm_two(self) -> None:
        reports = Reports()
        for message in (1, 2):
            reports.expect(A, message, "go on")
        reports.hear(A, "go on")
        reports.hear(A, "go on")
        assert self.heard(reports, 1)
        assert self.heard(reports, 2)

    def test_what_was_heard_before_is_claimed_once_by_what_was_typed_before(self) -> None:
        reports = Reports()
        reports.hear(A, "go on")
        reports.expect(A, 1, "go on")
        assert not self.heard(reports, 1)
        reports.expect(A, 1, "go on", again=True)
        assert self.heard(reports, 1)
        reports.expect(A, 2, "go on", again=True)
        assert not self.heard(reports, 2)

    def test_what_was_not_typed_is_not_expected(self) -> None:
        reports = Reports()
        reports.expect(A, 1, "go on")
        reports.forget(A, 1)
        assert not self.heard(reports, 1)
        assert reports.hear(A, "go on") is None

    def test_nobody_is_waited_for_who_is_to_stop(self) -> None:
        reports, stop = Reports(), threading.Event()
        stop.set()
        reports.expect(A, 1, "go on")
        assert not reports.wait_heard(A, 1, begun=None, timeout_s=3600, stop=stop)
        assert not reports.wait_up(A, timeout_s=3600, stop=stop)
