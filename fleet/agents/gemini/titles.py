"""What Gemini CLI writes into its pane's title: all of its state, for as long as it stands there.

The title is padded with blanks, and names the directory behind the state. What it calls itself
working at, a thought or a command, is the model's word and is not looked at.
"""

from fleet.agents.adapter import SaysIdle, SaysWaiting, SaysWorking, Signal

_STATES: dict[str, Signal] = {
    "✋": SaysWaiting("an answer to the dialog in its pane", "question"),
    "◇": SaysIdle(),
    "✦": SaysWorking(),
    "⏲": SaysWorking(),  # by a command that prints nothing
}


def read(title: str) -> tuple[Signal, ...]:
    """Return what a title says; nothing where it is another program's, or its user's own."""
    said = _STATES.get(title.strip()[:1])
    return () if said is None else (said,)
