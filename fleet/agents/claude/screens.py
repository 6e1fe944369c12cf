"""What Claude Code shows and no hook tells: the dialogs before its first prompt, and its retries.

The rules are data. Each is tried on the last lines that are not blank: what stands further up is
history, and may quote anything.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from fleet.agents.adapter import SaysDoing, SaysWaiting, Signal
from fleet.agents.generic import one_line

_BOTTOM = 14  # lines: a dialog with its question
_LONG_RETRY_S = 60


class Rule(Struct, frozen=True):
    """`last` must be in the last line; `signs` must all be found in the lines at the bottom."""

    last: str
    signs: tuple[str, ...]
    says: Callable[[re.Match[str]], Signal]


def _waits(need: str, kind: str) -> Callable[[re.Match[str]], Signal]:
    return lambda _: SaysWaiting(need, kind)


def _retries(found: re.Match[str]) -> Signal:
    seconds = int(found["minutes"] or 0) * 60 + int(found["seconds"])
    reason = f"{one_line(found['reason'])}, retry in {seconds} s ({found['attempt']})"
    if seconds >= _LONG_RETRY_S:
        return SaysWaiting(reason, "rate-limit")
    return SaysDoing(reason)


_CONFIRM = r"Enter to confirm · Esc to (?:cancel|exit)"
_RETRY = (
    r"^\S (?P<reason>.{1,300}?) · retrying in (?:(?P<minutes>\d{1,4})m ?)?(?P<seconds>\d{1,6})s"
    r" · attempt (?P<attempt>\d+/\d+)"
)
RULES = (
    Rule(_CONFIRM, ("Yes, I trust this folder",), _waits("trust in this directory", "trust")),
    Rule(
        _CONFIRM,
        ("Do you want to use this API key",),
        _waits("whether it may use this API key", "login"),
    ),
    Rule(_CONFIRM, ("Bypass Permissions mode",), _waits("a yes to bypass permissions", "trust")),
    Rule("", ("Select login method",), _waits("a login", "login")),
    Rule("", ("Unable to connect to Anthropic services",), _waits("a login", "login")),
    Rule("", ("Choose the text style that looks best",), _waits("its first set-up", "login")),
    Rule(_CONFIRM, ("",), _waits("an answer to the dialog in its pane", "question")),
    Rule("esc to interrupt", (_RETRY,), _retries),
)


def read(text: str) -> tuple[Signal, ...]:
    """Return what the first rule that fits says; most often none does."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][-_BOTTOM:]
    if not lines:
        return ()
    bottom = "\n".join(lines)
    for rule in RULES:
        found = [re.search(sign, bottom, re.MULTILINE) for sign in rule.signs]
        if re.search(rule.last, lines[-1]) and all(found) and found[-1] is not None:
            return (rule.says(found[-1]),)
    return ()
