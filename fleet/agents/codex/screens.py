"""What Codex shows and no hook tells: its dialogs, and that a turn broke off.

The rules are data. Each is tried on the last lines: what stands further up is history, and may
quote anything.
"""

import re

from msgspec import Struct

from fleet.agents.adapter import SaysFailed, SaysWaiting, Signal
from fleet.agents.codex import failures
from fleet.agents.generic import NEEDS

_BOTTOM = 14  # lines that are not blank: a dialog with its question
_INPUT = "\u203a "
_BELOW_INPUT = 6  # lines that are not blank: more of what is typed, its status and its hints
_FAILED = "■ "
_INTERRUPTED = "Conversation interrupted"


class Rule(Struct, frozen=True):
    """`last` must be in the last line that is not blank, `sign` in one of those at the bottom."""

    last: str
    sign: str
    says: Signal


RULES = (
    Rule("enter continue", "Trust this folder", SaysWaiting(NEEDS["trust"], "trust")),
    Rule(
        "enter confirm", "Hooks need review", SaysWaiting("a review of hooks in its pane", "trust")
    ),
    Rule(
        "enter to continue|esc to go back", "Welcome to Codex", SaysWaiting(NEEDS["login"], "login")
    ),
    Rule(
        "enter to confirm or esc to cancel",
        r"Would you like to|Do you want to approve",
        SaysWaiting(NEEDS["permission"], "permission"),
    ),
    Rule("enter to submit", r"Question \d+/\d+", SaysWaiting(NEEDS["question"], "question")),
    Rule(
        "(?i)enter (?:to )?(?:confirm|continue|select)|(?:enter|return) to (?:continue|confirm)",
        "",
        SaysWaiting("an answer to the dialog in its pane", "question"),
    ),
)


def read(text: str) -> tuple[Signal, ...]:
    """Return what the first rule that fits says; most often none does."""
    lines = [line.rstrip() for line in text.splitlines()]
    dialog = _dialog([line for line in lines if line])
    return _failure(lines) if dialog is None else (dialog,)


def is_dialog(text: str) -> bool:
    """Return whether keys would answer a dialog."""
    return _dialog([line.rstrip() for line in text.splitlines() if line.strip()]) is not None


def _dialog(shown: list[str]) -> Signal | None:
    bottom = "\n".join(shown[-_BOTTOM:])
    fits = (it for it in RULES if shown and re.search(it.last, shown[-1]))
    return next((it.says for it in fits if re.search(it.sign, bottom)), None)


def _failure(lines: list[str]) -> tuple[Signal, ...]:
    """A turn has broken off where its reason is the last that stands above the input line."""
    above = _above_input(lines)
    while above and not above[-1]:
        above.pop()
    start = next((place for place in range(len(above), 0, -1) if not above[place - 1]), 0)
    said = " ".join(above[start:])
    if not said.startswith(_FAILED) or _INTERRUPTED in said:
        return ()
    reason = failures.reason(said.removeprefix(_FAILED))
    return (SaysFailed(reason, failures.kind(reason)),)


def _above_input(lines: list[str]) -> list[str]:
    below = 0
    for place in range(len(lines) - 1, -1, -1):
        if lines[place].startswith(_INPUT):
            return lines[:place]
        below += bool(lines[place])
        if below > _BELOW_INPUT:
            break
    return []
