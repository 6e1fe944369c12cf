"""Codex's input line, as its screen shows it: what a person typed, or what was put back.

It stands behind its prompt or, for a shell command, `!`, with a blank row below it. What it
suggests while nothing is typed is dim; prompts that were sent stand behind a dim sign.
"""

from itertools import takewhile

from fleet.agents.codex import screens
from fleet.agents.coloured import Row, rows, text

_PROMPTS = ("\u203a", "!")
_INDENT = 2


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    shown = rows(screen)
    if screens.is_dialog("\n".join(map(text, shown))):
        return None
    start = next((at for at in range(len(shown) - 1, -1, -1) if _begins(shown[at])), None)
    return None if start is None else _typed([*takewhile(text, shown[start:])])


def _begins(row: Row) -> bool:
    prompts = len(row) > 1 and row[0].sign in _PROMPTS and row[1].sign == " "
    return prompts and not row[0].dim


def _typed(shown: list[Row]) -> str:
    cells = [cell for row in shown for cell in row[_INDENT:] if cell.sign.strip()]
    suggested = bool(cells) and all(cell.dim for cell in cells)
    typed = "" if suggested else "\n".join(text(row[_INDENT:]) for row in shown).strip()
    return f"!{typed}" if shown[0][0].sign == "!" else typed
