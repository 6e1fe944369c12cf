"""What a live agent asks, and which answers it can be given from outside."""

from fleet.core.activity import Run, Waiting
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

# What each kind of question takes; a denial may carry its reason.
VERDICTS: dict[str, tuple[Verdict, ...]] = {
    "permission": ("allow", "deny"),
    "plan": ("allow", "deny"),
    "question": ("text", "deny"),
}
# Sources that see a dialog, and cannot answer it.
_IN_PANE = frozenset({"report", "presence", "title", "screen"})
_DIALOGS = frozenset({"permission", "trust"})
# What a turn that broke off waits for: its agent takes further words.
BROKE_OFF = frozenset(
    {"error", "overloaded", "rate-limit", "login", "budget", "context", "undelivered"}
)


def asked(run: Run | None) -> Ask | None:
    """Return what a run asks now, if it does."""
    if run is None or run.leaving is not None or not isinstance(run.activity, Waiting):
        return None
    return run.activity.ask


def dialog(run: Run) -> str | None:
    """Return what a dialog in the pane is about: keys typed there would answer it."""
    waits = run.activity
    if not isinstance(waits, Waiting) or waits.kind in BROKE_OFF:
        return None
    open_ = waits.ask is not None or waits.kind in _DIALOGS or run.source in _IN_PANE
    return waits.need if open_ else None


def takes(ask: Ask) -> tuple[Verdict, ...]:
    """Return the verdicts that may be given."""
    return VERDICTS.get(ask.kind, ("allow", "deny", "text"))
