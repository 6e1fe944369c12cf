import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nasty import ESCAPES, Pane, PaneWithTerminal, escape, noted
from waiting import until

from fleet.paths import PANE
from fleet.tools.processes.table import is_alive, wait_gone

MakePane = Callable[[], Pane]


@pytest.fixture(params=[Pane, PaneWithTerminal], ids=["the pane's terminal", "its own terminal"])
def new_pane(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakePane]:
    made: list[Pane] = []

    def make() -> Pane:
        made.append(request.param(tmp_path / f"run{len(made)}"))
        return made[-1]

    yield make
    for pane in made:
        pane.close()


@pytest.fixture
def pane(new_pane: MakePane) -> Pane:
    return new_pane()


@pytest.mark.parametrize("code", [0, 3])
def test_the_agents_exit_code_is_told_in_file_status_and_words(pane: Pane, code: int) -> None:
    pane.launch(f"exit {code}").start()

    assert f"fleet: ended with exit code {code}\r\n" in pane.shown()
    assert pane.wait() == code
    told = pane.ended()
    assert (told["code"], told["signal"], told["left"], told["swept"]) == (code, None, 0, 0)


def test_the_agents_signal_is_told(pane: Pane) -> None:
    pane.launch("kill -KILL $$").start()

    assert "fleet: ended by signal 9" in pane.shown()
    assert pane.wait() == 128 + 9
    assert (pane.ended()["code"], pane.ended()["signal"]) == (None, 9)


def test_the_agent_gets_its_environment_token_directory_and_bytes(pane: Pane) -> None:
    env = {"PATH": os.environ["PATH"], "ODD": "\udcff"}
    others = "^(COVERAGE_|TERM=|FLEET_HOME=)"
    pane.launch(
        f'printf "%s|" "$FLEET_RUN" "$PWD" "$ODD"; env | grep -Evc "{others}"', env=env
    ).start()

    told = pane.written().split(b"|")
    assert told[0] == b"home:task:1:nonce"
    assert told[1] == os.fsencode(pane.rundir.root)
    assert told[2] == b"\xff"
    assert int(told[3].split()[0]) == 4  # PATH, ODD, FLEET_RUN, and the shell's own PWD


@pytest.mark.parametrize(("own", "shown"), [({}, "tmux-256color"), ({"TERM": "own"}, "own")])
def test_the_agent_knows_its_terminal(
    pane: Pane, monkeypatch: pytest.MonkeyPatch, own: dict[str, str], shown: str
) -> None:
    monkeypatch.setenv("TERM", "tmux-256color")
    pane.launch('echo "<$TERM>"', env={"PATH": os.environ["PATH"], **own}).start()

    assert f"<{shown}>" in pane.shown()


def test_who_runs_is_told_before_the_agents_first_instruction(pane: Pane) -> None:
    pane.launch("cat started.json; echo; echo $$").start()

    shown = pane.shown().splitlines()
    assert '"agent": ' + shown[1] in shown[0]
    assert f'"pid": {pane.process.pid}' in shown[0]


@pytest.mark.parametrize("ignored", [signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM])
def test_the_agent_starts_with_no_signal_ignored_or_blocked(
    pane: Pane, ignored: signal.Signals
) -> None:
    before = signal.signal(ignored, signal.SIG_IGN)
    try:
        pane.launch("", argv=["grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"]).start()
    finally:
        signal.signal(ignored, before)

    masks = [int(line.split()[1], 16) for line in pane.shown().splitlines()[:2]]
    assert masks == [0, 0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not understood"),
        ("[]", "not understood"),
        ('{"argv": ["true"]}', "not understood"),
        ('{"argv": [], "env": {}, "token": "t", "cwd": "/", "grace_s": 1}', "argv"),
        ('{"argv": "true", "env": {}, "token": "t", "cwd": "/", "grace_s": 1}', "argv"),
        ('{"argv": ["a\\u0000"], "env": {}, "token": "t", "cwd": "/", "grace_s": 1}', "NUL"),
        ('{"argv": ["a"], "env": {}, "token": "t", "cwd": "/no", "grace_s": 1}', "/no does not"),
        (
            '{"argv": ["/no"], "env": {}, "token": "t", "cwd": "/", "grace_s": 1}',
            "cannot start /no",
        ),
        ('{"argv": ["/etc"], "env": {}, "token": "t", "cwd": "/", "grace_s": 1}', "cannot start"),
    ],
)
def test_what_cannot_be_started_is_refused_on_the_pane_and_in_the_file(
    pane: Pane, text: str, why: str
) -> None:
    pane.rundir.launch.write_text(text)
    pane.start()

    assert why in pane.shown()
    assert pane.wait() == 127
    assert why in pane.ended()["error"]


def test_a_pane_whose_launch_file_was_taken_back_starts_nothing(pane: Pane) -> None:
    pane.start()

    assert "launch.json" in pane.shown()
    assert not pane.rundir.started.exists()


def test_a_run_never_starts_twice(pane: Pane) -> None:
    pane.launch("echo once >>lines; exec sleep 1000").start()
    until((pane.rundir.root / "lines").exists)
    second = subprocess.run(
        pane.argv(), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20
    )

    assert b"it never starts twice" in second.stdout
    assert second.returncode == 127
    assert is_alive(pane.agent())
    assert not pane.rundir.exit.exists()
    assert (pane.rundir.root / "lines").read_text() == "once\n"


@pytest.mark.parametrize("how", ESCAPES)
def test_nothing_outlives_an_agent_that_ended(pane: Pane, tmp_path: Path, how: str) -> None:
    note = tmp_path / "note"
    pane.launch(f"{escape(how, note)}; sleep 0.05; exit 4").start()
    child = noted(note)

    assert pane.wait() == 4
    assert not is_alive(child)
    assert pane.ended()["swept"] >= 1


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_ends_an_agent_that_ignores_it(
    pane: Pane, tmp_path: Path, signum: signal.Signals
) -> None:
    note = tmp_path / "note"
    script = f"trap '' TERM HUP; {escape('nothing of ours', note)}; while :; do sleep 1; done"
    pane.launch(script).start()
    child = noted(note)
    pane.process.send_signal(signum)

    assert pane.wait() == 128 + 9
    assert not is_alive(child)
    assert not is_alive(pane.agent())
    assert pane.ended()["signal"] == 9


def test_an_agent_that_obeys_within_the_grace_finishes_its_work(pane: Pane) -> None:
    pane.launch(
        "trap 'sleep 0.2; echo saved >saved; exit 5' TERM; touch up; while :; do sleep 0.01; done",
        grace_s=20,
    ).start()
    until((pane.rundir.root / "up").exists)
    pane.process.terminate()

    assert pane.wait() == 5
    assert (pane.rundir.root / "saved").exists()


def test_a_descendant_has_its_grace_too(pane: Pane) -> None:
    child = "trap 'sleep 0.2; touch saved; exit' TERM; touch up; while :; do sleep 0.01; done"
    pane.launch(
        f'setsid sh -c "{child}" & while ! [ -e up ]; do sleep 0.01; done', grace_s=20
    ).start()

    assert pane.wait() == 0
    assert (pane.rundir.root / "saved").exists()


def test_a_stopped_agent_can_obey(pane: Pane) -> None:
    pane.launch("trap 'exit 6' TERM; touch up; while :; do sleep 0.01; done", grace_s=20).start()
    until((pane.rundir.root / "up").exists)
    os.kill(pane.agent().pid, signal.SIGSTOP)
    pane.process.terminate()

    assert pane.wait() == 6


@pytest.mark.parametrize("signum", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGQUIT])
def test_other_signals_are_passed_on(pane: Pane, signum: signal.Signals) -> None:
    pane.launch(f"trap 'exit 7' {signum.value}; touch up; while :; do sleep 0.01; done").start()
    until((pane.rundir.root / "up").exists)
    pane.process.send_signal(signum)

    assert pane.wait() == 7


@pytest.mark.parametrize("who", ["guard", "keeper"])
def test_whichever_half_is_killed_the_other_ends_everything(
    pane: Pane, tmp_path: Path, who: str
) -> None:
    note = tmp_path / "note"
    pane.launch(f"{escape('nothing of ours', note)}; exec sleep 1000").start()
    child, agent = noted(note), pane.agent()
    os.kill(pane.keeper() if who == "keeper" else pane.guard().pid, signal.SIGKILL)

    told = pane.ended()
    assert wait_gone(child, 10)
    assert wait_gone(agent, 10)
    assert told["left"] == 0
    assert ("error" in told) == (who == "keeper")


def test_when_both_halves_are_killed_the_agent_goes_at_once(pane: Pane, tmp_path: Path) -> None:
    pane.launch("exec sleep 1000").start()
    agent, keeper = pane.agent(), pane.keeper()
    os.kill(keeper, signal.SIGSTOP)  # so that it cannot end anything when its guard dies
    os.kill(pane.guard().pid, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)

    assert wait_gone(agent, 10)


def test_the_alive_file_is_open_in_every_descendant(pane: Pane) -> None:
    pane.launch("ls -l /proc/self/fd; exec sleep 1000").start()
    until(lambda: str(pane.rundir.alive) in pane.read().decode())


def test_only_what_is_quick_is_imported(tmp_path: Path) -> None:
    asked = [sys.executable, "-X", "importtime", *PANE, str(tmp_path)]
    times = subprocess.run(asked, capture_output=True, text=True, check=False).stderr
    loaded = {line.rpartition("|")[2].strip() for line in times.splitlines()}

    assert "fcntl" in loaded
    assert not loaded & {"contextlib", "ctypes", "enum", "json", "os", "pathlib", "re", "typing"}


GOES_ON = """\
import os, signal
signal.signal(signal.SIGCONT, lambda *_: os._exit(8))
open("up", "x").close()
while True:
    signal.pause()
"""


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., str]]:
    with tempfile.TemporaryDirectory(prefix="fleet-t") as short:
        prefix = ["tmux", "-f", "/dev/null", "-S", f"{short}/s"]

        def run(*argv: str) -> str:
            done = subprocess.run([*prefix, *argv], capture_output=True, text=True, check=True)
            return done.stdout.strip()

        yield run
        subprocess.run([*prefix, "kill-server"], capture_output=True, check=False)


def test_control_c_reaches_the_agent(pane: Pane, tmux: Callable[..., str]) -> None:
    pane.launch("trap 'exit 9' INT; touch up; while :; do sleep 0.01; done")
    tmux("new-session", "-d", *pane.argv())
    until((pane.rundir.root / "up").exists)
    tmux("send-keys", "C-c")

    assert pane.ended()["code"] == 9


def test_what_control_z_stopped_goes_on(pane: Pane, tmux: Callable[..., str]) -> None:
    # No shell: one that is just starting a program (vfork) cannot be stopped, only its child.
    pane.launch("", argv=[sys.executable, "-I", "-S", "-c", GOES_ON])
    tmux("new-session", "-d", *pane.argv())
    until((pane.rundir.root / "up").exists)
    tmux("send-keys", "C-z")

    assert pane.ended()["code"] == 8


# Gives its terminal to a child's group, which ends, and then reads: the kernel stops it.
LENDS = """\
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    os._exit(0)
os.waitpid(child, 0)
open("up", "x").close()
sys.exit(8 if sys.stdin.readline() == "x\\n" else 1)
"""


def test_an_agent_that_lent_its_terminal_gets_it_back(pane: Pane, tmux: Callable[..., str]) -> None:
    pane.launch("", argv=[sys.executable, "-I", "-S", "-c", LENDS])
    tmux("new-session", "-d", *pane.argv())
    until((pane.rundir.root / "up").exists)
    tmux("send-keys", "x", "Enter")

    assert pane.ended()["code"] == 8


def test_nothing_outlives_tmux(pane: Pane, tmux: Callable[..., str], tmp_path: Path) -> None:
    note = tmp_path / "note"
    pane.launch(f"trap '' HUP; {escape('nothing of ours', note)}; exec sleep 1000")
    server = tmux("new-session", "-dP", "-F", "#{pid}", *pane.argv())
    child = noted(note)
    os.kill(int(server), signal.SIGKILL)

    assert pane.ended()["signal"] == signal.SIGKILL
    assert not is_alive(child)
    assert wait_gone(pane.guard(), 10)


def test_the_title_is_shown_without_its_control_characters(
    pane: Pane, tmux: Callable[..., str]
) -> None:
    pane.launch("sleep 1000", title="a\x1b]0;evil\x07 b")
    tmux("new-session", "-d", *pane.argv())

    assert until(lambda: tmux("display", "-p", "#{pane_title}").startswith("a") or None)
    assert tmux("display", "-p", "#{pane_title}") == "a]0;evil b"
