"""What agents tell their terminals: status reports in the spool, and the titles of panes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby

import pytest
from house import House
from waiting import until

from fleet import protocol as p
from fleet.agents import status_reports
from fleet.agents.adapter import (
    SaysDoing,
    SaysIdle,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.shell import ShellAdapter
from fleet.core import events as e
from fleet.core import signals
from fleet.core.activity import Activity, Idle, Run, Waiting, Working
from fleet.core.ids import TaskId
from fleet.core.turns import ended, interrupted
from fleet.core.views import activity_phrase
from fleet.supervisor.answers import reasons
from fleet.supervisor.host import now
from fleet.supervisor.judge import Judge
from fleet.supervisor.probes.spool import Spool
from fleet.supervisor.probes.titles import Titles
from fleet.supervisor.probes.vitals import Vitals
from fleet.supervisor.probes.words import meaning
from fleet.tools.tmux.settings import COMMANDS

A = TaskId("a")
TITLES: dict[str, Signal] = {
    "~": SaysWorking(),
    "-": SaysWorking(),
    "ready": SaysIdle(),
    "action": SaysWaiting("its question"),
}


class Telling(ShellAdapter):
    """It reports, and the first word of its titles says what it does."""

    reports = True

    def read_title(self, title: str) -> tuple[Signal, ...]:
        known = TITLES.get(title.split(" ", maxsplit=1)[0])
        return () if known is None else (SaysDoing("x"), known)


@pytest.fixture
def adapter(house: House, monkeypatch: pytest.MonkeyPatch) -> Telling:
    made = Telling()
    monkeypatch.setattr(house.tools, "adapter", lambda task, policy=None: made)
    monkeypatch.setattr(signals, "STAND", timedelta())
    return made


def at_work(house: House, prompt: str = "exec sleep 1000", **options: str) -> None:
    house.begin(prompt, **options)
    house.record(house.start())
    until(house.home.run("a", 1).started.exists)


def run(house: House) -> Run:
    found = house.task("a").run
    assert found is not None
    return found


def told(house: House) -> list[tuple[Activity, str]]:
    return [(it.activity, it.source) for it in house.events(e.ActivityChanged)]


@contextmanager
def hearing(house: House) -> Iterator[Spool]:
    spool = Spool(house.host)
    yield spool
    spool._watch.close()


def hear(house: House, *reports: str) -> None:
    """Leave reports as `fleet-pane` does, and have them heard."""
    for report in reports:
        at = time.time_ns()
        content = f"{house.tools.token(A, 1, 'n')}\nstatus-report\n{at}\n{report}"
        (house.home.spool / f"{at}.1").write_text(content)
    with hearing(house) as spool:
        spool.hear()


class TestReports:
    async def test_what_an_agent_tells_its_terminal_is_heard(self, house: House) -> None:
        house.configure('agents: {robot: {command: [sh, -c, "{prompt}"], reports: true}}')
        osc = r"\033]7501;state=blocked:kind=permission:msg=YXBwcm92ZSBXcml0ZQ==\007"
        at_work(house, f'printf "before{osc}after"; exec sleep 1000', agent="robot")
        async with house.watching():
            await house.until(lambda _: isinstance(run(house).activity, Waiting))

        assert told(house) == [(Waiting("approve Write", "permission"), "report")]
        until(lambda: "beforeafter" in house.tools.panes.capture(run(house).pane))

    async def test_each_state_is_what_it_is(self, house: House, adapter: Telling) -> None:
        at_work(house)
        hear(house, "state=working:app=x")
        hear(house, "state=error:app=x")
        hear(house, "state=working:app=x:msg=U2xlZXBpbmc=")
        assert house.host.vitals.doing[A] == "Sleeping"
        hear(house, "state=done:app=x")

        failed = Waiting("its turn broke off", "error")
        assert told(house) == [(failed, "report"), (Working(), "report"), (Idle(), "report")]
        assert ended(run(house))
        assert A in house.host.vitals.last_told

    async def test_one_that_rests_without_being_done_was_interrupted(
        self, house: House, adapter: Telling, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signals, "START", timedelta())
        at_work(house)
        hear(house, "state=working:app=x")
        hear(house, "state=idle:app=x")

        assert told(house) == [(Idle(broken_off=True), "report")]
        assert interrupted(run(house))
        assert not ended(run(house))

    async def test_what_is_taken_back_says_nothing_any_more(
        self, house: House, adapter: Telling
    ) -> None:
        at_work(house)
        hear(house, "state=blocked:kind=question")
        hear(house, "state=clear")

        assert told(house)[-1] == (Working(), "process")

    async def test_one_that_is_not_understood_is_shown(
        self, house: House, adapter: Telling
    ) -> None:
        at_work(house)
        hear(house, "state=done:msg=%%", "state=done:msg=a")

        assert told(house) == [(Idle(), "report")]
        assert house.degraded == ["report of a: status report: msg is no text in base64"]

    async def test_why_names_it(self, house: House, adapter: Telling) -> None:
        at_work(house)
        hear(house, "state=blocked:kind=auth")
        why = await reasons.why(house.host, p.Why(task="a"))

        assert [(it.source, it.says, it.wins) for it in why.signals if it.wins] == [
            ("status report", "waiting: a login", True)
        ]

    async def test_another_state_answers_what_was_typed_and_the_same_one_does_not(
        self, house: House, adapter: Telling
    ) -> None:
        at_work(house)
        hear(house, "state=idle")
        reports, since, stop = house.tools.reports, time.monotonic(), threading.Event()
        reports.expect(A, 1, "go on")
        hear(house, "state=idle")
        assert not reports.wait_heard(A, 1, begun=since, timeout_s=0, stop=stop)
        hear(house, "state=working")
        assert reports.wait_heard(A, 1, begun=since, timeout_s=0, stop=stop)


def titled(house: House, titles: Titles, title: str) -> Activity:
    titles.look({run(house).pane: title})
    return run(house).activity


class TestTitles:
    async def test_a_title_says_what_its_agent_does(self, house: House, adapter: Telling) -> None:
        at_work(house)
        titles = Titles(house.host)
        assert titled(house, titles, "action now") == Waiting("its question")
        assert titled(house, titles, "~ repo") == Working()
        titled(house, titles, "- repo")

        assert told(house) == [(Waiting("its question"), "title"), (Working(), "title")]
        assert house.host.vitals.doing[A] == "x"

    async def test_a_spinner_does_not_make_it_news(
        self, house: House, adapter: Telling, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        titles, heard = Titles(house.host), []
        monkeypatch.setattr(house.host.judge, "hear", lambda *a, **k: heard.append(a))
        for _ in range(3):
            for frame in ("~ repo", "- repo", "~ other"):
                titled(house, titles, frame)

        assert len(heard) == 1

    async def test_one_that_turned_idle_ends_a_turn_that_nobody_ended(
        self, house: House, adapter: Telling, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signals, "START", timedelta())
        at_work(house)
        titles = Titles(house.host)
        titled(house, titles, "~")
        assert titled(house, titles, "ready") == Idle()
        assert interrupted(run(house))

    async def test_another_programs_title_says_nothing(
        self, house: House, adapter: Telling
    ) -> None:
        at_work(house)
        titles = Titles(house.host)
        titled(house, titles, "action now")

        assert titled(house, titles, "vim \x1b]0;x\x07") == Working()
        assert told(house)[-1] == (Working(), "process")

    async def test_what_the_task_is_called_is_not_the_agents_word(
        self, house: House, adapter: Telling
    ) -> None:
        at_work(house, title="action  for all")
        titles = Titles(house.host)

        assert titled(house, titles, "action for all") == Working()
        assert titled(house, titles, "action for me") == Waiting("its question")

    async def test_what_is_on_record_is_no_news_to_the_next_supervisor(
        self, house: House, adapter: Telling
    ) -> None:
        at_work(house)
        asks = Waiting("may it", "permission")
        asked = e.ActivityChanged(
            task=A, attempt=1, activity=asks, source="hook", said_at=now() - timedelta(minutes=1)
        )
        house.record(asked)
        house.host.judge = Judge(house.supervisor, house.host.vitals)

        assert titled(house, Titles(house.host), "action now") == asks

    async def test_agents_whose_titles_say_nothing_cost_nothing(
        self, house: House, adapter: Telling, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house)
        monkeypatch.setattr(house.tools, "adapter", lambda task, policy=None: ShellAdapter())
        titles = Titles(house.host)

        assert titled(house, titles, "action now") == Working()
        assert told(house) == []

    async def test_the_titles_of_panes_are_looked_at(self, house: House, adapter: Telling) -> None:
        at_work(house, r"printf '\033]2;action now\007'; exec sleep 1000")
        pane = run(house).pane
        until(lambda: house.tools.panes.glimpses()[pane].title == "action now")
        await Vitals(house.host).beat()

        assert told(house) == [(Waiting("its question"), "title")]

    async def test_and_more_often_while_somebody_looks_on(
        self, house: House, adapter: Telling, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_work(house, r"printf '\033]2;action now\007'; exec sleep 1000")
        pane = run(house).pane
        until(lambda: house.tools.panes.glimpses()[pane].title == "action now")

        async def present() -> None:
            return None

        monkeypatch.setattr(house.host.audience, "present", present)
        await Vitals(house.host).glance()

        assert told(house) == [(Waiting("its question"), "title")]


def test_tmux_lets_titles_through_whatever_its_default_is() -> None:
    assert ("set-option", "-gwq", "allow-set-title", "on") in COMMANDS


# Seconds since its start, and what an agent told its terminal then: as they were recorded.
CLAUDE = (
    (0.1, "state=idle:app=claude-code"),
    (0.2, "state=working:app=claude-code"),
    (5.5, "state=working:app=claude-code:msg=U2xlZXBpbmc="),
    (14.8, "state=done:app=claude-code"),
    (23.4, "state=working:app=claude-code"),
    (23.5, "state=working:app=claude-code:msg=V3JpdGluZyBub3RlLnR4dA=="),
    (23.6, "state=blocked:app=claude-code:kind=permission:msg=YXBwcm92ZSBXcml0ZQ=="),
    (29.6, "state=idle:app=claude-code"),
    (32.8, "state=working:app=claude-code"),
    (33.0, "state=working:app=claude-code:msg=V2hpY2ggY29sb3VyPw=="),
    (33.2, "state=blocked:app=claude-code:kind=question:msg=YW5zd2VyOiBXaGljaCBjb2xvdXI/"),
    (36.9, "state=idle:app=claude-code"),
    (39.2, "state=working:app=claude-code"),
    (39.5, "state=error:app=claude-code:msg=QVBJIEVycm9y"),
)
CODEX = (
    (0.1, "state=idle:app=codex"),
    (13.6, "state=working:app=codex"),
    (14.2, "state=blocked:app=codex:kind=permission"),
    (20.6, "state=working:app=codex"),
    (21.3, "state=done:app=codex"),
    (24.7, "state=idle:app=codex"),
    (25.1, "state=working:app=codex"),
    (29.2, "state=idle:app=codex"),
    (31.7, "state=working:app=codex"),
    (35.8, "state=error:app=codex"),
)


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        (
            CLAUDE,
            (
                "working, idle, working, waiting: approve Write, idle (broken off), working, "
                "waiting: answer: Which colour?, idle (broken off), working, waiting: API Error"
            ),
        ),
        (
            CODEX,
            (
                "working, idle (broken off), working, waiting: permission, working, idle, working, "
                "idle (broken off), working, waiting: its turn broke off"
            ),
        ),
    ],
    ids=["claude", "codex"],
)
def test_a_recorded_session_shows_each_state_once(
    recorded: tuple[tuple[float, str], ...], shown: str
) -> None:
    begun = now()
    known, phrases = signals.began(begun), []
    ends = [begun + timedelta(seconds=at) for at, _ in (*recorded[1:], (3600.0, ""))]
    for (at, body), end in zip(recorded, ends, strict=True):
        look_at: datetime | None = begun + timedelta(seconds=at)
        assert look_at is not None
        for said in status_reports.read(body.encode()) or ():
            if (does := meaning(said, signals.REPORT)) is not None:
                known = signals.heard(known, signals.Sign(signals.REPORT, does, look_at))
        while look_at is not None and look_at < end:
            judged = signals.judge(known, look_at, signals.Life(told=look_at))
            broken_off = " (broken off)" if judged.activity == Idle(broken_off=True) else ""
            phrases.append(activity_phrase(judged.activity) + broken_off)
            look_at = judged.look_at

    assert ", ".join(key for key, _ in groupby(phrases)) == shown
