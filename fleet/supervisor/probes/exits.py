"""Noticing the end of runs: the kernel wakes us for each `fleet-pane` that ends."""

import asyncio
import os
from datetime import timedelta

from fleet.core import events as e
from fleet.core.activity import Run
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.pauses import pause
from fleet.core.signals import PROCESS
from fleet.errors import ToolError
from fleet.supervisor.host import Host, now
from fleet.supervisor.rundir import Exit, read_exit
from fleet.tools.processes.model import Identity
from fleet.tools.processes.table import is_alive
from fleet.tools.tmux.view import PaneState

_KILLED = "fleet-pane was killed"
_NO_CONVERSATION = "its conversation could not be taken up"
_SOON = timedelta(minutes=1)
_FORGIVEN = 3  # losses that are made good at once
_LOOK_EVERY_S = 0.5  # where the kernel has no pidfd
_TMUX_LOOKS, _TMUX_EVERY_S = 40, 0.05  # until tmux knows, too


class Exits:
    """Watches the process of every run that has not been seen to end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._watched: dict[tuple[TaskId, int], int | None] = {}
        self._asked: set[asyncio.Task[None]] = set()

    def sync(self) -> None:
        """Watch exactly the runs there are now; called after every change of the state."""
        tasks = self._host.supervisor.fleet.tasks.values()
        wanted = {
            (task.id, task.run.attempt): task.run
            for task in tasks
            if task.run is not None and task.run.leaving is None
        }
        for key in self._watched.keys() - wanted.keys():
            self._forget(key)
        for key in wanted.keys() - self._watched.keys():
            self._watch(key, wanted[key])

    def close(self) -> None:
        for key in tuple(self._watched):
            self._forget(key)

    def _watch(self, key: tuple[TaskId, int], run: Run) -> None:
        loop = asyncio.get_running_loop()
        self._watched[key] = None
        try:
            handle = os.pidfd_open(run.pid)
        except ProcessLookupError:
            loop.call_soon(self._ended, key)
            return
        except (OSError, AttributeError):  # no pidfd here, or no more descriptors
            loop.call_later(_LOOK_EVERY_S, self._look, key, run)
            return
        self._watched[key] = handle
        if is_alive(Identity(run.pid, run.pid_start)):
            loop.add_reader(handle, self._ended, key)
        else:  # the number is another process's by now
            loop.call_soon(self._ended, key)

    def _look(self, key: tuple[TaskId, int], run: Run) -> None:
        if key not in self._watched:
            return
        if is_alive(Identity(run.pid, run.pid_start)):
            asyncio.get_running_loop().call_later(_LOOK_EVERY_S, self._look, key, run)
        else:
            self._ended(key)

    def _forget(self, key: tuple[TaskId, int]) -> None:
        handle = self._watched.pop(key)
        if handle is not None:
            asyncio.get_running_loop().remove_reader(handle)
            os.close(handle)

    def _ended(self, key: tuple[TaskId, int]) -> None:
        if key not in self._watched:
            return
        self._release(key)
        work = asyncio.ensure_future(self._find_out(key))
        self._asked.add(work)
        work.add_done_callback(self._asked.discard)

    def _release(self, key: tuple[TaskId, int]) -> None:
        """Stop listening, but keep the key: this end is not to be noticed twice."""
        self._forget(key)
        self._watched[key] = None

    async def _find_out(self, key: tuple[TaskId, int]) -> None:
        """Record how the run ended: by itself, or lost with its pane."""
        name, attempt = key
        task = self._host.supervisor.fleet.tasks[name]
        ended = read_exit(self._host.home.run(name, attempt), self._host.vitals.note_garbage)
        if ended is None or not _is_own(ended):
            fact = self._lost(task, attempt, _KILLED)
        elif ended.code != 0 and _found_nothing(task):
            fact = self._lost(task, attempt, _NO_CONVERSATION, fresh=True)
        elif ended.code == 0 or await self._pane_is_whole(task):
            fact = e.RunExited(
                task=name, attempt=attempt, code=ended.code, signal=ended.signal, error=ended.error
            )
        else:
            fact = self._lost(task, attempt, "its pane was ended")
        run = self._host.supervisor.fleet.tasks[name].run
        if run is not None and run.attempt == attempt and run.leaving is None:
            self._host.supervisor.record([fact])

    async def _pane_is_whole(self, task: Task) -> bool:
        """A dead pane stays until we close it: where it is gone, tmux or a person ended the run.

        So did somebody where its own process, which never ends by a signal, ended by one. tmux
        may learn of that later than we do.
        """
        for _ in range(_TMUX_LOOKS):
            pane = await asyncio.to_thread(self._pane, task)
            if pane is None or pane.signal is not None:
                return False
            if pane.exit_code is not None:
                return True
            await asyncio.sleep(_TMUX_EVERY_S)
        return True

    def _pane(self, task: Task) -> PaneState | None:
        if task.run is None:
            return None
        try:
            panes = self._host.tools.panes.all()
        except ToolError:
            return None
        return next((pane for pane in panes if pane.pane_id == task.run.pane), None)

    def _lost(self, task: Task, attempt: int, reason: str, *, fresh: bool = False) -> e.AnyEvent:
        again = task.losses + 1 - _FORGIVEN
        later = now() + (pause(again, first_s=0.5) if again > 0 else timedelta())
        return e.RunLost(
            task=task.id, attempt=attempt, reason=reason, not_before=later, fresh=fresh
        )


def _found_nothing(task: Task) -> bool:
    """Whether an agent that was to take up a conversation ended soon, and without one word.

    Who speaks at all has found it; a conversation that was lost would else be looked for for ever.
    """
    run = task.run
    silent = run is not None and run.resumed and run.source == PROCESS
    return run is not None and silent and now() - run.started_at < _SOON


def _is_own(ended: Exit) -> bool:
    return ended.error != _KILLED and (ended.code, ended.signal, ended.error) != (None, None, None)
