import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import kept_ledger
import pytest
from waiting import until

from fleet.core.causes import Conflict
from fleet.core.events import (
    EVENT_TYPES,
    AnyEvent,
    ConflictFound,
    CrashNoted,
    Entry,
    QueueThawed,
)
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.reducer import replay
from fleet.errors import HomeError
from fleet.ledger import Ledger, _begin_writing

NOON = datetime(2026, 1, 2, 12, 0, 0, 7, UTC)


def crash(word: str = "x") -> AnyEvent:
    return CrashNoted(task=TaskId("login"), error=word)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    with closing(Ledger.open(path)) as ledger:
        yield ledger


def written(path: Path, number: int = 3) -> Path:
    with opened(path) as ledger:
        ledger.append([crash(str(seq)) for seq in range(1, number + 1)], at=NOON, actor="person")
    return path


def recorded(path: Path) -> list[Entry]:
    with opened(path) as ledger:
        return list(ledger.entries())


def altered(path: Path, *statements: str) -> bytes:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path.read_bytes()


def refused(path: Path) -> HomeError:
    with pytest.raises(HomeError) as refusal:
        Ledger.open(path)
    assert refusal.value.hint
    return refusal.value


def test_what_is_appended_is_read_again(path: Path) -> None:
    events = [crash("ä 🔑"), QueueThawed(repo=RepoId("shop"), target="main")]
    with opened(path) as ledger:
        first = ledger.append(events, at=NOON, actor="person")
        second = ledger.append([crash()], at=NOON + timedelta(seconds=1), actor="login")

    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert recorded(path) == first + second


def test_numbers_go_on_after_a_restart(path: Path) -> None:
    written(path, 3)
    with opened(path) as ledger:
        (entry,) = ledger.append([crash()], at=NOON, actor="person")

    assert entry.seq == 4


def test_nothing_appended_is_nothing_recorded(path: Path) -> None:
    with opened(path) as ledger:
        assert ledger.append([], at=NOON, actor="person") == []
        assert list(ledger.entries()) == []


def test_times_are_kept_to_the_microsecond_in_utc(path: Path) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5)))
    with opened(path) as ledger:
        (entry,) = ledger.append([crash()], at=there, actor="person")

    assert entry.at == NOON
    assert entry.at.tzinfo is UTC
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT seq, at, actor, type, task, data FROM events").fetchone()
    data = b'{"type":"task.crash","error":"x","task":"login"}'
    assert row == (1, "2026-01-02T12:00:00.000007Z", "person", "task.crash", "login", data)


def test_what_is_no_utf_8_is_spelled(path: Path) -> None:
    odd = Conflict(("b\udcff.txt", "ä.txt"), Commit("a" * 40))
    event = ConflictFound(task=TaskId("login"), revision=1, cause=odd)
    with opened(path) as ledger:
        entries = ledger.append([crash(), event], at=NOON, actor="person")

    assert recorded(path) == entries
    assert entries[0].event == crash()
    assert isinstance(entries[1].event, ConflictFound)
    assert entries[1].event.cause.files == ("b\\xff.txt", "ä.txt")


def test_a_reader_starts_after_what_it_has_seen(path: Path) -> None:
    written(path, 1200)  # more than two pages
    with opened(path) as ledger:
        assert [entry.seq for entry in ledger.entries(after=3)] == list(range(4, 1201))
        assert list(ledger.entries(after=1200)) == []


def test_a_slow_reader_holds_nothing_back(path: Path) -> None:
    with opened(path) as ledger:
        ledger.append([crash()] * 600, at=NOON, actor="person")
        reader = ledger.entries()
        next(reader)
        ledger.append([crash("later")], at=NOON, actor="person")
        blocked, *_ = ledger._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

        assert blocked == 0
        assert [entry.seq for entry in reader] == list(range(2, 602))


def test_every_append_is_brought_to_the_disk(path: Path) -> None:
    with opened(path) as ledger:
        assert ledger._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert ledger._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_only_its_owner_can_read_it(path: Path) -> None:
    previous = os.umask(0)
    try:
        with opened(path) as ledger:
            ledger.append([crash()], at=NOON, actor="person")
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("*.db*")}
    finally:
        os.umask(previous)

    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600}


def test_it_leaves_one_file_behind(path: Path) -> None:
    written(path)

    assert {file.name for file in path.parent.iterdir()} == {"ledger.db", "home"}


def test_one_process_holds_it(path: Path) -> None:
    with opened(path):
        assert "another program" in refused(path).message
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(path, timeout=0).execute("SELECT * FROM events")

    assert recorded(path) == []


@pytest.mark.parametrize("content", [b"", b"not a ledger\n" * 400, b"SQLite format 3\0"])
def test_another_file_is_refused_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert "not a fleet ledger" in refused(path).message
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_kept(path: Path) -> None:
    before = altered(path, "CREATE TABLE events (seq INTEGER)", "PRAGMA user_version = 1")

    assert "not a fleet ledger" in refused(path).message
    assert path.read_bytes() == before


def test_a_newer_format_is_refused_and_kept(path: Path) -> None:
    before = altered(written(path), "PRAGMA user_version = 2")
    refusal = refused(path)

    assert "has format 2, this fleet knows 1" in refusal.message
    assert "newer" in str(refusal.hint)
    assert path.read_bytes() == before


def test_an_event_of_a_newer_version_is_refused_and_kept(path: Path) -> None:
    before = altered(written(path), "UPDATE events SET type = 'task.cloned' WHERE seq = 2")
    refusal = refused(path)

    assert "task.cloned" in refusal.message
    assert "newer" in str(refusal.hint)
    assert path.read_bytes() == before


def test_an_entry_that_cannot_be_read_is_no_gap(path: Path) -> None:
    altered(written(path), 'UPDATE events SET data = \'{"type":"task.crash"\' WHERE seq = 2')
    with opened(path) as ledger:
        entries = ledger.entries()

        assert next(entries).seq == 1
        with pytest.raises(HomeError, match="entry 2 cannot be read"):
            next(entries)


@pytest.mark.parametrize(
    ("at", "why"), [("'noon'", "entry 1 cannot be read"), ("CAST(X'ff' AS TEXT)", "UTF-8")]
)
def test_a_time_that_cannot_be_read_is_refused(path: Path, at: str, why: str) -> None:
    altered(written(path), f"UPDATE events SET at = {at}")
    with pytest.raises(HomeError, match=why):
        recorded(path)


@pytest.mark.parametrize("seq", [1, 2])
def test_a_missing_entry_is_damage(path: Path, seq: int) -> None:
    before = altered(written(path), f"DELETE FROM events WHERE seq = {seq}")

    assert "damaged" in refused(path).message
    assert path.read_bytes() == before


def test_a_page_overwritten_is_damage(path: Path) -> None:
    written(path, 500)
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xaa" * 4096
    path.write_bytes(content)

    assert "damaged" in refused(path).message
    assert path.read_bytes() == content


def test_damage_that_reading_would_not_meet_is_damage(path: Path) -> None:
    content = bytearray(written(path).read_bytes())
    content[36:40] = b"\0\0\0\7"  # the number of free pages
    path.write_bytes(content)

    assert "damaged" in refused(path).message


def test_a_ledger_cut_short_is_damage(path: Path) -> None:
    written(path, 500)
    os.truncate(path, 4096 * 5)

    assert "damaged" in refused(path).message


def test_a_table_that_is_gone_is_refused(path: Path) -> None:
    altered(written(path), "DROP TABLE events")

    assert "cannot be used" in refused(path).message


def test_a_ledger_that_vanished_is_not_begun_anew(path: Path) -> None:
    path.with_name("ledger.db-wal").write_bytes(b"the rest of it")

    assert "is gone" in refused(path).message
    assert not path.exists()


def test_a_link_to_a_disk_that_is_away_is_not_begun_anew(path: Path) -> None:
    path.symlink_to(path.parent / "away.db")

    assert "cannot be opened" in refused(path).message
    assert path.is_symlink()
    assert not path.exists()


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "no" / "ledger.db") in refused(tmp_path / "no" / "ledger.db").message


def test_what_a_crash_left_of_a_first_start_does_no_harm(path: Path) -> None:
    for name in (".ledger.db.new", ".ledger.db.new-journal"):
        path.with_name(name).write_bytes(b"half a database")
    written(path)

    assert len(recorded(path)) == 3
    assert {file.name for file in path.parent.iterdir()} == {"ledger.db", "home"}


def test_a_first_start_that_fails_leaves_nothing(path: Path) -> None:
    with pytest.raises(HomeError, match="syntax error"):
        Ledger.open(path, upgrades=[["no SQL"]])

    assert {file.name for file in path.parent.iterdir()} == {"home"}


def test_a_full_disk_loses_nothing_and_is_over_when_there_is_room(path: Path) -> None:
    big = crash("x" * 3000)
    with opened(path) as ledger:
        kept = ledger.append([crash()], at=NOON, actor="person")
        (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
        ledger._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(HomeError, match=r"disk .* is full") as refusal:
            ledger.append([big] * 20, at=NOON, actor="person")
        assert list(ledger.entries()) == kept
        ledger._connection.execute("PRAGMA max_page_count = 100000")
        kept += ledger.append([big] * 20, at=NOON, actor="person")

    assert "make room" in str(refusal.value.hint)
    assert [entry.seq for entry in kept] == list(range(1, 22))
    assert recorded(path) == kept


def test_what_could_not_be_recorded_leaves_nothing_half_done(path: Path) -> None:
    with opened(path) as ledger:
        kept = ledger.append([crash(), crash()], at=NOON, actor="person")
        ledger._last = -1  # the first of the next two is new, the second is there already
        with pytest.raises(HomeError, match="cannot be used"):
            ledger.append([crash(), crash()], at=NOON, actor="person")
        ledger._last = 2
        kept += ledger.append([crash()], at=NOON, actor="person")

    assert recorded(path) == kept


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any file")
def test_a_file_that_we_may_not_write_is_refused(path: Path) -> None:
    written(path).chmod(0o400)

    assert "cannot be" in refused(path).message


@contextmanager
def small_disk(point: Path) -> Iterator[Path]:
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(point)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)  # whatever a failure left open


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    big = crash("x" * 3000)
    with small_disk(tmp_path / "disk") as disk, opened(disk / "ledger.db") as ledger:
        kept = ledger.append([big], at=NOON, actor="person")
        (disk / "rest").write_bytes(b"x" * 200_000)
        with pytest.raises(HomeError, match=r"disk .* is full"):
            ledger.append([big] * 100, at=NOON, actor="person")
        (disk / "rest").unlink()
        kept += ledger.append([big] * 10, at=NOON, actor="person")

        assert list(ledger.entries()) == kept
        ledger.close()
        assert recorded(disk / "ledger.db") == kept


def test_a_disk_that_is_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        written(disk / "ledger.db")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        assert "cannot be" in refused(disk / "ledger.db").message
        assert "cannot write" in refused(disk / "other.db").message


def test_an_upgrade_leaves_a_copy_of_what_was(path: Path) -> None:
    before = recorded(written(path))
    upgrades = [["ALTER TABLE events ADD COLUMN host TEXT", "CREATE INDEX ix ON events (task)"]]
    with closing(Ledger.open(path, upgrades=upgrades)) as ledger:
        assert list(ledger.entries()) == before
    copy = path.with_name("ledger.db.format-1")

    assert "format 2, this fleet knows 1" in refused(path).message
    assert recorded(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(Ledger.open(path, upgrades=upgrades)) as ledger:  # once
        assert list(ledger.entries()) == before


def test_an_upgrade_that_fails_changes_nothing(path: Path) -> None:
    before = recorded(written(path))
    with pytest.raises(HomeError, match="syntax error"):
        Ledger.open(path, upgrades=[["ALTER TABLE events ADD COLUMN host TEXT", "no SQL"]])

    assert recorded(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert len(connection.execute("PRAGMA table_info(events)").fetchall()) == 6


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from fleet.core.events import CrashNoted
from fleet.ledger import Ledger, _begin_writing

ledger = Ledger.open(Path(sys.argv[1]))
while True:
    batch = [CrashNoted(task="login", error="x" * 700)] * 3
    entries = ledger.append(batch, at=datetime(2026, 1, 2, tzinfo=UTC), actor="person")
    print(entries[-1].seq, flush=True)
"""


@pytest.fixture
def killed(path: Path) -> int:
    """A writer of three at a time was killed in the midst of it; the last number it told."""
    told = path.with_name("told")
    with (
        told.open("wb") as out,
        subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=out) as writer,
    ):
        until(lambda: told.read_bytes().count(b"\n") >= 20, what="the writer writes")
        writer.send_signal(signal.SIGKILL)
    return int(told.read_bytes().rpartition(b"\n")[0].split()[-1])


def test_a_writer_killed_loses_nothing_that_it_told(path: Path, killed: int) -> None:
    numbers = [entry.seq for entry in recorded(path)]

    assert len(numbers) >= killed
    assert len(numbers) % 3 == 0
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_torn_end_costs_whole_batches_only(path: Path, killed: int) -> None:
    wal = path.with_name("ledger.db-wal")
    whole = wal.stat().st_size
    lengths = []
    for number, cut in enumerate(range(0, whole, max(whole // 12, 1))):
        torn = path.with_name(f"torn-{number}.db")
        shutil.copy(path, torn)
        torn.with_name(f"{torn.name}-wal").write_bytes(wal.read_bytes()[:cut])
        lengths.append(len(recorded(torn)))

    assert all(length % 3 == 0 for length in lengths)
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1] <= len(recorded(path))


@pytest.fixture
def kept(path: Path) -> Path:
    """Opened in another place, as opening it makes files beside it."""
    return Path(shutil.copy(kept_ledger.LEDGERS / "format-1.db", path))


def test_an_old_ledger_folds_for_ever(kept: Path) -> None:
    fleet = replay(recorded(kept))

    assert fleet.seq == len(kept_ledger.history())
    assert {task: type(known.status).__name__ for task, known in fleet.tasks.items()} == {
        "login": "Landed",
        "prices": "Stopped",
        "docs": "Withdrawn",
    }


@pytest.mark.parametrize("name", kept_ledger.HISTORIES)
def test_each_kept_ledger_is_read_and_folds_for_ever(path: Path, name: str) -> None:
    copy = Path(shutil.copy(kept_ledger.LEDGERS / f"{name}.db", path))

    assert recorded(copy) == kept_ledger.history(name)
    assert replay(recorded(copy)) == replay(kept_ledger.history(name))


def test_every_kind_of_event_is_in_a_kept_ledger(path: Path) -> None:
    kinds = set()
    for number, old in enumerate(kept_ledger.LEDGERS.glob("*.db")):
        copy = Path(shutil.copy(old, path.with_name(f"{number}.db")))
        kinds |= {type(entry.event) for entry in recorded(copy)}

    assert kinds == set(EVENT_TYPES)


@pytest.mark.parametrize("name", kept_ledger.HISTORIES)
def test_a_kept_history_can_be_written_again(path: Path, name: str) -> None:
    kept_ledger.write(path, name)

    assert recorded(path) == kept_ledger.history(name)


def test_a_place_that_cannot_hold_a_write_ahead_log_is_refused(path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(HomeError, match="cannot hold a ledger"),
    ):
        _begin_writing(path, connection)
