"""Watching: the whole state as screens show it, then only what changes of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from fleet import protocol as p
from fleet.core import accounts, live, stacks
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances
from fleet.core.queue_rows import queue_rows
from fleet.core.rows import LiveRow, Picture, QueueRow
from fleet.core.schedule import occupied
from fleet.core.status import Held, Submitted
from fleet.core.views import Need, need, status_word
from fleet.supervisor.answers.rows import degraded, repo_around, task_row
from fleet.supervisor.host import Host, now
from fleet.supervisor.perform.notices import BELL

PAUSE_S = 0.25  # between two pictures


async def watch(host: Host, query: p.Watch) -> AsyncGenerator[Picture, None]:
    """Give the whole picture, then whatever has changed since the last one."""
    repo = await asyncio.to_thread(repo_around, query.cwd) if query.cwd else None
    painter = Painter(host, repo=repo, ended=query.ended)
    with host.audience.join() as stirred:

        def hear(entries: Sequence[e.Entry]) -> None:
            painter.hear(entries)
            stirred.set()

        forget = host.supervisor.watch(hear)
        try:
            while True:
                stirred.clear()
                if (picture := painter.look()) is not None:
                    yield picture
                await asyncio.sleep(PAUSE_S)
                await stirred.wait()
        finally:
            forget()


class _Painted(Struct, frozen=True):
    """A row, and all that it was made of."""

    task: Task
    word: str
    need: Need | None
    waits: str | None
    clash: tuple[object, ...]
    stack: tuple[TaskId, ...]
    plain: LiveRow  # without vitals and place
    signs: live.Signs
    row: LiveRow


class _Line(Struct, frozen=True):
    """The merge queue, and all that it was made of."""

    made_of: tuple[object, ...] = ()
    rows: tuple[QueueRow, ...] = ()


class Painter:
    """Makes the pictures of one client; only what changed is made anew."""

    def __init__(self, host: Host, *, repo: str | None, ended: int) -> None:
        self._host, self._repo, self._ended = host, repo, ended
        self._painted: dict[TaskId, _Painted] = {}
        self._line = _Line()
        self._last: Picture | None = None  # without what is told by changes
        self._fleet: Fleet | None = None
        self._seen: tuple[object, ...] = ()
        self._rings: list[str] = []

    def hear(self, entries: Sequence[e.Entry]) -> None:
        """Remember for which tasks a bell is to ring."""
        told = (it.event for it in entries if isinstance(it.event, e.NeedTold))
        self._rings.extend(event.task for event in told if BELL in event.by)

    def look(self) -> Picture | None:
        """Return what has changed since the last look, or None where nothing has."""
        fleet, given = self._host.supervisor.fleet, self._host.circumstances()
        seen, self._seen = self._seen, self._basis(given)
        if seen == self._seen and fleet is self._fleet and not self._rings:
            return None
        self._fleet = fleet
        tasks = [task for task in fleet.tasks.values() if self._repo in (None, task.repo)]
        shown = live.shown(tasks, ended=self._ended)
        before, last = self._painted, self._line.rows
        self._line = self._lined_up(fleet, given)
        line = self._line.rows
        entries = {row.task: row for row in line}
        closed, upper, moment = accounts.shut(fleet), stacks.above(fleet), now()
        self._painted = {
            task.id: self._paint(
                *(fleet, task, given, entries.get(task.id)),
                waits=accounts.waits_for(fleet, task, closed, moment),
                stack=stacks.stack(fleet, task, upper),
            )
            for task in shown
        }
        changed = tuple(
            painted.row
            for name, painted in self._painted.items()
            if name not in before or before[name].row != painted.row
        )
        frame = self._frame(fleet, given, shown, tasks)
        known, self._last = self._last, frame
        gone = tuple(name for name in before if name not in self._painted)
        same_line = known is not None and line == last
        if known is not None and not (changed or gone) and same_line and _same(known, frame):
            return None
        return replace(frame, tasks=changed, gone=gone, queue=None if same_line else line)

    def _basis(self, given: Circumstances) -> tuple[object, ...]:
        """Return all that a picture is made of beside the state."""
        vitals = self._host.vitals
        life = (dict(vitals.last_output), dict(vitals.last_drawn))
        told = (*life, dict(vitals.doing), dict(vitals.context))
        known = (given.policy, *given.targets.values(), given.attached, given.clashes)
        return (*known, *told, degraded(self._host))

    def _frame(
        self, fleet: Fleet, given: Circumstances, shown: Sequence[Task], tasks: Sequence[Task]
    ) -> Picture:
        sections = {str(name): painted.row.section for name, painted in self._painted.items()}
        return Picture(
            seq=fleet.seq,
            at=now(),
            order=tuple(live.order(shown, sections, self._line.rows)),
            slots_used=occupied(fleet),
            slots_all=given.policy.slots,
            cost_usd=sum(task.cost_usd for task in tasks if task.removed_at is None),
            degraded=tuple(degraded(self._host)),
            rings=tuple(self._ring()),
        )

    def _ring(self) -> list[str]:
        rings, self._rings = self._rings, []
        return [name for name in rings if name in self._painted]

    def _paint(
        self,
        fleet: Fleet,
        task: Task,
        given: Circumstances,
        entry: QueueRow | None,
        *,
        waits: str | None,
        stack: tuple[TaskId, ...],
    ) -> _Painted:
        known = self._painted.get(task.id)
        policy = given.target(task.repo, task.target)
        word, wanted = status_word(fleet, task), need(fleet, task, policy)
        clash = given.clashes.between.get(task.id), given.clashes.stale.get(task.id)
        made_of = (word, wanted, waits, clash, stack)
        if known is None or known.task is not task or _made_of(known) != made_of:
            row = task_row(fleet, task, given, self._host.home, waits=waits)
            plain = live.live_row(fleet, task, row, wanted)
        else:
            plain = known.plain
        place = entry if isinstance(task.status, Submitted) else None
        signs = self._signs(task)
        if known is not None and known.plain is plain and known.signs == signs:
            signed = known.row
        else:
            signed = live.signed(plain, signs)
        return _Painted(task, *made_of, plain, signs, live.placed(signed, place))

    def _signs(self, task: Task) -> live.Signs:
        if task.run is None:
            return live.Signs()
        vitals = self._host.vitals
        return live.Signs(
            attached=task.id in vitals.attached,
            last_output=vitals.printed(task.id),
            doing=vitals.doing.get(task.id, ""),
            context=vitals.context.get(task.id),
        )

    def _lined_up(self, fleet: Fleet, given: Circumstances) -> _Line:
        """Return the merge queue, made anew only where something that it is made of is another."""
        changes = [task for task in fleet.tasks.values() if isinstance(task.status, _IN_LINE)]
        # What they wait for may be no change yet, and neither may be what stands on them.
        known_by = (*given.targets.values(), given.clashes)
        names = {name for task in changes for name in task.spec.after}
        changes += [it for it in fleet.tasks.values() if it.spec.stacked or it.id in names]
        made_of = (*changes, None, *fleet.repos.values(), None, *known_by)
        known = self._line.made_of
        if len(known) == len(made_of) and all(map(_is, known, made_of)):
            return self._line
        rows = [row for row in queue_rows(fleet, given) if self._repo in (None, row.repo)]
        return _Line(made_of, tuple(rows))


_IN_LINE = (Submitted, Held)


def _made_of(row: _Painted) -> tuple[object, ...]:
    return row.word, row.need, row.waits, row.clash, row.stack


def _is(one: object, other: object) -> bool:
    return one is other


def _same(one: Picture, other: Picture) -> bool:
    """Whether `other` tells nothing new but when it was made."""
    return replace(one, rings=()) == replace(other, seq=one.seq, at=one.at)
