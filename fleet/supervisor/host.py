"""All that a running supervisor is made of, in one place for those who answer and observe."""

import asyncio
import os
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from fleet import paths
from fleet.core import events as e
from fleet.core import turns
from fleet.core.effects import Tell
from fleet.core.ids import RepoId, TaskId
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances
from fleet.core.radar import Clashes
from fleet.supervisor.audience import Audience
from fleet.supervisor.judge import Judge
from fleet.supervisor.loop import Supervisor
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.pulls import Pulls
from fleet.supervisor.radar import Radar


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Vitals:
    """Signs of life that are shown and not recorded."""

    attached: frozenset[TaskId] = frozenset()
    crowded: frozenset[RepoId] = frozenset()
    last_output: dict[TaskId, datetime] = field(default_factory=dict)  # that moved the cursor
    last_drawn: dict[TaskId, datetime] = field(default_factory=dict)  # any output, redrawing too
    last_moved: dict[TaskId, datetime] = field(default_factory=dict)  # other words on its screen
    last_told: dict[TaskId, datetime] = field(default_factory=dict)  # any hook
    doing: dict[TaskId, str] = field(default_factory=dict)  # what it does now, in one line
    context: dict[TaskId, float] = field(default_factory=dict)  # share of its context in use
    clashes: Clashes = field(default_factory=Clashes)  # between open branches
    draining: bool = False  # going down with all agents: nothing starts any more
    garbage: list[str] = field(default_factory=list)  # what was found where it does not belong

    def note_garbage(self, what: str) -> None:
        """Keep the newest of what `fleet status` reports as not understood, each once."""
        if what not in self.garbage:
            self.garbage[:] = [*self.garbage[-99:], what]

    def printed(self, task: TaskId) -> datetime | None:
        """Return when a live agent wrote anything last, wherever on its screen."""
        times = (self.last_output.get(task), self.last_drawn.get(task))
        return max((when for when in times if when is not None), default=None)

    def forget(self, live: AbstractSet[TaskId]) -> None:
        """Drop what was noted of runs that are over."""
        times = (self.last_output, self.last_drawn, self.last_moved, self.last_told)
        for kind in (*times, self.doing, self.context):
            for name in kind.keys() - live:
                del kind[name]


class Found(Struct, frozen=True):
    """A task that was at work when the last supervisor ended, and what has become of its run.

    `how` is alive, ended, resumed (begun again in its conversation) or afresh (begun again).
    """

    task: TaskId
    how: str


@dataclass
class Host:
    """A supervisor with its tools and vitals."""

    home: paths.Home
    tools: Tools
    vitals: Vitals
    supervisor: Supervisor
    started_at: datetime
    version: str
    audience: Audience = field(default_factory=Audience)
    found: tuple[Found, ...] = ()  # at the start
    pid: int = field(default_factory=os.getpid)
    uid: int = field(default_factory=os.getuid)
    judge: Judge = field(init=False)
    radar: Radar = field(init=False)
    pulls: Pulls = field(init=False)

    def __post_init__(self) -> None:
        self.judge = Judge(self.supervisor, self.vitals)
        self.pulls = Pulls(self.supervisor, self.tools)
        self.radar = Radar(self.supervisor, self.tools, found=self._clash)

    def _clash(self, clashes: Clashes) -> None:
        """Let everyone know what conflicts now."""
        self.vitals.clashes = clashes
        self.audience.stir()
        self.supervisor.reconcile_soon()  # an agent may have to be told

    async def settled_messages(self, sent: set[tuple[TaskId, int]]) -> list[dict[str, Any]]:
        """Return what became of each (task, message), once all of them are settled or queued."""
        outcomes: dict[tuple[TaskId, int], dict[str, Any]] = {}

        def look(entries: Sequence[e.Entry]) -> None:
            for entry in entries:
                match entry.event:
                    case e.MessageSettled(task=task, message=number, outcome=outcome, reason=why):
                        found = {"task": task, "outcome": outcome, "reason": why}
                        outcomes.setdefault((task, number), found)
                    case e.RunStarted(task=task) | e.RunEnded(task=task):
                        lost = {"task": task, "outcome": "refused", "reason": "its run ended"}
                        for key in (key for key in sent if key[0] == task):
                            outcomes.setdefault(key, lost)
                    case _:
                        pass

        def known(fleet: Fleet) -> bool:
            for task, number in sent - outcomes.keys():
                if why := self._kept(fleet.tasks[task], number):
                    outcomes[task, number] = {"task": task, "outcome": "queued", "reason": why}
            return sent <= outcomes.keys()

        forget = self.supervisor.watch(look)
        try:
            await self.supervisor.until(known)
        finally:
            forget()
        return [outcomes[key] for key in sorted(sent)]

    def _kept(self, task: Task, message: int) -> str:
        """Return why a message waits to be typed; empty where it does not, or is typed just now."""
        tell = Tell(task.id, task.attempt, message)
        return "" if self.supervisor.is_under_way(tell) else turns.kept(task, message)

    async def settled_answer(self, task: TaskId, ask: str) -> dict[str, Any]:
        """Return what became of the answer to what a task's agent asked."""
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        def look(entries: Sequence[e.Entry]) -> None:
            for entry in entries:
                match entry.event:
                    case e.AnswerSettled(task=it, ask=of, outcome=outcome, reason=why) if (
                        it,
                        of,
                    ) == (task, ask) and not answered.done():
                        answered.set_result({"task": it, "outcome": outcome, "reason": why})
                    case e.RunEnded(task=it) if it == task and not answered.done():
                        lost = {"task": it, "outcome": "refused", "reason": "its run ended"}
                        answered.set_result(lost)
                    case _:
                        pass

        forget = self.supervisor.watch(look)
        try:
            return await answered
        finally:
            forget()

    def circumstances(self) -> Circumstances:
        return circumstances(self.tools, self.vitals)


def circumstances(tools: Tools, vitals: Vitals) -> Circumstances:
    """Return what planning is told beside the state."""
    policy = tools.policies.fleet
    policy = replace(policy, workers=tools.workers)
    return Circumstances(
        policy=replace(policy, slots=0, pool=0) if vitals.draining else policy,
        targets=tools.policies.targets,
        attached=vitals.attached,
        crowded=vitals.crowded,
        clashes=vitals.clashes,
    )
