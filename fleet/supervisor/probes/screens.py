"""Reading screens for what no hook tells, of agents whose screens can be read and have changed."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

from fleet.agents.adapter import AgentAdapter, SaysFailed, SaysWaiting, overrides
from fleet.core.activity import Working
from fleet.core.ids import TaskId
from fleet.core.signals import FRESH, SCREEN
from fleet.errors import FleetError, ToolError
from fleet.supervisor.host import Host, now
from fleet.supervisor.probes.words import Words

_LINES = 24  # from the bottom: only a live prompt counts
# What moves while nothing is done: counters with their units, spinners, bars and dots.
_RESTLESS = re.compile(r"\d[\w.,:%]*|[\W_]+")
_MOST = 16  # screens of one look, those that wait for longest first


class Screens:
    """Looks at panes that were drawn to: only an agent that has not spoken of late needs it."""

    def __init__(self, host: Host) -> None:
        self._host, self._words = host, Words(host)
        self._due: dict[TaskId, str] = {}  # in the order in which they are to be looked at
        self._words_of: dict[TaskId, int] = {}  # hashes of what each screen said

    async def look(self, drawn: Sequence[tuple[TaskId, str]]) -> None:
        """Read the screens of those that were drawn to, and of those left over before."""
        for task, pane in drawn:
            self._due.setdefault(task, pane)
        readers: dict[str, tuple[TaskId, AgentAdapter]] = {}
        for task, pane in tuple(self._due.items()):
            if len(readers) == _MOST or self._is_fresh(task):
                continue
            del self._due[task]
            if (adapter := self._reader(task)) is not None:
                readers[pane] = (task, adapter)
        if readers:
            await self._read(readers)

    async def _read(self, readers: dict[str, tuple[TaskId, AgentAdapter]]) -> None:
        try:
            screens = await asyncio.to_thread(self._host.tools.panes.capture_many, readers)
        except ToolError:
            return  # tmux died: its runs end, and each is noticed by itself
        for pane, screen in screens.items():
            task, adapter = readers[pane]
            lines = screen.rstrip().splitlines()[-_LINES:]
            self._say(task, adapter, "\n".join(lines))

    def _say(self, task: TaskId, adapter: AgentAdapter, text: str) -> None:
        words = hash(_RESTLESS.sub("", text))
        if self._words_of.get(task) != words:
            self._words_of[task] = words
            self._host.vitals.last_moved[task] = now()
        wanted = [
            it for it in adapter.read_screen(text) if isinstance(it, SaysWaiting | SaysFailed)
        ]
        for signal in wanted:
            self._words.take(task, signal, source=SCREEN, at=now(), actor="fleet")
        if not wanted:
            self._host.judge.silence(task, SCREEN, now())

    def _is_fresh(self, name: TaskId) -> bool:
        """Whether what its agent said is too young to be doubted; it is looked at later."""
        told = self._host.vitals.last_told.get(name)
        task = self._host.supervisor.fleet.tasks.get(name)
        if told is None or task is None or task.run is None:
            return False
        young = now() - told < FRESH - timedelta(seconds=1)
        return young and isinstance(task.run.activity, Working)

    def _reader(self, name: TaskId) -> AgentAdapter | None:
        task = self._host.supervisor.fleet.tasks.get(name)
        if task is None or task.run is None or task.run.leaving is not None:
            return None
        try:
            adapter = self._host.tools.adapter(task)
        except FleetError:
            return None
        return adapter if overrides(adapter, "read_screen") else None
