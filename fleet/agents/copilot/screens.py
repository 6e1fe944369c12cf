"""What Copilot CLI shows and nothing else tells: that it wants a login, dialogs of its start.

The rules are data. A dialog is at the bottom of the screen and has a line of keys: what stands
further up is history, and may quote anything.
"""

import re

from msgspec import Struct

from fleet.agents.adapter import SaysWaiting, Signal

_BOTTOM = 22  # lines: a dialog with its question
_ABOVE_PROMPT = 6  # lines from the bottom: what was said last, and the input line
_LOGIN = "Please use /login to sign in"
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
    if any(line.startswith(_LOGIN) for line in lines[-_ABOVE_PROMPT:]):
        return (SaysWaiting("a login", "login"),)
    if not any(map(_KEYS.search, lines[-2:])):
        return ()
    bottom = "\n".join(lines)
    return next(((rule.says,) for rule in RULES if re.search(rule.sign, bottom)), ())
