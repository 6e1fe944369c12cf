"""Typing: what arrives at the agent is what was sent, once, or it is said that it did not."""

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from person import Person
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux.input import (
    LONGEST,
    Busy,
    Habits,
    Keyboard,
    RefusedInput,
    Typed,
    as_line,
    clean,
)
from fleet.tools.tmux.language import Command
from fleet.tools.tmux.panes import Pane, Panes

RUN = "home:a:1:x"
# Reads in raw mode, asks for bracketed paste where told, and writes down every byte.
AGENT = """
import os, sys, tty
tty.setraw(0)
out = open(sys.argv[1], "ab", buffering=0)
if sys.argv[2] == "bracketed":
    os.write(1, b"\\x1b[?2004h")
os.write(1, b"ready\\r\\n> ")
while data := os.read(0, 4096):
    out.write(data)
    os.write(1, data.replace(b"\\x1b", b""))
"""


class Agent:
    """A program in a pane, and the bytes it was given."""

    def __init__(self, panes: Panes, directory: Path, mode: str = "plain") -> None:
        self.file = directory / "typed"
        argv = [sys.executable, "-ISc", AGENT, str(self.file), mode]
        self.pane: Pane = panes.open(session="a", run=RUN, cwd=directory, argv=argv)
        until(lambda: "ready" in panes.capture(self.pane.pane_id))

    def was_given(self, data: bytes) -> bool:
        return self.file.exists() and self.file.read_bytes() == data


@pytest.fixture
def agent(panes: Panes, short: Path) -> Agent:
    return Agent(panes, short)


@pytest.fixture
def keyboard(panes: Panes) -> Keyboard:
    return Keyboard(panes)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a;b;",
        ";",
        "-n",
        "#{pid} #(id) $HOME ~",
        "quote ' \" \\",
        "Enter",
        "é 🙂",
        "x" * 800,
    ],
)
def test_text_arrives_whole_and_is_submitted(keyboard: Keyboard, agent: Agent, text: str) -> None:
    assert keyboard.type(agent.pane.pane_id, text, run=RUN, number=1) == Typed()
    until(lambda: agent.was_given(f"{text}\r".encode()))


def test_a_paste_is_marked_where_the_agent_asked_for_it(panes: Panes, short: Path) -> None:
    agent = Agent(panes, short, "bracketed")

    line = as_line("hello\x1b[201~\tworld\n")
    assert line
    Keyboard(panes).type(agent.pane.pane_id, line, run=RUN, number=1)

    until(lambda: agent.was_given(b"\x1b[200~hello   world\x1b[201~\r"))


def test_enter_waits_until_the_text_shows_but_not_for_ever(panes: Panes, short: Path) -> None:
    blind = panes.open(
        session="a",
        run=RUN,
        cwd=short,
        argv=["sh", "-c", "stty -echo; echo ok; read x; echo $x > typed; sleep 60"],
    )
    until(lambda: "ok" in panes.capture(blind.pane_id))

    Keyboard(panes, settle_s=0.02).type(blind.pane_id, "secret", run=RUN, number=1)

    until(lambda: (short / "typed").exists() and (short / "typed").read_text() == "secret\n")


def test_copy_mode_is_left_first(panes: Panes, keyboard: Keyboard, agent: Agent) -> None:
    panes.server.connection().command("copy-mode", "-t", agent.pane.pane_id)

    keyboard.type(agent.pane.pane_id, "hello", run=RUN, number=1)

    until(lambda: agent.was_given(b"hello\r"))
    found = panes.find(agent.pane.pane_id)
    assert found
    assert not found.in_mode


def test_a_paste_is_marked_in_copy_mode_too(panes: Panes, short: Path) -> None:
    agent = Agent(panes, short, "bracketed")
    panes.server.connection().command("copy-mode", "-t", agent.pane.pane_id)

    Keyboard(panes).type(agent.pane.pane_id, "hello", run=RUN, number=1)

    until(lambda: agent.was_given(b"\x1b[200~hello\x1b[201~\r"))


def test_two_senders_do_not_mix(keyboard: Keyboard, agent: Agent) -> None:
    words = ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"]
    numbers = count(1)

    def send(word: str) -> None:
        # One whose number is not the highest any more when it is its turn types nothing.
        while keyboard.type(agent.pane.pane_id, word, run=RUN, number=next(numbers)) != Typed():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, words))

    until(lambda: len(agent.file.read_bytes()) == 36)
    assert sorted(agent.file.read_bytes().decode().split("\r")) == ["", *words]


# A supervisor that is killed while it types ----------------------------------------------------


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it."""


def test_what_was_submitted_is_not_typed_again(keyboard: Keyboard, agent: Agent) -> None:
    pane = agent.pane.pane_id
    assert keyboard.type(pane, "one", run=RUN, number=1) == Typed()
    assert keyboard.type(pane, "three", run=RUN, number=3) == Typed()

    for number in (1, 3):
        assert keyboard.type(pane, "again", run=RUN, number=number) == Typed(before=True)
    assert keyboard.type(pane, "four", run=RUN, number=4) == Typed()
    until(lambda: agent.was_given(b"one\rthree\rfour\r"))


@pytest.mark.parametrize("number", [1, 2])
def test_what_was_pasted_is_submitted_by_whoever_comes_next(
    panes: Panes, agent: Agent, number: int
) -> None:
    def killed(*_: object) -> None:
        raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fleet.tools.tmux.input._Typing._until", killed)
        with pytest.raises(KilledError):
            Keyboard(panes).type(agent.pane.pane_id, "one", run=RUN, number=1)
    until(lambda: agent.was_given(b"one"))

    outcome = Keyboard(panes).type(agent.pane.pane_id, "more", run=RUN, number=number)

    assert outcome == Typed(before=number == 1)
    until(lambda: agent.was_given(b"one\r" if number == 1 else b"one\rmore\r"))


def test_what_a_person_submitted_meanwhile_gets_no_second_enter(panes: Panes, agent: Agent) -> None:
    tmux = panes.server.connection()
    tmux.command("set-option", "-p", "-t", agent.pane.pane_id, "@fleet_typed", "1 pasted")
    empty, keyboard = Habits(lambda _: ""), Keyboard(panes)

    outcome = keyboard.type(agent.pane.pane_id, "one", run=RUN, number=1, habits=empty)

    assert outcome == Typed(before=True)
    keyboard.type(agent.pane.pane_id, "two", run=RUN, number=2, habits=empty)
    until(lambda: agent.was_given(b"two\r"))


@pytest.mark.parametrize(
    "text", ["", " \n", "two\nlines", "x" * (LONGEST + 1), "\x1b[2J", "\t" * 9]
)
def test_what_must_go_through_a_file_is_refused(
    keyboard: Keyboard, agent: Agent, text: str
) -> None:
    assert as_line(text) is None
    assert isinstance(keyboard.type(agent.pane.pane_id, text, run=RUN, number=1), RefusedInput)
    assert not agent.file.read_bytes()


@pytest.mark.parametrize("text", ["red \x1b[31m", "a\tb", " a", "a\r"])
def test_only_what_was_made_a_line_is_typed(keyboard: Keyboard, agent: Agent, text: str) -> None:
    assert as_line(text)
    assert isinstance(keyboard.type(agent.pane.pane_id, text, run=RUN, number=1), RefusedInput)
    assert not agent.file.read_bytes()


def test_a_line_is_no_longer_than_what_is_typed_of_it() -> None:
    assert as_line("a\tb") == "a   b"
    assert as_line("a" + "\t" * 200) == "a"
    assert as_line("a" + "\t" * 200 + "b") is None


def test_another_runs_pane_and_a_missing_one_are_refused(keyboard: Keyboard, agent: Agent) -> None:
    gone = RefusedInput("its pane is gone")

    assert keyboard.type(agent.pane.pane_id, "x", run="home:a:2:y", number=1) == gone
    assert keyboard.type("%99", "x", run=RUN, number=1) == gone
    assert not agent.file.read_bytes()


def test_an_agent_that_has_ended_is_refused(panes: Panes, keyboard: Keyboard, short: Path) -> None:
    pane = panes.open(session="a", run=RUN, cwd=short, argv=["sh", "-c", "exit 0"])
    until(lambda: (found := panes.find(pane.pane_id)) and found.dead)

    assert keyboard.type(pane.pane_id, "x", run=RUN, number=1) == RefusedInput(
        "the agent has ended"
    )


# What stands in the input line ------------------------------------------------------------------

# Draws its input line, in which C-u deletes a word at a time, and writes down what is submitted.
EDITOR = """
import os, sys, tty
tty.setraw(0)
out = open(sys.argv[1], "ab", buffering=0)
line, swallows = b"left behind", int(sys.argv[2])
drops = int(sys.argv[3])
while True:
    os.write(1, b"\\r\\x1b[K> " + line)
    keys = os.read(0, 4096)
    if b"new" in keys and drops:
        drops -= 1
        continue
    for key in keys:
        if key == 0x15:
            line = line.rpartition(b" ")[0]
        elif key == 0x0d and swallows:
            swallows -= 1
        elif key == 0x0d:
            out.write(line + b"\\n")
            line = b""
        else:
            line += bytes([key])
"""


def reads(screen: str) -> str | None:
    """Return what stands in the input line of `EDITOR`."""
    lines = [line for line in screen.splitlines() if line.startswith(">")]
    return lines[-1][1:].strip() if lines else None


@pytest.fixture
def editor(panes: Panes, short: Path) -> Pane:
    return edit(panes, short)


def edit(panes: Panes, short: Path, *, swallows: int = 0, drops: int = 0) -> Pane:
    numbers = [str(swallows), str(drops)]
    argv = [sys.executable, "-ISc", EDITOR, str(short / "submitted"), *numbers]
    pane = panes.open(session="a", run=RUN, cwd=short, argv=argv)
    until(lambda: reads(panes.capture(pane.pane_id)) == "left behind")
    return pane


def submitted(directory: Path) -> str:
    return (directory / "submitted").read_text()


def test_what_nobody_is_typing_is_cleared_by_the_agents_own_key(
    keyboard: Keyboard, editor: Pane, short: Path
) -> None:
    outcome = keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=Habits(reads, b"\x15"))

    assert outcome == Typed(cleared="left behind")
    until(lambda: submitted(short) == "new\n")


def test_an_enter_that_was_swallowed_is_pressed_again(panes: Panes, short: Path) -> None:
    editor = edit(panes, short, swallows=1)
    keyboard = Keyboard(panes, settle_s=0.05)

    keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=Habits(reads, b"\x15"))
    until(lambda: submitted(short) == "new\n")
    keyboard.type(editor.pane_id, "more", run=RUN, number=2, habits=Habits(reads, b"\x15"))
    until(lambda: submitted(short) == "new\nmore\n")


def test_what_was_dropped_is_pasted_again(panes: Panes, short: Path) -> None:
    editor = edit(panes, short, drops=2)
    keyboard = Keyboard(panes, settle_s=0.05)

    keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=Habits(reads, b"\x15"))

    until(lambda: submitted(short) == "new\n")


def test_what_came_late_is_there_once(panes: Panes, editor: Pane, short: Path) -> None:
    keyboard = Keyboard(panes, settle_s=0.05)
    looks = count()

    def reads_late(screen: str) -> str | None:
        return "" if 2 <= next(looks) < 80 else reads(screen)  # after it was cleared

    keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=Habits(reads_late, b"\x15"))

    until(lambda: submitted(short) == "new\n")


@pytest.mark.parametrize("clear", [b"", b"\x01"])
def test_nothing_is_glued_to_what_cannot_be_cleared(
    panes: Panes, editor: Pane, short: Path, clear: bytes
) -> None:
    outcome = Keyboard(panes, settle_s=0.001).type(
        editor.pane_id,
        "new",
        run=RUN,
        number=1,
        habits=Habits(lambda _: "left", clear),
    )

    assert outcome == RefusedInput("its input line is not empty")
    assert not submitted(short)


def test_what_a_person_is_typing_is_left_alone(
    panes: Panes, editor: Pane, short: Path, sit_down: Callable[[list[str]], Person]
) -> None:
    person = sit_down(panes.server.attach_argv("a"))
    until(lambda: person.sees("left behind"))
    habits, keyboard = Habits(reads, b"\x15"), Keyboard(panes)

    outcome = keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=habits)
    assert outcome == Busy("someone is attached, and its input line is not empty")
    person.types(b" and more\r")
    until(lambda: reads(panes.capture(editor.pane_id)) == "")
    assert keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=habits) == Typed()
    until(lambda: submitted(short) == "left behind and more\nnew\n")


def test_nothing_is_typed_where_a_dialog_hides_the_input_line(panes: Panes, agent: Agent) -> None:
    screens = iter([None, None, ""])
    keyboard = Keyboard(panes, settle_s=0.01)

    outcome = keyboard.type(
        agent.pane.pane_id, "x", run=RUN, number=1, habits=Habits(lambda _: None)
    )
    assert outcome == Busy("its screen shows no input line", by_person=False)
    assert not agent.file.read_bytes()
    closing = Habits(lambda _: next(screens, ""))  # a dialog that is just being closed
    assert keyboard.type(agent.pane.pane_id, "x", run=RUN, number=1, habits=closing) == Typed()
    until(lambda: agent.was_given(b"x\r"))


def test_where_nobody_can_tell_what_stands_there_a_person_is_not_disturbed(
    panes: Panes, agent: Agent, sit_down: Callable[[list[str]], Person]
) -> None:
    person = sit_down(panes.server.attach_argv("a"))
    until(lambda: person.sees("ready"))

    outcome = Keyboard(panes).type(agent.pane.pane_id, "x", run=RUN, number=1)

    assert outcome == Busy("someone is attached and may be typing")
    assert not agent.file.read_bytes()


def test_copy_mode_hides_no_input_line(
    panes: Panes, keyboard: Keyboard, editor: Pane, short: Path
) -> None:
    panes.server.connection().command("copy-mode", "-t", editor.pane_id)

    keyboard.type(editor.pane_id, "new", run=RUN, number=1, habits=Habits(reads, b"\x15"))

    until(lambda: submitted(short) == "new\n")


def test_enter_comes_as_late_as_the_agent_needs_it(panes: Panes, agent: Agent, short: Path) -> None:
    other = panes.open(session="b", run="home:b:1:x", cwd=short, argv=["cat"])
    slow, keyboard = Habits(enter_after_s=3600), Keyboard(panes)
    slept: list[float] = []
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        waiting, go_on = threading.Event(), threading.Event()

        def sleep(seconds: float) -> None:
            if seconds > 1:
                slept.append(seconds)
                waiting.set()
                go_on.wait(20)

        patch.setattr("fleet.tools.tmux.input.time.sleep", sleep)
        held = pool.submit(
            keyboard.type, agent.pane.pane_id, "late", run=RUN, number=1, habits=slow
        )
        assert waiting.wait(20)
        assert agent.was_given(b"late")
        assert keyboard.type(other.pane_id, "meanwhile", run="home:b:1:x", number=1) == Typed()
        go_on.set()
        assert held.result() == Typed()
    assert slept == [3600]  # from when it shows, however long that took
    until(lambda: agent.was_given(b"late\r"))


def test_the_same_text_further_up_does_not_count_as_drawn(panes: Panes, short: Path) -> None:
    mute = "stty -echo; echo 'once more'; read x; echo $x > typed; sleep 60"
    pane = panes.open(session="a", run=RUN, cwd=short, argv=["sh", "-c", mute])
    until(lambda: "once more" in panes.capture(pane.pane_id))
    keyboard = Keyboard(panes, settle_s=0.3)

    began = time.monotonic()
    keyboard.type(pane.pane_id, "once more", run=RUN, number=1)

    assert time.monotonic() - began >= 0.3
    until(lambda: (short / "typed").exists() and (short / "typed").read_text() == "once more\n")


def test_one_who_only_watches_is_no_obstacle(
    panes: Panes, agent: Agent, sit_down: Callable[[list[str]], Person]
) -> None:
    person = sit_down([*panes.server.attach_argv("a"), "-r"])
    until(lambda: person.sees("ready"))

    assert Keyboard(panes).type(agent.pane.pane_id, "x", run=RUN, number=1) == Typed()


def test_a_text_that_could_not_be_pasted_is_not_left_behind(
    panes: Panes, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmux = panes.server.connection()
    group = tmux.group
    tmux.command("set-buffer", "-b", "fleet-x", "earlier")

    def fail_to_paste(commands: list[Command], timeout_s: float = 10) -> list[list[str]]:
        paste = [("has-session", "-t", "=no")] if commands[0][0] == "set-buffer" else []
        return group([commands[0], *paste], timeout_s=timeout_s)

    with monkeypatch.context() as patch:
        patch.setattr(tmux, "group", fail_to_paste)
        with pytest.raises(ToolError, match="find session"):
            Keyboard(panes).type(agent.pane.pane_id, "secret", run=RUN, number=1)

    assert tmux.command("list-buffers", "-F", "#{buffer_name}") == ["fleet-x"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;u\x1b\\y", "red xy"),
        ("a\x1bPq;data\x1b\\b\x9b2Jc\x9d0;t\x9cd", "abcd"),
        ("\x1b[200~x\x1b[201~\x1bc\x1b(B\x1b\x1b[A", "x"),
        ("nul\x00 bell\x07 bs\x08 del\x7f csi\x9b", "nul bell bs del csi"),
        ("a \x1b]0;no end, \x1bPnor \x9dhere", "a 0;no end, nor here"),
        ("é 🙂 #(x) 'q'", "é 🙂 #(x) 'q'"),
    ],
)
def test_what_could_steer_a_terminal_is_taken_out(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_clean_text_is_harmless_and_stays_clean(text: str) -> None:
    cleaned = clean(text)

    assert all(
        character in "\n\t" or ord(character) not in {*range(32), *range(127, 160)}
        for character in cleaned
    )
    assert clean(cleaned) == cleaned
