"""Hearing what agents' hooks report, as soon as it lies in the spool."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from fleet.agents import status_reports
from fleet.agents.adapter import SaysWaiting, Signal
from fleet.core import events as e
from fleet.core.activity import Idle, Working
from fleet.core.asking import VERDICTS
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.rows import Ask
from fleet.core.signals import HOOK, PRESENCE, REPORT
from fleet.core.status import Starting
from fleet.errors import FleetError
from fleet.supervisor.host import Host, now
from fleet.supervisor.perform.answering import Kept, dismiss, keep, others
from fleet.supervisor.probes.words import Words, moment
from fleet.tools import pipes
from fleet.tools.processes.marks import Token, parse_token
from fleet.tools.spool import Garbage, Report, read, settle
from fleet.tools.spool_watch import SpoolWatch


class Spool:
    """Reads reports whenever the kernel says that there are some, and once at the start."""

    def __init__(self, host: Host) -> None:
        self._host, self._words = host, Words(host)
        self._watch = SpoolWatch(host.home.spool)
        self._early = False  # whether reports wait until the start of their run is on record

    def open(self) -> None:
        asyncio.get_running_loop().add_reader(self._watch.fileno(), self.hear)
        self.hear()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watch.fileno())
        self._watch.close()

    def hear(self) -> None:
        """Record what all reports in the spool say, oldest first; each is deleted afterwards."""
        self._watch.drain()
        more = True
        while more:
            more = self._hear()

    def _hear(self) -> bool:
        """Take what there is, and return whether there may be more of it."""
        spool, more = self._host.home.spool, False
        self._early = False
        for report in read(spool):
            if isinstance(report, Garbage):
                self._host.vitals.note_garbage(f"in the spool: {report.name}: {report.reason}")
            elif self._is_early(report):
                self._early = True
                continue
            else:
                self._take(report)
                settle(spool, report)
            more = True
        return more

    def sync(self, entries: Sequence[e.Entry]) -> None:
        """Follow the record: a run that began may have spoken, a question may uncover another."""
        for entry in entries:
            match entry.event:
                case e.RunStarted() if self._early:
                    asyncio.get_running_loop().call_soon(self.hear)
                case e.AnswerSettled(task=task, attempt=attempt, ask=ask):
                    asyncio.get_running_loop().call_soon(self._uncover, task, attempt, ask)
                case e.ActivityChanged() as does if _closed(does):
                    asyncio.get_running_loop().call_soon(self._dismiss, does.task, does.attempt)
                case _:
                    pass

    def _uncover(self, task: TaskId, attempt: int, settled: str) -> None:
        """Of several questions at a time only the newest shows: now it is another's turn."""
        run = self._host.supervisor.fleet.tasks[task].run
        if run is None or run.attempt != attempt:
            return
        for ask, said in others(self._host.tools, task, attempt):
            asked_at = moment(int(ask.partition(".")[0]) / 1e9)
            if ask != settled and self._host.judge.waits_since(task, asked_at):
                self._words.take(task, said, source=HOOK, at=now(), actor=task)

    def _dismiss(self, task: TaskId, attempt: int) -> None:
        """Let hooks end that were answered in the pane: some agents leave them where they wait."""
        dismiss(self._host.tools, task, attempt)

    def _is_early(self, report: Report) -> bool:
        """Whether its run is just being brought up: an agent may be quicker than our record."""
        token = self._token(report)
        task = token and self._host.supervisor.fleet.tasks.get(TaskId(token.task))
        if not token or not task or task.run is not None:
            return False
        return isinstance(task.status, Starting) and task.status.attempt == token.attempt

    def _token(self, report: Report) -> Token | None:
        token = parse_token(report.run)
        return token if token and token.home == self._host.tools.home_id else None

    def _take(self, report: Report) -> None:
        task = self._speaker(report)
        if task is None or task.run is None:
            return  # of a run that is over, or of another home: nobody waits for it
        self._host.vitals.last_told[task.id] = at = moment(report.at)
        if report.name == status_reports.NAME:
            self._take_status(task.id, report.payload, at)
            return
        try:
            signals = self._host.tools.adapter(task).read_hook(report.name, report.payload)
        except FleetError as error:
            self._host.vitals.note_garbage(f"hook of {task.id}: {error.message}")
            signals = ()
        if report.asks and not any(isinstance(it, SaysWaiting) for it in signals):
            pipes.give(self._host.home.asks / report.nonce, "")  # nobody will: let it go on
        self._host.tools.reports.note(task.id)
        for signal in signals:
            said = self._named(task.id, task.run.attempt, report, signal) if report.asks else signal
            self._words.take(task.id, said, source=HOOK, at=at, actor=task.id)

    def _take_status(self, task: TaskId, report: bytes, at: datetime) -> None:
        """Take in what the agent told its terminal; only another state answers what it was told."""
        signals = status_reports.read(report)
        if signals is None:
            self._host.judge.silence(task, REPORT, now())
            return
        before = self._host.judge.says(task, REPORT)
        for signal in signals:
            self._words.take(task, signal, source=REPORT, at=at, actor=task)
        if self._host.judge.says(task, REPORT) != before:
            self._host.tools.reports.note(task)

    def _named(self, task: TaskId, attempt: int, report: Report, signal: Signal) -> Signal:
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
        token = self._token(report)
        task = token and self._host.supervisor.fleet.tasks.get(TaskId(token.task))
        if not token or not task or task.run is None or task.run.attempt != token.attempt:
            return None
        return task


def _closed(does: e.ActivityChanged) -> bool:
    """Whether no dialog of the agent can be open any more, by its own word."""
    if isinstance(does.activity, Idle):
        return does.source in {HOOK, REPORT, PRESENCE}
    return isinstance(does.activity, Working) and does.source in {REPORT, PRESENCE}
