"""What the title that Codex gives its pane says of it, and how full its context is."""

import re

from fleet.agents.adapter import SaysIdle, SaysUsage, SaysWaiting, SaysWorking, Signal

_STATES: tuple[tuple[str, Signal], ...] = (
    (r"\[ [!.] \] Action Required", SaysWaiting("an answer to the dialog in its pane", "question")),
    (r"[\u2801-\u28ff] ", SaysWorking()),
    (r"Ready(?: \||$)", SaysIdle()),
)
_CONTEXT = re.compile(r"(?:^|\| )Context (\d{1,3})% used(?: \||$)")


def read(title: str) -> tuple[Signal, ...]:
    """Return what a title says; nothing, where it is not one of Codex's."""
    said = next((signal for sign, signal in _STATES if re.match(sign, title)), None)
    if said is None:
        return ()
    used = _CONTEXT.search(title)
    return (said, SaysUsage(context=min(int(used[1]) / 100, 1.0))) if used else (said,)
