"""What an agent's words mean for its task, whichever way they came: signs, facts and vitals."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import assert_never

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
from fleet.agents.generic import one_line
from fleet.core import events as e
from fleet.core.activity import RATE_LIMIT, Activity, Idle, Run, Waiting, Working
from fleet.core.ids import TaskId
from fleet.core.model import Task
from fleet.core.signals import RETRY, SCREEN, Sign
from fleet.core.status import Held, Running
from fleet.supervisor.host import Host, now
from fleet.supervisor.perform.surroundings import Usage, add_usage


class Words:
    """Takes one signal at a time: what it changes is on record when this returns."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def take(self, task: TaskId, signal: Signal, *, source: str, at: datetime, actor: str) -> None:
        """Take in what the agent of a live task says; `at` is by the clock of `source`."""
        if isinstance(signal, BadHook):
            self._host.vitals.note_garbage(f"{source} of {task}: {signal.reason}")
            return
        self._note(task, signal)
        if isinstance(signal, SaysWorking):
            self._host.tools.reports.begins(task)
        if isinstance(signal, SaysHeard):
            self._heard(task, signal.text)
        source = RETRY if isinstance(signal, SaysFailed) and signal.retrying else source
        if (does := meaning(signal, source)) is not None:
            self._host.judge.hear(task, Sign(source, does, at), now(), actor=actor)
            return
        known = self._host.supervisor.fleet.tasks[task]
        if known.run is not None:
            facts = list(self._facts(known, known.run, signal))
            self._host.supervisor.record(facts, actor=actor)

    def _note(self, task: TaskId, signal: Signal) -> None:
        match signal:
            case SaysDoing(text=text) | SaysFailed(reason=text, retrying=True):
                self._host.vitals.doing[task] = one_line(text)
            case SaysUsage(context=float() as share):
                self._host.vitals.context[task] = min(max(share, 0.0), 1.0)
            case _:
                pass

    def _heard(self, task: TaskId, text: str) -> None:
        """Whoever types waits for these words; what waited too long is known to be there now."""
        number = self._host.tools.reports.hear(task, text)
        if number is not None:
            late = e.MessageSettled(
                task=task, message=number, outcome="delivered", reason="it was heard later"
            )
            self._host.supervisor.record([late], actor=task)

    def _facts(self, task: Task, run: Run, signal: Signal) -> Iterator[e.AnyEvent]:
        match signal:
            case SaysUsage(cost_usd=cost, tokens=tokens, meter=meter) if (cost, tokens) != (
                None,
                None,
            ):
                used = Usage(cost_usd=cost, tokens=tokens)
                total = add_usage(self._host.tools, task.id, run.attempt, used, meter=meter)
                sums = (total.cost_usd or 0.0, total.tokens or 0)
                if sums != (task.cost_usd, task.tokens):
                    yield e.UsageReported(task=task.id, cost_usd=sums[0], tokens=sums[1])
            case SaysConversation(id=name) if name != run.conversation:
                yield e.ConversationKnown(task=task.id, attempt=run.attempt, conversation=name)
            case SaysDone() if isinstance(task.status, Running | Held):
                yield e.DoneDeclared(task=task.id, attempt=run.attempt, by="its agent")
            case _:
                return  # no news


def meaning(signal: Signal, source: str) -> Activity | None:
    """Return what an agent does that says this; None where it says nothing about that.

    A screen that shows a limit, but no turn that broke off, shows an agent that tries again.
    """
    match signal:
        case SaysWorking() | SaysHeard():
            return Working()
        case SaysWaiting(need=need, kind=kind, until=until, ask=ask):
            retries = source == SCREEN and kind == RATE_LIMIT
            return Waiting(need=need, kind=kind, until=until, ask=ask, retries=retries)
        case SaysFailed(reason=reason, kind=kind, until=until):
            return Waiting(need=reason, kind=kind, until=until)
        case SaysIdle(background=background, broken_off=broken_off):
            return Working(background=True) if background else Idle(broken_off)
        case SaysDoing() | SaysUsage() | SaysConversation() | SaysDone() | BadHook():
            return None
        case _:
            assert_never(signal)


def moment(seconds: float) -> datetime:
    """Return a time in seconds since the epoch; now, where it can be none."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return now()
