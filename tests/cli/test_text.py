"""Text takes the room on a terminal that it is said to take."""

from datetime import UTC, datetime

import pytest

from fleet.cli import text
from fleet.core.spans import span


@pytest.mark.parametrize(
    ("given", "columns"),
    [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("✓", 1), ("\u200d", 0)],
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
    assert span(seconds) == shown


def test_an_age_and_a_change_may_be_nothing() -> None:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    assert text.age(None, moment) == ""
    assert text.age(moment, moment) == "0s"
    assert (text.changes(0, 0), text.changes(2, 1)) == ("", "+2 -1")
    assert (text.count(1, "task"), text.count(2, "task")) == ("1 task", "2 tasks")
