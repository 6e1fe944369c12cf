"""An agent with a terminal of its own: all but its status reports is as on the pane's."""

import hashlib
import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nasty import Pane, PaneWithTerminal
from waiting import until

from fleet.pane.told import Told
from fleet.paths import PANE
from fleet.tools.processes.table import wait_gone

RAW = "stty raw -echo"


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[PaneWithTerminal]:
    made = PaneWithTerminal(tmp_path / "run")
    yield made
    made.close()


# Writes until its terminal has taken nothing for a while.
FILLS = """\
import os, time
os.set_blocking(1, False)
full = 0
while full < 20:
    try:
        full = 0 * os.write(1, b"x" * 4096)
    except BlockingIOError:
        full += 1
        time.sleep(0.01)
"""


def until_read(pane: Pane, text: bytes) -> bytes:
    """Return what is written up to and with `text`."""
    seen = b""

    def there() -> bool:
        nonlocal seen
        seen += pane.read()
        return text in seen

    until(there, what=f"{text!r} on the pane")
    return seen


def python(script: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", script]


def test_reports_reach_the_spool_and_not_the_pane(pane: PaneWithTerminal) -> None:
    one, two = r"\033]7501;state=working:app=x\007", r"\033]7501;state=done\033\\"
    pane.launch(f'printf "a{one}b{two}c"').start()

    assert pane.shown().startswith("abc\r\nfleet: ended")
    assert pane.reports() == ["state=working:app=x", "state=done"]


def test_a_report_is_written_as_the_hook_writes_it(pane: PaneWithTerminal) -> None:
    pane.launch(r'printf "\033]7501;state=idle\007"').start()
    pane.wait()
    [file] = pane.spool.iterdir()

    run, name, at, report = file.read_text().split("\n", 3)
    assert (run, name, report) == ("home:task:1:nonce", "status-report", "state=idle")
    assert file.name.split(".")[0] == at
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("end", [r"\007", r"\033\\"])
def test_who_asks_is_answered_with_the_same_before_the_terminal_can_answer(
    pane: PaneWithTerminal, end: str
) -> None:
    size = 9 if end == r"\007" else 10
    pane.launch(f"{RAW}; printf '<\\033]7501;?{end}\\033[c>'; head -c {size + 3} >answer").start()

    assert until_read(pane, b">").partition(b"<")[2] == b"\x1b[c>"
    pane.types(b"\x1b[c")
    assert pane.wait() == 0
    asked = b"\x1b]7501;?" + (b"\x07" if size == 9 else b"\x1b\\")
    assert (pane.rundir.root / "answer").read_bytes() == asked + b"\x1b[c"
    assert pane.reports() == []


def test_an_agent_that_sends_the_answer_back_is_not_answered_for_ever(
    pane: PaneWithTerminal,
) -> None:
    script = f"{RAW}; printf '\\033]7501;?\\007'; echo up; exec tee heard"
    pane.launch(script).start()
    until_read(pane, b"up")
    heard = pane.rundir.root / "heard"
    until(lambda: heard.exists() and heard.stat().st_size >= 90)
    pane.types(b"x")

    until_read(pane, b"x")
    assert heard.read_bytes().count(b"?") < 50


def test_its_terminal_is_its_own_and_like_the_panes(pane: PaneWithTerminal) -> None:
    termios.tcsetwinsize(pane.outer, (33, 77))
    pane.launch("tty; stty size </dev/tty; stty -a | grep -c -- 'isig icanon'").start()

    tty, size, cooked, *_ = pane.shown().splitlines()
    assert tty.startswith("/dev/pts/")
    assert tty != pane.name
    assert (size, cooked) == ("33 77", "1")


def test_the_agent_is_told_of_a_new_size(pane: PaneWithTerminal) -> None:
    pane.launch("trap 'stty size; exit 4' WINCH; echo up; while :; do sleep 0.01; done").start()
    until_read(pane, b"up")
    termios.tcsetwinsize(pane.outer, (41, 99))

    assert b"41 99" in until_read(pane, b"99")
    assert pane.wait() == 4


def test_every_byte_passes_both_ways_however_much_it_is(pane: PaneWithTerminal) -> None:
    """Neither side reads before all is written: `cat` is stuck unless both ways flow."""
    sent = bytes(range(256)) * 8192  # 2 MiB
    pane.launch(f"{RAW}; echo up; exec head -c {len(sent)}").start()
    until_read(pane, b"up\n")
    typist = threading.Thread(target=type_all, args=(pane, sent))
    typist.start()
    back = b""
    while len(back) < len(sent):
        back += pane.read()
    typist.join()

    assert hashlib.sha256(back[: len(sent)]).digest() == hashlib.sha256(sent).digest()
    assert pane.wait() == 0


def type_all(pane: PaneWithTerminal, data: bytes) -> None:
    while data:
        data = data[os.write(pane.outer, data) :]


def test_an_agent_that_nobody_reads_waits_and_loses_nothing(pane: PaneWithTerminal) -> None:
    script = f"{RAW}; i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo $i; echo $i >&3; done 3>n"
    pane.launch(script).start()
    note = pane.rundir.root / "n"
    until(lambda: note.exists() and note.stat().st_size > 1000)
    size = -1
    while size != (size := note.stat().st_size):  # until it stands still
        threading.Event().wait(0.3)
    assert int(note.read_text().split()[-1]) < 40_000

    lines = pane.written().split()
    assert lines[:40_000] == [str(number).encode() for number in range(1, 40_001)]


def test_all_is_shown_before_the_end_is(pane: PaneWithTerminal) -> None:
    pane.launch("", argv=python("print('x' * 300000, end='')")).start()

    before, _, _ = pane.shown().partition("\r\nfleet: ended with exit code 0")
    assert before == "x" * 300_000


def test_the_beginning_of_a_report_is_shown_where_nothing_follows_it(
    pane: PaneWithTerminal,
) -> None:
    pane.launch(r'printf "a\033]7501;state=id"').start()

    assert pane.shown().startswith("a\x1b]7501;state=id\r\nfleet:")


def test_an_end_that_nobody_reads_is_an_end(pane: PaneWithTerminal) -> None:
    pane.launch("", argv=python(FILLS)).start()

    assert pane.ended()["code"] == 0


def test_the_panes_terminal_is_left_as_it_was_found(pane: PaneWithTerminal) -> None:
    inner = os.dup(pane._inner)
    before = termios.tcgetattr(inner)
    pane.launch("touch up; read line").start()
    until((pane.rundir.root / "up").exists)
    assert not termios.tcgetattr(inner)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    pane.types(b"\r")
    pane.wait()

    assert termios.tcgetattr(inner) == before
    os.close(inner)


@pytest.mark.parametrize(("key", "name"), [(b"\x03", "INT"), (b"\x1c", "QUIT")])
def test_keys_that_signal_do_so_to_the_agent(pane: PaneWithTerminal, key: bytes, name: str) -> None:
    pane.launch(f"trap 'exit 9' {name}; echo up; while :; do sleep 0.01; done").start()
    until_read(pane, b"up")
    pane.types(key)

    assert pane.wait() == 9


def test_output_can_be_held_and_let_go(pane: PaneWithTerminal) -> None:
    pane.launch("echo up; read a; echo one; read b; echo two").start()
    until_read(pane, b"up")
    pane.types(b"\x13x\r")  # Ctrl-S
    pane.types(b"\x11y\r")  # Ctrl-Q

    assert pane.shown().splitlines()[-3:-1][0].endswith("two")


def test_the_agent_is_hung_up_when_the_pane_goes(pane: PaneWithTerminal) -> None:
    pane.launch("trap 'touch hup; exit 5' HUP; echo up; while :; do sleep 0.01; done", grace_s=20)
    pane.start()
    until_read(pane, b"up")
    pane.hang_up()

    assert pane.wait() == 5
    assert (pane.rundir.root / "hup").exists()


def test_an_agent_may_leave_its_terminal_and_come_back(pane: PaneWithTerminal) -> None:
    pane.launch("exec <&- >&- 2>&-; sleep 0.1; exec >/dev/tty; echo here I am").start()

    assert "here I am" in pane.shown()


def test_of_a_flood_of_reports_the_newest_is_told(pane: PaneWithTerminal) -> None:
    flood = "print(''.join(f'\\33]7501;state=working:progress={n}\\7' for n in range(5000)))"
    pane.launch("", argv=python(f"{flood}; print('up', flush=True); input()")).start()
    until_read(pane, b"up")

    until(lambda: "state=working:progress=4999" in pane.reports())
    assert len(pane.reports()) < 20
    pane.types(b"\r")


def test_a_missing_spool_stops_nobody(pane: PaneWithTerminal) -> None:
    pane.spool.rmdir()
    pane.launch(r'printf "a\033]7501;state=idle\007b"; exit 3').start()

    assert pane.shown().startswith("ab\r\n")
    assert pane.wait() == 3


def test_when_the_keeper_is_killed_the_agent_is_hung_up_and_goes(pane: PaneWithTerminal) -> None:
    pane.launch("exec sleep 1000").start()
    agent = pane.agent()
    os.kill(pane.keeper(), signal.SIGKILL)

    assert wait_gone(agent, 10)
    assert "fleet-pane was killed" in pane.shown()


def test_where_there_is_no_terminal_none_is_made(tmp_path: Path) -> None:
    pane = PaneWithTerminal(tmp_path / "run")
    pane.launch(r'tty; printf "\033]7501;state=idle\007"')
    ran = subprocess.run(pane.argv(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    pane.close()

    assert b"not a tty" in ran.stdout
    assert b"\x1b]7501;state=idle\x07" in ran.stdout
    assert pane.reports() == []


def test_only_what_is_quick_is_imported_for_it(pane: PaneWithTerminal) -> None:
    pane.launch("true")
    times = pane.rundir.root / "times"
    shell = f'exec "$@" 2>{times}'
    argv = [sys.executable, "-X", "importtime", *PANE, str(pane.rundir.root)]
    pane.argv = lambda: ["/bin/sh", "-c", shell, "sh", *argv]  # type: ignore[method-assign]
    pane.start()
    pane.wait()
    loaded = {line.rpartition("|")[2].strip() for line in times.read_text().splitlines()}

    assert {"fleet.pane.terminal", "select", "termios"} <= loaded
    slow = {"contextlib", "ctypes", "enum", "json", "os", "pathlib", "re", "threading", "typing"}
    assert not loaded & slow


@pytest.mark.parametrize("written", [3, OSError(28, "no space")])
def test_a_full_disk_leaves_no_half_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int | OSError
) -> None:
    (tmp_path / "spool").mkdir()

    def write(_file: int, _content: bytes) -> int:
        if isinstance(written, OSError):
            raise written
        return written

    monkeypatch.setattr("fleet.pane.told.os.write", write)
    Told(os.fsencode(tmp_path), b"home:task:1:nonce").hear(b"state=idle")

    assert list((tmp_path / "spool").iterdir()) == []
