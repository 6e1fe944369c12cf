"""Status reports in a stream: taken out wherever reads cut it, and nothing else touched."""

import itertools
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.pane.osc import LONGEST, START, Pace, Sieve, body

BEL, ST = b"\x07", b"\x1b\\"
REPORT = START + b"state=working:app=x" + BEL


def sifted(pieces: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    sieve = Sieve()
    passed, taken = b"", []
    for piece in pieces:
        more, found = sieve.feed(piece)
        passed += more
        taken += found
    return passed + sieve.rest(), taken


def cut(data: bytes, places: Sequence[float]) -> list[bytes]:
    at = [0, *sorted(int(place * len(data)) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(at)]


PLACES = st.lists(st.floats(0, 1), max_size=12)
BODIES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)
REPORTS = st.builds(
    lambda text, end: START + text.encode() + end, BODIES, st.sampled_from([BEL, ST])
)
# Any bytes, and what comes close to a report: beginnings, ends, and doubled escapes among them.
NEARLY = st.sampled_from(
    [*(START[:size] for size in range(1, 8)), BEL, ST, b"\x1b\x1b", b"\x1bPtmux;\x1b", b"\xc3\xa9"]
)
OTHER = st.binary(max_size=20) | NEARLY | st.sampled_from([b"\x9d7501;?\x9c", b"\x1b]0;title\x07"])
WHOLE = re.compile(rb"(?<!\x1b)\x1b\]7501;[ -~]*(?:\x07|\x1b\\)")
HARMLESS = st.binary(max_size=40).map(lambda data: data.replace(b"\x1b", b"e"))


@given(parts=st.lists(st.tuples(HARMLESS, REPORTS), max_size=6), last=HARMLESS, places=PLACES)
def test_every_report_is_taken_out_and_the_rest_passes(
    parts: list[tuple[bytes, bytes]], last: bytes, places: list[float]
) -> None:
    stream = b"".join(before + report for before, report in parts) + last
    passed, taken = sifted(cut(stream, places))

    assert passed == b"".join(before for before, _ in parts) + last
    assert taken == [report for _, report in parts]


@given(parts=st.lists(OTHER | REPORTS, max_size=10), places=PLACES)
def test_how_it_is_cut_makes_no_difference(parts: list[bytes], places: list[float]) -> None:
    stream = b"".join(parts)

    assert sifted(cut(stream, places)) == sifted([stream])
    assert sifted([stream[at : at + 1] for at in range(len(stream))]) == sifted([stream])


@given(parts=st.lists(OTHER | REPORTS, max_size=10), places=PLACES)
def test_nothing_else_is_added_lost_or_moved(parts: list[bytes], places: list[float]) -> None:
    stream = b"".join(parts)

    assert sifted(cut(stream, places)) == (WHOLE.sub(b"", stream), WHOLE.findall(stream))


@pytest.mark.parametrize(
    "stream",
    [
        START + b"state=idle",
        START + b"state=idle\x18" + BEL,
        START + b"state=id\xc3\xa9le" + BEL,
        START + b"state=idle\x9c",
        START + b"state=idle\x1b[0m" + BEL,
        START + b"state=\x1b]0;title" + BEL,
        START + b"x" * LONGEST + BEL,
        b"\x9d7501;state=idle" + BEL,
        b"\x1b]75010;state=idle" + BEL,
        b"\x1b]7501" + BEL,
        b"\x1bPtmux;\x1b" + REPORT + ST,
        b"\x1b" + REPORT,
    ],
)
def test_what_is_no_report_passes_whole(stream: bytes) -> None:
    assert sifted([stream]) == (stream, [])
    assert sifted([bytes([byte]) for byte in stream]) == (stream, [])


def test_a_broken_report_does_not_hide_the_next_one() -> None:
    broken = START + b"state=\xff"

    assert sifted([broken + REPORT]) == (broken, [REPORT])
    assert sifted([START + b"state=idle" + REPORT]) == (START + b"state=idle", [REPORT])


@pytest.mark.parametrize("end", [BEL, ST])
def test_the_longest_report_is_one_and_a_longer_one_is_not(end: bytes) -> None:
    longest = START + b"x" * (LONGEST - len(START) - len(end)) + end
    longer = START + b"x" + longest[len(START) :]

    assert sifted([longest]) == (b"", [longest])
    assert sifted([longer]) == (longer, [])


def test_no_more_waits_than_a_report_may_be_long() -> None:
    sieve = Sieve()
    passed, _ = sieve.feed(START + b"x" * (LONGEST - len(START) - 1))
    assert passed == b""

    passed, _ = sieve.feed(b"x")
    assert len(passed) == LONGEST


def test_text_passes_at_once() -> None:
    sieve = Sieve()

    assert sieve.feed(b"as it is \x1b[0m\xff") == (b"as it is \x1b[0m\xff", [])
    assert sieve.feed(b"\x1b") == (b"", [])
    assert sieve.feed(b"[1m") == (b"\x1b[1m", [])


@pytest.mark.parametrize("end", [BEL, ST])
def test_the_body_is_what_stands_between(end: bytes) -> None:
    assert body(START + b"a\\" + end) == b"a\\"


@given(pauses=st.lists(st.floats(0, 3), max_size=60))
def test_a_pace_is_kept(pauses: list[float]) -> None:
    pace, now, passed = Pace(burst=3, every_s=0.5), 1000.0, []
    for pause in pauses:
        now += pause
        due = pace.wait(now)
        assert pace.take(now) == (due == 0)
        if due == 0:
            passed.append(now)
        else:
            assert pace.wait(now + due + 1e-9) == pytest.approx(0, abs=1e-6)
            now += due + 1e-9
    for first, last in zip(passed, passed[3:], strict=False):
        assert last - first >= 0.5 - 1e-6
