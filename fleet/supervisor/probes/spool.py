"""Hearing what agents' hooks report, as soon as it lies in the spool."""

import asyncio
from collections.abc import Iterator
from typing import assert_never

from msgspec.structs import replace

from fleet.agents.adapter import (
    BadHook,
    SaysConversation,
    SaysDoing,
    SaysDone,
    SaysFailed,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.core import events as e
from fleet.core.activity import Activity, Idle, Run, Waiting, Working
from fleet.core.asking import VERDICTS
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.rows import Ask
from fleet.core.status import Held, Running
from fleet.errors import FleetError
from fleet.supervisor.host import Host
from fleet.supervisor.perform.answering import Kept, keep
from fleet.supervisor.perform.surroundings import Usage, add_usage
from fleet.tools.processes.marks import parse_token
from fleet.tools.spool import Garbage, Report, read, settle
from fleet.tools.spool_watch import SpoolWatch

SOURCE = "hook"


class Spool:
    """Reads reports whenever the kernel says that there are some, and once at the start."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._watch = SpoolWatch(host.home.spool)

    def open(self) -> None:
        asyncio.get_running_loop().add_reader(self._watch.fileno(), self.hear)
        self.hear()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watch.fileno())
        self._watch.close()

    def hear(self) -> None:
        """Record what all reports in the spool say, oldest first; each is deleted afterwards."""
        self._watch.drain()
        while found := read(self._host.home.spool):
            for report in found:
                if isinstance(report, Garbage):
                    self._host.vitals.note_garbage(f"in the spool: {report.name}: {report.reason}")
                else:
                    self._take(report)
                    settle(self._host.home.spool, report)

    def _take(self, report: Report) -> None:
        task = self._speaker(report)
        if task is None or task.run is None:
            return  # of a run that is over, or of another home: nobody waits for it
        try:
            signals = self._host.tools.adapter(task).read_hook(report.name, report.payload)
        except FleetError as error:
            self._host.vitals.note_garbage(f"hook of {task.id}: {error.message}")
            return
        self._host.tools.reports.note(task.id)
        if report.asks:
            signals = tuple(self._open(task.id, task.run.attempt, report, it) for it in signals)
        for signal in signals:
            if isinstance(signal, BadHook):
                self._host.vitals.note_garbage(f"hook of {task.id}: {signal.reason}")
                continue
            fleet = self._host.supervisor.fleet
            facts = list(self._facts(fleet.tasks[task.id], signal))
            self._host.supervisor.record(facts, actor=task.id)

    def _open(self, task: TaskId, attempt: int, report: Report, signal: Signal) -> Signal:
        """Name what is asked after its report, and keep what it came with for who answers it."""
        if not isinstance(signal, SaysWaiting):
            return signal
        kind = signal.kind if signal.kind in VERDICTS else "question"
        ask = signal.ask or Ask(kind=kind, text=signal.need)
        signal = replace(signal, ask=replace(ask, id=report.nonce))
        keep(self._host.tools, task, attempt, report.nonce, Kept(report.payload, signal))
        return signal

    def _speaker(self, report: Report) -> Task | None:
        """Return the task whose present run this report names."""
        token = parse_token(report.run)
        if token is None or token.home != self._host.tools.home_id:
            return None
        task = self._host.supervisor.fleet.tasks.get(TaskId(token.task))
        if task is None or task.run is None or task.run.attempt != token.attempt:
            return None
        return task

    def _facts(self, task: Task, signal: Signal) -> Iterator[e.AnyEvent]:
        run = task.run
        if run is None:
            return
        match signal:
            case SaysWorking() | SaysWaiting() | SaysIdle():
                yield from _activity(task, run, _activity_of(signal))
            case SaysUsage(cost_usd=cost, tokens=tokens):
                used = Usage(cost_usd=cost, tokens=tokens)
                total = add_usage(self._host.tools, task.id, run.attempt, used)
                yield e.UsageReported(
                    task=task.id, cost_usd=total.cost_usd or 0.0, tokens=total.tokens or 0
                )
            case SaysConversation(id=name) if name != run.conversation:
                yield e.ConversationKnown(task=task.id, attempt=run.attempt, conversation=name)
            case SaysDone() if isinstance(task.status, Running | Held):
                yield e.DoneDeclared(task=task.id, attempt=run.attempt, by="its agent")
            case (
                SaysHeard()
                | SaysDoing()
                | SaysFailed()
                | SaysConversation()
                | SaysDone()
                | BadHook()
            ):
                return  # no news
            case _:
                assert_never(signal)


def _activity_of(signal: SaysWorking | SaysWaiting | SaysIdle) -> Activity:
    match signal:
        case SaysWaiting(need=need, kind=kind, until=until, ask=ask):
            return Waiting(need=need, kind=kind, until=until, ask=ask)
        case SaysIdle(background=False):
            return Idle()
        case SaysWorking() | SaysIdle():
            return Working()


def _activity(task: Task, run: Run, activity: Activity) -> Iterator[e.AnyEvent]:
    """A turn that ends twice is two turns; all else is told only when it is news."""
    if activity != run.activity or isinstance(activity, Idle):
        yield e.ActivityChanged(task=task.id, attempt=run.attempt, activity=activity, source=SOURCE)
