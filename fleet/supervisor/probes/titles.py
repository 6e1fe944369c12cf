"""Hearing what the titles of panes tell, of agents that say by them what they do."""

from collections.abc import Mapping
from datetime import datetime

from fleet.agents.adapter import Signal, overrides
from fleet.agents.generic import one_line
from fleet.core.activity import Activity, Run
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.signals import TITLE
from fleet.errors import FleetError
from fleet.supervisor.host import Host, now
from fleet.supervisor.probes.words import Words, meaning


class Titles:
    """Tells the judge when a title begins to say something else: many are drawn, few say it."""

    def __init__(self, host: Host) -> None:
        self._host, self._words = host, Words(host)
        self._seen: dict[TaskId, tuple[int, str]] = {}  # the attempt, and its title
        self._said: dict[TaskId, Activity | None] = {}

    def look(self, titles: Mapping[str, str]) -> None:
        """Take in the titles that panes have now, by the panes' ids."""
        tasks = self._host.supervisor.fleet.tasks
        for name in [it for it in self._seen if it not in tasks or tasks[it].run is None]:
            del self._seen[name]
        for task in tuple(tasks.values()):
            run = task.run
            if run is not None and run.leaving is None and run.pane in titles:
                self._look_at(task, run, titles[run.pane])

    def _look_at(self, task: Task, run: Run, title: str) -> None:
        attempt, seen = self._seen.get(task.id, (None, None))
        if (attempt, seen) == (run.attempt, title):
            return
        self._seen[task.id] = run.attempt, title
        signals = self._read(task, title)
        meanings = (meaning(signal, TITLE) for signal in signals)
        says = next((it for it in meanings if it is not None), None)
        if attempt == run.attempt and _same(says, self._said.get(task.id)):
            return
        at = now() if attempt == run.attempt else _since(run, says)
        self._said[task.id] = says
        for signal in signals:
            self._words.take(task.id, signal, source=TITLE, at=at, actor="fleet")
        if says is None:
            self._host.judge.silence(task.id, TITLE, now())

    def _read(self, task: Task, title: str) -> tuple[Signal, ...]:
        clean = one_line(title)
        if clean == one_line(task.spec.title):
            return ()  # `fleet-pane` set it
        try:
            adapter = self._host.tools.adapter(task)
        except FleetError:
            return ()
        return adapter.read_title(clean) if overrides(adapter, "read_title") else ()


def _same(says: Activity | None, before: Activity | None) -> bool:
    """Whether two titles say the same, in whichever words."""
    kinds = (getattr(it, "kind", None) for it in (says, before))
    return type(says) is type(before) and len(set(kinds)) == 1


def _since(run: Run, says: Activity | None) -> datetime:
    """Return since when a title says this that is looked at for the first time.

    Where that is what is on record, it is no news: we may have begun anew beside a run.
    """
    known = type(says) is type(run.activity)
    return (run.said_at or run.activity_since) if known else now()
