import json
from datetime import UTC, datetime

import pytest

from fleet.agents import generic
from fleet.agents.adapter import (
    BadHook,
    SaysConversation,
    SaysDone,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)


def read(name: str, payload: object = None) -> Signal:
    text = b"" if payload is None else json.dumps(payload).encode()
    (signal,) = generic.read_hook(name, text)
    return signal


@pytest.mark.parametrize(
    ("name", "payload", "signal"),
    [
        ("working", None, SaysWorking()),
        ("working", {"anything": [1]}, SaysWorking()),
        ("done", None, SaysDone()),
        ("heard", {"text": "a\nb \x1b[31m"}, SaysHeard("a\nb \x1b[31m")),
        ("idle", None, SaysIdle()),
        ("idle", {"background": True}, SaysIdle(background=True)),
        ("usage", {"cost_usd": 0.25, "tokens": 7, "model": "x"}, SaysUsage(0.25, 7)),
        ("usage", {"tokens": 0}, SaysUsage(None, 0)),
        ("usage", {"cost_usd": 2}, SaysUsage(2.0, None)),
        ("conversation", {"id": "019c-ab/C_1.2:3"}, SaysConversation("019c-ab/C_1.2:3")),
        ("waiting", None, SaysWaiting("an answer", "question")),
        ("waiting", {"kind": "login"}, SaysWaiting("a login", "login")),
        ("waiting", {"need": "run rm -r?", "kind": "permission"},
         SaysWaiting("run rm -r?", "permission")),
        ("waiting", {"need": " ", "kind": "whatever comes"}, SaysWaiting("an answer", "question")),
    ],
)  # fmt: skip
def test_a_hook_says(name: str, payload: object, signal: Signal) -> None:
    assert read(name, payload) == signal


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("heard", {}, "missing required field `text`"),
        ("idle", {"background": "yes"}, "expected `bool`"),
        ("working", [], "expected `object`"),
        ("done", "now", "expected `object`"),
        ("usage", {}, "neither"),
        ("usage", {"cost_usd": "1"}, "expected `float"),
        ("usage", {"cost_usd": -1}, "float"),
        ("usage", {"cost_usd": 1e10}, "float"),
        ("usage", {"tokens": -1}, "int"),
        ("usage", {"tokens": 1.5}, "expected `int"),
        ("usage", {"tokens": 10**16}, "int"),
        ("conversation", {}, "required field"),
        ("conversation", {"id": "--resume"}, "matching"),
        ("conversation", {"id": "a b"}, "matching"),
        ("conversation", {"id": "a\n"}, "matching"),
        ("conversation", {"id": "x" * 201}, "matching"),
        ("waiting", {"until": "2026-01-02T03:04:05"}, "timezone"),
        ("waiting", {"until": 5}, "expected `datetime"),
        ("waiting", {"until": "0001-01-01T00:00:00+10:00"}, "out of range"),
        ("waiting", {"kind": None}, "expected `str`"),
        ("idled", None, 'no hook is called "idled"'),
    ],
)
def test_a_hook_that_is_not_understood_says_why(name: str, payload: object, reason: str) -> None:
    signal = read(name, payload)

    assert isinstance(signal, BadHook)
    assert reason in signal.reason.lower()


@pytest.mark.parametrize(
    "payload",
    [b"{", b'{"need": "\xff"}', b"\x00", b'{"x":' + b"[" * 100_000, b" " * 300_000, b"NaN"],
)
def test_a_payload_that_is_no_json_is_bad(payload: bytes) -> None:
    (signal,) = generic.read_hook("waiting", payload)

    assert isinstance(signal, BadHook)
    assert signal.reason.startswith("hook waiting: ")


def test_the_time_it_waits_for_is_in_utc() -> None:
    signal = read("waiting", {"kind": "rate-limit", "until": "2026-01-02T05:04:05+02:00"})

    assert signal == SaysWaiting(
        "its rate limit to pass", "rate-limit", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    assert isinstance(signal, SaysWaiting)
    assert signal.until
    assert signal.until.tzinfo is UTC


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("two\r\nlines\tand  blanks ", "two lines and blanks"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;cGFzdGU=\x1b\\after", "after"),
        ("\x1bcreset", "reset"),
        ("\x9b31mred", "31mred"),
        ("abc\u202ecba\u200b", "abc cba"),
        ("nul\0\x7f", "nul"),
        ("straße 🔑", "straße 🔑"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
    ],
)
def test_texts_become_one_line_that_no_terminal_obeys(told: str, shown: str) -> None:
    assert read("waiting", {"need": told}) == SaysWaiting(shown)
    assert generic.one_line(told) == shown


def test_each_kind_has_words_of_its_own() -> None:
    assert set(generic.NEEDS) == {
        *("permission", "question", "plan", "login", "trust", "rate-limit", "budget"),
        *("error", "overloaded", "context"),
    }
