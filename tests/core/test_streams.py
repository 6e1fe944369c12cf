"""What real agents' signs of ten minutes come to: each status that was true, once, and no other.

tests/real/recording has made the recordings: what the judge was told, and what was true meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleet.core.activity import Activity
from fleet.core.signals import Life, Sign, Signs, began, heard, judge, silenced

STREAMS = sorted((Path(__file__).parents[1] / "data" / "streams").glob("*.jsonl"))
TICK = timedelta(seconds=0.25)
LEAST = timedelta(minutes=10)


class Line(msgspec.Struct):
    """One line of a recording: only one of its fields beside `at` says something."""

    at: datetime
    hear: Sign | None = None
    silence: str | None = None
    life: Life | None = None
    began: datetime | None = None
    phase: str | None = None
    shows: list[str] = []


@dataclass
class Replay:
    """The judge's state, and the statuses that it has shown since the phase began."""

    signs: Signs | None = None
    life: Life = field(default_factory=Life)
    look_at: datetime | None = None
    shown: list[str] = field(default_factory=list)

    def take(self, line: Line) -> None:
        if line.began is not None and self.signs is None:
            self.signs = began(line.began)
        if line.life is not None:
            self.life = line.life
        if self.signs is not None and line.hear is not None:
            self.signs = heard(self.signs, line.hear)
        if self.signs is not None and line.silence is not None:
            self.signs = silenced(self.signs, line.silence)
        self.judge(line.at)

    def judge(self, moment: datetime) -> None:
        if self.signs is not None:
            judged = judge(self.signs, moment, self.life)
            self.look_at = judged.look_at
            word = type_of(judged.activity)
            if self.shown[-1:] != [word]:
                self.shown.append(word)

    def passes(self, until: datetime) -> None:
        """Judge again at each beat, as the supervisor does."""
        while self.look_at is not None and self.look_at < until:
            self.judge(min(until, self.look_at + TICK))


def type_of(activity: Activity) -> str:
    return str(msgspec.to_builtins(activity)["type"])


def lines_of(file: Path) -> list[Line]:
    decoder = msgspec.json.Decoder(Line)
    return [decoder.decode(line) for line in file.read_bytes().splitlines()]


def phases(lines: list[Line]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Give each phase, the statuses that it brought, and those that were shown."""
    replay, phase, last = Replay(), lines[0], lines[0].at
    for line in lines:
        replay.passes(line.at)
        if line.phase is not None:
            if line is not phase:
                yield f"{phase.phase} at {phase.at:%H:%M:%S}", phase.shows, replay.shown
            phase, replay.shown = line, replay.shown[-1:]
        replay.take(line)
        last = line.at
    yield f"{phase.phase} at {last:%H:%M:%S}", phase.shows, replay.shown


@pytest.mark.parametrize("file", STREAMS, ids=lambda it: it.stem)
def test_only_what_was_true_is_shown_and_once(file: Path) -> None:
    lines = lines_of(file)
    assert lines[-1].at - lines[0].at >= LEAST

    wrong: list[Any] = []
    before: list[str] = []
    for name, shows, shown in phases(lines):
        expected = [*before, *shows] if before != shows[:1] else shows
        if shown != expected:
            wrong.append((name, "shown", shown, "instead of", expected))
        before = shown[-1:]
    assert wrong == []


def test_there_are_recordings() -> None:
    assert STREAMS
