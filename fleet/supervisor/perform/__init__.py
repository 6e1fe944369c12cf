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
    approvals,
    assessing,
    changes,
    forgetting,
    landing,
    notices,
    proving,
    pulls,
    queue,
    runs,
    telling,
    workspaces,
)
from fleet.supervisor.perform.tools import Tools

# What runs commands of the user may take hours, what waits for a forge minutes: neither ever keeps
# the rest from a thread.
_LONG = (f.StartRun, f.RestoreWorkspace, f.RunChecks, f.Gate, f.Prove, f.Notify, f.OnPull)
_THREADS = 64  # of each kind; they are made as they are needed
_MEASURED = 2  # changes at a time: the rest of the machine is for what people wait for
Performer = Callable[[Tools, Any, Fleet, threading.Event], list[e.AnyEvent]]

_PERFORMERS: dict[type[f.Effect], Performer] = {
    f.StartRun: runs.start,
    f.EndRun: runs.end,
    f.Tell: telling.tell,
    f.PassAnswer: answering.pass_answer,
    f.Seal: changes.seal,
    f.RunChecks: changes.check,
    f.LookAgain: approvals.look_again,
    f.Reconsider: approvals.reconsider,
    f.Assess: assessing.assess,
    f.FreeWorkspace: workspaces.free,
    f.RestoreWorkspace: workspaces.restore,
    f.Forget: forgetting.forget,
    f.MakeSlot: workspaces.make,
    f.RecycleSlot: workspaces.recycle,
    f.DropSlot: workspaces.drop,
    f.Merge: queue.merge,
    f.Gate: queue.gate,
    f.Remerge: queue.remerge,
    f.Land: landing.land,
    f.Prove: proving.prove,
    f.Propose: pulls.propose,
    f.MergePull: pulls.merge,
    f.ClosePull: pulls.close,
    f.Notify: notices.notify,
}


class RealWorld:
    """The world of `fleet.supervisor.world.World`, with real tools."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._long = ThreadPoolExecutor(_THREADS, thread_name_prefix="long-effect")
        self._short = ThreadPoolExecutor(_THREADS, thread_name_prefix="effect")
        self._measuring = ThreadPoolExecutor(_MEASURED, thread_name_prefix="measuring")

    async def perform(
        self, effect: f.AnyEffect, fleet: Fleet, stop: threading.Event
    ) -> Sequence[e.AnyEvent]:
        loop, performer = asyncio.get_running_loop(), _PERFORMERS[type(effect)]
        threads = self._long if isinstance(effect, _LONG) else self._short
        threads = self._measuring if isinstance(effect, f.Assess) else threads
        return await loop.run_in_executor(threads, performer, self.tools, effect, fleet, stop)

    def close(self) -> None:
        for threads in (self._long, self._short, self._measuring):
            threads.shutdown(wait=True)
