"""The append-only store of events: what `append` has returned survives any crash, whole."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec

from fleet.core.events import EVENT_TYPES, AnyEvent, Entry, TaskEvent
from fleet.core.spelling import spelled
from fleet.errors import HomeError

APPLICATION_ID = 0x666C6565  # "flee": tells ledgers from other SQLite files
# The statements that lead from each format to the next, beginning with format 1.
Upgrades = Sequence[Sequence[str]]
UPGRADES: Upgrades = ()
_SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    type TEXT NOT NULL,
    task TEXT,
    data BLOB NOT NULL
)
"""
_INSERT = "INSERT INTO events (seq, at, actor, type, task, data) VALUES (?, ?, ?, ?, ?, ?)"
_PAGE = 500  # rows
_KNOWN = {kind.__struct_config__.tag for kind in EVENT_TYPES}
_NEWER = "install the newer fleet that wrote it; nothing in it was changed"
_RESTORE = "restore it from a copy, or set FLEET_HOME to another directory; it was not changed"
_WRITABLE = "see who owns it, and whether its disk can be written"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyEvent).decode


class Ledger:
    """The ledger of one fleet home, held by one process and used from one thread of it.

    While it is open nobody else can open it: a second reader would let its WAL grow without end.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, last: int) -> None:
        self._path = path
        self._connection = connection
        self._last = last

    @classmethod
    def open(cls, path: Path, *, upgrades: Upgrades = UPGRADES) -> Self:
        """Open the ledger at `path`; where nothing is there, make an empty one (mode 0600).

        A ledger of an older format is brought up to date, after a copy of it has been left
        beside it as `NAME.format-N`.

        Raises:
            HomeError: it is damaged, no ledger, written by a newer fleet, in use, or cannot be
                written; it is as it was, then.
        """
        with _refusals(path), ExitStack() as on_failure:
            if not os.path.lexists(path):
                _create(path, upgrades)
            connection = _connect(path)
            on_failure.callback(connection.close)
            found = _check(path, connection, newest=1 + len(upgrades))
            _begin_writing(path, connection)
            if todo := upgrades[found - 1 :]:
                _back_up(path, connection, found)
                _upgrade(connection, todo, found=found)
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
            on_failure.pop_all()
        return cls(path, connection, last)

    def append(self, events: Sequence[AnyEvent], *, at: datetime, actor: str) -> list[Entry]:
        """Record `events` as happened at `at`; they are on the disk, all of them, on return.

        The entries are what was recorded: names of files that are not UTF-8 are spelled in them.

        Raises:
            HomeError: the disk is full or fails. None of them is recorded, and the ledger can be
                used further.
        """
        when = at.astimezone(UTC)
        entries = [
            Entry(seq, when, actor, _storable(event))
            for seq, event in enumerate(events, self._last + 1)
        ]
        if entries:
            rows = [_row(entry) for entry in entries]
            with self.together():
                self._connection.executemany(_INSERT, rows)
                self._last = entries[-1].seq
        return entries

    @contextmanager
    def together(self) -> Iterator[None]:
        """Bring all that is appended inside to the disk at once: one wait for it instead of many.

        Raises:
            HomeError: the disk is full or fails. Nothing that was appended inside is recorded.
        """
        if self._connection.in_transaction:
            yield
            return
        before = self._last
        try:
            with _refusals(self._path), _transaction(self._connection):
                yield
        except BaseException:
            self._last = before
            raise

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Return what was recorded after the entry `after`, in order.

        A reader may take its time, and may append meanwhile: it then meets those entries, too.

        Raises:
            HomeError: an entry cannot be read; those before it have been given.
        """
        # Whole pages, as a query left open would hold back the WAL for as long as it is.
        while page := self._page(after):
            for row in page:
                yield _entry(self._path, row)
            after = page[-1][0]

    def close(self) -> None:
        """Let go of the file; a second time does nothing."""
        self._connection.close()

    def _page(self, after: int) -> list[tuple[int, str, str, bytes]]:
        with _refusals(self._path):
            return self._connection.execute(
                "SELECT seq, at, actor, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, _PAGE),
            ).fetchall()


def _storable(event: AnyEvent) -> AnyEvent:
    """Return an event that JSON can hold: an agent may give a file any name."""
    try:
        _encode(event)
    except UnicodeEncodeError:
        kept: AnyEvent = _decode(_encode(_spelled(msgspec.to_builtins(event))))
        return kept
    return event


def _spelled(value: Any) -> Any:
    match value:
        case str():
            return spelled(value)
        case list() | tuple():
            return [_spelled(item) for item in value]
        case dict():
            return {_spelled(key): _spelled(item) for key, item in value.items()}
        case _:
            return value


def _row(entry: Entry) -> tuple[int, str, str, str, str | None, bytes]:
    event = entry.event
    task = event.task if isinstance(event, TaskEvent) else None
    at = f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"
    return entry.seq, at, entry.actor, str(event.__struct_config__.tag), task, _encode(event)


def _entry(path: Path, row: tuple[int, str, str, bytes]) -> Entry:
    seq, at, actor, data = row
    try:
        return Entry(seq, datetime.fromisoformat(at), actor, _decode(data))
    except (ValueError, TypeError) as error:
        raise HomeError(f"{path}: entry {seq} cannot be read: {error}", hint=_RESTORE) from error


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: SQLite is never to make an empty ledger where one should be.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=0
    )
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _check(path: Path, connection: sqlite3.Connection, *, newest: int) -> int:
    """Return the ledger's format once everything about it is understood; nothing is written."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID or found < 1:
        raise HomeError(f"{path} is not a fleet ledger", hint=_RESTORE)
    if found > newest:
        raise HomeError(f"{path} has format {found}, this fleet knows {newest}", hint=_NEWER)
    (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    number, last = connection.execute("SELECT count(*), max(seq) FROM events").fetchone()
    if state != "ok" or number != (last or 0):
        raise HomeError(f"{path} is damaged", hint=_RESTORE)
    for (kind,) in connection.execute("SELECT DISTINCT type FROM events"):
        if kind not in _KNOWN:
            raise HomeError(f"{path} holds events unknown to this fleet: {kind}", hint=_NEWER)
    return int(found)


def _begin_writing(path: Path, connection: sqlite3.Connection) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise HomeError(f"{path}: its disk cannot hold a ledger", hint=_WRITABLE)
    connection.execute("PRAGMA synchronous = FULL")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the error that led here is the one to tell
                connection.execute("ROLLBACK")


def _create(path: Path, upgrades: Upgrades) -> None:
    rest = path.with_name(f"{path.name}-wal")
    if rest.exists():
        raise HomeError(f"{path} is gone, though {rest.name} is there", hint=_RESTORE)
    with _appearing(path) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(_SCHEMA)
        _upgrade(connection, upgrades, found=1)


def _upgrade(connection: sqlite3.Connection, todo: Upgrades, *, found: int) -> None:
    with _transaction(connection):
        for statements in todo:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {found + len(todo)}")


def _back_up(path: Path, connection: sqlite3.Connection, found: int) -> None:
    with _appearing(path.with_name(f"{path.name}.format-{found}")) as copy:
        connection.backup(copy)


@contextmanager
def _appearing(path: Path) -> Iterator[sqlite3.Connection]:
    """Give an empty database that is at `path` once the block has ended well: whole, on disk."""
    temporary = path.with_name(f".{path.name}.new")
    leavings = [temporary, *(temporary.with_name(f"{temporary.name}{end}") for end in _BESIDE)]
    for leaving in leavings:
        leaving.unlink(missing_ok=True)  # a crash may have left them
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            yield connection
        temporary.replace(path)
    finally:
        for leaving in leavings:
            leaving.unlink(missing_ok=True)
    _sync(path.parent)


_BESIDE = ("-journal", "-wal", "-shm")


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into words about the ledger."""
    try:
        yield
    except OSError as error:
        raise HomeError(f"cannot write {path}: {error.strerror}", hint=_WRITABLE) from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        message, hint = _SAYINGS.get(code, ("{} cannot be used", _WRITABLE))
        raise HomeError(f"{message.format(path)}: {error}", hint=hint) from error


_SAYINGS = {
    sqlite3.SQLITE_FULL: ("the disk that holds {} is full", "make room there, then try again"),
    sqlite3.SQLITE_NOTADB: ("{} is not a fleet ledger", _RESTORE),
    sqlite3.SQLITE_CORRUPT: ("{} is damaged", _RESTORE),
    sqlite3.SQLITE_BUSY: ("another program has {} open", "end that program, then try again"),
    sqlite3.SQLITE_READONLY: ("{} cannot be written", _WRITABLE),
    sqlite3.SQLITE_IOERR: ("{} cannot be read or written", _WRITABLE),
    sqlite3.SQLITE_CANTOPEN: ("{} cannot be opened", _WRITABLE),
}
