"""Lines of a pane, which have colours as SGR sequences, as segments: nothing else is obeyed."""

import re
from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from fleet.tui.cells import LONGEST, tidy

_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m")
_RGB, _INDEXED = 2, 5
_FLAGS = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    7: "reverse",
    9: "strike",
    21: "underline",
}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",), 29: ("strike",)}
# First code, first colour, and whether it is of the background.
_COLOURS = ((30, 0, False), (40, 0, True), (90, 8, False), (100, 8, True))
_EXTENDED = {38: "fore", 48: "back", 58: ""}


class Pen(Struct, frozen=True):
    """How a terminal would draw the next sign."""

    fore: Color | None = None
    back: Color | None = None
    flags: frozenset[str] = frozenset()


_PLAIN = Pen()


def segments(line: str) -> list[Segment]:
    """Return a line's pieces, each in its colours."""
    pen, found, begin = _PLAIN, [], 0
    line = line[: LONGEST * 4]
    for match in _SEQUENCE.finditer(line):
        if text := tidy(line[begin : match.start()]):
            found.append(Segment(text, style(pen)))
        pen = _written(pen, match[1])
        begin = match.end()
    if text := tidy(line[begin:]):
        found.append(Segment(text, style(pen)))
    return found


def bare(line: str) -> str:
    """Return a line's text."""
    return tidy(_SEQUENCE.sub("", line[: LONGEST * 4]))


@lru_cache(4096)
def style(pen: Pen) -> Style:
    """Return a pen as rich knows it."""
    flags: dict[str, bool] = dict.fromkeys(pen.flags, True)
    return Style(
        color=pen.fore,
        bgcolor=pen.back,
        bold=flags.get("bold"),
        dim=flags.get("dim"),
        italic=flags.get("italic"),
        underline=flags.get("underline"),
        reverse=flags.get("reverse"),
        strike=flags.get("strike"),
    )


@lru_cache(4096)
def _written(pen: Pen, codes: str) -> Pen:
    """Return the pen after one sequence."""
    numbers = iter(
        [_number(code) for code in codes.replace("::", ":").replace(":", ";").split(";")]
    )
    if ":" in codes and codes.startswith("4:"):
        return _switched(pen, 24 if codes == "4:0" else 4)  # how it is underlined is no matter
    for code in numbers:
        if code in _EXTENDED:
            pen = _coloured(pen, _EXTENDED[code], _extended(numbers))
        else:
            pen = _switched(pen, code)
    return pen


def _number(code: str) -> int:
    return int(code) if code and len(code) < 5 else 0  # noqa: PLR2004 (no code is longer)


def _switched(pen: Pen, code: int) -> Pen:
    if code == 0:
        return _PLAIN
    if code in _FLAGS:
        return replace(pen, flags=pen.flags | {_FLAGS[code]})
    if code in _OFF:
        return replace(pen, flags=pen.flags.difference(_OFF[code]))
    if code in (39, 49):
        return _coloured(pen, "fore" if code == 39 else "back", None)  # noqa: PLR2004 (SGR)
    for first, colour, of_back in _COLOURS:
        if first <= code < first + 8:
            ansi = Color.from_ansi(colour + code - first)
            return _coloured(pen, "back" if of_back else "fore", ansi)
    return pen


def _coloured(pen: Pen, where: str, colour: Color | None) -> Pen:
    return replace(pen, **{where: colour}) if where else pen


def _extended(numbers: Iterator[int]) -> Color | None:
    kind = next(numbers, 0)
    if kind == _INDEXED:
        return Color.from_ansi(min(next(numbers, 0), 255))
    if kind == _RGB:
        red, green, blue = (min(next(numbers, 0), 255) for _ in range(3))
        return Color.from_rgb(red, green, blue)
    return None
