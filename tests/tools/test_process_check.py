import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nasty import ESCAPES, escape, noted
from waiting import until

from fleet.errors import ToolError
from fleet.tools.processes import capped_log, check, portable, table
from fleet.tools.processes.check import (
    Cancelled,
    CheckResult,
    CouldNotStart,
    Failed,
    Killed,
    Passed,
    TimedOut,
    alive_file,
    run_check,
)
from fleet.tools.processes.fence import Found, end, fence_check
from fleet.tools.processes.marks import token
from fleet.tools.processes.table import identify, is_alive, wait_gone

TOKEN = token(f"home{os.getpid()}", "task", 1, "nonce")
Run = Callable[..., CheckResult]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "checks" / "test.log"


@pytest.fixture
def run(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(check, "_GRACE_S", 0.1)

    def with_defaults(command: str, **other: Any) -> CheckResult:
        asked: dict[str, Any] = {
            "cwd": tmp_path,
            "env": {"PATH": os.environ["PATH"], "FLEET_RUN": "h:t:1:n"},
            "timeout_s": 20.0,
            "log": log,
            "token": TOKEN,
        }
        return run_check(command, **asked | other)

    return with_defaults


def test_a_check_that_passes(run: Run, log: Path) -> None:
    result = run("echo out; echo err >&2")

    assert isinstance(result, Passed)
    assert 0 < result.seconds < 10
    assert log.read_text() == "out\nerr\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert list(log.parent.iterdir()) == [log]


@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("no-such-program", 127), ("/", 126)])
def test_a_check_that_fails(run: Run, command: str, code: int) -> None:
    result = run(command)

    assert isinstance(result, Failed)
    assert result.code == code


def test_a_check_that_a_signal_ends(run: Run) -> None:
    result = run("kill -SEGV $$")

    assert isinstance(result, Killed)
    assert result.signal == signal.SIGSEGV


@pytest.mark.parametrize("command", ["", "  \n"])
def test_no_command_is_no_check(run: Run, command: str) -> None:
    assert run(command) == CouldNotStart("the check has no command")


def test_a_check_that_cannot_be_started(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert run("true", cwd=tmp_path / "none") == CouldNotStart(
        f"cannot run the check in {tmp_path}/none: no such file or directory"
    )
    assert isinstance(run("true", cwd=tmp_path / "file"), CouldNotStart)
    assert isinstance(run("true", log=tmp_path / "file" / "log"), CouldNotStart)
    assert isinstance(run("echo \0"), CouldNotStart)


def test_a_link_in_the_logs_place_is_not_written_through(run: Run, log: Path) -> None:
    log.parent.mkdir()
    log.symlink_to(log.parent / "target")

    assert isinstance(run("true"), CouldNotStart)
    assert not (log.parent / "target").exists()


def test_a_check_sees_its_environment_no_run_and_no_input(run: Run, log: Path) -> None:
    assert isinstance(run("env; cat"), Passed)

    seen = dict(line.split("=", 1) for line in log.read_text().splitlines())
    assert seen["FLEET_CHECK"] == TOKEN
    assert "FLEET_RUN" not in seen
    assert "HOME" not in seen


def test_a_check_that_takes_too_long(run: Run, tmp_path: Path) -> None:
    result = run(f"{escape('setsid', tmp_path / 'note')}; sleep 1000", timeout_s=0.3)

    assert isinstance(result, TimedOut)
    assert 0.3 <= result.seconds < 10
    assert fence_check(TOKEN).ended == 0


def test_a_check_that_is_cancelled(run: Run, tmp_path: Path) -> None:
    stop, note = threading.Event(), tmp_path / "note"
    with ThreadPoolExecutor() as pool:
        result = pool.submit(run, f"{escape('ignores signals', note)}; sleep 1000", stop=stop)
        child = noted(note)
        stop.set()

        assert result.result(20) == Cancelled()
    assert not is_alive(child)


@pytest.mark.parametrize("how", [how for how in ESCAPES if how != "nothing of ours"])
def test_nothing_outlives_a_check(run: Run, tmp_path: Path, how: str) -> None:
    note = tmp_path / "note"

    assert isinstance(run(f"{escape(how, note)}; exit 0"), Passed)
    assert identify(int(note.read_text())) is None


@pytest.mark.parametrize(
    ("start", "kept"), [("setsid env -i", 2), ("env -i", -1)], ids=["can print", "same session"]
)
def test_one_trace_is_enough(run: Run, tmp_path: Path, start: str, kept: int) -> None:
    (tmp_path / "stay.py").write_text(
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"os.closerange({kept + 1}, 1000)\nopen('new', 'w').write(str(os.getpid()))\n"
        "os.rename('new', 'note')\nsignal.pause()\n"
    )
    stay = f"({start} {sys.executable} -I -S stay.py &)"

    assert isinstance(run(f"{stay}; while ! [ -e note ]; do sleep 0.01; done"), Passed)
    assert identify(int((tmp_path / "note").read_text())) is None


def test_checks_run_side_by_side_and_end_only_their_own(run: Run, tmp_path: Path) -> None:
    def one(number: int) -> CheckResult:
        ours = token(f"home{os.getpid()}", f"task{number}", 1, "n")
        return run(f"sleep 0.{number}; exit {number}", log=tmp_path / str(number), token=ours)

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(one, range(6)))

    assert [getattr(result, "code", 0) for result in results] == list(range(6))


def test_other_children_of_ours_are_left_alone(run: Run) -> None:
    with subprocess.Popen(["sleep", "1000"]) as other:
        run("sleep 1000 & true")
        assert other.poll() is None
        other.kill()


def test_the_log_keeps_beginning_and_end(
    run: Run, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capped_log, "_HEAD", 1000)
    monkeypatch.setattr(capped_log, "_TAIL", 200_000)
    run("echo first; head -c 1000000 /dev/zero; echo last")

    kept = log.read_bytes()
    assert kept.startswith(b"first\n")
    assert kept.endswith(b"last\n")
    assert b"\n[fleet left out " in kept
    assert len(kept) < 210_000


def test_a_log_that_cannot_be_written_is_no_pass_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(log: object, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(capped_log.CappedLog, "write", full)
    note = tmp_path / "note"
    result = run(f"{escape('setsid', note)}; echo x; sleep 1000")

    assert isinstance(result, CouldNotStart)
    assert identify(int(note.read_text())) is None


def test_what_cannot_be_ended_is_told_and_not_waited_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(look: Callable[[], Found], grace_s: float) -> None:
        end(look, grace_s)
        raise ToolError("cannot end process 1")

    monkeypatch.setattr(check, "end", refuse)
    with pytest.raises(ToolError, match="cannot end"):
        run("true")


def test_it_works_without_proc_and_pidfd(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "system", portable)
    monkeypatch.setattr("fleet.tools.processes.fence.system", portable)
    monkeypatch.delattr(os, "pidfd_open")
    note = tmp_path / "note"

    assert isinstance(run(f"{escape('double fork', note)}; exit 3"), Failed)
    assert identify(int(note.read_text())) is None


@pytest.mark.parametrize("how", [how for how in ESCAPES if how != "nothing of ours"])
def test_what_a_killed_supervisors_check_left_is_found(tmp_path: Path, log: Path, how: str) -> None:
    note, script = tmp_path / "note", tmp_path / "supervisor.py"
    script.write_text(
        "import os, pathlib\nfrom fleet.tools.processes.check import run_check\n"
        f"run_check({escape(how, note) + '; exec sleep 1000'!r},"
        f" cwd=pathlib.Path({str(tmp_path)!r}), env=dict(os.environ), timeout_s=60,"
        f" log=pathlib.Path({str(log)!r}), token={TOKEN!r})\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    ) as supervisor:
        child = noted(note)
        supervisor.kill()
    assert is_alive(child)

    assert fence_check(TOKEN, alive=[alive_file(log)], grace_s=0.1).ended >= 2
    assert wait_gone(child, 0)


def test_a_check_that_prints_much_and_fast_is_not_held_up(run: Run, log: Path) -> None:
    assert isinstance(run("head -c 3000000 /dev/zero"), Passed)
    assert log.stat().st_size == 3_000_000
    until(lambda: not alive_file(log).exists())
