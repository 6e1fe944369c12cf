"""Text of other people cannot command a terminal, and takes the room it is said to take."""

from datetime import UTC, datetime

import pytest

from fleet.cli import text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;YWJj\x1b\\after", "after"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("\x1b(Bafter", "after"),
        ("\x9b2Jafter", "after"),
        ("two\nlines\tand\rmore", "two lines and more"),
        ("back\b\bspace\x00", "backspace"),
        ("right\u202eleft", "rightleft"),
        ("no\u00a0break", "no break"),
        ("\x1b", ""),
        ("日本 é ✓", "日本 é ✓"),
    ],
)
def test_a_line_holds_nothing_that_a_terminal_obeys(given: str, shown: str) -> None:
    assert text.clean(given) == shown


def test_lines_keep_their_ends_and_tabs() -> None:
    assert text.clean_lines("a\n\tb\r\n\x1b[2Jc") == "a\n\tb\nc"


def test_a_screen_keeps_its_colours_only() -> None:
    shown = text.clean_screen("\x1b[1;31mred\x1b[2J\x1b[H\x1b]0;t\x07 end")
    assert shown == "\x1b[1;31mred end\x1b[0m"
    assert text.clean_screen("plain\x1b[2J") == "plain"


@pytest.mark.parametrize(
    ("given", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("✓", 1)]
)
def test_width_is_what_a_terminal_gives_it(given: str, columns: int) -> None:
    assert text.width(given) == columns


@pytest.mark.parametrize(
    ("given", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_what_does_not_fit_is_cut_and_marked(given: str, columns: int, shown: str) -> None:
    assert text.fit(given, columns) == shown
    assert text.width(text.pad(given, columns)) == columns


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")],
)
def test_a_span_is_in_one_unit(seconds: float, shown: str) -> None:
    assert text.span(seconds) == shown


def test_an_age_and_a_change_may_be_nothing() -> None:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    assert text.age(None, moment) == ""
    assert text.age(moment, moment) == "0s"
    assert (text.changes(0, 0), text.changes(2, 1)) == ("", "+2 -1")
    assert (text.count(1, "task"), text.count(2, "task")) == ("1 task", "2 tasks")
