import fcntl
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nasty import ESCAPES, Pane, end_all, escape, noted
from waiting import until

from fleet.errors import ToolError
from fleet.paths import RunDir
from fleet.tools.processes import fence as fences
from fleet.tools.processes.fence import Found, end, fence, fence_check, members, shim
from fleet.tools.processes.marks import token
from fleet.tools.processes.model import Identity
from fleet.tools.processes.table import identify, is_alive, wait_gone

HOME = f"home{os.getpid()}"  # so that two test runs at once do not fence each other
RUN = token(HOME, "task", 1, "nonce")
Spawn = Callable[..., Identity]


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    made = Pane(tmp_path / "run", RUN)
    yield made
    made.close()


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts processes that are children of the test, with the environment it is given."""
    made: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, **env: str) -> Identity:
        asked = argv or ("sleep", "1000")
        made.append(subprocess.Popen(asked, env={"PATH": os.environ["PATH"]} | env))
        name = os.path.basename(asked[0])  # noqa: PTH119 - argv is text
        return until(lambda: _started(made[-1].pid, name))

    yield start
    for one in made:
        one.kill()
        one.wait()


def _started(pid: int, name: str) -> Identity | None:
    """It has left the fork behind, in which it has our own environment."""
    is_new = Path(f"/proc/{pid}/comm").read_text().strip() == name
    return identify(pid) if is_new else None


def _fence(*panes: Pane, grace_s: float = 0.1) -> int:
    return fence(RUN, rundirs=[pane.rundir for pane in panes], grace_s=grace_s).ended


@pytest.mark.parametrize("how", ESCAPES)
def test_a_fence_leaves_nothing_of_a_living_run(pane: Pane, tmp_path: Path, how: str) -> None:
    note = tmp_path / "note"
    pane.launch(f"trap '' TERM HUP; {escape(how, note)}; exec sleep 1000").start()
    child = noted(note)
    found = members(RUN, rundirs=[pane.rundir])

    assert {child, pane.agent(), pane.guard()} <= found
    assert _fence(pane) >= 4
    assert not any(map(is_alive, found))
    assert pane.ended()["left"] == 0


@pytest.mark.parametrize("how", ESCAPES)
def test_a_fence_leaves_nothing_when_the_pane_was_killed(
    pane: Pane, tmp_path: Path, how: str
) -> None:
    note = tmp_path / "note"
    pane.launch(f"trap '' TERM HUP; {escape(how, note)}; exec sleep 1000", grace_s=30).start()
    child, agent = noted(note), pane.agent()
    os.kill(pane.guard().pid, signal.SIGKILL)
    _fence(pane)

    assert not is_alive(child)
    assert not is_alive(agent)


@pytest.mark.parametrize("how", [how for how in ESCAPES if how != "nothing of ours"])
def test_a_fence_finds_what_outlived_both_halves_of_the_pane(
    pane: Pane, tmp_path: Path, how: str
) -> None:
    note = tmp_path / "note"
    pane.launch(f"{escape(how, note)}; exec sleep 1000").start()
    child, keeper = noted(note), pane.keeper()
    os.kill(keeper, signal.SIGSTOP)
    os.kill(pane.guard().pid, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    pane.wait()
    assert is_alive(child)

    assert _fence(pane) >= 1
    assert not is_alive(child)


def test_decoys_survive(pane: Pane, spawn: Spawn) -> None:
    decoys = [
        spawn(),
        spawn(FLEET_RUN=token("otherhome", "task", 1, "nonce")),
        spawn(FLEET_RUN=token(HOME, "task2", 1, "nonce")),
        spawn(FLEET_RUN=token(HOME, "task", 10, "nonce")),
        spawn(FLEET_RUNS=RUN),
        spawn(FLEET_CHECK=RUN),
        spawn("tail", "-f", "/dev/null", f"--pid={os.getpid()}", "--", RUN),
    ]
    ours = spawn(FLEET_RUN=RUN)
    pane.launch("exec sleep 1000").start()
    pane.agent()
    _fence(pane)

    assert not is_alive(ours)
    assert all(map(is_alive, decoys))


def test_a_nested_fleets_processes_are_not_ours(pane: Pane, tmp_path: Path, spawn: Spawn) -> None:
    other = token("otherhome", "task", 1, "nonce")
    nested = spawn(
        *("sh", "-c", f"FLEET_RUN={other} sleep 1000 & echo $! >{tmp_path}/note; wait"),
        FLEET_RUN=RUN,
    )
    note = tmp_path / "note"
    until(lambda: note.exists() and note.read_text().strip())
    child = noted(note)
    until(lambda: members(other) == {child})
    _fence()

    assert not is_alive(nested)
    assert is_alive(child)
    end_all([child])


def test_we_and_our_ancestors_are_never_members(pane: Pane, tmp_path: Path, spawn: Spawn) -> None:
    script = tmp_path / "inside.py"
    script.write_text(
        "import os\nfrom fleet.tools.processes.fence import fence, members\n"
        f"assert members({RUN!r}) == set(), members({RUN!r})\n"
        f"fence({RUN!r}, rundirs=[], grace_s=0)\nprint('survived')\n"
    )
    asked = ["/bin/sh", "-c", f"{sys.executable} {script}; true"]
    env = {"FLEET_RUN": RUN, "PYTHONPATH": os.getcwd(), "PATH": os.environ["PATH"]}  # noqa: PTH109 - text
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == "survived\n", done.stderr


def test_a_panes_parent_and_whom_the_caller_spares_are_never_members(
    pane: Pane, spawn: Spawn, tmp_path: Path
) -> None:
    pane.launch("exec sleep 1000")
    argv = shlex.join(pane.argv())
    # It writes by itself: a program that it started would be one of the run's own.
    script = f"{argv} >/dev/null & wait; : >{tmp_path}/served"
    server = spawn("sh", "-c", script, FLEET_RUN=RUN)
    agent, spared = pane.agent(), spawn(FLEET_RUN=RUN)
    fence(RUN, rundirs=[pane.rundir], grace_s=0.1, spare=[spared.pid])

    assert not is_alive(agent)
    assert is_alive(spared)
    assert wait_gone(server, 10)
    assert (tmp_path / "served").exists()  # so it was not signalled


def test_a_pane_that_has_not_begun_never_does(pane: Pane) -> None:
    pane.launch("touch began")
    assert _fence(pane) == 0
    pane.start()

    assert pane.wait() == 127
    assert not (pane.rundir.root / "began").exists()


def test_a_pane_before_its_first_report_is_found_by_its_lock(pane: Pane) -> None:
    os.mkfifo(pane.rundir.launch)  # which it opens and waits for, after it took the lock
    argv = ["/bin/sh", "-c", shlex.join(pane.argv()) + "; true"]
    with subprocess.Popen(argv) as between:
        until(lambda: members(RUN, rundirs=[pane.rundir]))
        assert not pane.rundir.started.exists()
        _fence(pane)
        assert between.wait(20) == 0


def test_an_agent_may_finish_within_the_grace(pane: Pane) -> None:
    pane.launch(
        "trap 'sleep 0.2; touch saved; exit 0' TERM; touch up; while :; do sleep 0.01; done",
        grace_s=20,
    ).start()
    until((pane.rundir.root / "up").exists)
    _fence(pane, grace_s=20)

    assert (pane.rundir.root / "saved").exists()
    assert pane.ended()["code"] == 0


def test_a_pane_has_time_to_end_its_tree_by_itself(pane: Pane) -> None:
    pane.launch("trap '' TERM; touch up; exec sleep 1000", grace_s=0.4).start()
    until((pane.rundir.root / "up").exists)
    _fence(pane, grace_s=0.1)

    assert pane.ended()["signal"] == signal.SIGKILL
    assert "error" not in pane.ended()


def test_a_pane_that_is_stuck_is_killed_after_its_descendants(
    pane: Pane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fences, "_SHIM_MARGIN_S", 0.0)
    pane.launch("trap '' TERM; touch up; exec sleep 1000", grace_s=600).start()
    until((pane.rundir.root / "up").exists)
    agent = pane.agent()
    _fence(pane)

    assert not is_alive(agent)
    assert pane.ended()["left"] == 0


def test_a_descendant_that_keeps_forking_is_ended(spawn: Spawn) -> None:
    spawn("sh", "-c", "trap '' TERM; while :; do sleep 0.02 & sleep 0.01; done", FLEET_RUN=RUN)
    _fence()

    assert members(RUN) == set()


def test_a_whole_home_is_fenced_at_once(spawn: Spawn) -> None:
    ours = [spawn(FLEET_RUN=token(HOME, task, 1, "n")) for task in "ab"]

    assert fence(HOME, rundirs=[], grace_s=5).ended == 2
    assert not any(map(is_alive, ours))


@pytest.mark.parametrize("prefix", ["", ":"])
def test_a_fence_around_everything_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="home"):
        fence(prefix, rundirs=[], grace_s=0)


def test_what_cannot_be_ended_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fences, "_SURVIVAL_S", 0.1)
    gone = Identity(2**22 + 1, 1)

    with pytest.raises(ToolError, match=f"cannot end process {gone.pid}") as raised:
        end(lambda: Found(others={gone}), 0.0)
    assert "stuck" in str(raised.value.hint)


def test_one_look_that_finds_nothing_is_not_believed() -> None:
    looks = iter([Found(), Found(others={Identity(2**22 + 1, 1)}), Found(), Found()])

    assert end(lambda: next(looks), 5.0).ended == 1
    assert list(looks) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x", "start": 1}'])
def test_a_started_file_that_is_no_report_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "started.json").write_text(text)

    assert shim(RunDir(tmp_path)) is None


def test_a_reused_number_is_not_the_pane(pane: Pane, spawn: Spawn) -> None:
    other = spawn()
    pane.rundir.started.write_text(f'{{"pid": {other.pid}, "start": {other.start - 1}}}')
    _fence(pane)

    assert is_alive(other)


def test_a_child_that_we_are_just_forking_is_not_ended(tmp_path: Path) -> None:
    alive = tmp_path / "log.alive"
    with alive.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with subprocess.Popen(["sleep", "1000"], pass_fds=[held.fileno()]) as ours:
            assert fence_check(RUN, alive=[alive]).ended == 0
            ours.kill()


def test_fences_in_several_threads_agree(pane: Pane) -> None:
    pane.launch("exec sleep 1000").start()
    agent = pane.agent()
    threads = [threading.Thread(target=_fence, args=(pane,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not is_alive(agent)
