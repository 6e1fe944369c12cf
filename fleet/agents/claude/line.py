"""Claude Code's input line, as its screen shows it: what a person typed, or what was put back.

It stands between two rules, behind its prompt or, for a shell command, `!`. What it suggests while
nothing is typed is dim.
"""

from fleet.agents.coloured import Row, between_rules, rows, text

_PROMPTS = ("\u276f\xa0", "!\xa0")
_INDENT = 2


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    shown = rows(screen)
    line = between_rules(["".join(cell.sign for cell in row) for row in shown], _PROMPTS)
    return None if line is None else _typed(shown[line])


def _typed(shown: list[Row]) -> str:
    cells = [cell for row in shown for cell in row[_INDENT:] if cell.sign.strip()]
    # The cursor stands on the first sign of a suggestion, and is not dim.
    suggested = any(cell.dim for cell in cells) and all(cell.dim for cell in cells[1:])
    typed = "" if suggested else "\n".join(text(row[_INDENT:]) for row in shown).strip()
    return f"!{typed}" if shown[0][0].sign == "!" else typed
