"""Copilot CLI's input line, as its screen shows it: what a person typed, or what was left there.

It stands between two rules, behind its prompt or, for a shell command, `!`. Behind a slash it shows
the whole name of the command that it would complete.
"""

from fleet.agents.coloured import between_rules, plain

_PROMPTS = ("\u276f", "!")


def read(screen: str) -> str | None:
    """Return what stands in the input line, None where the screen has none.

    `screen` is with its colours, as `tmux capture-pane -e` prints it.
    """
    rows = plain(screen).split("\n")
    line = between_rules(rows, _PROMPTS)
    return None if line is None else _typed(rows[line])


def _typed(rows: list[str]) -> str:
    text = "\n".join((rows[0][1:].strip(), *(row.strip() for row in rows[1:]))).strip()
    return f"!{text}" if rows[0].startswith("!") else text
