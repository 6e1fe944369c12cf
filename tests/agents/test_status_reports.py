"""What status reports mean: samples of agents, the protocol's own rules, and anything at all."""

from base64 import b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.agents import status_reports
from fleet.agents.adapter import (
    BadHook,
    SaysDoing,
    SaysFailed,
    SaysIdle,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.status_reports import read
from fleet.pane import told

LIMITED = "API Error: Request rejected (429) · This request would exceed your rate limit."
# As Claude Code 2.1.330 and Codex 0.169 sent them.
SAMPLES: dict[str, tuple[Signal, ...]] = {
    "state=idle:app=claude-code": (SaysIdle(broken_off=True),),
    "state=working:app=claude-code": (SaysWorking(),),
    "state=working:app=claude-code:msg=U2xlZXBpbmc=": (SaysDoing("Sleeping"), SaysWorking()),
    "state=done:app=claude-code": (SaysIdle(),),
    "state=blocked:app=claude-code:kind=permission:msg=YXBwcm92ZSBXcml0ZTogL3cvbm90ZS50eHQ=": (
        SaysWaiting("approve Write: /w/note.txt", "permission"),
    ),
    "state=blocked:app=claude-code:kind=question:"
    "msg=YW5zd2VyOiBXaGljaCBjb2xvdXI/IChSZWQgwrcgQmx1ZSk=": (
        SaysWaiting("answer: Which colour? (Red · Blue)", "question"),
    ),
    f"state=error:app=claude-code:msg={b64encode(LIMITED.encode()).decode()}": (
        SaysFailed(LIMITED),
    ),
    "state=blocked:app=codex:kind=permission": (SaysWaiting("permission", "permission"),),
    "state=blocked:app=gh:kind=auth": (SaysWaiting("a login", "login"),),
    "state=blocked:app=any": (SaysWaiting("an answer", "question"),),
    "state=blocked:kind=taste": (SaysWaiting("an answer", "question"),),
    "state=error:app=codex": (SaysFailed("its turn broke off"),),
}


@pytest.mark.parametrize("report", SAMPLES)
def test_what_a_report_says(report: str) -> None:
    assert read(report.encode()) == SAMPLES[report]


def test_what_was_said_can_be_taken_back() -> None:
    assert read(b"state=clear:app=x") is None


@pytest.mark.parametrize(
    "report",
    [b"", b"app=x", b"state=", b"state=resting", b"state=done:id=build", b"state=clear:id=a/b"],
)
def test_what_says_nothing_of_the_whole_program_says_nothing(report: bytes) -> None:
    assert read(report) == ()


@pytest.mark.parametrize(
    ("report", "signals"),
    [
        (b"state=idle:state=done", (SaysIdle(),)),
        (b"state=done:a b=c:nonsense:x=%:future=1:Key=v", (SaysIdle(),)),
        (b"state=working:msg=U2xlZXBpbmc", (SaysDoing("Sleeping"), SaysWorking())),
        (b"state=done:progress=100000", (SaysIdle(),)),
    ],
)
def test_a_pair_that_is_not_understood_is_passed_over(
    report: bytes, signals: tuple[Signal, ...]
) -> None:
    assert read(report) == signals


def text(words: bytes) -> bytes:
    return b64encode(words)


@pytest.mark.parametrize(
    "report",
    [
        b"state=done:msg=====",
        b"state=done:msg=a",
        b"state=done:msg=" + text(b"\xff"),
        b"state=done:msg=" + text(b"two\nlines"),
        b"state=done:msg=" + text(b"\x1b[31m"),
        b"state=done:msg=" + text(b"x" * 2049),
        b"state=done:title=" + text(b"x" * 193),
        b"state=done:app=" + b"x" * 33,
        b"state=done:id=" + b"x" * 129,
        b"state=done:" + b"k" * 17 + b"=v",
        b"state=done:msg=\xc3\xa9",
    ],
)
def test_a_report_that_breaks_a_limit_counts_for_nothing(report: bytes) -> None:
    [said] = read(report) or ()
    assert isinstance(said, BadHook)


def test_signs_that_nobody_sees_are_left_out() -> None:
    hidden = "a\u202eb\u200bc"

    assert read(b"state=error:msg=" + text(hidden.encode())) == (SaysFailed("a b c"),)


BODIES = st.lists(
    st.sampled_from(["state", "kind", "msg", "app", "id", "title", "progress"])
    .flatmap(lambda key: st.tuples(st.just(key), st.text(max_size=30) | st.just("blocked")))
    .map("=".join)
    | st.builds(
        lambda state, words: f"state={state}:msg={b64encode(words.encode()).decode()}",
        st.sampled_from(["idle", "working", "done", "blocked", "error", "clear"]),
        st.text(max_size=400),
    ),
    max_size=6,
).map(lambda pairs: ":".join(pairs).encode())
SIGNALS = msgspec.json.Decoder(tuple[Signal, ...])


@given(report=BODIES | st.binary(max_size=200))
def test_whatever_it_is_it_says_clean_words_or_nothing(report: bytes) -> None:
    signals = read(report) or ()

    assert SIGNALS.decode(msgspec.json.encode(signals)) == signals
    assert all(sign.isprintable() for signal in signals for sign in str(signal))


def test_both_sides_call_them_the_same() -> None:
    assert told.NAME == status_reports.NAME
