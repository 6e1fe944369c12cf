"""The list of tasks as lines: columns that give way by importance, aligned over all sections."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, overload

from msgspec import Struct

from fleet.core.rows import LiveRow, QueueCheck
from fleet.core.spans import span
from fleet.tui.cells import Line, Span, pad, tidy, width
from fleet.tui.model import SECTIONS, Entry, Head

GAP = 2
_RED = ("failed", "empty", "timeout", "killed", "error")
_STATUS = {
    **dict.fromkeys(("landed", "approved", "landing", "ready"), "good"),
    **dict.fromkeys(("failed", "conflict", "gate-failed", "stalled"), "bad"),
    **dict.fromkeys(("waiting", "review", "returned", "unknown", "idle"), "wanted"),
    **dict.fromkeys(("working", "starting", "checking", "gating"), "busy"),
}


class Column(Struct, frozen=True):
    """A column: what it says of a task, how wide it may be, and how much it matters.

    Where there is no room, the column with the least `weight` goes first; `least` is how narrow it
    may become before that.
    """

    head: str
    cell: Callable[[LiveRow], Span]
    weight: int
    most: int
    least: int
    right: bool = False


def _status(live: LiveRow) -> Span:
    return Span(tidy(live.row.status), status_style(live))


def status_style(live: LiveRow) -> str:
    """Return how the status of a task looks: what needs nobody is calm."""
    word = live.row.status.partition(" ")[0].rstrip(":")
    style = _STATUS.get(word, "quiet")
    return "quiet" if live.section == "ended" and style == "good" else style


def _now(live: LiveRow) -> Span:
    if live.section == "needs" or (live.row.needs and live.section == "ended"):
        return Span(tidy(live.row.needs or ""), "" if live.section == "needs" else "quiet")
    doing = live.doing if live.section == "working" else ""
    doing = "" if live.row.waits else doing  # what it did before it waits
    said = doing or live.row.needs or live.row.waits or live.row.title
    return Span(tidy(said), "quiet" if not doing else "")


def _place(live: LiveRow) -> Span:
    return Span(f"#{live.position}" if live.position else "", "quiet")


def _changes(live: LiveRow) -> Span:
    row = live.row
    return Span(f"+{row.added} -{row.removed}" if row.added or row.removed else "", "quiet")


def checks(found: Sequence[QueueCheck]) -> Span:
    """Return the checks of a change in a few signs: how many are red, how many are green."""
    red = sum(it.state in _RED for it in found)
    green = sum(it.state in ("passed", "flaky") for it in found)
    if red:
        return Span(f"✗{red}", "bad")
    if found and green == len(found):
        return Span(f"✓{green}", "good")
    return Span(f"{green}/{len(found)}", "busy") if found else Span("")


def _conflicts(live: LiveRow) -> Span:
    return Span(f"≠{len(live.conflicts)}" if live.conflicts else "", "bad")


def _cost(live: LiveRow) -> Span:
    return Span(f"${live.row.cost_usd:.2f}" if live.row.cost_usd else "", "quiet")


def _context(live: LiveRow) -> Span:
    if live.context is None:
        return Span("")
    return Span(f"{live.context:.0%}", "wanted" if live.context >= 0.8 else "quiet")  # noqa: PLR2004 (compaction is near)


COLUMNS = (
    Column("task", lambda live: Span(tidy(live.row.task), "strong"), 99, 28, 10),
    Column("agent", lambda live: Span(tidy(live.row.agent or ""), "quiet"), 40, 12, 6),
    Column("status", _status, 90, 11, 8),
    Column("age", lambda _: Span(" " * 4, "quiet"), 80, 4, 4, right=True),
    Column("now", _now, 95, 400, 20),
    Column("#", _place, 30, 5, 2, right=True),
    Column("±", _changes, 70, 12, 5, right=True),
    Column("✓", lambda live: checks(live.checks), 60, 6, 2, right=True),
    Column("≠", _conflicts, 50, 4, 2, right=True),
    Column("cost", _cost, 45, 8, 5, right=True),
    Column("ctx", _context, 42, 4, 2, right=True),
)
_HEADS = [column.head for column in COLUMNS]
_NAME, _AGE, _WIDE = (_HEADS.index(head) for head in ("task", "age", "now"))
_BY_WEIGHT = sorted(range(len(COLUMNS)), key=lambda place: COLUMNS[place].weight)
Widths = tuple[int, ...]


class _Cells(Struct, frozen=True):
    """What is said of one task, whatever room there is; it holds as long as `live` is the same."""

    live: LiveRow
    spans: tuple[Span, ...]
    widths: Widths


class _Drawn(NamedTuple):
    """A line that was made, and of what."""

    cells: _Cells
    age: str
    selected: bool
    widths: Widths
    line: Line


class Rows(Sequence[Line]):
    """The lines of a list, each made when it is first looked at: most are never in view."""

    def __init__(self, entries: Sequence[Entry], make: Callable[[Entry], Line]) -> None:
        self._entries, self._make = entries, make
        self._made: dict[int, Line] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Line]: ...
    def __getitem__(self, place: int | slice) -> Line | Sequence[Line]:
        """Return a line, or some."""
        if isinstance(place, slice):
            return [self[it] for it in range(*place.indices(len(self)))]
        line = self._made.get(place)
        if line is None:
            line = self._made[place] = self._make(self._entries[place])
        return line


class Table:
    """Makes the lines of a list, and only those anew that have changed since the last time."""

    def __init__(self) -> None:
        self._cells: dict[str, _Cells] = {}
        self._drawn: dict[str, _Drawn] = {}
        self._entries: Sequence[Entry] = ()
        self._columns = 0
        self.widths: Widths = ()

    def lines(
        self, entries: Sequence[Entry], now: datetime, columns: int, selected: str | None
    ) -> Rows:
        """Return a line for each entry, `columns` wide."""
        if self._entries is not entries or self._columns != columns:
            self._fit(entries, columns)
        known, sizes = self._cells, self.widths

        def make(entry: Entry) -> Line:
            if isinstance(entry, Head):
                return head(entry)
            return self._line(known[entry.row.task], now, sizes, selected)

        return Rows(entries, make)

    def _fit(self, entries: Sequence[Entry], columns: int) -> None:
        self._entries, self._columns = entries, columns
        lives = [entry for entry in entries if isinstance(entry, LiveRow)]
        known = self._cells = {live.row.task: self._of(live) for live in lives}
        self.widths = widths([it.widths for it in known.values()], columns)
        self._drawn = {task: it for task, it in self._drawn.items() if task in known}

    def _of(self, live: LiveRow) -> _Cells:
        known = self._cells.get(live.row.task)
        if known is not None and known.live is live:
            return known
        spans = tuple(column.cell(live) for column in COLUMNS)
        return _Cells(live, spans, tuple(width(span.text) for span in spans))

    def _line(self, cells: _Cells, now: datetime, sizes: Widths, selected: str | None) -> Line:
        task = cells.live.row.task
        old, marked, drawn = age(cells.live, now), task == selected, self._drawn.get(task)
        if drawn is None or drawn.cells is not cells or drawn[1:4] != (old, marked, sizes):
            line = row(cells.spans, old, sizes, selected=marked)
            drawn = self._drawn[task] = _Drawn(cells, old, marked, sizes, line)
        return drawn.line


def age(live: LiveRow, now: datetime) -> str:
    """Return how long a task has had its status."""
    return span((now - live.since).total_seconds())


def widths(found: Sequence[Widths], columns: int) -> Widths:
    """Return how wide each column is; 0 where nothing is in it, or where it had to give way."""
    wanted = []
    for column, sizes in zip(COLUMNS, zip(*found, strict=True), strict=False):
        most = min(max(sizes), column.most)
        wanted.append(max(most, len(column.head)) if most else 0)
    if not wanted:
        return (0,) * len(COLUMNS)
    wanted[_WIDE] = COLUMNS[_WIDE].least
    return _given_way(wanted, columns - 2)


def _given_way(wanted: list[int], room: int) -> Widths:
    for place in _BY_WEIGHT:
        over = _taken(wanted) - room
        if over <= 0:
            break
        if place in (_NAME, _WIDE):
            wanted[place] = max(wanted[place] - over, COLUMNS[place].least)
        else:
            wanted[place] = 0
    wanted[_WIDE] += max(room - _taken(wanted), 0)
    return tuple(wanted)


def _taken(wanted: Sequence[int]) -> int:
    return sum(want + GAP for want in wanted if want) - GAP


def heading(sizes: Widths) -> Line:
    """Return the heads of the columns."""
    return _joined([Span(column.head, "quiet") for column in COLUMNS], sizes, Span("  "))


def row(cells: Sequence[Span], age: str, sizes: Widths, *, selected: bool) -> Line:
    """Return one task."""
    aged = [*cells[:_AGE], Span(age, "quiet"), *cells[_AGE + 1 :]]
    return _joined(aged, sizes, Span("▌ ", "mark") if selected else Span("  "))


def head(entry: Head) -> Line:
    """Return the head of a section."""
    style = "wanted" if entry.section == "needs" else "title"
    return (Span(f"  {SECTIONS[entry.section]}", style), Span(f"  {entry.count}", "quiet"))


def _joined(cells: Sequence[Span], sizes: Widths, mark: Span) -> Line:
    line = [mark]
    for column, size, cell in zip(COLUMNS, sizes, cells, strict=True):
        if size:
            gap = " " * GAP if len(line) > 1 else ""
            line.append(Span(gap + pad(cell.text, size, right=column.right), cell.style))
    return tuple(line)
