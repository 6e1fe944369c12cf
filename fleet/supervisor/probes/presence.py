"""Watching the files in which some agents say what they do: they tell what no hook does.

A look is one stat call for each live run whose agent has such a file, so it can be a frequent one.
"""

import os
import time
from pathlib import Path

from msgspec import Struct

from fleet.agents.adapter import AgentAdapter, overrides
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.signals import PRESENCE
from fleet.errors import FleetError
from fleet.supervisor.host import Host, now
from fleet.supervisor.probes.words import Words
from fleet.supervisor.rundir import Started, read_launch, read_started

_LARGEST = 256 * 1024  # bytes
# A file that was written so lately may be written again without another time or size.
_YOUNG_NS = 100_000_000
Stamp = tuple[int, int, int]


class _Watched(Struct):
    """The presence file of one run; `seen` is what it was like when it was read last."""

    adapter: AgentAdapter
    path: Path
    pid_start: int
    seen: Stamp | None = None


class Presences:
    """Looks at the presence file of every live run that has one."""

    def __init__(self, host: Host) -> None:
        self._host, self._words = host, Words(host)
        self._watched: dict[TaskId, _Watched | None] = {}  # None: its agent has no such file
        self._attempts: dict[TaskId, int] = {}

    async def look(self) -> None:
        """Read what has changed, and judge again whatever is due."""
        tasks = self._host.supervisor.fleet.tasks
        for name in [it for it in self._attempts if tasks[it].run is None]:
            del self._attempts[name]
            self._watched.pop(name, None)
        for task in tuple(tasks.values()):
            if task.run is not None and task.run.leaving is None:
                self._look_at(task, task.run.attempt)
        self._host.judge.look(now())

    def _look_at(self, task: Task, attempt: int) -> None:
        if self._attempts.get(task.id) != attempt:
            self._attempts[task.id] = attempt
            self._watched.pop(task.id, None)
        if task.id not in self._watched:
            self._find(task, attempt)
        watched = self._watched.get(task.id)
        if watched is not None:
            self._read(task.id, watched)

    def _find(self, task: Task, attempt: int) -> None:
        """Find out where the file of a run would be; later, if its agent has not started yet."""
        try:
            adapter = self._host.tools.adapter(task)
        except FleetError:
            adapter = None
        if adapter is None or not overrides(adapter, "presence_file"):
            self._watched[task.id] = None
            return
        run_dir, note = self._host.home.run(task.id, attempt), self._host.vitals.note_garbage
        started, launch = read_started(run_dir, note), read_launch(run_dir, note)
        if started is not None and started.agent is not None and launch is not None:
            path = adapter.presence_file(launch.env, started.agent)
            self._watched[task.id] = _watched(adapter, path, started) if path else None

    def _read(self, task: TaskId, watched: _Watched) -> None:
        stamp = _stamp(watched.path)
        if stamp == watched.seen:
            return
        if stamp is None:
            watched.seen = None
            self._host.judge.silence(task, PRESENCE, now())
            return
        young = time.time_ns() - stamp[0] < _YOUNG_NS
        watched.seen = (0, 0, 0) if young else stamp
        self._take(task, watched, young=young)

    def _take(self, task: TaskId, watched: _Watched, *, young: bool) -> None:
        said = watched.adapter.read_presence(_content(watched.path), pid_start=watched.pid_start)
        if said is not None:
            self._words.take(task, said.signal, source=PRESENCE, at=said.at, actor=task)
        elif not young:  # else it may be half written
            self._host.judge.silence(task, PRESENCE, now())


def _watched(adapter: AgentAdapter, path: str, started: Started) -> _Watched:
    return _Watched(adapter, Path(path), started.agent_start or 0)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a quarter of the time, many times a second
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _content(path: Path) -> bytes:
    try:  # neither is a pipe waited for, nor a flood read
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(handle, _LARGEST)
    except OSError:
        return b""
    finally:
        os.close(handle)
