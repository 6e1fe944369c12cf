"""The pane is joined with a way back, and what it shows cannot command the reader's terminal."""

import json
import os
import sys
from collections.abc import Callable

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor

from fleet.cli import pane

ATTACH = {"argv": ["tmux", "-S", "s", "attach"], "way_back": "ctrl-b d", "opened": False}


@pytest.fixture
def became(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Note the program that we would have become."""
    calls: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execvpe", lambda _, argv, env: calls.append((argv, env)))
    return calls


def test_attach_becomes_tmux_and_tells_the_way_back(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    became: list[tuple[list[str], dict[str, str]]],
) -> None:
    on_terminal(80)
    fake.answers["attach"] = ATTACH
    answer = run("attach", "importer")
    assert answer.err == "the way back: ctrl-b d\n"
    assert became[0][0] == ATTACH["argv"]
    assert fake.calls("attach")[0]["tmux"] is None


def test_inside_tmux_a_window_is_opened_for_the_same_home(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    became: list[tuple[list[str], dict[str, str]]],
) -> None:
    on_terminal(80)
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    fake.answers["attach"] = ATTACH | {"opened": True}
    answer = run("attach", "importer")
    assert "new window of your tmux; the way back: ctrl-b d" in answer.err
    assert became == []
    sent = fake.calls("attach")[0]
    assert sent["tmux"] == "/tmp/tmux,1,0"
    assert f"FLEET_HOME={fake.home.root}" in sent["fleet"]
    assert sent["fleet"][-4:] == [sys.executable, "-P", "-m", "fleet"]


def test_the_tmux_we_become_does_not_know_of_another(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    became: list[tuple[list[str], dict[str, str]]],
) -> None:
    on_terminal(80)
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    fake.answers["attach"] = ATTACH
    run("attach", "importer")
    assert "TMUX" not in became[0][1]


def test_attach_needs_a_terminal(run: Run, fake: FakeSupervisor) -> None:
    answer = run("attach", "importer")
    assert (answer.code, fake.asked) == (2, [])
    assert "type: fleet screen importer" in answer.err


def test_a_program_that_is_not_there_is_said(
    run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    on_terminal(80)
    fake.answers["attach"] = ATTACH | {"argv": ["no-such-program"]}
    answer = run("attach", "importer")
    assert answer.code == 1
    assert "cannot run no-such-program" in answer.err


def test_a_screen_keeps_colours_on_a_terminal_only(
    run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    fake.answers["screen"] = {"text": "\x1b[31mred\x1b[2J\n\n", "live": True}
    assert run("screen", "importer").out == "red\n"
    assert fake.calls("screen")[0]["colour"] is False
    on_terminal(80)
    assert run("screen", "importer").out == "\x1b[31mred\x1b[0m\n"
    assert fake.calls("screen")[1]["colour"] is True


def test_last_words_are_called_so(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["screen"] = {"text": "bye", "live": False}
    assert "last words" in run("screen", "importer").err
    assert json.loads(run("screen", "importer", "--json").out)["live"] is False


def test_a_log_is_of_a_pane_or_of_a_check(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["log"] = {"text": "one\n\x1b[2Jtwo\n", "path": "/l"}
    assert run("log", "importer").out == "one\ntwo\n"
    run("log", "importer", "--attempt", "2", "--check", "test", "--json")
    sent = fake.calls("log")[1]
    assert (sent["attempt"], sent["check"]) == (2, "test")


def test_the_hint_of_send_is_an_example(run: Run) -> None:
    assert "fleet send TASK" in run("send").err
    assert pane.COMMANDS


@pytest.mark.parametrize(
    ("words", "verdict", "text"),
    [
        (["allow"], "allow", ""),
        (["deny", "not", "now"], "deny", "not now"),
        (["the", "second"], "text", "the second"),
        (["--text", "allow"], "text", "allow"),
    ],
)
def test_an_answer_is_a_verdict_or_a_text(
    run: Run, fake: FakeSupervisor, words: list[str], verdict: str, text: str
) -> None:
    fake.answers["answer"] = {"task": "importer", "outcome": "delivered", "reason": ""}
    answer = run("answer", "importer", *words)

    assert (answer.code, answer.err) == (0, "importer: delivered\n")
    (sent,) = fake.calls("answer")
    assert (sent["verdict"], sent["text"], sent["ask"]) == (verdict, text, None)


def test_an_answer_that_came_too_late_is_a_failure(run: Run, fake: FakeSupervisor) -> None:
    late = {"task": "importer", "outcome": "refused", "reason": "it was answered in its pane"}
    fake.answers["answer"] = late
    answer = run("answer", "importer", "allow", "--ask", "1.1", "--json")

    assert (answer.code, json.loads(answer.out)) == (1, late)
    assert fake.calls("answer")[0]["ask"] == "1.1"
    assert "refused: it was answered" in run("answer", "importer", "allow").err


def test_an_answer_says_something(run: Run, fake: FakeSupervisor) -> None:
    answer = run("answer", "importer")

    assert (answer.code, fake.asked) == (2, [])
    assert "fleet why importer" in answer.err
