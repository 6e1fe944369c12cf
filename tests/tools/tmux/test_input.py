"""Typing: what arrives at the agent is what was sent, once, or it is said that it did not."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from person import Person
from waiting import until

from fleet.errors import ToolError
from fleet.tools.tmux.input import (
    LONGEST,
    Delivered,
    Keyboard,
    RefusedInput,
    Unconfirmed,
    clean,
    fits,
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
    outcome = keyboard.send(agent.pane.pane_id, text, run=RUN, confirm=lambda: True)

    assert outcome == Delivered()
    until(lambda: agent.was_given(f"{text}\r".encode()))


def test_a_paste_is_marked_where_the_agent_asked_for_it(panes: Panes, short: Path) -> None:
    agent = Agent(panes, short, "bracketed")

    Keyboard(panes).send(agent.pane.pane_id, "hello\x1b[201~\tworld\n", run=RUN)

    until(lambda: agent.was_given(b"\x1b[200~hello   world\x1b[201~\r"))


def test_what_nobody_reported_is_not_called_delivered(keyboard: Keyboard, agent: Agent) -> None:
    assert keyboard.send(agent.pane.pane_id, "a", run=RUN) == Unconfirmed(
        "this agent does not report what it was told"
    )
    assert keyboard.send(agent.pane.pane_id, "b", run=RUN, confirm=lambda: False) == Unconfirmed(
        "the agent did not report it"
    )
    until(lambda: agent.was_given(b"a\rb\r"))


def test_enter_waits_until_the_text_shows_but_not_for_ever(panes: Panes, short: Path) -> None:
    blind = panes.open(
        session="a",
        run=RUN,
        cwd=short,
        argv=["sh", "-c", "stty -echo; echo ok; read x; echo $x > typed; sleep 60"],
    )
    until(lambda: "ok" in panes.capture(blind.pane_id))

    Keyboard(panes, settle_s=0.02).send(blind.pane_id, "secret", run=RUN)

    until(lambda: (short / "typed").exists() and (short / "typed").read_text() == "secret\n")


def test_copy_mode_is_left_first(panes: Panes, keyboard: Keyboard, agent: Agent) -> None:
    panes.server.connection().command("copy-mode", "-t", agent.pane.pane_id)

    keyboard.send(agent.pane.pane_id, "hello", run=RUN)

    until(lambda: agent.was_given(b"hello\r"))
    found = panes.find(agent.pane.pane_id)
    assert found
    assert not found.in_mode


def test_two_senders_do_not_mix(keyboard: Keyboard, agent: Agent) -> None:
    words = ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda word: keyboard.send(agent.pane.pane_id, word, run=RUN), words))

    until(lambda: len(agent.file.read_bytes()) == 36)
    assert sorted(agent.file.read_bytes().decode().split("\r")) == ["", *words]


@pytest.mark.parametrize("text", ["", " \n", "two\nlines", "x" * (LONGEST + 1), "\x1b[2J"])
def test_what_must_go_through_a_file_is_refused(
    keyboard: Keyboard, agent: Agent, text: str
) -> None:
    assert not fits(text)
    assert isinstance(keyboard.send(agent.pane.pane_id, text, run=RUN), RefusedInput)
    assert not agent.file.read_bytes()


def test_another_runs_pane_and_a_missing_one_are_refused(keyboard: Keyboard, agent: Agent) -> None:
    gone = RefusedInput("its pane is gone")

    assert keyboard.send(agent.pane.pane_id, "x", run="home:a:2:y") == gone
    assert keyboard.send("%99", "x", run=RUN) == gone
    assert not agent.file.read_bytes()


def test_an_agent_that_has_ended_is_refused(panes: Panes, keyboard: Keyboard, short: Path) -> None:
    pane = panes.open(session="a", run=RUN, cwd=short, argv=["sh", "-c", "exit 0"])
    until(lambda: (found := panes.find(pane.pane_id)) and found.dead)

    assert keyboard.send(pane.pane_id, "x", run=RUN) == RefusedInput("the agent has ended")


def test_nothing_is_glued_to_what_stands_in_the_input_line(
    keyboard: Keyboard, agent: Agent
) -> None:
    screens: list[str] = []

    def read(screen: str) -> bool:
        screens.append(screen)
        return False

    outcome = keyboard.send(agent.pane.pane_id, "x", run=RUN, line_is_empty=read)

    assert outcome == RefusedInput("its input line is not empty")
    assert "ready" in screens[0]
    assert not agent.file.read_bytes()


@pytest.mark.parametrize("empty", [None, True])
def test_a_person_at_the_keyboard_is_not_disturbed(
    panes: Panes,
    agent: Agent,
    sit_down: Callable[[list[str]], Person],
    empty: bool | None,  # noqa: FBT001  (a parameter of the test, not of a function)
) -> None:
    person = sit_down(panes.server.attach_argv("a"))
    until(lambda: person.sees("ready"))

    outcome = Keyboard(panes).send(
        agent.pane.pane_id, "x", run=RUN, line_is_empty=lambda _screen: empty
    )

    expected = RefusedInput("someone is attached and may be typing")
    assert outcome == (
        expected if empty is None else Unconfirmed("this agent does not report what it was told")
    )


def test_one_who_only_watches_is_no_obstacle(
    panes: Panes, agent: Agent, sit_down: Callable[[list[str]], Person]
) -> None:
    person = sit_down([*panes.server.attach_argv("a"), "-r"])
    until(lambda: person.sees("ready"))

    assert isinstance(Keyboard(panes).send(agent.pane.pane_id, "x", run=RUN), Unconfirmed)


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
            Keyboard(panes).send(agent.pane.pane_id, "secret", run=RUN)

    assert tmux.command("list-buffers", "-F", "#{buffer_name}") == ["fleet-x"]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;u\x1b\\y", "red xy"),
        ("a\x1bPq;data\x1b\\b\x9b2Jc\x9d0;t\x9cd", "abcd"),
        ("\x1b[200~x\x1b[201~\x1bc\x1b(B\x1b\x1b[A", "x"),
        ("nul\x00 bell\x07 bs\x08 del\x7f csi\x9b", "nul bell bs del csi"),
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
