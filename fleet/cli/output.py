"""Writes data to stdout and talk to stderr, each in the form that fits its reader."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from fleet.cli.text import fit, pad, width
from fleet.core.terminal import clean

Colour = Literal["auto", "always", "never"]
Style = Literal["good", "bad", "wanted", "busy", "quiet", "strong", "plain"]
_CODES: dict[Style, str] = {
    "good": "32",
    "bad": "31",
    "wanted": "1;33",
    "busy": "36",
    "quiet": "2",
    "strong": "1",
    "plain": "",
}
_STATUS: dict[str, Style] = {
    **dict.fromkeys(("landed", "approved", "landing", "ready", "passed"), "good"),
    **dict.fromkeys(("failed", "conflict", "gate-failed", "stalled", "timeout", "killed"), "bad"),
    "empty": "bad",
    **dict.fromkeys(("waiting", "review", "returned", "unknown", "flaky"), "wanted"),
    **dict.fromkeys(("working", "starting", "checking", "gating"), "busy"),
    **dict.fromkeys(("queued", "blocked", "stopping", "stopped", "withdrawn", "paused"), "quiet"),
}
_NARROWEST = 8


_DEFAULT_COLUMNS = 80


class Cell(Struct, frozen=True):
    """A piece of text and the way it looks where there are colours."""

    text: str
    style: Style = "plain"


class Output(Struct, frozen=True):
    """Where this command's data goes: a terminal of some width, or a file or another program."""

    terminal: bool
    colours: bool
    columns: int

    @property
    def full_screen(self) -> bool:
        """Whether a person sits before it who can be shown a screen."""
        able = os.environ.get("TERM", "dumb") != "dumb"
        return self.terminal and able and sys.stdin.isatty()

    def paint(self, text: str, style: Style) -> str:
        """Return `text` in the colours of `style`, where there are colours."""
        code = _CODES[style]
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours and code and text else text

    def line(self, *cells: Cell | str) -> None:
        """Print one line of cells beside each other, cleaned, and cut at a terminal's edge."""
        room = self.columns if self.terminal else None
        painted = ""
        for cell in (Cell(cell) if isinstance(cell, str) else cell for cell in cells):
            text = clean(cell.text)
            if room is not None:
                text = fit(text, room)
                room -= width(text)
            painted += self.paint(text, cell.style)
        print(painted.rstrip() if not self.colours else painted)

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, give: Sequence[int]
    ) -> None:
        """Print rows under their heads, as wide as the terminal; elsewhere, parted by tabs.

        Where they do not fit, the columns named in `give` are narrowed, the first of them first.
        """
        cells = [[Cell(clean(cell.text), cell.style) for cell in row] for row in rows]
        if not self.terminal:
            for row in cells:
                print("\t".join(cell.text for cell in row))
            return
        widths = self._widths(heads, cells, give)
        for row in [[Cell(head, "quiet") for head in heads], *cells]:
            columns = zip(row, widths, strict=True)
            shown = [self.paint(pad(cell.text, wide), cell.style) for cell, wide in columns if wide]
            print("  ".join(shown).rstrip())

    def _widths(
        self, heads: Sequence[str], rows: list[list[Cell]], give: Sequence[int]
    ) -> list[int]:
        """Return how wide each column is; one in which no row has anything takes no room."""
        columns = [[width(row[place].text) for row in rows] for place in range(len(heads))]
        widths = [
            max(filled, len(head)) if (filled := max(column, default=0)) else 0
            for head, column in zip(heads, columns, strict=True)
        ]
        over = sum(widths) + 2 * (sum(wide > 0 for wide in widths) - 1) - self.columns
        for place in give:
            if over > 0 and widths[place]:
                narrow = max(widths[place] - over, min(widths[place], _NARROWEST))
                over -= widths[place] - narrow
                widths[place] = narrow
        return widths


def output(colour: Colour) -> Output:
    """Return what stdout is; `auto` has colours on a terminal, unless NO_COLOR is set."""
    terminal = sys.stdout.isatty()
    wanted = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    colours = colour == "always" or (colour == "auto" and wanted)
    return Output(terminal, colours, _columns())


def _columns() -> int:
    """Return the terminal's width; shutil, which knows it too, takes 4 ms to import."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(1).columns or _DEFAULT_COLUMNS
    except OSError:
        return _DEFAULT_COLUMNS


def status_style(status: str) -> Style:
    """Return how a status looks; it may have words after its name."""
    return _STATUS.get(status.split(" ", maxsplit=1)[0].rstrip(":"), "plain")


def emit(value: Any) -> None:
    """Print one JSON document; on a terminal it is indented, and in ASCII, which obeys nothing."""
    import json  # noqa: PLC0415 (only where JSON is asked for)

    if sys.stdout.isatty():
        print(json.dumps(value, indent=2))
    else:
        print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def say(text: str) -> None:
    """Tell a person something that is not data."""
    print(clean(text), file=sys.stderr)


class Waiting:
    """Shows, on a terminal's stderr alone, that something takes its time."""

    _AFTER_S = 0.3
    _SIGNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._shown = False

    def __call__(self, seconds: float) -> None:
        """Show it again, `seconds` after it began."""
        if seconds < self._AFTER_S or not sys.stderr.isatty():
            return
        sign = self._SIGNS[int(seconds * 10) % len(self._SIGNS)]
        print(f"\r\x1b[K{sign} {self._sentence}", end="", file=sys.stderr, flush=True)
        self._shown = True

    def clear(self) -> None:
        """Leave the line as it was found."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
