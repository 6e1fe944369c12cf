"""Answers that only look: lists, details, the queue, the state of the supervisor."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from fleet import protocol as p
from fleet.core.change import newest_results
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.names import find
from fleet.core.pull_phrases import pull_row
from fleet.core.pulls import PullRow
from fleet.core.queue_rows import queue_rows
from fleet.core.rows import TaskRow
from fleet.core.schedule import occupied
from fleet.core.status import Failed, Landed
from fleet.core.views import needs, needs_since, status_word
from fleet.supervisor.answers.rows import (
    degraded,
    repo_around,
    task_detail,
    task_row,
    task_rows,
)
from fleet.supervisor.host import Host
from fleet.supervisor.keeper import keeper_pid


async def ls(host: Host, query: p.List) -> list[TaskRow]:
    """Return the tasks, oldest first."""
    fleet, given = host.supervisor.fleet, host.circumstances()
    repo = await asyncio.to_thread(repo_around, query.cwd) if query.cwd else None
    shown = [
        task
        for task in fleet.tasks.values()
        if (query.all or not (task.ended or task.removed_at))
        and (repo is None or task.repo == repo)
    ]
    return task_rows(fleet, shown, given, host.home)


async def show(host: Host, query: p.Show) -> Any:
    fleet = host.supervisor.fleet
    task = find(fleet, query.task)
    host.pulls.hurry([task.id])
    return task_detail(fleet, task, host.circumstances(), host.home)


async def next_(host: Host, query: p.Next) -> TaskRow | None:
    """Return the task that has needed a person for longest."""
    fleet, given = host.supervisor.fleet, host.circumstances()
    wanting = [
        task
        for task in fleet.tasks.values()
        if not task.ended and needs(fleet, task, given.target(task.repo, task.target))
    ]
    if not wanting:
        return None
    oldest = min(wanting, key=needs_since)
    return task_row(fleet, oldest, given, host.home)


async def queue(host: Host, query: p.Queue) -> Any:
    rows = queue_rows(host.supervisor.fleet, host.circumstances())
    host.pulls.hurry(TaskId(row.task) for row in rows if row.pr)
    repo = await asyncio.to_thread(repo_around, query.cwd) if query.cwd else None
    return [row for row in rows if repo is None or row.repo == repo]


async def pr(host: Host, query: p.Pr) -> PullRow | None:
    """Ask the forge for the pull request of a task, and return what it says."""
    task = find(host.supervisor.fleet, query.task)
    if task.pull is not None:
        await host.pulls.ask(task.id)
    return pull_row(host.supervisor.fleet.tasks[task.id])


async def status(host: Host, query: p.Status) -> dict[str, Any]:
    """Return what is known of the supervisor itself."""
    fleet = host.supervisor.fleet
    repos = [
        {
            "id": repo.id,
            "root": repo.root,
            "targets": repo.tips,
            "frozen": repo.frozen,
            "slots": dict(Counter(slot.state for slot in repo.slots.values())),
        }
        for repo in fleet.repos.values()
    ]
    live = [task for task in fleet.tasks.values() if task.removed_at is None]
    return {
        "pid": host.pid,
        "keeper": keeper_pid(host.home),
        "version": host.version,
        "home": str(host.home.root),
        "socket": str(host.home.socket()),
        "tmux_socket": str(host.home.tmux_socket()),
        "started_at": host.started_at,
        "repos": repos,
        "tasks": dict(Counter(status_word(fleet, task) for task in live)),
        "slots": {"used": occupied(fleet), "all": host.tools.policies.fleet.slots},
        "degraded": degraded(host),
        "found": host.found,
    }


async def report(host: Host, query: p.Report) -> dict[str, Any]:
    """Say what landed and what did not, since a time; what waits is told in any case."""
    fleet, given = host.supervisor.fleet, host.circumstances()
    tasks = [
        task
        for task in fleet.tasks.values()
        if query.since is None or task.updated_at >= query.since
    ]

    def rows(of: Iterable[Task]) -> list[TaskRow]:
        return task_rows(fleet, of, given, host.home)

    living = rows(task for task in fleet.tasks.values() if not task.ended)
    return {
        "since": query.since,
        "landed": rows(task for task in tasks if isinstance(task.status, Landed)),
        "failed": rows(task for task in tasks if isinstance(task.status, Failed)),
        "waiting": [row for row in living if row.needs],
        "cost_usd": sum(task.cost_usd for task in tasks),
        "tokens": sum(task.tokens for task in tasks),
        "attempts": sum(task.attempt for task in tasks),
        "flaky": [
            {"task": task.id, "check": result.name}
            for task in tasks
            if task.change is not None
            for result in newest_results(task.change)
            if result.state == "flaky"
        ],
    }
