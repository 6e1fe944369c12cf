"""A person is told in the ways that they chose; what goes wrong with that is said, and no more."""

import stat
import threading
from pathlib import Path

import histories as h
import psutil
import pytest
from fakes import Clock, World, open_ledger, running
from house import House
from waiting import until

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.activity import Waiting
from fleet.core.attention import MOMENT
from fleet.core.policy import FleetPolicy
from fleet.errors import ToolError
from fleet.supervisor.perform import notices
from fleet.tools.processes.notice import tell

A = h.A
EFFECT = f.Notify(A, "which\x1b[2J one?", h.NOON)


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def notify(house: House, *ways: str) -> e.NeedTold:
    house.quiet()
    if A not in house.fleet.tasks:
        house.spawn("true", title="Find out")
    house.tools.policies.fleet = FleetPolicy(notify=ways)
    [told] = house.perform(EFFECT)
    assert isinstance(told, e.NeedTold)
    assert (told.task, told.need, told.since, told.by) == (A, EFFECT.need, EFFECT.since, ways)
    return told


class TestTelling:
    async def test_a_command_is_told_everything(self, house: House, tmp_path: Path) -> None:
        out = tmp_path / "out"
        said = 'printf "%s\\n" "$@" "$FLEET_TASK" "$FLEET_NEED" "$FLEET_TITLE" "$FLEET_REPO"'
        tool = program(tmp_path / "my tool", f"{said} >{out}")
        notify(house, f"'{tool}' --loud", "bell")
        assert out.read_text().splitlines() == [
            "--loud",
            "a needs you: which one?",
            "a",
            "which one?",
            "Find out",
            str(house.repo),
        ]
        assert house.degraded == []

    async def test_the_desktop_is_told(
        self, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "out"
        program(tmp_path / "notify-send", f'printf "%s\\n" "$@" >{out}')
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        notify(house, "desktop")
        assert out.read_text().splitlines()[-2:] == ["--", "a needs you: which one?"]

    async def test_a_desktop_without_the_program_is_said(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notify(house, "bell")
        monkeypatch.setenv("PATH", "/nowhere")
        notify(house, "desktop")
        assert any("notify-send" in said for said in house.degraded)

    async def test_one_that_fails_is_said_and_the_next_is_told(
        self, house: House, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        bad = program(tmp_path / "bad", "echo no bus >&2; exit 3")
        good = program(tmp_path / "good", f"touch {out}")
        notify(house, "/nowhere/at-all", str(bad), str(good))
        assert out.exists()
        assert [said.partition(": ")[2] for said in house.degraded] == [
            "/nowhere/at-all cannot be started: No such file or directory",
            f"{bad} failed: no bus",
        ]


class TestTime:
    def test_one_that_takes_too_long_is_ended_with_all_its_children(self, tmp_path: Path) -> None:
        pids = tmp_path / "pids"
        slow = program(tmp_path / "slow", f"sleep 40 & echo $! $$ >{pids}; wait")
        with pytest.raises(ToolError, match="took longer than 1 s"):
            tell([str(slow)], env={"PATH": "/usr/bin:/bin"}, stop=threading.Event(), timeout_s=1)
        if pids.exists():
            until(lambda: not any(_alive(int(pid)) for pid in pids.read_text().split()))

    def test_one_that_nobody_waits_for_any_more_is_no_failure(self) -> None:
        stop = threading.Event()
        stop.set()
        tell(["sleep", "1000"], env={"PATH": "/usr/bin:/bin"}, stop=stop)  # returns

    def test_one_that_is_nearly_through_is_let_go_on(self, tmp_path: Path) -> None:
        stop, out = threading.Event(), tmp_path / "out"
        stop.set()
        tell(["touch", str(out)], env={"PATH": "/usr/bin:/bin"}, stop=stop)
        assert out.exists()

    def test_one_that_fails_without_a_word(self) -> None:
        with pytest.raises(ToolError, match="false failed with exit code 1"):
            tell(["false"], env={"PATH": "/usr/bin:/bin"}, stop=threading.Event())


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_a_supervisor_that_begins_anew_tells_nothing_twice(tmp_path: Path) -> None:
    given = h.circumstances(fleet=FleetPolicy(pool=0, notify=("bell",)))
    clock = Clock()
    waits = e.ActivityChanged(task=A, attempt=1, activity=Waiting("which one?"), source="hook")
    path = tmp_path / "ledger"
    world = World(given)
    async with running(path, world, clock) as supervisor:
        supervisor.record([*h.running(A), waits])
        await supervisor.settled()
        assert not _told(world)
        clock.now += MOMENT
        supervisor.reconcile_soon()
        await supervisor.settled()
        assert _told(world) == [f.Notify(A, "which one?", h.NOON)]
    again = World(given)
    clock.now += h.minutes(5)
    async with running(path, again, clock) as supervisor:
        await supervisor.settled()
        assert not _told(again)
    with open_ledger(path) as ledger:
        told = [it for it in ledger.entries() if isinstance(it.event, e.NeedTold)]
    assert len(told) == 1


def _told(world: World) -> list[f.AnyEffect]:
    return [effect for effect in world.done if isinstance(effect, f.Notify)]


def test_the_bell_is_a_way_of_its_own() -> None:
    assert FleetPolicy().notify[0] == notices.BELL
