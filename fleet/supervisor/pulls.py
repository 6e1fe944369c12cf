"""Following pull requests: every forge is asked in its own time, and nothing waits for it."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from fleet.core import events as e
from fleet.core.ids import RepoId, TaskId
from fleet.core.model import Fleet, Task
from fleet.core.pauses import is_due, pause
from fleet.core.pulls import cadence
from fleet.core.status import Submitted
from fleet.core.trust import untrusted
from fleet.supervisor.loop import Supervisor
from fleet.supervisor.perform.following import Round, follow
from fleet.supervisor.perform.tools import Tools

_AT_ONCE = 4  # targets that are followed at a time
_LEAST = timedelta(seconds=5)  # between two looks, however often somebody asks
_BUSY, _QUIET = timedelta(minutes=1), timedelta(minutes=5)  # between two fetches of a target
_FIRST_S = 15.0  # after a failure; longer after each one
Target = tuple[RepoId, str]


def _now() -> datetime:
    return datetime.now(UTC)


class Pulls:
    """Looks at each target that takes pull requests, and at those; `look` never waits for it."""

    def __init__(
        self, supervisor: Supervisor, tools: Tools, *, now: Callable[[], datetime] = _now
    ) -> None:
        self._supervisor, self._tools, self._now = supervisor, tools, now
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="forge")
        self._under_way: dict[Target, asyncio.Task[None]] = {}
        self._looked: dict[TaskId | Target, datetime] = {}
        self._failures: dict[TaskId, int] = {}  # in a row
        self._wanted: set[TaskId] = set()  # at once: somebody looks at them

    async def look(self) -> None:
        """Begin to look at whatever is due; what an earlier look met unknown is raised here."""
        for target, work in list(self._under_way.items()):
            if work.done():
                del self._under_way[target]
                work.result()
        fleet = self._supervisor.fleet
        for target, tasks in _targets(fleet, self._tools).items():
            due = [task for task in tasks if _has_pull(task) and self._is_due(task)]
            if target not in self._under_way and (due or self._is_stale(target, tasks)):
                self._under_way[target] = asyncio.create_task(self._follow(target, tasks, due))

    def hurry(self, tasks: Iterable[TaskId]) -> None:
        """Have these looked at with the next beat, for somebody who wants to see them."""
        self._wanted.update(tasks)

    async def ask(self, task: TaskId) -> None:
        """Return once the forge has been asked of a task's pull request, or cannot be."""
        while work := self._under_way.get(self._target(task)):
            await asyncio.wait([work])
            await self.look()
        self._wanted.add(task)
        self._looked.pop(task, None)
        await self.look()
        if work := self._under_way.get(self._target(task)):
            await asyncio.wait([work])

    def close(self) -> None:
        """End what is under way, and wait for it."""
        self._stop.set()
        self._threads.shutdown(wait=True)

    def _target(self, task: TaskId) -> Target:
        it = self._supervisor.fleet.tasks[task]
        return it.repo, it.target

    def _is_due(self, task: Task) -> bool:
        now, last = self._now(), self._looked.get(task.id)
        if last is None:
            return True
        if task.id in self._wanted:
            return is_due(last + _LEAST, now)
        if failures := self._failures.get(task.id, 0):
            return is_due(last + pause(failures, first_s=_FIRST_S), now)
        return task.pull is not None and is_due(last + cadence(task.pull, now), now)

    def _is_stale(self, target: Target, tasks: Iterable[Task]) -> bool:
        busy = any(isinstance(task.status, Submitted) for task in tasks)
        last = self._looked.get(target)
        return last is None or is_due(last + (_BUSY if busy else _QUIET), self._now())

    async def _follow(self, target: Target, tasks: list[Task], due: list[Task]) -> None:
        self._looked[target] = now = self._now()
        self._looked |= {task.id: now for task in due}
        asked = self._wanted & {task.id for task in due}
        self._wanted -= asked
        round_ = Round(self._tools, self._supervisor.fleet, *target, self._stop)
        others = [task for task in tasks if _has_pull(task) and task not in due]
        loop = asyncio.get_running_loop()
        facts, failed = await loop.run_in_executor(self._threads, follow, round_, due, others)
        for task in due:
            count = self._failures.get(task.id, 0) + 1 if task.id in failed else 0
            self._failures[task.id] = count
        # One failure is soon over, mostly; who asked is told of it all the same.
        facts = [
            fact
            for fact in _still_true(self._supervisor.fleet, round_.fleet, facts)
            if not isinstance(fact, e.PullFailed)
            or fact.task in asked
            or self._failures.get(fact.task, 0) > 1
        ]
        if facts and not self._supervisor.closing:
            self._supervisor.record(facts)


def _still_true(now: Fleet, then: Fleet, facts: list[e.AnyEvent]) -> list[e.AnyEvent]:
    """Leave out what was found of a change that has become another one meanwhile."""

    def same(fact: e.AnyEvent) -> bool:
        if not isinstance(fact, e.ChangeLanded | e.ChangeBlocked):
            return True
        return now.tasks[fact.task].change == then.tasks[fact.task].change

    return [fact for fact in facts if same(fact)]


def _targets(fleet: Fleet, tools: Tools) -> dict[Target, list[Task]]:
    """Return the targets that take pull requests, each with the tasks that have to do with it."""
    found: dict[Target, list[Task]] = {}
    for task in fleet.tasks.values():
        open_ = task.pull is not None and task.pull.open
        if (task.ended or task.removed_at is not None) and not open_:
            continue
        policy = tools.target_policy(task.repo, task.target)
        if policy.pr != "off" and not untrusted(fleet, task.repo, policy):
            found.setdefault((task.repo, task.target), []).append(task)
    return found


def _has_pull(task: Task) -> bool:
    """Whether there is a pull request to be asked of: a closed one may be opened again."""
    return task.pull is not None and (task.pull.open or isinstance(task.status, Submitted))
