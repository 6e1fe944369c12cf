"""Tables fit a terminal and are whole in a pipe; colours appear only where they are wanted."""

import json
from collections.abc import Callable

import pytest

from fleet.cli.output import Cell, Colour, Output, Waiting, emit, output, say, status_style
from fleet.cli.text import width

ROWS = [
    [Cell("a", "strong"), Cell(""), Cell("x" * 60)],
    [Cell("日本"), Cell(""), Cell("y\tz\n\x1b[2J")],
]
HEADS = ("TASK", "NEVER", "TITLE")


def test_a_pipe_gets_every_column_whole(capsys: pytest.CaptureFixture[str]) -> None:
    Output(terminal=False, colours=False, columns=20).table(HEADS, ROWS, give=(2,))
    assert capsys.readouterr().out == f"a\t\t{'x' * 60}\n日本\t\ty z \n"


@pytest.mark.parametrize("columns", [24, 40, 80, 200])
def test_a_table_is_never_wider_than_the_terminal(
    columns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Output(terminal=True, colours=False, columns=columns).table(HEADS, ROWS, give=(2,))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["TASK", "TITLE"]
    assert max(map(width, lines)) == min(columns, 66)


def test_columns_give_way_in_the_order_said(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[Cell("a" * 30), Cell("b" * 30)]]
    Output(terminal=True, colours=False, columns=40).table(("A", "B"), rows, give=(1, 0))
    assert capsys.readouterr().out.splitlines()[1] == "a" * 30 + "  " + "b" * 7 + "…"


def test_colours_do_not_change_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(terminal=True, colours=True, columns=10)
    out.line(Cell("good", "good"), " and much more")
    assert capsys.readouterr().out == "\x1b[32mgood\x1b[0m and…\n"
    assert Output(terminal=True, colours=False, columns=10).paint("x", "good") == "x"


@pytest.mark.parametrize(
    ("colour", "variable", "wanted"),
    [
        ("auto", None, True),
        ("auto", "NO_COLOR", False),
        ("always", "NO_COLOR", True),
        ("never", None, False),
    ],
)
def test_colours_on_a_terminal(
    colour: Colour,
    variable: str | None,
    *,
    wanted: bool,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(80)
    if variable:
        monkeypatch.setenv(variable, "1")
    assert output(colour).colours is wanted


def test_no_colours_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert output("auto") == Output(terminal=False, colours=False, columns=output("auto").columns)
    assert output("always").colours


def test_json_is_whole_and_on_a_terminal_harmless(
    capsys: pytest.CaptureFixture[str], on_terminal: Callable[[int], None]
) -> None:
    value = {"title": "é \x1b[2J \u009b2J"}
    emit(value)
    piped = capsys.readouterr().out
    on_terminal(80)
    emit(value)
    shown = capsys.readouterr().out
    assert json.loads(piped) == json.loads(shown) == value
    assert "é" in piped
    assert shown.isascii()
    assert "\x1b" not in piped + shown


def test_talk_goes_to_stderr_and_is_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    say("evil\x1b[2J words")
    assert capsys.readouterr() == ("", "evil words\n")


def test_a_status_looks_the_same_with_words_after_it() -> None:
    assert status_style("failed: no") == status_style("failed") == "bad"
    assert status_style("something new") == "plain"


def test_waiting_is_shown_on_a_terminal_alone_and_leaves_nothing(
    capsys: pytest.CaptureFixture[str], on_terminal: Callable[[int], None]
) -> None:
    waiting = Waiting("starting")
    waiting(5)
    waiting.clear()
    assert capsys.readouterr().err == ""
    on_terminal(80)
    waiting(0.1)
    assert capsys.readouterr().err == ""
    waiting(1)
    waiting.clear()
    assert "starting" in (shown := capsys.readouterr().err)
    assert shown.endswith("\r\x1b[K")
