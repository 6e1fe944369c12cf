"""The merge queue as lines: what lands next, what each waits for, and one change in full."""

from collections.abc import Callable, Sequence
from pathlib import PurePath

from msgspec import Struct

from fleet.core.pulls import PullCheck
from fleet.core.rows import QueueCheck, QueueRow
from fleet.core.verdicts import sentence
from fleet.tui.cells import Line, Span, cropped, pad, tidy, width, wrapped
from fleet.tui.model import Model
from fleet.tui.views import conflicts
from fleet.tui.views.review import RISKS, SHORT, sign
from fleet.tui.views.table import checks

GAP = 2
_LEAST = 18  # columns for what a change waits for
_INDENT = "   "
_STATES = {
    **dict.fromkeys(("gate-failed", "conflict"), "bad"),
    "ready": "good",
    "landing": "good",
    **dict.fromkeys(("gating", "proposed"), "busy"),
}


_THERE = {"passed": ("✓", "good"), "failed": ("✗", "bad"), "pending": ("…", "busy")}


class Head(Struct, frozen=True):
    """The head of one queue, where there are several."""

    text: str
    count: int


Entry = Head | QueueRow


class Column(Struct, frozen=True):
    """A column; where there is no room, the one with the least `weight` goes first."""

    head: str
    cell: Callable[[QueueRow], Span]
    weight: int
    most: int
    right: bool = False


def waits(row: QueueRow) -> Span:
    """Return what a change waits for, or what is wrong with it."""
    if row.conflicts:
        return Span(f"conflicts: {', '.join(map(tidy, row.conflicts))}", "bad")
    text = tidy(row.waits_for or "")
    if with_ := conflicts.phrase(row):
        return Span(f"{text}; {with_}" if text else with_, "wanted")
    return Span(text, "wanted" if text.startswith(("review", "a review")) else "quiet")


def _lines(row: QueueRow) -> Span:
    return Span(f"+{row.added} -{row.removed}", "quiet")


def _approval(row: QueueRow) -> Span:
    return Span(tidy(row.approved_by or "nobody"), "good" if row.approved_by else "wanted")


def _risk(row: QueueRow) -> Span:
    return Span(row.risk or "…", RISKS.get(row.risk or "", "quiet"))


def _task(row: QueueRow) -> Span:
    """Return its name, below which those stand that were made on it."""
    mark = "└ " if row.parent else ""
    return Span(f"{mark}{tidy(row.task)}", "strong")


COLUMNS = (
    Column("#", lambda row: Span(str(row.position), "quiet"), 99, 3, right=True),
    Column("task", _task, 98, 24),
    Column("state", lambda row: Span(tidy(row.state), _STATES.get(row.state, "")), 90, 11),
    Column("risk", _risk, 85, 6),
    Column("target", lambda row: Span(tidy(row.target), "quiet"), 20, 14),
    Column("lines", _lines, 60, 12, right=True),
    Column("checks", lambda row: checks(row.checks), 70, 6, right=True),
    Column("approved by", _approval, 80, 12),
)


def entries(model: Model) -> tuple[Entry, ...]:
    """Return the changes in landing order, below the head of their queue if there are several."""
    groups: dict[tuple[str, str], list[QueueRow]] = {}
    for row in model.queue:
        groups.setdefault((row.repo, row.target), []).append(row)
    if len(groups) < 2:  # noqa: PLR2004 (one queue needs no head)
        return model.queue
    listed: list[Entry] = []
    for (_, target), rows in groups.items():
        live = model.tasks.get(rows[0].task)
        place = PurePath(live.row.repo).name if live else rows[0].repo
        listed += [Head(f"{tidy(place)} → {tidy(target)}", len(rows)), *rows]
    return tuple(listed)


def widths(rows: Sequence[QueueRow], columns: int) -> tuple[int, ...]:
    """Return how wide each column is; 0 where it has to give way to what changes wait for."""
    wanted = [
        max(min(max((width(it.cell(row).text) for row in rows), default=0), it.most), len(it.head))
        for it in COLUMNS
    ]
    room = columns - 2 - _LEAST
    for place in sorted(range(len(COLUMNS)), key=lambda at: COLUMNS[at].weight):
        if sum(size + GAP for size in wanted if size) <= room:
            break
        wanted[place] = 0
    return tuple(wanted)


def heading(sizes: tuple[int, ...], columns: int) -> Line:
    """Return the heads of the columns."""
    cells = [Span(it.head, "quiet") for it in COLUMNS]
    return _joined(cells, Span("waits for", "quiet"), sizes, columns, Span("  "))


def line(row: QueueRow, sizes: tuple[int, ...], columns: int, *, selected: bool) -> Line:
    """Return one change."""
    mark = Span("▌ ", "mark") if selected else Span("  ")
    return _joined([it.cell(row) for it in COLUMNS], waits(row), sizes, columns, mark)


def head(entry: Head) -> Line:
    """Return the head of one queue."""
    return (Span(f"  {entry.text}", "title"), Span(f"  {entry.count}", "quiet"))


def _joined(
    cells: Sequence[Span], last: Span, sizes: tuple[int, ...], columns: int, mark: Span
) -> Line:
    spans = [mark]
    for column, size, cell in zip(COLUMNS, sizes, cells, strict=True):
        if size:
            shown = pad(cell.text, size, right=column.right)
            spans.append(Span(shown + " " * GAP, cell.style))
    return cropped((*spans, last), columns)


def rule(row: QueueRow | None, columns: int) -> Line:
    """Return the line that parts the list from the change that is selected."""
    name = (Span("── ", "rule"), Span(f"{tidy(row.task)} ", "strong")) if row else ()
    title = (Span(f" {tidy(row.title)} ", "quiet"),) if row else ()
    left = cropped((*name, *title), columns - 2)
    return (*left, Span("─" * (columns - sum(width(it.text) for it in left)), "rule"))


def details(row: QueueRow, columns: int) -> list[Line]:
    """Return all that is known of one change."""
    said = f"{tidy(row.head)[:SHORT]} → {tidy(row.target)}   +{row.added} -{row.removed}"
    approval = f"approved by {tidy(row.approved_by)}" if row.approved_by else "not approved"
    lines: list[Line] = [
        (Span(_INDENT), Span(tidy(row.state), _STATES.get(row.state, "")),
         Span(f"   {said}   ", "quiet"), Span(approval, "good" if row.approved_by else "wanted")),
    ]  # fmt: skip
    room = columns - len(_INDENT)
    if row.priority != "normal":
        lines += _text(f"priority: {tidy(row.priority)}", "", room)
    if row.stack:
        lines += _text(f"stack: {' → '.join(map(tidy, row.stack))}", "", room)
    if row.waits_for:
        lines += _text(f"waits for {tidy(row.waits_for)}", "", room)
    if row.pr:
        lines += _text(tidy(row.pr.url), "quiet", room)
        lines += [_asked(it) for it in row.pr.checks]
    if row.policy:
        lines += _text(tidy(sentence(row.policy)), "quiet", room)
    if row.unanswered:
        noun = "comment is" if row.unanswered == 1 else "comments are"
        lines += _text(f"{row.unanswered} {noun} unanswered", "wanted", room)
    lines += [_check(it) for it in row.checks] or _text("no check has run on it", "quiet", room)
    if row.conflicts:
        lines += _text("conflicts with what landed meanwhile:", "bad", room)
        lines += [(Span(f"{_INDENT}  {tidy(file)}", "bad"),) for file in row.conflicts]
    lines += conflicts.lines(row, columns)
    return [cropped(it, columns) for it in lines]


def _text(text: str, style: str, room: int) -> list[Line]:
    return [(Span(_INDENT + it, style),) for it in wrapped(text, room)]


def _asked(check: PullCheck) -> Line:
    """Return what a check of the forge says, with where to read more if it failed."""
    mark, style = _THERE.get(check.state, ("·", "quiet"))
    more = f"  {tidy(check.url)}" if check.state == "failed" and check.url else ""
    text = f"{tidy(check.name)}  {check.state} there{more}"
    return (Span(f"{_INDENT}{mark} ", style), Span(text, "" if style == "bad" else "quiet"))


def _check(check: QueueCheck) -> Line:
    mark, style = sign(check.state)
    spent = f"  {check.seconds:.1f}s" if check.seconds else ""
    text = f"{tidy(check.name)}  {tidy(check.state)}{spent}"
    return (Span(f"{_INDENT}{mark} ", style), Span(text, "" if style == "bad" else "quiet"))
