"""The supervisor's own life, and its keeper's: one of each, ended on purpose or begun again."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from house import House
from waiting import until

from fleet import __version__, paths
from fleet import protocol as p
from fleet.client.connection import Client
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.errors import ToolError
from fleet.home import open_home
from fleet.supervisor import __main__ as process
from fleet.supervisor import keeper, running
from fleet.supervisor.exit_codes import CRASHED, DONE, REFUSED, RESTART, RUNS_ALREADY
from fleet.supervisor.probes.targets import Targets

PROGRAMS = ("fleet.supervisor", "fleet.supervisor.keeper")


@pytest.fixture
def home(short: Path) -> Iterator[paths.Home]:
    """Give a home in which whatever was started is ended after the test."""
    home = paths.Home(short / "h")
    open_home(home)
    yield home
    with contextlib.suppress(OSError):
        home.down.touch()
    for process_ in _programs(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process_.send_signal(signal.SIGKILL)


def _programs(home: paths.Home, module: str = "") -> list[psutil.Process]:
    found = []
    for one in psutil.process_iter(["cmdline"]):
        words = one.info["cmdline"] or []
        ours = str(home.root) in words and words[-2] in ((module,) if module else PROGRAMS)
        if ours and one.status() != psutil.STATUS_ZOMBIE:
            found.append(one)
    return found


def pid_of(home: paths.Home, module: str, *, other_than: int = 0) -> int:
    def look() -> int | None:
        pids = [one.pid for one in _programs(home, module) if one.pid != other_than]
        return pids[0] if len(pids) == 1 else None

    return until(look, what=f"one {module}")


def ask(home: paths.Home, query: Any) -> Any:
    with Client.connect(home, start=False) as client:
        return client.ask(query)


def listening(home: paths.Home) -> bool:
    try:
        ask(home, p.List())
    except Exception:  # noqa: BLE001 - whatever is wrong, it does not answer yet
        return False
    return True


@pytest.fixture
def start(home: paths.Home) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(module: str) -> subprocess.Popen[bytes]:
        with home.log.open("ab") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", module, str(home.root)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )
        return started[-1]

    yield begin
    for one in started:
        if one.poll() is None:
            one.kill()
        one.wait()


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.mark.slow
class TestProcesses:
    """With real processes, as few as will do."""

    def test_one_supervisor_to_a_home_and_down_is_down(
        self, home: paths.Home, start: Start
    ) -> None:
        kept = start("fleet.supervisor.keeper")
        until(lambda: listening(home))
        first = pid_of(home, "fleet.supervisor")
        assert ask(home, p.Hello(version=__version__))["pid"] == first

        assert start("fleet.supervisor").wait(20) == RUNS_ALREADY
        assert start("fleet.supervisor.keeper").wait(20) == DONE

        ask(home, p.Shutdown())
        assert kept.wait(20) == DONE
        assert home.down.exists()
        assert not home.socket().exists()
        assert start("fleet.supervisor.keeper").wait(20) == DONE  # the wish still stands

    def test_each_of_the_two_replaces_the_other(self, home: paths.Home, start: Start) -> None:
        kept = start("fleet.supervisor.keeper")
        until(lambda: listening(home))
        first = pid_of(home, "fleet.supervisor")

        os.kill(first, signal.SIGKILL)
        second = pid_of(home, "fleet.supervisor", other_than=first)
        until(lambda: listening(home))

        kept.kill()
        kept.wait()
        replaced = pid_of(home, "fleet.supervisor.keeper", other_than=kept.pid)
        until(lambda: not keeper_is_free(home))
        assert pid_of(home, "fleet.supervisor") == second  # and is adopted

        os.kill(second, signal.SIGKILL)
        pid_of(home, "fleet.supervisor", other_than=second)
        until(lambda: listening(home))
        ask(home, p.Shutdown())
        until(lambda: not psutil.pid_exists(replaced))

    def test_a_newer_client_has_it_begin_anew(self, home: paths.Home, start: Start) -> None:
        start("fleet.supervisor.keeper")
        until(lambda: listening(home))
        first = pid_of(home, "fleet.supervisor")
        assert ask(home, p.Hello(version="999.0.0"))["restarting"]
        assert pid_of(home, "fleet.supervisor", other_than=first)
        until(lambda: listening(home))

    def test_a_home_that_cannot_be_used_ends_the_keeper(
        self, home: paths.Home, start: Start
    ) -> None:
        with contextlib.closing(sqlite3.connect(home.ledger)) as strange:
            strange.execute("create table other (x)")
            strange.commit()
        assert start("fleet.supervisor.keeper").wait(20) == REFUSED
        assert "fleet:" in home.log.read_text()


def keeper_is_free(home: paths.Home) -> bool:
    with keeper.locked(home.keeper_lock, wait=False) as free:
        return free


class TestKeeper:
    """When it starts again, when it waits, and when it leaves off."""

    def keep(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch, *codes: int
    ) -> tuple[int, list[float]]:
        answers, pauses = list(codes), list[float]()
        monkeypatch.setattr(keeper, "_supervise", lambda _: answers.pop(0))
        stub = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)
        monkeypatch.setattr(keeper, "time", stub)
        result = keeper.main(str(home.root))
        assert answers == []
        return result, pauses

    @pytest.mark.parametrize("code", [DONE, REFUSED])
    def test_an_end_on_purpose_is_the_end(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch, code: int
    ) -> None:
        assert self.keep(home, monkeypatch, code) == (code, [])

    def test_crashes_are_followed_ever_later(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        codes = (CRASHED, CRASHED, -9, CRASHED, 1, CRASHED, 1, 1, 1, 1, DONE)
        _, pauses = self.keep(home, monkeypatch, *codes)
        assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]

    def test_a_new_version_is_started_at_once(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.keep(home, monkeypatch, RESTART, RESTART, DONE) == (DONE, [])

    def test_a_long_life_begins_a_new_count(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock, pauses = iter([0.0, 1.0, 1.0, 2.0, 2.0, 100.0, 100.0]), list[float]()
        stub = SimpleNamespace(monotonic=lambda: next(clock), sleep=pauses.append)
        monkeypatch.setattr(keeper, "time", stub)
        answers = [DONE, CRASHED, CRASHED, CRASHED]
        monkeypatch.setattr(keeper, "_supervise", lambda _: answers.pop())
        keeper.main(str(home.root))
        assert pauses == [0.1, 0.2, 0.1]

    def test_the_wish_to_stay_down_counts_more_than_a_crash(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down_and_crash(_: paths.Home) -> int:
            home.down.touch()
            return CRASHED

        monkeypatch.setattr(keeper, "_supervise", down_and_crash)
        assert keeper.main(str(home.root)) == CRASHED

    def test_the_wish_to_stay_down_counts_in_the_pause_too(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = [CRASHED]
        monkeypatch.setattr(keeper, "_supervise", lambda _: answers.pop())
        stub = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: home.down.touch())
        monkeypatch.setattr(keeper, "time", stub)
        assert keeper.main(str(home.root)) == DONE

    def test_a_supervisor_that_runs_already_is_waited_for(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subprocess, "call", lambda *_, **__: RUNS_ALREADY)
        waited: list[bool] = []
        locked = keeper.locked

        def noting(file: Path, *, wait: bool) -> contextlib.AbstractContextManager[bool]:
            waited.append(wait)
            return locked(file, wait=wait)

        monkeypatch.setattr(keeper, "locked", noting)
        assert keeper._supervise(home) == RUNS_ALREADY
        assert waited == [True]

    def test_no_keeper_is_started_where_one_is_or_none_is_wanted(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started: list[object] = []
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", lambda *a, **_: started.append(a))
            keeper.ensure_keeper(home)  # there never was one
            with keeper.locked(home.keeper_lock, wait=False):
                keeper.ensure_keeper(home)
            home.down.touch()
            keeper.ensure_keeper(home)
            assert started == []
            home.down.unlink()
            keeper.ensure_keeper(home)
        assert len(started) == 1


class TestRunning:
    """In this process: what a supervisor finds at its start, and how it ends."""

    async def life(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> tuple["asyncio.Task[int]", asyncio.Event]:
        monkeypatch.setattr(running, "ensure_keeper", lambda _: None)
        house.home.supervisor_lock.touch()
        ended = asyncio.Event()
        life = asyncio.create_task(running.run(house.host, ended))
        async with asyncio.timeout(10):
            while not house.home.socket().exists() and not life.done():
                await asyncio.sleep(0.01)
        return life, ended

    async def test_it_ends_when_it_is_told_to(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        life, ended = await self.life(house, monkeypatch)
        ended.set()
        assert await life == DONE
        assert not house.home.socket().exists()

    async def test_it_goes_down_for_a_client_and_notes_the_wish(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        life, _ = await self.life(house, monkeypatch)
        reader, writer = await asyncio.open_unix_connection(str(house.home.socket()))
        writer.write(b'{"id": 1, "ask": {"call": "down"}}\n')
        assert b"stopped" in await reader.readline()
        assert await life == DONE
        assert house.home.down.exists()
        writer.close()

    async def test_it_begins_anew_for_a_newer_client(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        life, _ = await self.life(house, monkeypatch)
        reader, writer = await asyncio.open_unix_connection(str(house.home.socket()))
        writer.write(b'{"id": 1, "ask": {"call": "hello", "version": "99"}}\n')
        assert b'"restarting":true' in await reader.readline()
        assert await life == RESTART
        writer.close()

    async def test_an_internal_error_ends_it(
        self, house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        life, _ = await self.life(house, monkeypatch)
        house.supervisor._crash(KeyError("x"))
        await life
        assert house.supervisor.crashed
        assert "KeyError" in capsys.readouterr().err

    async def test_what_fails_in_a_callback_ends_it_too(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        life, _ = await self.life(house, monkeypatch)
        asyncio.get_running_loop().call_soon(dict[str, str]().__getitem__, "x")
        assert await life == CRASHED

    async def test_a_look_that_fails_ends_it(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(_: object) -> None:
            raise KeyError("x")

        monkeypatch.setattr(Targets, "look", fail)
        monkeypatch.setattr(running, "ensure_keeper", lambda _: None)
        house.home.supervisor_lock.touch()
        with pytest.raises(KeyError):
            await running.run(house.host, asyncio.Event())
        assert not house.home.socket().exists()

    async def test_checks_of_a_killed_supervisor_are_ended(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = house.tools.token(TaskId("a"), 1, "1-check-1")
        env = {"PATH": os.environ["PATH"], "FLEET_CHECK": token}
        left = subprocess.Popen(["sleep", "1000"], env=env)
        life, ended = await self.life(house, monkeypatch)
        assert left.wait(10) == -signal.SIGTERM
        ended.set()
        await life

    async def test_repositories_that_are_gone_stop_nobody(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.spawn("true")
        house.record(e.TaskPaused(task=TaskId("a"), by="me"))
        house.tools._places.clear()
        house.repo.rename(house.repo.with_name("elsewhere"))
        monkeypatch.setattr(running, "_TARGETS_EVERY_S", 0.01)
        monkeypatch.setattr(running, "_PULSE_EVERY_S", 0.01)
        life, ended = await self.life(house, monkeypatch)
        before = time.monotonic()
        async with asyncio.timeout(10):
            while not house.tools.policies.complaints or time.monotonic() < before + 0.1:
                await asyncio.sleep(0.01)
        ended.set()
        assert await life == DONE


class TestProcess:
    """`main`, in this process."""

    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        before = dict(os.environ)
        yield
        os.environ.clear()
        os.environ.update(before)

    def test_a_home_in_use_is_left_alone(self, home: paths.Home) -> None:
        with keeper.locked(home.supervisor_lock, wait=False):
            assert process.main(str(home.root)) == RUNS_ALREADY

    def test_its_own_environment_has_nothing_of_an_agent(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FLEET_RUN", "x")
        monkeypatch.setenv("TMUX", "x")
        with keeper.locked(home.supervisor_lock, wait=False):
            process.main(str(home.root))
        assert {"FLEET_RUN", "TMUX"}.isdisjoint(os.environ)

    def test_a_configuration_that_is_not_understood_is_refused(
        self, home: paths.Home, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = paths.user_config()
        file.parent.mkdir(parents=True)
        file.write_text("slots: many\n")
        assert process.main(str(home.root)) == REFUSED
        assert "slots" in capsys.readouterr().err

    def test_a_failure_on_the_way_is_no_refusal(
        self, home: paths.Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*_: object) -> int:
            raise ToolError("git is gone")

        monkeypatch.setattr(process, "run", fail)
        assert process.main(str(home.root)) == CRASHED

    def test_it_ends_by_signal(self, home: paths.Home, monkeypatch: pytest.MonkeyPatch) -> None:
        async def told(_: object, ended: asyncio.Event) -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            await ended.wait()
            return DONE

        monkeypatch.setattr(process, "run", told)
        assert process.main(str(home.root)) == DONE
