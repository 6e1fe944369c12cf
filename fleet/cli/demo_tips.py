"""Says in one line what a person could try next in the demonstration; it follows from the state."""

from fleet.core.rows import LiveRow
from fleet.tui.model import Model

FAREWELL = "n gives work to an agent, Q shows the queue, q leaves and removes all of this"


def tip(model: Model) -> str:
    """Return what to try, the most telling thing first."""
    if model.at is None:
        return "agents are about to begin"
    rows = [model.tasks[name] for name in model.order if name in model.tasks]
    return next((said for about in _ABOUT for live in rows if (said := about(live))), FAREWELL)


def _permission(live: LiveRow) -> str:
    if live.ask is None or live.ask.id is None or live.ask.kind != "permission":
        return ""
    return f"{live.row.task} asks for a permission: w goes to it; y allows, N denies"


def _question(live: LiveRow) -> str:
    if live.ask is None or live.ask.id is None or live.ask.kind != "question":
        return ""
    return f"{live.row.task} asks a question: w goes to it; a number or space answers"


def _review(live: LiveRow) -> str:
    if live.row.status != "review":
        return ""
    return f"{live.row.task} waits for a review: d reads it; there a lets it land, R sends it back"


def _broken(live: LiveRow) -> str:
    name = live.row.task
    if live.row.status == "conflict":
        return f"{name} conflicts with what has landed: r begins it again, x removes it"
    if live.row.status == "failed":
        return f"{name} has failed: d shows why, r begins it again, x removes it"
    return ""


def _working(live: LiveRow) -> str:
    if live.row.status != "working":
        return ""
    return f"{live.row.task} is at work: enter joins its pane, whose last line says the way back"


_ABOUT = (_permission, _question, _review, _working, _broken)
