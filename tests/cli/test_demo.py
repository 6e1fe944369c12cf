"""The demonstration asserts what it shows, and leaves nothing behind however it ends."""

import json
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor, Items
from wire_samples import HEAD, task_detail, task_row, why_view

from fleet.cli import demo, demo_cast, demo_stage
from fleet.client import starting
from fleet.errors import FleetError, RefusedError
from fleet.paths import Home

_CONFLICT = "conflicts with its target in motto.txt"


class Theatre:
    """Plays the supervisor: each look finds every agent one step further."""

    def __init__(self) -> None:
        self.fake: FakeSupervisor | None = None
        self.looks = 0
        self.spawned: dict[str, dict[str, Any]] = {}
        self.approved: list[str] = []
        self.refuse_once = True
        self.differently: dict[str, dict[str, Any]] = {}
        self.down: list[dict[str, Any]] = []

    def open(self, home: Home, _: Callable[[float], None]) -> socket.socket:
        answers = {
            "spawn": self.spawn,
            "ls": self.ls,
            "diff": {"head": HEAD},
            "approve": self.approve,
            "show": lambda ask: self.detail(ask["task"]),
            "why": self.why,
            "events": Items([{"seq": 1}, {"seq": 2}], open_end=True),
            "down": self.end,
        }
        self.fake = FakeSupervisor(home, answers)
        found = starting.attempt(home)
        assert found is not None
        return found

    def spawn(self, ask: dict[str, Any]) -> dict[str, list[str]]:
        self.spawned[ask["name"]] = ask
        return {"tasks": [ask["name"]]}

    def ls(self, _: object) -> list[dict[str, Any]]:
        self.looks += 1
        return [self.row(name) for name in self.spawned]

    def row(self, name: str) -> dict[str, Any]:
        row = task_row(name, attempt=2 if name == "answer" else 1)
        if self.looks < 2:
            return row
        return row | self.outcome(name) | self.differently.get(name, {})

    def outcome(self, name: str) -> dict[str, Any]:
        if name == "hang":
            return {"status": "failed", "needs": "stopped by its time limit of 8 s"}
        if name == "idle-talk":
            return {"status": "failed", "needs": "ended without a change"}
        if name == "motto-calm" and "motto-brave" in self.approved:
            return {"status": "conflict", "needs": _CONFLICT}
        status = "landed" if name in self.approved else "review"
        return {"status": status, "needs": None if status == "landed" else "review"}

    def detail(self, name: str) -> Any:
        saved = name == "forgetful"
        return task_detail(
            name, row=self.row(name), auto_commit=saved, reason=self.row(name)["needs"]
        )

    def why(self, ask: dict[str, Any]) -> dict[str, Any]:
        row = self.row(ask["task"])
        return why_view(row["task"], status=row["status"], needs=row["needs"], because=["so"])

    def approve(self, ask: dict[str, Any]) -> dict[str, str]:
        assert ask["head"] == HEAD
        if self.refuse_once:
            self.refuse_once = False
            raise RefusedError("a newer revision came")
        self.approved.append(ask["task"])
        return {"task": ask["task"], "head": HEAD}

    def end(self, ask: dict[str, Any]) -> dict[str, int]:
        self.down.append(ask)
        return {"stopped": 1}


@pytest.fixture
def theatre(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(demo, "_LOOK_S", 0.01)
    playing = Theatre()
    monkeypatch.setattr(starting, "_started", playing.open)
    yield playing
    if playing.fake is not None:
        playing.fake.close()


def leftovers(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "tmp").iterdir())


def test_it_succeeds_when_all_ends_as_told(run: Run, theatre: Theatre, tmp_path: Path) -> None:
    answer = run("demo")
    assert answer.code == 0, answer.err
    assert "all as expected: 4 of 7 changes landed" in answer.out
    assert "approved for you: greeting at 3f1c2ab9" in answer.out
    assert _CONFLICT in answer.out
    assert theatre.down == [{"call": "down", "stop_agents": True}]
    assert leftovers(tmp_path) == []


def test_on_a_terminal_the_lines_change_in_place(
    run: Run, theatre: Theatre, on_terminal: Callable[[int], None]
) -> None:
    on_terminal(80)
    answer = run("demo", "--plain")
    assert answer.code == 0
    assert "\x1b[7A\x1b[J" in answer.out
    assert "stopped by its time limit" in answer.out


def test_every_agent_is_given_as_the_cast_says(run: Run, theatre: Theatre) -> None:
    run("demo")
    sent = theatre.spawned
    assert len(sent) >= 6
    assert sent["hang"]["timeout_s"] == 8.0
    assert (sent["answer"]["attempts"], len(sent["answer"]["checks"])) == (3, 1)
    assert {ask["agent"] for ask in sent.values()} == {"shell"}
    assert not any(name.startswith("FLEET") for name in sent["hang"]["environment"])


@pytest.mark.parametrize(
    ("name", "differently", "said"),
    [
        ("idle-talk", {"status": "landed", "needs": None}, "idle-talk does not land, and yet it"),
        ("greeting", {"status": "failed", "needs": "x"}, "greeting lands, and yet it is failed"),
        ("answer", {"attempt": 1}, "answer must land by attempt 2, and it was 1"),
        ("hang", {"needs": None}, "hang did not land, and nothing says why"),
        ("motto-calm", {"status": "landed"}, "one must land, and 0 did not"),
        ("motto-calm", {"status": "conflict", "needs": "x"}, "conflicts in motto.txt"),
    ],
)
def test_it_fails_when_something_ends_otherwise(
    name: str,
    differently: dict[str, Any],
    said: str,
    *,
    run: Run,
    theatre: Theatre,
    tmp_path: Path,
) -> None:
    theatre.differently[name] = differently
    answer = run("demo")
    assert answer.code == 1
    assert said in answer.err
    assert "not as expected" in answer.out
    assert leftovers(tmp_path) == []


def test_work_that_was_not_committed_by_fleet_is_a_surprise(
    run: Run, theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theatre, "detail", lambda name: task_detail(name, row=theatre.row(name)))
    assert "forgetful must show that fleet committed" in run("demo").err


def test_it_gives_up_after_a_minute(
    run: Run, theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_LIMIT_S", 0.1)
    theatre.differently["hang"] = {"status": "working", "needs": None}
    answer = run("demo")
    assert answer.code == 124
    assert "not all agents have settled" in answer.err
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_nothing_behind(
    number: signal.Signals,
    *,
    run: Run,
    theatre: Theatre,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = os.getpid()

    def interrupted(_: str) -> None:
        os.kill(process, number)

    monkeypatch.setattr(theatre, "detail", interrupted)
    assert run("demo").code == 130
    assert theatre.down
    assert leftovers(tmp_path) == []


def test_a_second_interrupt_does_not_stop_the_clearing_away(
    run: Run, theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, end = os.getpid(), theatre.end

    def interrupted(ask: Any) -> Any:
        os.kill(process, signal.SIGINT)
        return end(ask)

    monkeypatch.setattr(theatre, "ls", interrupted)
    monkeypatch.setattr(theatre, "end", interrupted)
    assert run("demo").code == 130
    assert theatre.down
    assert leftovers(tmp_path) == []


def test_it_can_be_kept(run: Run, theatre: Theatre, tmp_path: Path) -> None:
    answer = run("demo", "--keep")
    assert answer.code == 0
    (root,) = leftovers(tmp_path)
    assert f"export FLEET_HOME={root}/home" in answer.err
    assert "fleet down --stop-agents; rm -r" in answer.err
    assert theatre.down == []
    demo_stage.strike(demo_stage.Stage(root))
    assert leftovers(tmp_path) == []


def test_agents_are_ended_even_when_the_supervisor_is_gone(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def note(*arguments: str, home: Home) -> tuple[int, str, str]:
        asked.append(arguments)
        return 0, "", ""

    def fail(*_: object) -> None:
        raise FleetError("the supervisor did not start")

    monkeypatch.setattr(starting, "_started", fail)
    monkeypatch.setattr(demo_stage, "fleet_module", note)
    place = demo_stage.Stage(tmp_path / "stage")
    place.home.root.mkdir(parents=True)
    demo_stage.strike(place)
    assert asked == [("fleet.supervisor.sweep", str(place.home.root))]
    assert not place.root.exists()


def test_no_supervisor_is_started_where_none_ever_ran(home: Home, tmp_path: Path) -> None:
    place = demo_stage.Stage(tmp_path / "stage")
    place.root.mkdir()
    demo_stage.strike(place)
    assert not place.root.exists()


def test_a_person_s_settings_have_no_part_in_it(
    run: Run, theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("FLEET_TASK", "outer")
    seen: dict[str, str | None] = {}

    def look(_: object) -> Any:
        seen.update({name: os.environ.get(name) for name in ("XDG_CONFIG_HOME", "FLEET_TASK")})
        raise FleetError("enough")

    monkeypatch.setattr(theatre, "ls", look)
    assert run("demo").code == 1
    assert seen["FLEET_TASK"] is None
    assert str(seen["XDG_CONFIG_HOME"]).startswith(str(tmp_path / "tmp"))
    assert os.environ["XDG_CONFIG_HOME"] == str(tmp_path / "mine")


def test_the_cast_has_what_the_play_needs() -> None:
    assert demo_cast.TOTAL >= 6
    assert len({part.name for part in demo_cast.CAST}) == demo_cast.TOTAL
    assert json.dumps([part.command for part in demo_cast.CAST])
