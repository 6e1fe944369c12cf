"""The help screen as lines: every key in its group, what it does, and why it is refused now."""

from collections.abc import Sequence

from fleet.tui.cells import Line, Span, cropped, pad
from fleet.tui.keys import Key, shown, works_on
from fleet.tui.refusals import Context

GROUPS = {
    "agent": "the selected agent",
    "review": "review and land",
    "read": "reading",
    "task": "tasks",
    "move": "moving",
    "dialog": "asking",
    "fleet": "fleet",
}


def lines(keys: Sequence[Key], context: Context, columns: int) -> list[Line]:
    """Return the keys that work on a screen."""
    found: list[Line] = []
    here = [key for key in keys if works_on(key, context.screen) and key.keys]
    for group, title in GROUPS.items():
        members = [key for key in here if key.group == group]
        if members:
            found += [(), (Span(f"  {title}", "title"),)]
            found += [_line(key, key.refusal(context), columns) for key in members]
    legend = (
        "#  place in the queue   ±  lines   ✓ ✗  checks   ≠  conflicts with   ctx  context in use"
    )
    found += [(), (Span("  columns", "title"),), cropped((Span(f"  {legend}"),), columns)]
    return [*found, (), (Span("  any key can be changed: `keys:` in your configuration", "quiet"),)]


def _line(key: Key, why: str | None, columns: int) -> Line:
    names = "1-9" if key.command == "digit" else " ".join(shown(name) for name in key.keys)
    style = "quiet" if why else ""
    line = (
        Span(f"  {pad(names, 14)}", "quiet" if why else "key"),
        Span(f" {pad(key.command, 13)}", style),
        Span(f" {key.help}", style),
    )
    return cropped((*line, Span(f"  ({why})", "wanted")) if why else line, columns)
