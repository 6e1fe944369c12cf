"""Agents' panes on a real server: what is opened, seen and closed, and what is left alone."""

import dataclasses
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import libtmux
import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux import view
from fleet.tools.tmux.control import TmuxGoneError
from fleet.tools.tmux.panes import Pane, Panes
from fleet.tools.tmux.view import PaneState

TELL = (
    "import json,os,sys; open(sys.argv[1],'w').write("
    "json.dumps([sys.argv,os.getcwd(),dict(os.environ)]))"
)


def opened(
    panes: Panes, name: str = "a-task", *, run: str = "home:a-task:1:x", **more: object
) -> Pane:
    more = {"cwd": Path("/"), "argv": ("sleep", "60")} | more
    return panes.open(session=name, run=run, **more)  # type: ignore[arg-type]  # a test's shorthand


def state(panes: Panes, pane: Pane) -> PaneState:
    [found] = [state for state in panes.all() if state.pane_id == pane.pane_id]
    return found


def test_an_agent_is_the_panes_own_process(panes: Panes, short: Path) -> None:
    nasty = [
        "two words",
        "a;b;",
        "$HOME `id` #{pid} #(id)",
        "",
        "~",
        "'\"\\",
        "line\nline\ttab",
        "é",
    ]
    out = short / "out"

    pane = opened(
        panes,
        cwd=short,
        argv=[sys.executable, "-c", TELL, str(out), *nasty],
        env={"A": "b c;#{pid}"},
    )

    until(lambda: state(panes, pane).exit_code == 0)
    argv, cwd, environ = json.loads(out.read_text())
    assert argv[2:] == nasty
    assert cwd == str(short)
    assert environ["A"] == "b c;#{pid}"
    assert environ["TERM"] == "tmux-256color"


def test_a_lone_program_is_no_shell_command(panes: Panes, short: Path) -> None:
    program = short / "my program; touch pwned"
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o700)

    pane = opened(panes, cwd=short, argv=[str(program)])

    assert until(lambda: state(panes, pane).exit_code) == 7
    assert not (short / "pwned").exists()


@pytest.mark.parametrize(
    "name", ["#(touch pwned)", "#[fg=red]}", "#{pid} %H", "~ $HOME 'x' \"y\"", "é;"]
)
def test_an_agent_starts_in_its_directory_whatever_that_is_called(
    panes: Panes, short: Path, name: str
) -> None:
    (short / name).mkdir()

    opened(panes, cwd=short / name, argv=["sh", "-c", "pwd > pwd; exec sleep 60"])

    told = short / name / "pwd"
    until(lambda: told.exists() and told.read_text())
    assert told.read_text() == f"{short / name}\n"
    assert not list(short.rglob("pwned"))


def test_a_missing_directory_is_refused(panes: Panes, short: Path) -> None:
    with pytest.raises(ToolError, match=r"the directory .* is missing"):
        opened(panes, cwd=short / "missing")

    assert [pane.session for pane in panes.all()] == ["_hub"]


@pytest.mark.parametrize(
    "name", ["", "a:b", "a.b", "=a", "-t", "#(touch pwned)", "a\nb", "$1", "x" * 101]
)
def test_a_name_that_tmux_would_not_take_as_it_is_is_refused(panes: Panes, name: str) -> None:
    with pytest.raises(ToolError, match="cannot be the name"):
        opened(panes, name)


def test_what_cannot_name_a_run_or_an_option_is_refused(panes: Panes) -> None:
    with pytest.raises(ValueError, match="cannot name a run"):
        opened(panes, run="two words")
    with pytest.raises(ValueError, match="not user options"):
        opened(panes, options={"default-shell": "x"})


def test_opening_twice_is_opening_once(panes: Panes) -> None:
    first = opened(panes)
    tmux = panes.server.connection()
    tmux.command("split-window", "-b", "-t", first.pane_id, "sleep 60")
    tmux.command("rename-session", "-t", first.session_id, "renamed")

    assert opened(panes) == first
    assert len(panes.all()) == 1 + 2


def test_the_name_of_another_run_is_not_taken(panes: Panes) -> None:
    first = opened(panes)

    with pytest.raises(ToolError, match="already a tmux session a-task"):
        opened(panes, run="home:a-task:2:y", options={"@fleet_title": "second"})

    assert state(panes, first).run == "home:a-task:1:x"


def test_many_threads_open_many_panes(panes: Panes) -> None:
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(opened, panes, f"t{number % 20}", run=f"home:t{number % 20}:1:x")
            for number in range(40)
        ]
        made = {job.result() for job in jobs}

    assert len(made) == 20
    assert {pane.session for pane in panes.all()} == {"_hub", *(f"t{n}" for n in range(20))}


def test_what_is_known_of_a_pane(panes: Panes) -> None:
    pane = opened(
        panes, argv=["sh", "-c", "printf '\\033]2;my\\ttitle\\007one\\ntwo'; exec sleep 60"]
    )

    until(lambda: (state(panes, pane).title, state(panes, pane).cursor) == ("mytitle", "3,1"))
    seen = state(panes, pane)
    assert (seen.pane_id, seen.session_id, seen.pid) == (pane.pane_id, pane.session_id, pane.pid)
    assert (seen.session, seen.run) == ("a-task", "home:a-task:1:x")
    assert (seen.width, seen.height) == (200, 50)
    assert (seen.dead, seen.exit_code, seen.signal, seen.attached, seen.in_mode) == (
        False,
        None,
        None,
        0,
        False,
    )


def test_how_an_agent_ended_is_kept(panes: Panes) -> None:
    exited = opened(panes, "exited", run="r1", argv=["sh", "-c", "echo last words; read x; exit 3"])
    killed = opened(panes, "killed", run="r2")
    os.kill(killed.pid, signal.SIGKILL)

    until(lambda: "last words" in panes.capture(exited.pane_id))
    panes.server.connection().command("send-keys", "-t", exited.pane_id, "Enter")
    until(lambda: state(panes, exited).exit_code == 3 and state(panes, killed).signal)
    until(lambda: state(panes, exited).dead)

    assert state(panes, killed).exit_code is None
    words = panes.capture(exited.pane_id, history=10)
    assert words.split() == ["last", "words"]  # and nothing of tmux's own


def test_an_end_without_a_status_makes_tmux_look_again(
    panes: Panes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    tmux = panes.server.connection()
    [hub] = panes.all()
    unsettled = dataclasses.replace(hub, dead=True)

    with monkeypatch.context() as patch:
        patch.setattr(view, "every", lambda _tmux: [unsettled])
        patch.setattr(tmux, "command", lambda *words: asked.append(words))
        assert panes.all() == [unsettled]
        unsettled = dataclasses.replace(unsettled, exit_code=0)
        assert panes.all() == [unsettled]

    assert asked == [("run-shell", "-b", "true")]


def test_a_stamp_changes_with_what_is_written(panes: Panes) -> None:
    quiet = opened(panes, "quiet", run="r1")
    busy = opened(panes, "busy", run="r2", argv=["sh", "-c", "read x; echo $x; exec sleep 60"])
    before = panes.glimpses()

    panes.server.connection().command("send-keys", "-t", busy.pane_id, "hello", "Enter")

    until(lambda: panes.glimpses()[busy.pane_id] != before[busy.pane_id])
    assert panes.glimpses()[quiet.pane_id] == before[quiet.pane_id]


def test_screens_are_read_one_or_many_at_a_time(panes: Panes) -> None:
    script = "printf '\\033[31mred\\033[0m\\n'; seq 100; printf 'é%%end 1 1 1'; exec sleep 60"
    pane = opened(panes, argv=["sh", "-c", script])
    until(lambda: "%end 1 1 1" in panes.capture(pane.pane_id))

    screens = panes.capture_many([pane.pane_id, "%99"])

    assert screens == {pane.pane_id: panes.capture(pane.pane_id)}
    assert screens[pane.pane_id].splitlines()[-2:] == ["100", "é%end 1 1 1"]
    assert "red" not in screens[pane.pane_id]
    assert panes.capture(pane.pane_id, history=1000).startswith("red\n1\n")
    assert "\x1b[31mred" in panes.capture(pane.pane_id, history=1000, colours=True)


@pytest.mark.parametrize("wrong", ["", "a-task", "%1;", "$1", "%"])
def test_only_a_pane_id_names_a_pane(panes: Panes, wrong: str) -> None:
    with pytest.raises(ToolError, match="no tmux pane"):
        panes.capture(wrong)
    with pytest.raises(ToolError, match="no tmux pane"):
        panes.find(wrong)


def test_a_pane_is_closed_in_the_name_of_its_run_only(panes: Panes) -> None:
    mine, longer = opened(panes, "fix", run="r1"), opened(panes, "fix-more", run="r2")

    assert panes.find(mine.pane_id) == state(panes, mine)
    assert not panes.close(mine.pane_id, run="r2")
    assert not panes.close(mine.pane_id, run="")
    assert panes.find(mine.pane_id)
    assert panes.close(mine.pane_id, run="r1")
    assert not panes.close(mine.pane_id, run="r1")
    assert panes.find(mine.pane_id) is None
    assert panes.find(longer.pane_id)


def test_the_hub_belongs_to_no_run(panes: Panes) -> None:
    [hub] = panes.all()

    assert not panes.close(hub.pane_id, run="")
    assert panes.all() == [hub]


def test_nothing_is_closed_where_no_server_is(panes: Panes) -> None:
    pane = opened(panes)
    panes.server.stop()

    assert not panes.close(pane.pane_id, run="home:a-task:1:x")
    with pytest.raises(TmuxGoneError):
        panes.all()


def test_a_witness_sees_the_same(panes: Panes) -> None:
    pane = opened(panes)
    witness = libtmux.Server(socket_path=panes.server.socket)

    session = witness.sessions.get(session_name="a-task")

    assert session
    [seen] = session.panes
    assert (session.session_id, seen.pane_id) == (pane.session_id, pane.pane_id)
    assert seen.pane_pid == str(pane.pid)
