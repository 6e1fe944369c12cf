"""Durations and times are read as people write them, or refused with an example."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.durations import moment, seconds, show
from fleet.errors import UsageError

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        (" 2D ", 172800),
        ("1d2h3m4s", 93784),
        ("0.5s", 0.5),
        ("1.5h", 5400),
        ("60", 60),
        ("0", 0),
    ],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "s", "2 hours", "-5m", "1m1h", "5x", "1e9", "nan", "٣s", "1:30", "4000d"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        seconds(text)
    assert refusal.value.hint is not None
    assert "10m" in refusal.value.hint


@pytest.mark.parametrize(
    ("span", "text"),
    [(0, "0s"), (90, "1m30s"), (7200, "2h"), (172800, "2d"), (0.5, "0.5s"), (60.25, "1m0.25s")],
)
def test_shown(span: float, text: str) -> None:
    assert show(span) == text


@given(st.integers(0, 10**11))
def test_what_is_shown_is_read_back(milliseconds: int) -> None:
    assert seconds(show(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-4)


@given(st.text())
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert seconds(text) >= 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-02-28", datetime(2026, 2, 27, 22, tzinfo=UTC)),
        ("2026-02-28T09:00", datetime(2026, 2, 28, 7, tzinfo=UTC)),
        ("2026-02-28T09:00:00Z", datetime(2026, 2, 28, 9, tzinfo=UTC)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert moment(text, now=NOON) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time") as refusal:
        moment(text, now=NOON)
    assert refusal.value.hint is not None
    assert "2026-01-31" in refusal.value.hint
