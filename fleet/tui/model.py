"""What the dashboard knows: the supervisor's pictures folded into one value, and how it is listed.

Nothing here is remembered longer than the connection it came over.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from fleet.core.rows import LiveRow, Picture, QueueRow

SECTIONS = {"needs": "needs you", "working": "working", "queue": "merge queue", "ended": "ended"}


class Model(Struct, frozen=True, kw_only=True):
    """All tasks that are shown, by name; `at` is None until the first picture has come."""

    at: datetime | None = None
    tasks: dict[str, LiveRow] = {}
    order: tuple[str, ...] = ()
    queue: tuple[QueueRow, ...] = ()
    slots_used: int = 0
    slots_all: int = 0
    cost_usd: float = 0.0
    degraded: tuple[str, ...] = ()


class Head(Struct, frozen=True):
    """The head of a section of the list."""

    section: str
    count: int


Entry = Head | LiveRow
EMPTY = Model()


def fold(model: Model, picture: Picture) -> Model:
    """Return `model` with what has changed in `picture`."""
    gone = set(picture.gone)
    tasks = {name: row for name, row in model.tasks.items() if name not in gone}
    tasks.update((live.row.task, live) for live in picture.tasks)
    return Model(
        at=picture.at,
        tasks=tasks,
        order=picture.order or tuple(name for name in model.order if name in tasks),
        queue=model.queue if picture.queue is None else picture.queue,
        slots_used=picture.slots_used,
        slots_all=picture.slots_all,
        cost_usd=picture.cost_usd,
        degraded=picture.degraded,
    )


def counts(model: Model) -> dict[str, int]:
    """Return how many tasks each section has."""
    found = dict.fromkeys(SECTIONS, 0)
    for live in model.tasks.values():
        found[_section(live)] += 1
    return found


def listed(model: Model, needle: str = "") -> tuple[Entry, ...]:
    """Return the list as it is shown: the tasks that match `needle` below their sections' heads."""
    words = needle.casefold().split()
    groups: dict[str, list[LiveRow]] = {section: [] for section in SECTIONS}
    for name in model.order:
        live = model.tasks.get(name)
        if live is not None and matches(live, words):
            groups[_section(live)].append(live)
    entries: list[Entry] = []
    for section, lives in groups.items():
        if lives:
            entries += [Head(section, len(lives)), *lives]
    return tuple(entries)


def _section(live: LiveRow) -> str:
    return live.section if live.section in SECTIONS else "working"


def matches(live: LiveRow, words: list[str]) -> bool:
    """Whether each of `words` stands somewhere in the row; with a `!` before it, nowhere."""
    if not words:
        return True
    row = live.row
    said = (row.task, row.title, row.agent or "", row.status, row.needs or "", row.repo, live.kind)
    text = " ".join(it or "" for it in said).casefold()
    return all((it[1:] not in text if it[:1] == "!" and it[1:] else it in text) for it in words)


class Selection(Struct, frozen=True):
    """The task that is selected, and where in the list it stood last."""

    task: str | None = None
    place: int = 0


def names(entries: tuple[Entry, ...]) -> list[str]:
    """Return the tasks of a list, in its order."""
    return [entry.row.task for entry in entries if isinstance(entry, LiveRow)]


def reselect(selection: Selection, entries: tuple[Entry, ...]) -> Selection:
    """Return the selection in a list that has changed: the same task, else what is in its place."""
    shown = names(entries)
    if not shown:
        return replace(selection, task=None)
    if selection.task in shown:
        return Selection(selection.task, shown.index(selection.task))
    place = min(selection.place, len(shown) - 1)
    return Selection(shown[place], place)


def move(selection: Selection, entries: tuple[Entry, ...], by: int) -> Selection:
    """Return the selection moved by so many tasks, up to the ends of the list."""
    shown = names(entries)
    if not shown:
        return selection
    place = min(max(selection.place + by, 0), len(shown) - 1)
    return Selection(shown[place], place)


def next_need(model: Model, selection: Selection) -> str | None:
    """Return the next task that needs a person, after the selected one and round the end."""
    found = [name for name in model.order if model.tasks[name].section == "needs"]
    if selection.task in found:
        return found[(found.index(selection.task) + 1) % len(found)]
    return found[0] if found else None
