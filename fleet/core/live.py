"""How tasks read on a screen: each as one row with all that may be done to it; and their order."""

import heapq
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from fleet.core.approving import approved_by
from fleet.core.asking import asked
from fleet.core.change import Conflicted, newest_results
from fleet.core.model import Fleet, Task
from fleet.core.refusals import refusals
from fleet.core.rows import LiveRow, QueueCheck, QueueRow, TaskRow
from fleet.core.status import Paused, Queued, Submitted
from fleet.core.terminal import clean
from fleet.core.views import Need, since

_DOING = 200  # characters of one line


class Signs(Struct, frozen=True):
    """The vitals of one task: shown, and never recorded."""

    attached: bool = False
    last_output: datetime | None = None
    doing: str = ""
    context: float | None = None


def live_row(fleet: Fleet, task: Task, row: TaskRow, need: Need | None) -> LiveRow:
    """Return what follows from the task alone; it has no vitals and no place in the queue."""
    change = task.change
    results = newest_results(change) if change else ()
    state = change.state if change else None
    return LiveRow(
        row=row,
        section=_section(task, need),
        since=since(task),
        kind=need.kind if need else None,
        ask=asked(task.run),
        checks=tuple(
            QueueCheck(name=it.name, state=it.state, seconds=it.seconds, log=it.log)
            for it in results
        ),
        conflicts=state.cause.files if isinstance(state, Conflicted) else (),
        approved_by=approved_by(change) if change else None,
        refusals=refusals(fleet, task),
    )


def placed(row: LiveRow, entry: QueueRow | None) -> LiveRow:
    """Return `row` with its place in the merge queue."""
    position = entry.position if entry else None
    return row if row.position == position else replace(row, position=position)


def signed(row: LiveRow, signs: Signs) -> LiveRow:
    """Return `row` with these vitals."""
    return replace(
        row,
        attached=signs.attached,
        last_output=signs.last_output,
        doing=clean(signs.doing)[:_DOING],
        context=signs.context,
    )


def _section(task: Task, need: Need | None) -> str:
    if task.ended:
        return "ended"
    if need is not None:
        return "needs"
    return "queue" if isinstance(task.status, Submitted) else "working"


def shown(tasks: Iterable[Task], *, ended: int) -> list[Task]:
    """Return what has not ended, and the `ended` that ended last; nothing that is removed."""
    present = [task for task in tasks if task.removed_at is None]
    over = heapq.nlargest(ended, (task for task in present if task.ended), key=since)
    return [*(task for task in present if not task.ended), *over]


def order(tasks: Sequence[Task], sections: dict[str, str], queue: Sequence[QueueRow]) -> list[str]:
    """Return the names of `tasks` as they are to be listed, each by its section.

    First what needs a person, the oldest need first; then what is at work, what waits to begin,
    and what is paused; then the merge queue, as it will land; last what has ended, newest first.
    """
    by_section: dict[str, list[Task]] = {}
    for task in tasks:
        by_section.setdefault(sections[task.id], []).append(task)
    line = {row.task: place for place, row in enumerate(queue)}
    needs = sorted(by_section.get("needs", ()), key=since)
    working = sorted(by_section.get("working", ()), key=_rank)
    queued = sorted(by_section.get("queue", ()), key=lambda task: line.get(task.id, len(line)))
    ended = sorted(by_section.get("ended", ()), key=since, reverse=True)
    return [task.id for task in (*needs, *working, *queued, *ended)]


def _rank(task: Task) -> int:
    return 2 if isinstance(task.status, Paused) else int(isinstance(task.status, Queued))
