"""Claude Code's input line, as its screen shows it: what a person typed, or what was put back.

It stands between two rules, behind its prompt or, for a shell command, `!`. What it suggests while
nothing is typed is dim.
"""

import re

from msgspec import Struct

_PROMPTS = ("\u276f\xa0", "!\xa0")
_RULE = "─" * 10
_INDENT = 2
_SEQUENCE = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x0e\x0f]")
_COLOURS = {"38", "48", "58"}  # which the numbers that follow belong to


class _Cell(Struct, frozen=True):
    sign: str
    dim: bool


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    rows = _rows(screen)
    words = ["".join(cell.sign for cell in row) for row in rows]
    for at in range(len(rows) - 2, 0, -1):
        if words[at].startswith(_PROMPTS) and words[at - 1].startswith(_RULE):
            end = next((it for it in range(at + 1, len(rows)) if words[it].startswith(_RULE)), None)
            return None if end is None else _typed(rows[at:end])
    return None


def _typed(rows: list[list[_Cell]]) -> str:
    cells = [cell for row in rows for cell in row[_INDENT:] if cell.sign.strip()]
    # The cursor stands on the first sign of a suggestion, and is not dim.
    suggested = any(cell.dim for cell in cells) and all(cell.dim for cell in cells[1:])
    lines = ["".join(cell.sign for cell in row[_INDENT:]).rstrip() for row in rows]
    text = "" if suggested else "\n".join(lines).strip()
    return f"!{text}" if rows[0][0].sign == "!" else text


def _rows(screen: str) -> list[list[_Cell]]:
    rows, dim = [], False
    for line in screen.split("\n"):
        row, at = [], 0
        for found in _SEQUENCE.finditer(line):
            row += [_Cell(sign, dim) for sign in line[at : found.start()]]
            at = found.end()
            dim = dim if found[1] is None else _dim(found[1], dim=dim)
        rows.append([*row, *(_Cell(sign, dim) for sign in line[at:])])
    return rows


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
