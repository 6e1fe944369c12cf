"""Who is told that checks failed is told what they printed, in private files and nowhere else."""

from pathlib import Path

import histories as h
import pytest
from histories import A
from house import COMMIT, House
from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.causes import Cause, CheckResult, GateRed, SentBack
from fleet.core.model import Task
from fleet.supervisor.perform.outputs import with_outputs


def task(cause: Cause) -> Task:
    return replace(h.history(*h.by_hand(A)).tasks[A], last_cause=cause)


def red(log: Path | str, state: str = "failed") -> GateRed:
    return GateRed((CheckResult("test", state, 1.0, str(log), 1),), h.BASE)


def test_the_end_of_each_log_that_is_named_follows(tmp_path: Path) -> None:
    log = tmp_path / "test.log"
    log.write_bytes(b"first\n" * 5000 + b"\x1b[31mwanted 4, got 5\xff\x1b[0m\n")

    text = with_outputs(f"it failed: {log}", task(red(log)))

    head, said = text.split("\n\nThe end of what test printed:\n\n")
    assert head == f"it failed: {log}"
    assert said.endswith("    wanted 4, got 5\N{REPLACEMENT CHARACTER}")
    assert len(said.splitlines()) == 40
    assert "\x1b" not in said


@pytest.mark.parametrize("content", [None, b"", b"\n \n"])
def test_where_nothing_is_left_nothing_follows(tmp_path: Path, content: bytes | None) -> None:
    log = tmp_path / "test.log"
    if content is not None:
        log.write_bytes(content)
    assert with_outputs(f"see {log}", task(red(log))) == f"see {log}"


def test_nothing_is_read_that_the_note_does_not_name_or_that_passed(tmp_path: Path) -> None:
    log = tmp_path / "test.log"
    log.write_text("secret\n")
    assert with_outputs("go on", task(red(log))) == "go on"
    assert with_outputs("go on", task(red(""))) == "go on"
    assert with_outputs(f"see {log}", task(red(log, "passed"))) == f"see {log}"
    assert with_outputs(f"see {log}", task(SentBack("no", "ann"))) == f"see {log}"


async def test_the_next_attempt_finds_it_in_its_notes(house: House) -> None:
    check = "echo wanted 4, got $((2 + 3)); exit 1"
    async with house.watching():
        house.spawn(f"date > a; {COMMIT}", checks=(check,), attempts=2)
        await house.until_word("a", "failed")

    assert "wanted 4, got 5" in house.home.notes("a").read_text()
    assert "wanted 4, got 5" not in str(house.supervisor.entries(0))
    assert len(house.events(e.RunStarted)) == 2
