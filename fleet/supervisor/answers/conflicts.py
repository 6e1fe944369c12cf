"""The conflict map for a reader: which open branches do not fit together, and what each is for."""

import asyncio
from collections.abc import Iterable, Iterator

from fleet import protocol as p
from fleet.core.ids import TaskId
from fleet.core.intents import intent
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.radar import Chart, Line
from fleet.core.rows import ConflictMap, ConflictRow, ConflictSide, StaleRow
from fleet.errors import FleetError
from fleet.supervisor.answers.rows import repo_around
from fleet.supervisor.host import Host
from fleet.supervisor.perform.conflicting import tasks_of
from fleet.tools.git.merging import Reached, conflicting_commits

_MOST_LANDED = 5


async def conflicts(host: Host, query: p.Conflicts) -> ConflictMap:
    """Return what conflicts now: what has just moved is tried before."""
    fleet = host.supervisor.fleet
    only = find(fleet, query.task).id if query.task else None
    repo = await asyncio.to_thread(repo_around, query.cwd) if query.cwd else None
    await host.radar.look(at_once=True)
    charts = {it: chart for it, chart in host.radar.charts.items() if repo in (None, it[0])}
    return await asyncio.to_thread(_map, host, charts, only)


def _map(host: Host, charts: dict[Line, Chart], only: TaskId | None) -> ConflictMap:
    fleet = host.supervisor.fleet
    return ConflictMap(
        pairs=tuple(_pairs(fleet, charts, only)),
        stale=tuple(_stale(host, fleet, charts, only)),
        branches=sum(len(chart.normals) for chart in charts.values()),
    )


def _pairs(fleet: Fleet, charts: dict[Line, Chart], only: TaskId | None) -> Iterator[ConflictRow]:
    for (repo, target), chart in charts.items():
        for (one, other), clash in chart.pairs.items():
            if only in (None, one, other) and one in fleet.tasks and other in fleet.tasks:
                yield ConflictRow(
                    repo=fleet.repos[repo].root,
                    target=target,
                    tasks=(one, other),
                    sides=(_side(fleet.tasks[one]), _side(fleet.tasks[other])),
                    files=clash.files,
                    since=clash.since,
                )


def _side(task: Task) -> ConflictSide:
    said = intent(task)
    return ConflictSide(task=task.id, title=said.title, branch=task.branch, summary=said.summary)


def _stale(
    host: Host, fleet: Fleet, charts: dict[Line, Chart], only: TaskId | None
) -> Iterator[StaleRow]:
    for (repo, target), chart in charts.items():
        for name, clash in chart.stale.items():
            task = fleet.tasks.get(name)
            if only in (None, name) and task is not None:
                yield StaleRow(
                    repo=fleet.repos[repo].root,
                    target=target,
                    task=name,
                    title=intent(task).title,
                    branch=task.branch,
                    files=clash.files,
                    landed=tuple(_landed(host, fleet, task, chart)),
                    since=clash.since,
                    why=clash.why,
                )


def _landed(host: Host, fleet: Fleet, task: Task, chart: Chart) -> Iterable[str]:
    """Say by what the target became another in the files in which a branch does not fit there."""
    normal, target = chart.normals[task.id], chart.target
    if not normal.files or target is None:
        return []
    try:
        place = host.tools.place(fleet.repos[task.repo])
        reached = conflicting_commits(
            place, base=normal.tip, target=target, files=normal.files, limit=_MOST_LANDED
        )
    except FleetError:
        return []  # it is just being rewritten
    ours = {it.id: it for it in tasks_of(fleet, task, reached)}
    return [_line(it, ours.get(TaskId(it.task))) for it in reached]


def _line(reached: Reached, task: Task | None) -> str:
    return f"{reached.line} ({task.id}: {intent(task).title})" if task else reached.line
