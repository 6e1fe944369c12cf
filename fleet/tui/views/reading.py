"""Long texts as lines: only what is in view is made, however long the text or one line of it is."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, overload

from msgspec import Struct
from rich.cells import cell_len

from fleet.tui.cells import Line, Span, length, pad, width

TAB = 4
_LONG = 1000  # signs of a line in which nobody looks for what differs
_MARKS = 2  # combining signs on one letter; more of them reach into the lines around
_LIKE_ENOUGH = 0.3  # share of a line that must be the same for the rest to be shown as changed


class Row(NamedTuple):
    """One line as it was written. `lead` and `sign` stay where they are while `text` is moved."""

    text: str
    style: str = ""
    lead: str = ""
    sign: str = ""


class Section(NamedTuple):
    """Something that a reader goes to: a file, a check. `row` is its first line."""

    row: int
    label: str
    note: Line = ()


class Document(Struct, frozen=True):
    """A text that is read. `stops` are rows that a reader goes to within sections.

    `twins` has for each of two rows, of which one replaces the other, that other one: what differs
    between them is marked.
    `indexed` says that its sections are worth a list beside the text.
    """

    rows: Sequence[Row] = ()
    sections: tuple[Section, ...] = ()
    stops: tuple[int, ...] = ()
    twins: dict[int, int] = {}
    indexed: bool = True


def visible(text: str) -> str:
    """Return `text` with blanks for tabs, and with a sign for whatever no terminal would show.

    What reorders or hides text is shown for what it is: a reader must see what a compiler sees.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    column = marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me", "Mc") else 0
        if marks > _MARKS or "\ufe00" <= sign <= "\ufe0f":
            continue
        piece = " " * (TAB - column % TAB) if sign == "\t" else _shown(sign)
        shown.append(piece)
        column += width(piece)
    return "".join(shown)


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    code = ord(sign)
    if code < 0x20:  # noqa: PLR2004 (the control characters, which have pictures)
        return chr(0x2400 + code)
    return "␡" if sign == "\x7f" else f"⟨{code:x}⟩"


def pattern(needle: str) -> re.Pattern[str]:
    """Return what finds `needle`, in whatever letters it is written."""
    return re.compile(re.escape(needle), re.IGNORECASE)


def found(document: Document, needle: str) -> list[int]:
    """Return the rows in which `needle` stands."""
    if not needle:
        return []
    search = pattern(needle).search
    return [place for place, row in enumerate(document.rows) if search(row.text)]


def after(places: Sequence[int], row: int) -> int | None:
    """Return the first of `places` behind `row`, or None where there is none."""
    return next((place for place in places if place > row), None)


def before(places: Sequence[int], row: int) -> int | None:
    """Return the last of `places` ahead of `row`, or None where there is none."""
    return next((place for place in reversed(places) if place < row), None)


def section_at(document: Document, row: int) -> int | None:
    """Return which section `row` is in."""
    return next((n for n in range(len(document.sections) - 1, -1, -1)
                 if document.sections[n].row <= row), None)  # fmt: skip


class Page(Sequence[Line]):
    """A document as lines of so many `columns`, moved `left` by so many, with `needle` marked."""

    def __init__(
        self, document: Document, columns: int, *, left: int = 0, needle: str = ""
    ) -> None:
        self._document, self._columns, self._left = document, columns, left
        self._needle = pattern(needle) if needle else None

    def __len__(self) -> int:
        return len(self._document.rows)

    @overload
    def __getitem__(self, place: int) -> Line: ...
    @overload
    def __getitem__(self, place: slice) -> list[Line]: ...
    def __getitem__(self, place: int | slice) -> Line | list[Line]:
        if isinstance(place, slice):
            return [self._line(at) for at in range(*place.indices(len(self)))]
        return self._line(place)

    def _line(self, place: int) -> Line:
        row = self._document.rows[place]
        lead = (Span(row.lead, "quiet"), Span(row.sign, row.style))
        room = self._columns - length(lead)
        text = visible(row.text[: self._reach(room)])
        if row.style == "file":
            text = f" {pad(text, room - 1)}"  # the bar of a file is as wide as the screen
        return (*lead, *window(self._marked(place, row, text), self._left, room))

    def _reach(self, room: int) -> int:
        """Return how many signs are looked at, for some of them take no room."""
        return self._left + 2 * max(room, 1)

    def _marked(self, place: int, row: Row, text: str) -> Line:
        marks: list[tuple[int, int, str]] = []
        twin = self._document.twins.get(place)
        if twin is not None and len(row.text) < _LONG:
            other = visible(self._document.rows[twin].text[:_LONG])
            marks += _changed(visible(row.text), other, f"{row.style}-word")
        if self._needle is not None:
            marks += [(*it.span(), "found") for it in self._needle.finditer(text)]
        return _pieces(text, row.style, marks)


def _changed(text: str, other: str, style: str) -> list[tuple[int, int, str]]:
    """Return which part of `text` is another one in `other`, where enough of both is the same."""
    shorter = min(len(text), len(other))
    head = next((at for at in range(shorter) if text[at] != other[at]), shorter)
    tail = next(
        (at for at in range(shorter - head) if text[-1 - at] != other[-1 - at]), shorter - head
    )
    same = len(text[:head].strip()) + len(text[len(text) - tail :].strip())
    if same < _LIKE_ENOUGH * len(text.strip()) or head + tail >= len(text):
        return []
    return [(head, len(text) - tail, style)]


def _pieces(text: str, style: str, marks: Sequence[tuple[int, int, str]]) -> Line:
    """Return `text` in one style, with `marks` in theirs; the later ones lie on top."""
    if not marks:
        return (Span(text, style),)
    edges = sorted({0, len(text), *(at for start, end, _ in marks for at in (start, end))})
    spans = []
    for start, end in pairwise(edges):
        over = [name for first, last, name in marks if first <= start and end <= last]
        spans.append(Span(text[start:end], " ".join([style, *over]).strip()))
    return tuple(spans)


def window(line: Line, left: int, columns: int) -> Line:
    """Return the part of a line that is seen where `left` columns of it are out of view."""
    seen: list[Span] = []
    skip = left
    for span in line:
        text, skip = _without(span.text, skip)
        seen.append(Span(text, span.style))
    if length(seen) <= columns:
        return tuple(seen)
    return (*_beginning(seen, columns - 1), Span("…", "quiet")) if columns > 0 else ()


def _beginning(line: Iterable[Span], columns: int) -> list[Span]:
    kept, room = [], columns
    for span in line:
        text = _head(span.text, room)
        kept.append(Span(text, span.style))
        room -= width(text)
        if text != span.text:
            break
    return kept


def _without(text: str, columns: int) -> tuple[str, int]:
    """Return `text` without its first `columns`, and how many of them are still to be left out."""
    if columns <= 0 or text.isascii():
        return text[max(columns, 0) :], max(columns - len(text), 0)
    for place, sign in enumerate(text):
        if columns <= 0:
            return " " * -columns + text[place:], 0  # half of a wide sign is a blank
        columns -= cell_len(sign)
    return " " * max(-columns, 0), max(columns, 0)


def _head(text: str, columns: int) -> str:
    room = columns
    for place, sign in enumerate(text):
        room -= width(sign)
        if room < 0:
            return text[:place]
    return text
