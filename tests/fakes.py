"""A world of its own for the supervisor's loop: what it answers depends on the state alone."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import histories as h
import outcomes

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.activity import Idle, Working
from fleet.core.causes import Conflict, NoChange
from fleet.core.ids import TaskId
from fleet.core.line import Clash
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances
from fleet.core.status import Running
from fleet.ledger import Ledger
from fleet.supervisor.loop import Supervisor


@dataclass(frozen=True)
class Script:
    """How a task fares, by the numbers of its attempts and of its revisions."""

    dies: frozenset[int] = frozenset()  # attempts whose agent ends with code 1
    empty: frozenset[int] = frozenset()  # attempts whose agent makes nothing
    hangs: bool = False  # its agents never end by themselves
    red: frozenset[int] = frozenset()  # revisions that fail their checks in the workspace
    gate_red: frozenset[int] = frozenset()  # revisions that fail their gates
    conflict: frozenset[int] = frozenset()  # revisions that do not merge


@dataclass
class Clock:
    now: datetime = h.NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """Carries nothing out and says how it went: well, unless a script or `fail` says otherwise.

    It keeps no state about tasks, so a new one continues where another one was left.
    """

    given: Circumstances = h.GIVEN
    scripts: dict[TaskId, Script] = field(default_factory=dict)
    begun: list[f.AnyEffect] = field(default_factory=list)
    done: list[f.AnyEffect] = field(default_factory=list)
    stopped: list[f.AnyEffect] = field(default_factory=list)
    _held: set[type[f.Effect]] = field(default_factory=set)
    _failures: dict[type[f.Effect], Exception | list[e.AnyEvent]] = field(default_factory=dict)

    def hold(self, *kinds: type[f.Effect]) -> None:
        """Let effects of these kinds, or all, begin but not end."""
        self._held.update(kinds or (f.Effect,))

    def release(self) -> None:
        self._held.clear()

    def fail(self, kind: type[f.Effect], how: Exception | list[e.AnyEvent]) -> None:
        """From now on, effects of this kind raise, or come to these events."""
        self._failures[kind] = how

    async def perform(
        self, effect: f.AnyEffect, fleet: Fleet, stop: threading.Event
    ) -> Sequence[e.AnyEvent]:
        self.begun.append(effect)
        while isinstance(effect, tuple(self._held)):
            if stop.is_set():
                self.stopped.append(effect)
                return self._outcome(effect, fleet)
            await asyncio.sleep(0)
        self.done.append(effect)
        return self._outcome(effect, fleet)

    def _outcome(self, effect: f.AnyEffect, fleet: Fleet) -> Sequence[e.AnyEvent]:
        how = self._failures.get(type(effect))
        if isinstance(how, Exception):
            raise how
        scripted = self._scripted(effect, fleet)
        return how or scripted or outcomes.good(effect, fleet, self.given)

    def _scripted(self, effect: f.AnyEffect, fleet: Fleet) -> list[e.AnyEvent]:
        if not isinstance(effect, f.OnTask | f.OnQueue):
            return []
        name, script = effect.task, self.scripts.get(effect.task, Script())
        attempt = fleet.tasks[name].attempt
        match effect:
            case f.Seal() if attempt in script.empty:
                return [e.SealFailed(task=name, cause=NoChange())]
            case f.RunChecks(revision=it) if it in script.red:
                return [e.ChecksFailed(task=name, revision=it, results=(h.RED,))]
            case f.Gate(revision=it) if it in script.gate_red:
                return [outcomes.checked(effect, fleet, self.given, red=(h.CHECK.run,))]
            case f.Merge(revision=it, onto=onto) if it in script.conflict:
                clash = Clash(onto, effect.method, effect.cars, Conflict(("x.py",), onto))
                return [e.TrainClashed(repo=effect.repo, target=effect.target, clash=clash)]
            case _:
                return []

    def signals(self, fleet: Fleet) -> list[e.AnyEvent]:
        """What live agents would tell next: each that works comes to its end, unless it hangs."""
        return [self._end(task) for task in fleet.tasks.values() if self._works(task)]

    def _works(self, task: Task) -> bool:
        run = task.run
        if run is None or not isinstance(task.status, Running) or run.leaving or task.messages:
            return False
        return isinstance(run.activity, Working) and not self._script(task).hangs

    def _end(self, task: Task) -> e.AnyEvent:
        attempt = task.attempt
        if task.spec.done == "turn":
            idle = Idle()
            return e.ActivityChanged(task=task.id, attempt=attempt, activity=idle, source="hook")
        code = int(attempt in self._script(task).dies)
        return e.RunExited(task=task.id, attempt=attempt, code=code)

    def _script(self, task: Task) -> Script:
        return self.scripts.get(task.id, Script())


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """A ledger that does not wait for the disk: nobody pulls the plug here."""
    with closing(Ledger.open(path)) as ledger:
        ledger._connection.execute("PRAGMA synchronous = OFF")
        yield ledger


@asynccontextmanager
async def running(
    path: Path, world: World, clock: Clock | None = None
) -> AsyncIterator[Supervisor]:
    """A supervisor with the ledger at `path`, which is closed in the end."""
    with open_ledger(path) as ledger:
        supervisor = Supervisor(ledger, world, now=clock or Clock(), given=lambda: world.given)
        supervisor.record(h.SETTING[supervisor.fleet.seq :])
        supervisor.reconcile_soon()
        try:
            yield supervisor
        finally:
            await supervisor.close()
