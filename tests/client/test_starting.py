"""A supervisor is started where there is none and one is wanted: a single one."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fake_supervisor import FakeSupervisor
from waiting import until

from fleet import __version__
from fleet.client import Client, starting
from fleet.errors import (
    FleetError,
    HomeError,
    NoSupervisorError,
)
from fleet.home import open_home
from fleet.paths import Home
from fleet.protocol import Shutdown

FAKE = Path(__file__).parents[1] / "fake_supervisor.py"


@pytest.fixture
def started(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the client start the fake supervisor; give the file with a line for each start."""
    notes = tmp_path / "starts"
    _python_is(tmp_path, monkeypatch, f'exec "{sys.executable}" "{FAKE}" "$3" "{notes}"')
    yield notes
    with suppress(FleetError), Client.connect(home, start=False) as client:
        client.ask(Shutdown())
    for line in notes.read_text().splitlines() if notes.exists() else ():
        pid = json.loads(line)["pid"]
        until(partial(_is_gone, pid), what="the fake supervisor has ended")


def _is_gone(pid: int) -> bool:
    for keeper in starting._keepers:
        keeper.poll()
    return not Path(f"/proc/{pid}").exists()


def _python_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexport PYTHONPATH="{FAKE.parents[1]}"\n{script}\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


def starts(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in notes.read_text().splitlines()]


def test_none_is_started_where_that_is_not_wanted(home: Home, started: Path) -> None:
    with pytest.raises(NoSupervisorError) as caught:
        Client.connect(home, start=False)
    assert caught.value.exit_code == 3
    assert not started.exists()
    assert not home.root.exists()


def test_one_is_started_on_demand_and_outlives_its_client(home: Home, started: Path) -> None:
    for _ in range(2):
        with Client.connect(home, start=True) as client:
            assert client.supervisor["version"] == __version__
    assert len(starts(started)) == 1
    assert home.log.stat().st_mode & 0o777 == 0o600


def test_an_agent_starts_none_that_would_end_with_its_run(
    home: Home, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = open_home(home)
    monkeypatch.setenv("FLEET_RUN", f"{identity.id}:a:1:nonce")
    with pytest.raises(NoSupervisorError, match="an agent of it"):
        Client.connect(home, start=True)
    assert not started.exists()

    monkeypatch.setenv("FLEET_RUN", "another-home:a:1:nonce")
    with Client.connect(home, start=True) as client:
        assert client.supervisor["version"] == __version__


def test_a_dead_socket_is_no_supervisor(home: Home, started: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home.socket()))
    with pytest.raises(NoSupervisorError):
        Client.connect(home, start=False)
    home.socket().unlink()


def test_of_many_clients_at_once_one_starts_it(home: Home, started: Path) -> None:
    before = len(starting._keepers)
    pids: list[int] = []

    def connect() -> None:
        with Client.connect(home, start=True) as client:
            pids.append(client.supervisor["pid"])

    threads = [threading.Thread(target=connect) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 6
    assert len(starting._keepers) == before + 1


def test_the_supervisor_gets_nothing_that_would_mislead_it(
    home: Home, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLEET_RUN", "FLEET_TASK", "GIT_DIR", "TMUX", "TMUX_PANE"):
        monkeypatch.setenv(name, "x")
    Client.connect(home, start=True).close()
    start = starts(started)[0]
    assert not {"FLEET_RUN", "FLEET_TASK", "GIT_DIR", "TMUX", "TMUX_PANE"} & start["env"].keys()
    assert start["env"]["FLEET_HOME"] == str(home.root)
    assert start["cwd"] == "/"


def test_a_supervisor_that_dies_at_once_says_why(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.root.mkdir()
    home.log.write_text("said long ago\n")
    _python_is(tmp_path, monkeypatch, 'echo "no space left" >&2; exit 1')
    with pytest.raises(FleetError, match="did not start: no space left") as caught:
        Client.connect(home, start=True)
    assert caught.value.hint == f"see {home.log}"


def test_a_supervisor_that_does_not_listen_is_given_up(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START_S", 0.1)
    _python_is(tmp_path, monkeypatch, "exit 0")
    seconds: list[float] = []
    with pytest.raises(FleetError, match="does not listen"):
        Client.connect(home, start=True, waiting=seconds.append)
    assert seconds == sorted(seconds)
    assert seconds


def test_a_home_that_cannot_be_made_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="cannot write in"):
        Client.connect(Home(tmp_path / "file" / "home"), start=True)


def test_another_users_socket_is_refused_before_anything_is_said(
    fake: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = fake.home.socket()
    monkeypatch.setattr(Home, "socket", lambda _: found)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(HomeError, match="another user's"):
        Client.connect(fake.home, start=True)
    assert fake.asked == []


def test_a_socket_that_may_not_be_used_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "socket", lambda _: Path("x" * 200))
    with pytest.raises(HomeError, match="cannot use"):
        Client.connect(home, start=False)


def test_a_supervisor_has_ended_when_its_locks_are_free(home: Home) -> None:
    assert starting.ended(home, within=0)
    home.root.mkdir()
    with home.keeper_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not starting.ended(home, within=0.03)
    assert starting.ended(home, within=0)


def test_a_keeper_on_its_way_to_the_lock_has_not_ended(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as keeper:
        monkeypatch.setattr(starting, "_keepers", [keeper])
        assert not starting.ended(home, within=0)
        keeper.kill()
        assert starting.ended(home, within=10.0)
