"""What aider shows while it waits for a person: without any key it offers a login in a browser."""

from fleet.agents.adapter import SaysWaiting, Signal

_BOTTOM = 4  # lines
_LOGIN = "for you to finish in the browser"


def read(text: str) -> tuple[Signal, ...]:
    """Return what the bottom of the screen says; most often nothing."""
    lines = [line for line in text.splitlines() if line.strip()][-_BOTTOM:]
    return (SaysWaiting("a login", "login"),) if any(_LOGIN in it for it in lines) else ()
