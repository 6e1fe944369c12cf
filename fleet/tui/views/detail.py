"""What the selected task needs and stands at, in full, as lines above its pane."""

from datetime import datetime

from fleet.core.rows import Ask, LiveRow, QueueCheck
from fleet.core.spans import span
from fleet.tui.cells import Line, Span, cropped, fit, length, tidy, wrapped
from fleet.tui.keys import Key, shown
from fleet.tui.refusals import Context
from fleet.tui.views import conflicts

_INDENT = "   "


def rule(live: LiveRow | None, note: str, columns: int) -> Line:
    """Return the line that parts the pane from what is above it: whose it is, and `note`."""
    if live is None:
        return (Span("─" * columns, "rule"),)
    row = live.row
    title = tidy(row.title)
    left: Line = (Span("── ", "rule"), Span(tidy(row.task), "strong"), Span(" "))
    if title and title != row.task:
        left = (*left, Span(f" {title} ", "quiet"))
    right = (Span(f" {note} ", "quiet"), Span("──", "rule")) if note else ()
    left = cropped(left, columns - length(right) - 2)
    return (*left, Span("─" * (columns - length(left) - length(right)), "rule"), *right)


def facts(live: LiveRow, columns: int, now: datetime) -> Line:
    """Return in one line where a task's work is and how far it has come."""
    row = live.row
    said = [
        f"{tidy(row.repo.rstrip('/').rpartition('/')[2])}  {tidy(row.branch)} → {tidy(row.target)}"
    ]
    if row.attempt > 1:
        said.append(f"attempt {row.attempt}")
    if row.tokens:
        said.append(f"{row.tokens / 1000:.0f}k tokens")
    if live.last_output is not None:
        said.append(f"printed {span((now - live.last_output).total_seconds())} ago")
    if row.stack:
        said.append(f"stack {' → '.join(tidy(name) for name in row.stack)}")
    elif row.after:
        said.append(f"after {', '.join(tidy(name) for name in row.after)}")
    if live.approved_by:
        said.append(f"approved by {tidy(live.approved_by)}")
    if live.attached:
        said.append("someone is attached")
    return cropped((Span(_INDENT + "   ".join(said), "quiet"),), columns)


def needs(live: LiveRow, keys: list[Key], context: Context, columns: int) -> list[Line]:
    """Return what a person is wanted for, in full, and the keys that give it."""
    lines: list[Line] = []
    room = columns - len(_INDENT)
    ask = live.ask
    if live.row.needs and not (ask and ask.tool == "" and _says(live.row.needs, ask.text)):
        style = "wanted" if live.section == "needs" else "quiet"
        lines += [(Span(_INDENT + it, style),) for it in wrapped(live.row.needs, room)]
    if live.row.waits:
        lines += [(Span(_INDENT + it, "quiet"),) for it in wrapped(live.row.waits, room)]
    if ask is not None:
        lines += _ask(ask, live.row.needs or "", room)
    if live.conflicts:
        files = wrapped("conflicts: " + "  ".join(map(tidy, live.conflicts)), room)
        lines += [(Span(_INDENT + it, "bad"),) for it in files]
    lines += conflicts.lines(live, columns)
    if live.checks:
        lines.append(cropped((Span(_INDENT), *_checks(live.checks)), columns))
    if live.section == "needs":
        lines.append(cropped((Span(_INDENT), *_ways(live, keys, context)), columns))
    return lines


def _says(needs: str, text: str) -> bool:
    """Whether a need is but the question itself."""
    return needs.casefold().strip().endswith(text.casefold().strip())


def _ask(ask: Ask, said: str, room: int) -> list[Line]:
    lines: list[Line] = []
    if ask.tool and ask.tool not in said:
        lines.append((Span(_INDENT), Span(fit(tidy(ask.tool), room), "busy strong")))
    lines += [(Span(_INDENT + "▏ ", "rule"), Span(it)) for it in wrapped(ask.text, room - 2)]
    return lines + _choices(ask, room)


def _choices(ask: Ask, room: int) -> list[Line]:
    lines: list[Line] = []
    for number, choice in enumerate(ask.choices, 1):
        mark = Span(f"{_INDENT}{number if number < 10 else ' '} ", "key")  # noqa: PLR2004 (one digit)
        first, *rest = wrapped(choice, room - 2) or [""]
        lines += [(mark, Span(first)), *[(Span(f"{_INDENT}  {it}"),) for it in rest]]
    return lines


def answers(live: LiveRow, columns: int) -> int:
    """Return how many of the last lines of `needs` say what can be answered, and by which key."""
    choices = _choices(live.ask, columns - len(_INDENT)) if live.ask else []
    return len(choices) + (live.section == "needs")


def _checks(checks: tuple[QueueCheck, ...]) -> Line:
    spans: list[Span] = []
    for it in checks:
        sign, style = _CHECK.get(it.state, ("·", "quiet"))
        time = f" {it.seconds:.0f}s" if it.seconds >= 1 else ""
        spans += [Span(f"{sign} ", style), Span(f"{tidy(it.name)}{time}   ", "quiet")]
    return tuple(spans)


_CHECK = {
    **dict.fromkeys(("passed", "flaky"), ("✓", "good")),
    **dict.fromkeys(("failed", "empty", "timeout", "killed", "error"), ("✗", "bad")),
    "running": ("…", "busy"),
}
_ASKED = ("allow", "deny", "send", "attach")
_ELSE = ("review", "done", "retry", "send", "attach")


def _ways(live: LiveRow, keys: list[Key], context: Context) -> Line:
    """Return the keys that can be pressed now to give a task what it needs."""
    spans: list[Span] = []
    if live.ask is not None and live.ask.id is not None and live.ask.choices:
        last = min(len(live.ask.choices), 9)
        spans += [Span(f"1-{last}" if last > 1 else "1", "key"), Span(" answer   ", "quiet")]
    by_name = {key.command: key for key in keys}
    for command in _ASKED if live.ask else _ELSE:
        key = by_name.get(command)
        if key and key.keys and not key.refusal(context):
            spans += [Span(shown(key.keys[0]), "key"), Span(f" {key.label}   ", "quiet")]
    return tuple(spans)


def shortened(lines: list[Line], most: int, way: str, *, keep: int = 0) -> list[Line]:
    """Return no more than `most` lines, and say how many are missing ahead of the last `keep`."""
    if len(lines) <= most or most < 1:
        return lines[: max(most, 0)]
    kept = lines[len(lines) - min(keep, most - 1) :]
    left_out = len(lines) - most + 1
    note = f"{_INDENT}… {left_out} more lines; {way} shows all of it"
    return [*lines[: most - 1 - len(kept)], (Span(note, "wanted" if kept else "quiet"),), *kept]
