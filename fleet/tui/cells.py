"""Lines as values: styled pieces of text that take exactly the room they are given.

`tidy` is the one door through which text of agents, branches and files comes onto the screen.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from rich.cells import cell_len

from fleet.core.terminal import clean

LONGEST = 2000  # signs of one line that are looked at: no screen is wider
_MARKS = 2  # combining signs on one letter; more of them reach into the lines around
_ELLIPSIS = "…"
# They change how wide signs are, which terminals do not agree about, or are letters without a form:
# joiner, variation selectors, tones of skin, fillers.
_UNSURE = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\u115f\u1160\u3164\uffa0]")


class Span(NamedTuple):
    """A piece of a line. `style` has the names of `widgets.STYLES`, parted by blanks."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def tidy(text: str) -> str:
    """Return the beginning of `text` as one line that no terminal obeys or draws out of place."""
    text = text[:LONGEST]
    if text.isascii() and text.isprintable():
        return text
    kept, marks = [], 0
    for sign in clean(text):
        if _UNSURE.match(sign):
            continue
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me", "Mc") else 0
        if marks <= _MARKS:
            kept.append(sign)
    return "".join(kept)


def width(text: str) -> int:
    """Return how many columns tidy `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, columns: int) -> str:
    """Return tidy `text`, cut where it is wider than `columns`, and marked as cut."""
    if width(text) <= columns:
        return text
    if columns < 1:
        return ""
    return cut(text, columns - 1).rstrip() + _ELLIPSIS


def cut(text: str, columns: int) -> str:
    """Return as much of tidy `text` as `columns` have room for."""
    if text.isascii():
        return text[: max(columns, 0)]
    room = columns
    for place, sign in enumerate(text):
        room -= cell_len(sign)
        if room < 0:
            return text[:place]
    return text


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Return tidy `text` cut or filled up to exactly `columns`, at its right end if `right`."""
    shown = fit(text, columns)
    blanks = " " * (columns - width(shown))
    return blanks + shown if right else shown + blanks


def length(line: Iterable[Span]) -> int:
    """Return how many columns a line takes."""
    return sum(width(span.text) for span in line)


def cropped(line: Line, columns: int) -> Line:
    """Return `line` cut where it is wider than `columns`, and marked as cut."""
    if length(line) <= columns:
        return line
    kept, room = [], columns
    for span in line:
        shown = fit(span.text, room)
        kept.append(Span(shown, span.style))
        room -= width(shown)
        if shown != span.text or room <= 0:
            break
    return tuple(kept)


def spread(left: Line, right: Line, columns: int) -> Line:
    """Return one line with `left` at its left end and `right`, where there is room, at its right.

    What is on the left is cut before what is on the right, unless nothing would be left of it.
    """
    taken = length(right)
    if taken > columns // 2:
        return cropped(left, columns)
    left = cropped(left, columns - taken - 1)
    return (*left, Span(" " * (columns - taken - length(left))), *right)


def wrapped(text: str, columns: int) -> list[str]:
    """Return `text` with its own lines, each tidy and broken at blanks where it is too wide."""
    lines: list[str] = []
    for raw in text[: LONGEST * 20].splitlines():
        lines += _broken(tidy(raw).rstrip(), max(columns, 2))
    return lines


def _broken(text: str, columns: int) -> list[str]:
    lines = []
    while width(text) > columns:
        head = cut(text, columns)
        blank = head.rfind(" ")
        place = blank if blank > columns // 3 else len(head)
        lines.append(text[:place].rstrip())
        text = text[place:].lstrip()
    return [*lines, text]
