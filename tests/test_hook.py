import ctypes
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.paths import HOOK
from fleet.tools import pipes
from fleet.tools import spool as spools
from fleet.tools.spool import Garbage, Report
from fleet.tools.spool_watch import SpoolWatch


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    made = tmp_path / "fleet" / "spool"
    made.mkdir(parents=True)
    return made


def hook(
    spool: Path,
    name: str = "Stop",
    payload: bytes | int = b"",
    **env: str,
) -> subprocess.CompletedProcess[bytes]:
    told = {"PATH": os.environ["PATH"], "FLEET_HOME": str(spool.parent), "FLEET_RUN": "h:t:1:n"}
    stdin = payload if isinstance(payload, int) else subprocess.PIPE
    with subprocess.Popen(
        [str(HOOK), name, "--"],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=told | env,
    ) as asked:
        out, err = asked.communicate(payload if isinstance(payload, bytes) else None, timeout=20)
    return subprocess.CompletedProcess(asked.args, asked.returncode, out, err)


def reports(spool: Path) -> list[Report]:
    return [one for one in spools.read(spool) if isinstance(one, Report)]


def test_a_report_says_who_what_when_and_the_payload_byte_for_byte(spool: Path) -> None:
    before = time.time()
    done = hook(spool, "Stop", b'{"a": 1}\n\x00\xff\n\n')

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    (report,) = reports(spool)
    assert (report.run, report.name, report.payload) == (
        "h:t:1:n",
        "Stop",
        b'{"a": 1}\n\x00\xff\n\n',
    )
    assert before - 0.1 <= report.at <= time.time() + 0.1


def test_the_file_is_private_and_no_draft_is_left(spool: Path) -> None:
    hook(spool)

    (file,) = spool.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_reports_come_oldest_first_and_until_settled(spool: Path) -> None:
    for name in ("one", "two", "three"):
        hook(spool, name)

    assert [report.name for report in reports(spool)] == ["one", "two", "three"]
    spools.settle(spool, reports(spool)[0])
    spools.settle(spool, Report("r", "n", 0.0, "gone", b""))
    assert [report.name for report in reports(spool)] == ["two", "three"]


def test_many_hooks_at_once_lose_nothing(spool: Path) -> None:
    env = {"PATH": os.environ["PATH"], "FLEET_HOME": str(spool.parent), "FLEET_RUN": "r"}
    asked = [
        subprocess.Popen([str(HOOK), f"n{number}"], env=env, stdin=subprocess.DEVNULL)
        for number in range(20)
    ]
    assert [one.wait(20) for one in asked] == [0] * 20

    assert {report.name for report in reports(spool)} == {f"n{number}" for number in range(20)}


@pytest.mark.parametrize("home", ["", "/nonexistent", "/dev/null"])
def test_without_a_spool_nothing_happens(spool: Path, home: str) -> None:
    done = hook(spool, FLEET_HOME=home)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_terminal_is_not_waited_for(spool: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "head").write_text(f"#!/bin/sh\ntouch {tmp_path}/waited\n")
    (programs / "head").chmod(0o755)
    ours, theirs = os.openpty()
    try:
        hook(spool, payload=theirs, PATH=f"{programs}:{os.environ['PATH']}")
    finally:
        os.close(ours)
        os.close(theirs)

    assert reports(spool)[0].payload == b""
    assert not (tmp_path / "waited").exists()


def test_a_pipe_that_is_never_closed_is_waited_for_but_shortly(spool: Path) -> None:
    theirs, ours = os.pipe()
    os.write(ours, b"so far")
    begun = time.monotonic()
    try:
        assert hook(spool, payload=theirs).returncode == 0
    finally:
        os.close(ours)
        os.close(theirs)

    assert time.monotonic() - begun < 5
    assert reports(spool)[0].name == "Stop"


def test_too_much_is_cut_and_its_writer_meets_no_broken_pipe(spool: Path) -> None:
    env = {"PATH": os.environ["PATH"], "FLEET_HOME": str(spool.parent), "FLEET_RUN": "r"}
    with subprocess.Popen([str(HOOK), "Stop"], env=env, stdin=subprocess.PIPE) as asked:
        assert asked.stdin is not None
        asked.stdin.write(b"x" * 1_100_000 + b"\n" + b"y" * 1_100_000)
        asked.stdin.close()

    assert asked.returncode == 0
    assert len(reports(spool)[0].payload) == 1 << 20


@pytest.mark.skipif(not shutil.which("busybox"), reason="busybox is not installed")
def test_it_needs_no_more_than_busybox(spool: Path) -> None:
    subprocess.run(
        ["busybox", "sh", str(HOOK), "Stop"],
        env={"FLEET_HOME": str(spool.parent), "FLEET_RUN": "r", "PATH": os.environ["PATH"]},
        check=True,
        input=b"p",
    )

    assert reports(spool)[0].payload == b"p"


def test_a_date_without_nanoseconds_and_no_timeout_program_will_do(
    spool: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("head", "mv", "cat"):
        (programs / name).symlink_to(shutil.which(name) or "")
    (programs / "date").write_text("#!/bin/sh\n[ $1 = +%s ] && echo 1700000000 || echo 17000N\n")
    (programs / "date").chmod(0o755)

    hook(spool, payload=b"p", PATH=str(programs))
    assert (reports(spool)[0].at, reports(spool)[0].payload) == (1_700_000_000.0, b"p")


def test_a_full_disk_leaves_nothing_half_written(spool: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "head").write_text("#!/bin/sh\necho half; exit 1\n")
    (programs / "head").chmod(0o755)

    hook(spool, payload=b"p", PATH=f"{programs}:{os.environ['PATH']}")
    assert list(spool.iterdir()) == []


def _link(path: Path) -> None:
    target = path.parent.parent / "secret"
    target.write_text("r\nn\n1\nsecret")
    path.symlink_to(target)


GARBAGE: dict[str, Callable[[Path], object]] = {
    "torn": lambda path: path.write_text("r\nn"),
    "no time": lambda path: path.write_text("r\nn\nnoon\n"),
    "no text": lambda path: path.write_bytes(b"\xff\nn\n1\n"),
    "directory": Path.mkdir,
    "link": _link,
    "pipe": os.mkfifo,
    "too large": lambda path: path.write_bytes(b"r\nn\n1\n" + b"x" * spools.MOST_BYTES),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_put_aside_and_told_once(spool: Path, kind: str) -> None:
    GARBAGE[kind](spool / "1.odd")
    hook(spool, "good")

    found = spools.read(spool)
    assert [type(one) for one in found] == [Garbage, Report]
    assert isinstance(found[0], Garbage)
    assert found[0].name == "1.odd"
    assert [type(one) for one in spools.read(spool)] == [Report]
    assert [path.name.endswith("1.odd") for path in (spool / "bad").iterdir()] == [True]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_strangers_file_is_no_report(spool: Path) -> None:
    (spool / "1").write_text("r\nn\n1\n")
    os.chown(spool / "1", 12345, 12345)

    assert spools.read(spool) == [Garbage("1", "not a file of ours")]


def test_of_bad_files_only_the_last_hundred_are_kept(spool: Path) -> None:
    (spool / "0").mkdir()
    for number in range(105):
        (spool / f"{number:03}").touch()
    assert len(spools.read(spool)) == 106

    kept = sorted(path.name.rpartition("-")[2] for path in (spool / "bad").iterdir())
    assert kept == [f"{number:03}" for number in range(5, 105)]


def test_drafts_are_not_read_and_old_ones_go(spool: Path) -> None:
    for name, age in ((".old", 7200), (".new", 0)):
        (spool / name).write_text("r\nn\n1\n")
        os.utime(spool / name, (time.time() - age,) * 2)

    assert spools.read(spool) == []
    assert [path.name for path in spool.iterdir()] == [".new"]


def test_a_backlog_is_read_in_parts(spool: Path) -> None:
    for number in range(5):
        (spool / f"{number}").write_text(f"r\nn\n{number}\n")

    assert [one.at for one in spools.read(spool, most=3) if isinstance(one, Report)] == [
        0.0,
        1e-09,
        2e-09,
    ]


def test_a_report_that_another_reader_took_is_passed_over(
    spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "listdir", lambda path: ["gone"])

    assert spools.read(spool) == []


def test_a_spool_that_cannot_be_read_is_no_empty_spool(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot read the spool"):
        spools.read(tmp_path / "none")


@pytest.fixture(params=["inotify", "looking"])
def watch(spool: Path, request: pytest.FixtureRequest) -> Iterator[SpoolWatch]:
    with SpoolWatch(spool, inotify=request.param == "inotify") as made:
        yield made


def _wakes(watch: SpoolWatch, seconds: float) -> bool:
    return bool(select.select([watch], [], [], seconds)[0])


def test_a_report_wakes_its_reader_until_drained(watch: SpoolWatch, spool: Path) -> None:
    assert not _wakes(watch, 0)
    hook(spool)

    assert _wakes(watch, 10)
    watch.drain()
    assert not _wakes(watch, 0)
    hook(spool)
    assert _wakes(watch, 10)


def test_without_inotify_it_looks(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    with SpoolWatch(spool) as watch:
        hook(spool)
        assert _wakes(watch, 10)


def test_a_spool_that_is_not_there_yet_is_looked_for(tmp_path: Path) -> None:
    with SpoolWatch(tmp_path / "later") as watch:
        (tmp_path / "later").mkdir()
        assert _wakes(watch, 10)


# --- asking -------------------------------------------------------------------------------------


@pytest.fixture
def asks(spool: Path) -> Path:
    made = spool.parent / "asks"
    made.mkdir()
    return made


Asking = subprocess.Popen[bytes]


def ask(spool: Path, *, shell: str = "sh", payload: bytes = b"{}") -> Asking:
    told = {"PATH": os.environ["PATH"], "FLEET_HOME": str(spool.parent), "FLEET_RUN": "h:t:1:n"}
    asked = subprocess.Popen(
        [shell, str(HOOK), "waiting", "--ask"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=told,
    )
    assert asked.stdin is not None
    asked.stdin.write(payload)
    asked.stdin.close()
    asked.stdin = None
    until(lambda: reports(spool), what="the report")
    return asked


SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_who_asks_is_answered_byte_for_byte_and_leaves_no_pipe(
    spool: Path, asks: Path, shell: str
) -> None:
    asked = ask(spool, shell=shell, payload=b'{"tool": "x"}')
    (report,) = reports(spool)
    pipe = asks / report.nonce

    assert (report.asks, report.payload) == (True, b'{"tool": "x"}')
    assert pipe.stat().st_mode & 0o777 == 0o600
    assert pipes.give(pipe, '{"a": "\\n ä"}\n\nsecond line')
    out, err = asked.communicate(timeout=20)
    assert (asked.returncode, out, err) == (0, '{"a": "\\n ä"}\n\nsecond line'.encode(), b"")
    assert list(asks.iterdir()) == []
    assert not pipes.give(pipe, "too late")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_who_is_told_to_end_leaves_no_pipe_and_says_nothing(
    spool: Path, asks: Path, shell: str, signum: signal.Signals
) -> None:
    asked = ask(spool, shell=shell)
    asked.send_signal(signum)
    out, err = asked.communicate(timeout=20)

    assert (asked.returncode, out, err) == (0, b"", b"")
    assert list(asks.iterdir()) == []


def test_where_no_pipe_can_be_made_the_agent_asks_by_itself(spool: Path) -> None:
    asked = ask(spool)
    out, err = asked.communicate(timeout=20)

    assert (asked.returncode, out, err) == (0, b"", b"")
    assert [report.asks for report in reports(spool)] == [False]


def test_who_cannot_be_told_asks_nothing(spool: Path, asks: Path) -> None:
    told = {"PATH": os.environ["PATH"], "FLEET_HOME": str(spool.parent), "FLEET_RUN": "r"}
    done = subprocess.run(
        ["sh", "-c", f"exec {HOOK} waiting --ask >&-"],
        env=told,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=20,
    )

    assert done.returncode == 0
    assert [report.asks for report in reports(spool)] == [False]
    assert list(asks.iterdir()) == []


def test_a_pipe_whose_hook_was_killed_takes_nothing_and_goes(spool: Path, asks: Path) -> None:
    asked = ask(spool)
    asked.kill()
    asked.communicate(timeout=20)
    (pipe,) = asks.iterdir()

    assert not pipes.waits(pipe)
    assert not pipes.give(pipe, "hello")
    pipes.tidy(asks)
    assert list(asks.iterdir()) == [pipe]
    os.utime(pipe, (time.time() - 3600,) * 2)
    pipes.tidy(asks)
    assert list(asks.iterdir()) == []


def test_a_pipe_that_is_waited_at_is_kept_however_old(spool: Path, asks: Path) -> None:
    asked = ask(spool)
    (pipe,) = asks.iterdir()
    os.utime(pipe, (time.time() - 3600,) * 2)
    pipes.tidy(asks)

    assert pipes.give(pipe, "x" * 100_000)
    assert asked.communicate(timeout=20)[0] == b"x" * 100_000


def test_only_a_pipe_is_written_to(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (tmp_path / "link").symlink_to(secret)

    assert [pipes.give(tmp_path / name, "x") for name in ("secret", "link", "none")] == [False] * 3
    assert secret.read_text() == "mine"


def test_an_answer_that_nobody_takes_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "_PATIENCE_S", 0.01)
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDWR)
    with pytest.raises(ToolError, match="does not read"):
        pipes.give(tmp_path / "pipe", "x" * 200_000)
    os.close(held)
