"""Gemini CLI's input line, as its screen shows it: what a person typed, or what was put back.

It stands in a band of its own, below a rule, behind its prompt. While nothing is typed, the cursor
stands on a blank before what it suggests.
"""

import re

from fleet.agents.coloured import plain

_UPPER, _LOWER, _RULE = "▄" * 10, "▀" * 10, "─" * 10
_PROMPT = re.compile(r" ?[>!*] ")
_INDENT = 3
_BETWEEN = 3  # lines at most from the rule to the band: the first of them names its mode
_SUGGESTED = ("Type your message", "Type your shell command")
_CURSOR_ON_BLANK = re.compile(r"\x1b\[(?:[0-9;]*;)?7m(?:\x1b\[[0-9;]*m)* \x1b")


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    rows = screen.split("\n")
    words = [plain(row).rstrip() for row in rows]
    end = next((at for at in range(len(words) - 1, 0, -1) if words[at].startswith(_LOWER)), 0)
    begin = next((at for at in range(end, 0, -1) if words[at].startswith(_UPPER)), 0)
    above = words[max(0, begin - _BETWEEN) : begin]
    if begin + 1 >= end or not any(row.startswith(_RULE) for row in above):
        return None
    if not _PROMPT.match(words[begin + 1] + " "):
        return None
    return _typed(rows[begin + 1], words[begin + 1 : end])


def _typed(first: str, lines: list[str]) -> str:
    text = "\n".join(line[_INDENT:].rstrip() for line in lines).strip()
    cursor = _CURSOR_ON_BLANK.search(first)
    rests = cursor and not plain(first[: cursor.start()])[_INDENT:].strip()
    return "" if (rests and len(lines) == 1) or text.startswith(_SUGGESTED) else text
