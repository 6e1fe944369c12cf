"""Screens with their colours, as `tmux capture-pane -e` prints them, sign by sign."""

import re
from collections.abc import Sequence

from msgspec import Struct

_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x0e\x0f]")
_RULE = "─" * 10
_COLOURS = {"38", "48", "58"}  # which the numbers that follow belong to


class Cell(Struct, frozen=True):
    """One sign, and whether it is dim, as what is only suggested is."""

    sign: str
    dim: bool


Row = list[Cell]


def rows(screen: str) -> list[Row]:
    """Return the rows of a screen."""
    found, dim = [], False
    for line in screen.split("\n"):
        row, at = [], 0
        for sequence in _SEQUENCE.finditer(line):
            row += [Cell(sign, dim) for sign in line[at : sequence.start()]]
            at = sequence.end()
            dim = dim if sequence[1] is None else _dim(sequence[1], dim=dim)
        found.append([*row, *(Cell(sign, dim) for sign in line[at:])])
    return found


def plain(screen: str) -> str:
    """Return a screen, or a part of one, without its colours."""
    return _SEQUENCE.sub("", screen)


def between_rules(lines: Sequence[str], prompts: tuple[str, ...]) -> slice | None:
    """Return where the lowest lines stand that begin with a prompt, with a rule above and below."""
    for at in range(len(lines) - 2, 0, -1):
        if lines[at].startswith(prompts) and lines[at - 1].startswith(_RULE):
            end = next((it for it in range(at, len(lines)) if lines[it].startswith(_RULE)), None)
            return None if end is None else slice(at, end)
    return None


def text(row: Row) -> str:
    """Return the signs of a row without what is blank at its end."""
    return "".join(cell.sign for cell in row).rstrip()


def _dim(codes: str, *, dim: bool) -> bool:
    """Return whether what follows these codes of colour and style is dim."""
    numbers = iter(codes.split(";"))
    for number in numbers:
        if number in _COLOURS:
            for _ in range(1 if next(numbers, "") == "5" else 3):
                next(numbers, "")
        elif number in {"", "0", "22"}:
            dim = False
        elif number == "2":
            dim = True
    return dim
