"""What Copilot CLI shows and nothing else tells: the dialogs before its first prompt.

The rules are data. A dialog is a box at the bottom of the screen with a line of keys in it: what
stands further up is history, and may quote anything.
"""

import re

from msgspec import Struct

from fleet.agents.adapter import SaysWaiting, Signal

_BOTTOM = 22  # lines: a dialog with its question
_KEYS = re.compile(r"↑/↓ .*\benter (?:to select|accept) · .*esc (?:to )?cancel")


class Rule(Struct, frozen=True):
    """`sign` must be found in the lines at the bottom."""

    sign: str
    says: SaysWaiting


RULES = (
    Rule("Do you trust the files in this folder", SaysWaiting("trust in this directory", "trust")),
    Rule("Do you want to run this command", SaysWaiting("permission", "permission")),
    Rule("Do you want to allow this", SaysWaiting("permission", "permission")),
    Rule("Plan Ready for Review", SaysWaiting("a verdict on its plan", "plan")),
    Rule("Copilot needs information", SaysWaiting("an answer", "question")),
    Rule("", SaysWaiting("an answer to the dialog in its pane", "question")),
)


def read(text: str) -> tuple[Signal, ...]:
    """Return what the first rule that fits says; most often none does."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][-_BOTTOM:]
    if not any(map(_KEYS.search, lines[-2:])):
        return ()
    bottom = "\n".join(lines)
    return next(((rule.says,) for rule in RULES if re.search(rule.sign, bottom)), ())
