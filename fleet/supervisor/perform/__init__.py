"""Carrying out effects on the real world: git, tmux and processes, each in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.model import Fleet
from fleet.supervisor.perform import (
    answering,
    changes,
    landing,
    notices,
    queue,
    runs,
    telling,
    workspaces,
)
from fleet.supervisor.perform.tools import Tools

# What runs commands of the user may take hours: it never keeps the rest from a thread.
_LONG = (f.StartRun, f.RestoreWorkspace, f.RunChecks, f.Gate, f.Notify)
_THREADS = 64  # of each kind; they are made as they are needed
Performer = Callable[[Tools, Any, Fleet, threading.Event], list[e.AnyEvent]]

_PERFORMERS: dict[type[f.Effect], Performer] = {
    f.StartRun: runs.start,
    f.EndRun: runs.end,
    f.Tell: telling.tell,
    f.PassAnswer: answering.pass_answer,
    f.Seal: changes.seal,
    f.RunChecks: changes.check,
    f.FreeWorkspace: workspaces.free,
    f.RestoreWorkspace: workspaces.restore,
    f.MakeSlot: workspaces.make,
    f.RecycleSlot: workspaces.recycle,
    f.DropSlot: workspaces.drop,
    f.Merge: queue.merge,
    f.Gate: queue.gate,
    f.Remerge: queue.remerge,
    f.Land: landing.land,
    f.Notify: notices.notify,
}


class RealWorld:
    """The world of `fleet.supervisor.loop.World`, with real tools."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._long = ThreadPoolExecutor(_THREADS, thread_name_prefix="long-effect")
        self._short = ThreadPoolExecutor(_THREADS, thread_name_prefix="effect")

    async def perform(
        self, effect: f.AnyEffect, fleet: Fleet, stop: threading.Event
    ) -> Sequence[e.AnyEvent]:
        loop, performer = asyncio.get_running_loop(), _PERFORMERS[type(effect)]
        threads = self._long if isinstance(effect, _LONG) else self._short
        return await loop.run_in_executor(threads, performer, self.tools, effect, fleet, stop)

    def close(self) -> None:
        for threads in (self._long, self._short):
            threads.shutdown(wait=True)
