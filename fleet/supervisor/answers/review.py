"""The review packet of one change, with what goes on around it."""

import asyncio

from fleet import protocol as p
from fleet.core.change import Change
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.packet import Neighbourhood, Packet
from fleet.core.phrases import pair
from fleet.core.queue_rows import queue_rows
from fleet.core.rows import QueueRow
from fleet.errors import RefusedError
from fleet.supervisor.answers.diffs import note_shown
from fleet.supervisor.host import Host
from fleet.supervisor.packets import packet_of
from fleet.tools.git.merging import conflicting_commits
from fleet.tools.git.repository import Place


async def review(host: Host, query: p.Review, actor: str) -> Packet:
    """Return all that is known of a change; whoever asks has been shown it."""
    fleet = host.supervisor.fleet
    task = find(fleet, query.task)
    if task.change is None:
        raise RefusedError(f"{task.id} has no change to review", hint=f"fleet why {task.id}")
    packet = await asyncio.to_thread(_packet, host, fleet, task, task.change)
    note_shown(host, task, actor)
    host.pulls.hurry([task.id])
    return packet


def _packet(host: Host, fleet: Fleet, task: Task, change: Change) -> Packet:
    place = host.tools.place(fleet.repos[task.repo])
    around = _neighbourhood(host, place, task, change)
    policy = host.tools.target_policy(task.repo, task.target)
    return packet_of(place, fleet, task, change, policy, neighbourhood=around)


def _clashes(row: QueueRow | None) -> tuple[str, ...]:
    """Return the files of a conflict with the target, and each open branch that does not fit."""
    if row is None:
        return ()
    others = (f"{it.task} in {', '.join(it.files)}" for it in row.conflicts_with)
    return (*row.conflicts, *others)


def _neighbourhood(host: Host, place: Place, task: Task, change: Change) -> Neighbourhood:
    fleet = host.supervisor.fleet
    line = [row for row in queue_rows(fleet, host.circumstances())
            if (row.repo, row.target) == (task.repo, task.target)]  # fmt: skip
    mine = next((row for row in line if row.task == task.id), None)
    tip = fleet.repos[task.repo].tips.get(task.target)
    landed: tuple[str, ...] = ()
    if tip is not None and change.files:
        found = conflicting_commits(place, base=change.base, target=tip, files=change.files)
        landed = tuple(it.line for it in found)
    return Neighbourhood(
        state=mine.state if mine else "",
        position=mine.position if mine else None,
        length=len(line),
        waits_for=mine.waits_for if mine else None,
        landed=landed[:10],
        conflicts=_clashes(mine),
        together=pair(task.last_cause),
    )
