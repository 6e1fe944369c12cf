"""Claude Code's input line, as its screen shows it: what a person typed, or what was put back.

It stands between two rules, behind its prompt or, for a shell command, `!`. What it suggests while
nothing is typed is dim.
"""

from fleet.agents.coloured import Row, rows, text

_PROMPTS = ("\u276f\xa0", "!\xa0")
_RULE = "─" * 10
_INDENT = 2


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    shown = rows(screen)
    words = ["".join(cell.sign for cell in row) for row in shown]
    for at in range(len(shown) - 2, 0, -1):
        if words[at].startswith(_PROMPTS) and words[at - 1].startswith(_RULE):
            end = next(
                (it for it in range(at + 1, len(shown)) if words[it].startswith(_RULE)), None
            )
            return None if end is None else _typed(shown[at:end])
    return None


def _typed(shown: list[Row]) -> str:
    cells = [cell for row in shown for cell in row[_INDENT:] if cell.sign.strip()]
    # The cursor stands on the first sign of a suggestion, and is not dim.
    suggested = any(cell.dim for cell in cells) and all(cell.dim for cell in cells[1:])
    typed = "" if suggested else "\n".join(text(row[_INDENT:]) for row in shown).strip()
    return f"!{typed}" if shown[0][0].sign == "!" else typed
