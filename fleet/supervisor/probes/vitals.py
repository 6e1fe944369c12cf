"""Taking the pulse once a second: who prints, who is watched, what is stuck; one call for all."""

import asyncio
from datetime import UTC, datetime, timedelta

from fleet.core import events as e
from fleet.core.activity import Waiting
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.model import Task
from fleet.core.status import Running, Submitted
from fleet.errors import FleetError, ToolError
from fleet.supervisor.host import Host, now
from fleet.supervisor.perform.answering import leave_to_pane
from fleet.supervisor.perform.landing import is_still_blocked
from fleet.supervisor.probes.screens import Screens
from fleet.supervisor.probes.titles import Titles
from fleet.tools import pipes
from fleet.tools.git.files import usage_bytes
from fleet.tools.git.repository import Place, branch_tip, diff_size, signature
from fleet.tools.processes.marks import parse_token
from fleet.tools.tmux.view import PaneState

_GIB = 1024**3
_COUNT_EVERY = 10  # beats between two looks at the size of work in progress
_DISK_EVERY = 300
_UNBLOCK_AFTER = timedelta(seconds=2)
_LONGEST_BLOCK = timedelta(seconds=30)


class Vitals:
    """One beat of this looks at all panes with one tmux command; git runs only where work moved."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._beats = 0
        self._stamps: dict[TaskId, str] = {}
        self._branches: dict[TaskId, object] = {}
        self._drawn: dict[TaskId, tuple[tuple[str, int], int]] = {}
        self._screens, self._titles = Screens(host), Titles(host)
        self._blocked: dict[TaskId, timedelta] = {}
        self._looked: dict[TaskId, tuple[datetime, datetime]] = {}  # when, and at which news

    async def beat(self) -> None:
        """Take the pulse of everything that lives."""
        tasks = self._host.supervisor.fleet.tasks.values()
        if any(task.run is not None for task in tasks):
            await self._panes()
        self._host.vitals.forget({task.id for task in tasks if task.run is not None})
        self._host.judge.look(now(), every=True)
        await self._unblock()
        if self._beats % _COUNT_EVERY == 0:
            await self._count()
        if self._beats % _DISK_EVERY == 0:
            await self._disk()
            await asyncio.to_thread(pipes.tidy, self._host.home.asks)
        self._beats += 1

    async def _panes(self) -> None:
        try:
            panes = await asyncio.to_thread(self._host.tools.panes.all)
        except ToolError:
            panes = []  # tmux died: its runs end, and each is noticed by itself
        vitals = self._host.vitals
        self._titles.look({pane.pane_id: pane.title for pane in panes})
        found = {task: pane for pane in panes if (task := self._task_of(pane)) is not None}
        attached = frozenset(task for task, pane in found.items() if pane.attached > 0)
        drawn = []
        for task, pane in found.items():
            if self._was_drawn_to(task, pane):
                vitals.last_drawn[task] = datetime.fromtimestamp(pane.drawn_at, UTC)
                drawn.append((task, pane.pane_id))
            self._note(task, pane.stamp)
        if attached != vitals.attached:
            vitals.attached = attached
            self._host.supervisor.reconcile_soon()
        for task in attached:
            await self._leave_to_pane(task)
        await self._screens.look(drawn)

    async def _leave_to_pane(self, name: TaskId) -> None:
        """Let an agent ask in its pane what it would ask from outside, as a person sits there."""
        task = self._host.supervisor.fleet.tasks.get(name)
        run = None if task is None else task.run
        if run is not None and isinstance(run.activity, Waiting) and run.activity.ask is not None:
            await asyncio.to_thread(leave_to_pane, self._host.tools, name, run.attempt)

    def _was_drawn_to(self, task: TaskId, pane: PaneState) -> bool:
        """Whether there may be something new: tmux counts seconds, and one may not be over."""
        seen, looked_at = self._drawn.get(task, (None, 0))
        stamp = (pane.pane_id, pane.drawn_at)
        self._drawn[task] = (stamp, int(now().timestamp()))
        return stamp != seen or pane.drawn_at >= looked_at

    async def glance(self) -> None:
        """See who printed something, for those who look on: far less than a beat, more often."""
        await self._host.audience.present()
        living = {
            task.run.pane: task.id
            for task in self._host.supervisor.fleet.tasks.values()
            if task.run is not None
        }
        try:
            found = await asyncio.to_thread(self._host.tools.panes.glimpses) if living else {}
        except ToolError:
            found = {}
        for pane, glimpse in found.items():
            if (task := living.get(pane)) is not None:
                self._note(task, glimpse.stamp)
        self._titles.look({pane: glimpse.title for pane, glimpse in found.items()})
        self._host.audience.stir()

    def _note(self, task: TaskId, stamp: str) -> None:
        if self._stamps.get(task) != stamp:
            self._stamps[task] = stamp
            self._host.vitals.last_output[task] = now()

    def _task_of(self, pane: PaneState) -> TaskId | None:
        token = parse_token(pane.run)
        return TaskId(token.task) if token and token.home == self._host.tools.home_id else None

    async def _unblock(self) -> None:
        """Let what waits for something outside try again, less and less often.

        Where it can be seen that it would wait for the same again, that is no news, and no fact.
        """
        fleet = self._host.supervisor.fleet
        blocked = {
            task.id: task
            for task in fleet.tasks.values()
            if isinstance(task.status, Submitted) and task.change and task.change.blocked
        }
        facts: list[e.AnyEvent] = []
        for name, task in blocked.items():
            pause = self._blocked.get(name, _UNBLOCK_AFTER)
            looked, news = self._looked.get(name, (task.updated_at, task.updated_at))
            since = looked if news == task.updated_at else task.updated_at
            if task.change is None or timedelta() <= now() - since < pause:
                continue
            self._blocked[name] = min(pause * 2, _LONGEST_BLOCK)
            self._looked[name] = (now(), task.updated_at)
            if not await asyncio.to_thread(is_still_blocked, self._host.tools, fleet, task):
                facts.append(e.ChangeUnblocked(task=name, revision=task.change.revision))
        if facts:
            self._host.supervisor.record(facts)

    async def _count(self) -> None:
        """Measure branches that moved while their agents work."""
        fleet = self._host.supervisor.fleet
        for task in fleet.tasks.values():
            if not isinstance(task.status, Running):
                continue
            mark = self._mark(task)
            if mark == self._branches.get(task.id):
                continue
            self._branches[task.id] = mark
            counted = await asyncio.to_thread(self._size, task)
            if counted is not None:
                self._host.supervisor.record([counted])

    def _mark(self, task: Task) -> object:
        try:
            return signature(self._place(task), task.branch)
        except FleetError:
            return None  # the repository is gone, and whoever looks at its targets says so

    def _place(self, task: Task) -> Place:
        return self._host.tools.place(self._host.supervisor.fleet.repos[task.repo])

    def _size(self, task: Task) -> e.WorkCounted | None:
        try:
            place = self._place(task)
            tip = branch_tip(place, task.branch)
            if tip is None or tip in {task.head, task.base}:
                return None
            added, removed, _ = diff_size(place, task.base, tip)
        except FleetError:
            return None  # the branch is just being rewritten; the next look sees it whole
        return e.WorkCounted(task=task.id, head=Commit(tip), added=added, removed=removed)

    async def _disk(self) -> None:
        limit = self._host.tools.policies.fleet.disk_limit_gb * _GIB
        used: dict[RepoId, int] = {}
        for repo in self._host.supervisor.fleet.repos:
            used[repo] = await asyncio.to_thread(self._kept, repo)
        crowded = frozenset(repo for repo in used if sum(used.values()) > limit)
        await asyncio.to_thread(self._host.tools.gates.make_room, crowded)
        if crowded != self._host.vitals.crowded:
            self._host.vitals.crowded = crowded
            self._host.supervisor.reconcile_soon()

    def _kept(self, repo: RepoId) -> int:
        """How much disk a repository's workspaces and gates use."""
        home = self._host.home
        return sum(usage_bytes(it.parent) for it in (home.slot(repo, 0), home.gate(repo, "0")))
