"""Conflicts between open branches as words and lines: beside a task, and all of them as a list."""

from collections.abc import Sequence

from msgspec import Struct

from fleet.core.rows import LiveRow, QueueRow
from fleet.core.spans import span
from fleet.tui.cells import Line, Span, cropped, pad, tidy, width, wrapped
from fleet.tui.model import Model

SIGN = "≠"
_INDENT = "   "
_NAME = 28


class Clash(Struct, frozen=True):
    """One line of the list: two tasks, or one and its target (then there is no `other`)."""

    task: str
    other: str | None
    target: str
    files: tuple[str, ...]
    age_s: float | None = None


class Head(Struct, frozen=True):
    """The head of a part of the list."""

    text: str
    count: int


Entry = Head | Clash


def sign(live: LiveRow) -> Span:
    """Return with what a task's branch conflicts, in a sign and a word."""
    row, others = live.row, live.row.conflicts_with
    if live.conflicts or row.stale:
        return Span(f"{SIGN} {tidy(row.target)}", "bad")
    if not others:
        return Span("")
    whom = tidy(others[0].task) if len(others) == 1 else f"{len(others)} tasks"
    return Span(f"{SIGN} {whom}", "wanted")


def lines(live: LiveRow | QueueRow, columns: int) -> list[Line]:
    """Return with whom a task conflicts, and in which files."""
    row = live.row if isinstance(live, LiveRow) else live
    said = [
        f"{SIGN} conflicts with {tidy(it.task)} in: {_files(it.files)}" for it in row.conflicts_with
    ]
    if isinstance(live, LiveRow) and live.row.stale and not live.conflicts:
        files = _files(live.row.stale)
        said.insert(0, f"{SIGN} stale: conflicts with {tidy(live.row.target)} in: {files}")
    room = columns - len(_INDENT)
    return [(Span(_INDENT + it, "wanted"),) for text in said for it in wrapped(text, room)]


def phrase(row: QueueRow) -> str:
    """Return with whom a change conflicts, in a few words; empty where with nobody."""
    names = [tidy(it.task) for it in row.conflicts_with]
    return f"{SIGN} conflicts with {', '.join(names)}" if names else ""


def _files(files: Sequence[str]) -> str:
    return "  ".join(map(tidy, files))


def entries(model: Model) -> tuple[Entry, ...]:
    """Return all conflicts, each pair once: those of most tasks come first, then what is stale."""
    lives = model.tasks
    pairs = [
        Clash(name, it.task, live.row.target, it.files, _age(model, it.since))
        for name, live in sorted(lives.items())
        for it in live.row.conflicts_with
        if name < it.task or it.task not in lives
    ]
    degree = {name: len(live.row.conflicts_with) for name, live in lives.items()}
    pairs.sort(key=lambda it: -max(degree.get(it.task, 0), degree.get(it.other or "", 0)))
    stale = [
        Clash(name, None, live.row.target, live.row.stale)
        for name, live in sorted(lives.items())
        if live.row.stale
    ]
    found: list[Entry] = []
    for text, those in (("with each other", pairs), ("stale: with their target", stale)):
        found += [Head(text, len(those)), *those] if those else []
    return tuple(found)


def _age(model: Model, since: object) -> float | None:
    at = model.at
    return (at - since).total_seconds() if at and isinstance(since, type(at)) else None


def head(entry: Head) -> Line:
    """Return the head of one part of the list."""
    return (Span(f"  {entry.text}", "title"), Span(f"  {entry.count}", "quiet"))


def width_of(found: Sequence[Clash]) -> int:
    """Return how wide the names of tasks are."""
    names = [name for it in found for name in (it.task, it.other or it.target)]
    return min(max(map(width, map(tidy, names)), default=0), _NAME)


def line(clash: Clash, wide: int, columns: int, *, side: str | None) -> Line:
    """Return one conflict; `side` is the task that is selected, if it is one of these."""
    one, other = (pad(tidy(name), wide) for name in (clash.task, clash.other or clash.target))
    age = span(clash.age_s) if clash.age_s is not None else ""
    spans = (
        Span("▌ ", "mark") if side else Span("  "),
        Span(one, "strong" if side in (None, clash.task) else "quiet"),
        Span(f"  {SIGN}  ", "bad"),
        Span(other, "strong" if side in (None, clash.other) and clash.other else "quiet"),
        Span(f"  {age:>4}  ", "quiet"),
        Span(_files(clash.files), ""),
    )
    return cropped(spans, columns)


def details(clash: Clash, model: Model, columns: int) -> list[Line]:
    """Return both tasks with what they are for, and the files, one a line."""
    found: list[Line] = []
    for name in filter(None, (clash.task, clash.other)):
        live = model.tasks.get(name)
        title = tidy(live.row.title) if live else ""
        found.append((Span(f"{_INDENT}{tidy(name)}", "strong"), Span(f"  {title}", "quiet")))
    found += [(Span(f"{_INDENT}{SIGN} {tidy(file)}", "bad"),) for file in clash.files]
    return [cropped(it, columns) for it in found]
