"""opencode's input line, as its screen shows it: what a person typed, or what was put back.

It stands in a box with a bar at its left and an edge below, above a row that names the agent, or
`Shell` where a command is typed. Where the screen is wide, other things stand beside the box.
"""

import re
import unicodedata

from fleet.agents.coloured import plain

_EDGE = re.compile(r"^(?P<left> *)╹(?P<edge>▀{20,})")
_BAR = "┃"
_SUGGESTED = ("Ask anything…", "Run a command…")  # while nothing is typed


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    rows = plain(screen).split("\n")
    for at in range(len(rows) - 1, 1, -1):
        if edge := _EDGE.match(rows[at]):
            left = len(edge["left"])
            return _typed(_box(rows[:at], left, left + 1 + len(edge["edge"])))
    return None


def _box(rows: list[str], left: int, right: int) -> list[str]:
    """Return the rows of the box that ends here, without its bar and what stands beside it."""
    found: list[str] = []
    for row in reversed(rows):
        inside = _columns(row, left, right)
        if not inside.startswith(_BAR):
            break
        found.insert(0, inside.removeprefix(_BAR).strip())
    return found


def _typed(box: list[str]) -> str | None:
    if len(box) < 2:  # noqa: PLR2004 (a row for the text, and one for the agent)
        return None
    text = "\n".join(box[:-1]).strip()
    text = "" if text.startswith(_SUGGESTED) else text
    return f"!{text}" if box[-1] == "Shell" else text


def _columns(row: str, left: int, right: int) -> str:
    """Return what stands in these columns of a terminal, where some signs take two."""
    at, found = 0, []
    for sign in row:
        if left <= at < right:
            found.append(sign)
        at += 0 if unicodedata.combining(sign) else 2 if _is_wide(sign) else 1
    return "".join(found)


def _is_wide(sign: str) -> bool:
    return unicodedata.east_asian_width(sign) in "WF"
