"""What Gemini CLI shows and no hook tells: dialogs that are no tool's, most of them before work.

The rules are data. Only a box that stands at the bottom of the screen is looked at: the input line
is not shown beside a dialog, and what stands further up is history, and may quote anything.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from fleet.agents.adapter import SaysWaiting, Signal
from fleet.agents.generic import one_line


class Rule(Struct, frozen=True):
    """What a box that holds `sign` says."""

    sign: str
    says: Callable[[re.Match[str]], Signal]


def _waits(need: str, kind: str) -> Callable[[re.Match[str]], Signal]:
    return lambda _: SaysWaiting(need, kind)


def _halted(found: re.Match[str]) -> Signal:
    # It takes no words, and does not go on by itself, until someone chooses whether it is to.
    return SaysWaiting(one_line(found[0]), "question")


_DIALOG = "an answer to the dialog in its pane"
RULES = (
    Rule("Do you trust the files in this folder", _waits("trust in this directory", "trust")),
    Rule("Do you trust the following folders", _waits("trust in further directories", "trust")),
    Rule(r"Usage limit reached for .{1,100}(?:\nAccess resets .{1,100})?", _halted),
    Rule(r"We are currently experiencing high demand.{0,100}", _halted),
    Rule("How would you like to authenticate", _waits("a login", "login")),
    Rule("Enter Gemini API Key", _waits("its API key", "login")),
    Rule("Waiting for authentication", _waits("a login", "login")),
    Rule("Verify your account", _waits("a login", "login")),
    Rule("A potential loop was detected", _waits("whether it goes round in circles", "question")),
    Rule(r"● \d+\. ", _waits(_DIALOG, "question")),
)
_EDGE = re.compile(r"[\s│]*(.*?)[\s│]*$")


def read(text: str) -> tuple[Signal, ...]:
    """Return what the first rule that fits says; most often none does."""
    box = _box([line.strip() for line in text.splitlines() if line.strip()])
    for rule in RULES:
        if found := re.search(rule.sign, box):
            return (rule.says(found),)
    return ()


def _box(lines: list[str]) -> str:
    """Return what stands in the box that is the last thing on the screen."""
    if not lines or not lines[-1].startswith("╰"):
        return ""
    begins = [place for place, line in enumerate(lines) if line.startswith("╭")]
    inside = lines[begins[-1] + 1 : -1] if begins else ()
    return "\n".join(inner for line in inside if (inner := _EDGE.sub(r"\1", line)))
