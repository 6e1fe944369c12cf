"""The server's life: started, adopted, killed, replaced, stopped; and never another one's."""

import os
import select
import signal
import socket
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import libtmux
import psutil
import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux.control import TmuxGoneError
from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.server import Server, _ends, require_tmux
from fleet.tools.tmux.settings import COMMANDS, label, way_back
from fleet.tools.tmux.starting import started


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_looking_for_a_server_starts_none(server: Server) -> None:
    assert server.pid() is None
    with pytest.raises(TmuxGoneError):
        server.connection()
    assert not server.socket.exists()


def test_a_server_is_started_with_our_configuration(server: Server) -> None:
    server.ensure()

    tmux = server.connection()
    assert tmux.command("show-options", "-g", "-v", "history-limit") == ["10000"]
    assert tmux.command("show-options", "-gw", "-v", "remain-on-exit") == ["on"]
    assert tmux.command("show-options", "-gw", "-v", "allow-passthrough") == ["off"]
    assert tmux.command("show-options", "-s", "-v", "set-clipboard") == ["off"]
    assert tmux.command("show-options", "-g", "update-environment") == ["update-environment"]
    assert tmux.command("show-messages", "-J") == []
    assert stat.S_IMODE((server.socket.parent / "tmux.conf").stat().st_mode) == 0o600


def test_the_configuration_has_no_complaints(running: Server) -> None:
    assert all(answer == [] for answer in running.connection().pipeline(COMMANDS))


def test_a_server_sees_nothing_of_the_tmux_around_it(
    short: Path, environment: dict[str, str]
) -> None:
    around = {"TMUX": "/tmp/elsewhere,1,0", "TMUX_PANE": "%1", "MINE": "1"}
    server = Server(short / "s", conf=short / "tmux.conf", env=environment | around)
    server.ensure()
    pid = server.pid()
    assert pid

    seen = psutil.Process(pid).environ()
    server.stop()

    assert seen["MINE"] == "1"
    assert "TMUX" not in seen
    assert "TMUX_PANE" not in seen


def test_a_running_server_is_adopted(running: Server, short: Path) -> None:
    running.connection().command("set-option", "-g", "history-limit", "5")
    second = Server(running.socket, conf=short / "tmux.conf", env={"PATH": os.environ["PATH"]})

    second.ensure()
    second.ensure()

    assert second.pid() == running.pid()
    assert second.connection().command("show-options", "-g", "-v", "history-limit") == ["10000"]
    second.disconnect()
    assert running.pid()


def test_many_threads_start_one_server(server: Server) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(server.ensure) for _ in range(4)]:
            done.result()

    assert server.connection().command("list-sessions", "-F", "#{session_name}") == ["_hub"]


def test_after_a_kill_the_next_ensure_starts_another(running: Server) -> None:
    old = running.pid()
    assert old
    os.kill(old, signal.SIGKILL)

    with pytest.raises(TmuxGoneError):
        running.ask(lambda tmux: tmux.command("list-panes"))
    running.ensure()

    assert running.pid() not in (None, old)


def test_a_lost_connection_is_not_a_lost_server(running: Server) -> None:
    old = running.pid()
    client = running.connection()._process
    client.kill()
    client.wait()

    assert running.pid() == old


def test_a_server_starts_where_one_has_just_ended(running: Server) -> None:
    for _ in range(5):
        libtmux.Server(socket_path=running.socket).kill()
        running.ensure()

    assert running.pid()


def test_a_start_is_tried_again_and_then_given_up(
    short: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(short / "tmux", f'[ "$1" = -V ] && echo tmux 3.3a || echo x >>{short}/tries')
    monkeypatch.setattr("fleet.tools.tmux.server._STARTS", 3)
    path = f"{short}:{environment['PATH']}"
    server = Server(short / "s", conf=short / "c", env=environment | {"PATH": path})

    with pytest.raises(ToolError, match="tmux does not start"):
        server.ensure()

    assert len((short / "tries").read_text().split()) == 3  # and never run where no socket is


def test_stop_ends_our_server_and_no_other(running: Server, short: Path) -> None:
    theirs = libtmux.Server(socket_path=short / "user", config_file="/dev/null")
    theirs.new_session("mine")
    pid = running.pid()
    assert pid

    running.stop()
    running.stop()

    assert ended(pid)
    assert not running.socket.exists()
    assert theirs.has_session("mine")
    [decoy] = theirs.cmd("display-message", "-p", "#{pid}").stdout
    process = psutil.Process(int(decoy))
    theirs.kill()
    assert _ends(process, 10)


def test_a_dead_servers_socket_is_removed(running: Server) -> None:
    pid = running.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)

    running.stop()

    assert not running.socket.exists()


def test_a_client_that_was_killed_before_it_had_read_all_keeps_no_server(
    running: Server, environment: dict[str, str]
) -> None:
    argv = ["tmux", "-u", "-N", "-S", str(running.socket), "-C", "attach", "-t", "=_hub"]
    _, ours = started(argv, env=environment)
    until(lambda: _readable(ours))
    ours.setblocking(True)  # noqa: FBT003 (the standard library's own signature)
    ours.sendall(b"list-keys\n" * 200)  # far more than a socket holds
    until(lambda: len(running.connection().command("list-clients")) == 2)
    ours.close()

    running.stop()

    assert running.pid() is None


def _readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


def test_a_server_that_does_not_end_is_reported(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("fleet.tools.tmux.server._ends", lambda _process, _seconds: False)
        with pytest.raises(ToolError, match="does not end"):
            running.stop()


def test_an_end_is_waited_for_within_bounds() -> None:
    child = subprocess.Popen(["sleep", "600"])
    process = psutil.Process(child.pid)
    try:
        assert not _ends(process, 0.01)
    finally:
        child.kill()
        child.wait()
    assert _ends(process, 10)


@pytest.mark.parametrize("over", [True, False])
def test_without_a_pidfd_psutil_waits(*, over: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def wait(
        processes: list[psutil.Process], timeout: float
    ) -> tuple[list[psutil.Process], list[psutil.Process]]:
        asked.append(timeout)
        return (processes, []) if over else ([], processes)

    mine = psutil.Process()
    with monkeypatch.context() as patch:
        patch.delattr(os, "pidfd_open")
        patch.setattr(psutil, "wait_procs", wait)
        assert _ends(mine, 10) is over
    assert asked == [10]


def test_a_missing_tmux_is_told_with_the_command_that_installs_it(short: Path) -> None:
    with pytest.raises(ToolError, match="tmux is not installed") as alone:
        require_tmux({"PATH": str(short)})
    program(short / "dnf", "")
    with pytest.raises(ToolError) as fedora:
        require_tmux({"PATH": str(short)})

    assert alone.value.hint
    assert "package manager" in alone.value.hint
    assert fedora.value.hint == "type: sudo dnf install tmux"


def test_an_old_tmux_is_refused(short: Path, environment: dict[str, str]) -> None:
    program(short / "tmux", "echo tmux 3.1c")

    with pytest.raises(ToolError, match=r"version 3\.1c, and fleet needs 3\.2a"):
        require_tmux({"PATH": str(short)})
    require_tmux(environment)


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        (None, "C-q or C-b d"),
        ("C-a", "C-q or C-b d"),
        ("C-b", "C-q or C-b C-b d"),
        ("C-q", "C-b d"),
    ],
)
def test_the_way_back_works_for_every_prefix(prefix: str | None, keys: str) -> None:
    assert way_back(prefix) == keys


def test_labels_hold_nothing_that_tmux_obeys() -> None:
    shown = label("fix #(rm x) #[fg=red]\x1b]2;t\x07\nsecond ##{pid}")

    assert "#" not in shown
    assert shown.isprintable()


def test_a_label_stays_as_it_is_however_often_it_is_expanded(panes: Panes, short: Path) -> None:
    tmux = panes.server.connection()
    shown = label(f"#(touch {short}/pwned) #[fg=red] #{{pid}} ##")
    tmux.command("set-option", "-s", "@title", shown)

    for expansion in ("#{@title}", "#{E:@title}", "#{T:@title}", "#{E:#{E:@title}}"):
        assert tmux.command("display-message", "-p", expansion) == [shown]
    assert not (short / "pwned").exists()
