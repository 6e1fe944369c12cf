import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import until

from fleet.tools.processes import linux, portable, table
from fleet.tools.processes.marks import (
    Token,
    clean_environment,
    is_foreign,
    matches,
    parse_token,
    token,
)
from fleet.tools.processes.model import Identity, Process, Usage


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"], env={"PATH": os.environ["PATH"], "A": "b"}) as started:
        yield started
        started.kill()


@pytest.fixture(params=["linux", "portable"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> table.System:
    """Both ways to look at processes; the portable one has no pidfd either."""
    if request.param == "linux":
        return linux
    monkeypatch.setattr(table, "system", portable)
    monkeypatch.delattr(os, "pidfd_open")
    return portable


def test_the_table_shows_us(system: table.System) -> None:
    us = table.scan()[os.getpid()]

    assert us.ppid == os.getppid()
    assert us.pgid == os.getpgrp()
    assert us.session == os.getsid(0)
    assert us.is_alive
    assert us.rss_bytes > 1_000_000
    assert us.identity == table.identify(os.getpid())


def test_both_ways_agree(sleeper: subprocess.Popen[bytes]) -> None:
    one, other = linux.one(sleeper.pid), portable.one(sleeper.pid)
    assert one is not None
    assert other is not None

    shape = [(it.pid, it.ppid, it.pgid, it.session, it.is_alive) for it in (one, other)]
    assert shape[0] == shape[1]


def test_the_machine_is_asked_in_the_way_it_has(tmp_path: Path) -> None:
    assert table.choose(tmp_path) is portable
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "stat").touch()
    assert table.choose(tmp_path) is linux


def test_a_name_cannot_confuse_the_table(tmp_path: Path) -> None:
    odd = tmp_path / "a) R 1 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "1000"]) as started:
        until(lambda: ") R" in Path(f"/proc/{started.pid}/stat").read_text())
        process = linux.one(started.pid)
        started.kill()

    assert process is not None
    assert process.ppid == os.getpid()


def test_a_variable_is_read_whole_and_exactly(
    system: table.System, sleeper: subprocess.Popen[bytes]
) -> None:
    until(lambda: system.variable(sleeper.pid, "A"))

    assert system.variable(sleeper.pid, "A") == "b"
    assert system.variable(sleeper.pid, "AT") is None
    assert system.variable(sleeper.pid, "ATH") is None


def test_open_files_are_seen(system: table.System, tmp_path: Path) -> None:
    name = str(tmp_path / "file")
    with Path(name).open("w") as file, subprocess.Popen(["sleep", "9"], stdout=file) as started:
        until(lambda: system.holds(started.pid, {name}))
        assert not system.holds(started.pid, {name + "x"})
        started.kill()


def test_who_is_gone_has_nothing(system: table.System) -> None:
    with subprocess.Popen(["true"]) as started:
        pass

    assert system.one(started.pid) is None
    assert system.variable(started.pid, "PATH") is None
    assert not system.holds(started.pid, {"x"})
    assert table.identify(started.pid) is None
    assert table.wait_gone(Identity(started.pid, 1), 0)


def test_a_zombie_is_dead(system: table.System, sleeper: subprocess.Popen[bytes]) -> None:
    identity = until(lambda: table.identify(sleeper.pid))
    assert table.is_alive(identity)
    os.kill(sleeper.pid, signal.SIGKILL)

    assert table.wait_gone(identity, 10)
    assert not table.is_alive(identity)
    assert Path(f"/proc/{sleeper.pid}").exists()


def test_waiting_for_who_stays_ends(system: table.System, sleeper: subprocess.Popen[bytes]) -> None:
    identity = until(lambda: table.identify(sleeper.pid))

    assert not table.wait_gone(identity, 0.05)
    assert table.wait_gone(Identity(identity.pid, identity.start - 1), 10)


def test_a_signal_goes_to_the_process_that_is_meant(
    system: table.System, sleeper: subprocess.Popen[bytes]
) -> None:
    identity = until(lambda: table.identify(sleeper.pid))

    table.send(Identity(identity.pid, identity.start - 1), signal.SIGKILL)
    assert not table.wait_gone(identity, 0.05)
    table.send(identity, signal.SIGTERM)
    assert table.wait_gone(identity, 10)
    table.send(identity, signal.SIGTERM)
    assert sleeper.wait() == -signal.SIGTERM
    table.send(identity, signal.SIGTERM)


def _process(pid: int, ppid: int, state: str = "S") -> Process:
    return Process(
        pid=pid,
        ppid=ppid,
        pgid=1,
        session=1,
        start=1,
        state=state,
        cpu_ticks=pid,
        rss_bytes=10 * pid,
    )


def test_usage_is_of_whole_trees_and_of_the_living() -> None:
    seen = [_process(2, 1), _process(3, 2), _process(4, 3), _process(5, 2, "Z"), _process(6, 1)]
    used = table.usage({process.pid: process for process in seen}, [2, 3, 5, 7])

    assert used[2] == Usage(cpu_ticks=9, rss_bytes=90, processes=3)
    assert used[3] == Usage(cpu_ticks=7, rss_bytes=70, processes=2)
    assert used[5] == used[7] == Usage(cpu_ticks=0, rss_bytes=0, processes=0)


def test_a_token_is_read_as_it_was_made() -> None:
    assert parse_token(token("h1", "task", 3, "n")) == Token("h1", "task", 3, "n")


@pytest.mark.parametrize(
    "text", ["", "a", "h:t:1", "h:t:x:n", ":t:1:n", "h::1:n", "h:t:1:", "h:t:1:n:o", "h:t:1:\n"]
)
def test_what_is_no_token(text: str) -> None:
    assert parse_token(text) is None


@pytest.mark.parametrize("part", ["", "a:b", "a\n"])
def test_a_token_refuses_what_it_could_not_give_back(part: str) -> None:
    with pytest.raises(ValueError, match="token"):
        token("h", part, 1, "n")


def test_a_prefix_is_of_whole_parts() -> None:
    ours = token("h", "task-10", 1, "n")

    assert all(matches(ours, prefix) for prefix in ("h", "h:", "h:task-10", "h:task-10:1:", ours))
    assert not any(matches(ours, prefix) for prefix in ("h:task-1", "other", "h:task-10:1:m"))
    assert is_foreign(ours, "h:task-1")
    assert not is_foreign("nonsense", "h")


def test_what_misleads_is_not_inherited() -> None:
    env = {"PATH": "p", "GIT_DIR": "g", "TMUX": "t", "FLEET_RUN": "r", "FLEET_X": "x", "ID": "i"}

    assert clean_environment(env, extra=["ID"]) == {"PATH": "p"}
    assert clean_environment({"GIT_AUTHOR_NAME": "a"}) == {"GIT_AUTHOR_NAME": "a"}


def test_a_foreign_process_that_we_may_not_see_is_no_fault() -> None:
    assert sys.platform != "linux" or linux.variable(2, "PATH") is None  # a kernel thread, if any
