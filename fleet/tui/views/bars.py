"""The first line of a screen, which says how all stands, and the last one, which says the keys."""

from collections.abc import Sequence

from fleet.tui.cells import Line, Span, cropped, length, spread, tidy
from fleet.tui.keys import Key, shown, works_on
from fleet.tui.model import Model, counts
from fleet.tui.refusals import Context


def header(model: Model, lost: str | None, columns: int) -> list[Line]:
    """Return how the fleet stands, and what is wrong with it, a line for each."""
    found = counts(model)
    needs = found["needs"]
    left = [Span(" fleet", "strong")]
    if needs:
        left += [Span(f"   {needs} need{'s' * (needs == 1)} you", "wanted")]
    for section, word in (("working", "working"), ("queue", "in the queue")):
        if found[section]:
            left.append(Span(f"   {found[section]} {word}", "quiet"))
    right = (
        [Span(f"{model.slots_used}/{model.slots_all} slots", "quiet")] if model.slots_all else []
    )
    if model.cost_usd:
        right.append(Span(f"   ${model.cost_usd:.2f}", "quiet"))
    lines = [spread(tuple(left), (*right, Span(" ")), columns)]
    lines += away(lost, columns)
    lines += [cropped((Span(f" ! {tidy(it)}", "wanted"),), columns) for it in model.degraded]
    return lines


def tip(said: str, columns: int) -> list[Line]:
    """Return what a person could try next, where that is to be said."""
    return [cropped((Span(" try ", "title"), Span(tidy(said), "busy")), columns)] if said else []


def away(lost: str | None, columns: int) -> list[Line]:
    """Return why the supervisor is away, where it is."""
    return [] if lost is None else [cropped((Span(f" ! {lost}", "bad"),), columns)]


def footer(keys: Sequence[Key], context: Context, columns: int) -> Line:
    """Return the keys that work now; those that are refused are left out, most important first."""
    line: list[Span] = [Span(" ")]
    names = [shown(key.keys[0]) for key in keys if key.command == "help" and key.keys]
    rest = (Span(names[0], "key"), Span(" help ", "quiet")) if names else ()
    for key in keys:
        if key.command == "help":
            continue
        if key.footer and key.keys and works_on(key, context.screen) and not key.refusal(context):
            piece = (Span(shown(key.keys[0]), "key"), Span(f" {key.label}   ", "quiet"))
            if length(line) + length(piece) + length(rest) >= columns:
                break
            line += piece
    return spread(tuple(line), rest, columns)


def typing(*, filtering: bool, undo: str = "show all") -> Line:
    """Return the keys that work while someone types; `undo` is what leaving a filter does."""
    ways = {"⏎": "keep", "esc": undo} if filtering else _TYPING
    pieces = [(Span(name, "key"), Span(f" {what}   ", "quiet")) for name, what in ways.items()]
    return (Span(" "), *[span for piece in pieces for span in piece])


_TYPING = {"⏎": "send", "^j": "new line", "esc": "leave, and keep the text"}


def empty(model: Model, needle: str, columns: int) -> Line:
    """Return what stands in the place of a list without tasks."""
    if model.at is None:
        return (Span("  looking for the supervisor", "quiet"),)
    if needle:
        return cropped((Span(f'  no task has "{tidy(needle)}"', "quiet"),), columns)
    return (Span("  nothing is under way; "), Span("n", "key"), Span(" gives work to an agent"))
