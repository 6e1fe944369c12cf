"""The list of tasks as lines: columns that give way by importance, aligned over all sections."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from fleet.core.rows import LiveRow, QueueCheck
from fleet.core.text import span
from fleet.tui.cells import Line, Span, pad, tidy, width
from fleet.tui.model import SECTIONS, Entry, Head

GAP = 2
_RED = ("failed", "timeout", "killed", "error")
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
    cell: Callable[[LiveRow, datetime], Span]
    weight: int
    most: int
    least: int
    right: bool = False


def _status(live: LiveRow, _: datetime) -> Span:
    return Span(tidy(live.row.status), status_style(live))


def status_style(live: LiveRow) -> str:
    """Return how the status of a task looks: what needs nobody is calm."""
    word = live.row.status.partition(" ")[0].rstrip(":")
    style = _STATUS.get(word, "quiet")
    return "quiet" if live.section == "ended" and style == "good" else style


def _now(live: LiveRow, _: datetime) -> Span:
    if live.section == "needs" or (live.row.needs and live.section == "ended"):
        return Span(tidy(live.row.needs or ""), "" if live.section == "needs" else "quiet")
    doing = live.doing if live.section == "working" else ""
    return Span(tidy(doing or live.row.needs or live.row.title), "quiet" if not doing else "")


def _place(live: LiveRow, _: datetime) -> Span:
    return Span(f"#{live.position}" if live.position else "", "quiet")


def _changes(live: LiveRow, _: datetime) -> Span:
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


def _conflicts(live: LiveRow, _: datetime) -> Span:
    return Span(f"≠{len(live.conflicts)}" if live.conflicts else "", "bad")


def _cost(live: LiveRow, _: datetime) -> Span:
    return Span(f"${live.row.cost_usd:.2f}" if live.row.cost_usd else "", "quiet")


def _context(live: LiveRow, _: datetime) -> Span:
    if live.context is None:
        return Span("")
    return Span(f"{live.context:.0%}", "wanted" if live.context >= 0.8 else "quiet")  # noqa: PLR2004 (compaction is near)


COLUMNS = (
    Column("task", lambda live, _: Span(tidy(live.row.task), "strong"), 99, 28, 10),
    Column("agent", lambda live, _: Span(tidy(live.row.agent or ""), "quiet"), 40, 12, 6),
    Column("status", _status, 90, 11, 8),
    Column("age", lambda live, now: Span(age(live, now), "quiet"), 80, 4, 3, right=True),
    Column("now", _now, 95, 400, 20),
    Column("queue", _place, 30, 5, 2, right=True),
    Column("lines", _changes, 70, 12, 5, right=True),
    Column("checks", lambda live, _: checks(live.checks), 60, 6, 2, right=True),
    Column("conf", _conflicts, 50, 4, 2, right=True),
    Column("cost", _cost, 45, 8, 5, right=True),
    Column("ctx", _context, 42, 4, 2, right=True),
)
_WIDE = next(place for place, column in enumerate(COLUMNS) if column.head == "now")


def age(live: LiveRow, now: datetime) -> str:
    """Return how long a task has had its status."""
    return span((now - live.since).total_seconds())


Widths = tuple[int, ...]


def widths(entries: Sequence[Entry], now: datetime, columns: int) -> Widths:
    """Return how wide each column is; 0 where nothing is in it, or it had to give way."""
    lives = [entry for entry in entries if isinstance(entry, LiveRow)]
    wanted = [
        min(max((width(column.cell(live, now).text) for live in lives), default=0), column.most)
        for column in COLUMNS
    ]
    wanted[_WIDE] = COLUMNS[_WIDE].least
    headed = [
        max(want, len(it.head)) if want else 0 for it, want in zip(COLUMNS, wanted, strict=True)
    ]
    return _given_way(headed, columns - 2)


def _given_way(wanted: list[int], room: int) -> Widths:
    for place in sorted(range(len(COLUMNS)), key=lambda place: COLUMNS[place].weight):
        if _over(wanted) <= room:
            break
        over = _over(wanted) - room
        narrow = max(wanted[place] - over, COLUMNS[place].least)
        if wanted[place]:
            wanted[place] = narrow if place in (0, _WIDE) and narrow < wanted[place] else 0
    wanted[_WIDE] += max(room - _over(wanted), 0)
    return tuple(wanted)


def _over(wanted: Sequence[int]) -> int:
    return sum(want + GAP for want in wanted if want) - GAP


def heading(sizes: Widths) -> Line:
    """Return the heads of the columns."""
    return _joined([Span(column.head, "quiet") for column in COLUMNS], sizes, Span("  "))


def row(live: LiveRow, sizes: Widths, now: datetime, *, selected: bool) -> Line:
    """Return one task."""
    mark = Span("▌ ", "mark") if selected else Span("  ")
    return _joined([column.cell(live, now) for column in COLUMNS], sizes, mark)


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
