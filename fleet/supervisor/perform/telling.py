"""Typing messages into a live agent's pane: delivered is only what the agent was heard to hear."""

import threading
import time
from datetime import UTC, datetime, timedelta

from fleet.agents.adapter import AgentAdapter, overrides
from fleet.agents.generic import one_line
from fleet.core import events as e
from fleet.core.activity import Message, Run, Working
from fleet.core.effects import Tell
from fleet.core.model import Fleet, Task
from fleet.core.signals import HOOK, PROCESS, REPORT
from fleet.errors import FleetError, ToolError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.outputs import with_outputs
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.rundir import read_token
from fleet.tools.tmux.input import Busy, Habits, Outcome, RefusedInput, Typed, as_line

_ANSWER_S = 3.0
_HEARD_S = 5.0
_UP_S = 30.0
_HOLD = timedelta(seconds=5)
_MOST_HOLDS = 24  # where nobody is seen who would make room for it


def tell(tools: Tools, effect: Tell, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Type a message into the agent's pane; a long one goes into a file that a line names.

    Nothing is settled where it was to `stop`: whatever asks for it next, a supervisor after this
    one as well, takes it up where it stands, and never types it again.
    """
    task = fleet.tasks[effect.task]
    run, message = task.run, next((m for m in task.messages if m.id == effect.message), None)
    token = read_token(tools.home.run(task.id, effect.attempt), tools.note_garbage)
    if run is None or message is None or token is None:
        return [_settled(effect, "refused", "its run is over")]
    try:
        telling = _Telling(tools, effect, task, run, stop)
        return telling.tell(message, token)
    except ToolError as error:
        return [_settled(effect, "refused", error.message)]


class _Telling:
    """One message on its way to one agent."""

    def __init__(
        self, tools: Tools, effect: Tell, task: Task, run: Run, stop: threading.Event
    ) -> None:
        self._tools, self._effect, self._task, self._run = tools, effect, task, run
        self._stop, self._adapter = stop, _adapter(tools, task)
        self._cleared = ""

    def tell(self, message: Message, token: str) -> list[e.AnyEvent]:
        reports = self._tools.reports
        text = with_outputs(message.text, self._task)
        line = as_line(text) or self._by_file(text)
        if not self._is_up():
            return self._unless_stopped("refused", "its agent has not said yet that it is up")
        if self._stop.is_set():
            return []
        reports.expect(self._task.id, message.id, line)
        began = time.monotonic()
        try:
            outcome = self._type(line, token)
        except ToolError as error:  # which may have come after the last key
            return self._await(error.message, began)
        if isinstance(outcome, Typed):
            self._cleared = outcome.cleared
            if outcome.before:
                reports.expect(self._task.id, message.id, line, again=True)
            return self._await("the agent did not report it", began)
        reports.forget(self._task.id, message.id)
        match outcome:
            case Busy(reason=reason, by_person=person):
                hold = person or message.holds < _MOST_HOLDS
                return [self._held(reason) if hold else _settled(self._effect, "refused", reason)]
            case RefusedInput(reason=reason):
                return [_settled(self._effect, "refused", reason)]

    def _type(self, line: str, token: str) -> Outcome:
        habits, number = _habits(self._adapter), self._effect.message
        return self._tools.keyboard.type(
            self._run.pane, line, run=token, number=number, habits=habits
        )

    def _await(self, otherwise: str, began: float) -> list[e.AnyEvent]:
        """Wait for the agent's word that it was told, as far as it ever gives one."""
        reports, task = self._tools.reports, self._task.id
        # One that works may go on with that: then only the words themselves prove anything.
        since = None if self._repeats or isinstance(self._run.activity, Working) else began
        patience_s = _HEARD_S if self._repeats else _ANSWER_S
        speaks = reports.ever(task) or self._run.source in {HOOK, REPORT}
        if not self._repeats and not speaks:
            otherwise, patience_s = "this agent does not report what it was told", 0.0
        if reports.wait_heard(
            task, self._effect.message, begun=since, timeout_s=patience_s, stop=self._stop
        ):
            return [_settled(self._effect, "delivered", self._said_cleared())]
        return self._unless_stopped("unconfirmed", otherwise)

    @property
    def _repeats(self) -> bool:
        known = self._adapter is not None and self._adapter.repeats
        return known or self._tools.reports.repeats(self._task.id)

    def _unless_stopped(self, outcome: str, reason: str) -> list[e.AnyEvent]:
        if self._stop.is_set():
            return []
        why = "; ".join(filter(None, (reason, self._said_cleared())))
        return [_settled(self._effect, outcome, why)]

    def _said_cleared(self) -> str:
        return self._cleared and f"taken out of its input line before: {one_line(self._cleared)}"

    def _held(self, reason: str) -> e.MessageHeld:
        later = datetime.now(UTC) + _HOLD
        return e.MessageHeld(
            task=self._task.id, message=self._effect.message, reason=reason, not_before=later
        )

    def _is_up(self) -> bool:
        """Wait for the first word of an agent that reports its start: before, it hears nothing."""
        adapter, reports = self._adapter, self._tools.reports
        if adapter is None:
            return True  # whoever is in the pane now was started long ago
        reports_start = adapter.repeats or overrides(adapter, "presence_file")
        if not reports_start or self._run.source != PROCESS or reports.ever(self._task.id):
            return True
        if self._tools.keyboard.has_typed(self._run.pane):
            return True  # for a supervisor before us, to which it had spoken
        return reports.wait_up(self._task.id, timeout_s=_UP_S, stop=self._stop)

    def _by_file(self, text: str) -> str:
        run = self._tools.home.run(self._task.id, self._effect.attempt)
        file = run.root / "messages" / f"{self._effect.message}.txt"
        surroundings.write_private(file, text.encode())
        return f"Read {file} and act on it: it holds a message for you."


def _adapter(tools: Tools, task: Task) -> AgentAdapter | None:
    try:
        return tools.adapter(task)
    except FleetError:
        return None


def _habits(adapter: AgentAdapter | None) -> Habits:
    if adapter is None:
        return Habits()
    reader = adapter.input_line if overrides(adapter, "input_line") else None
    return Habits(reader, adapter.clear_line, adapter.enter_after_s)


def _settled(effect: Tell, outcome: str, reason: str = "") -> e.MessageSettled:
    return e.MessageSettled(
        task=effect.task, message=effect.message, outcome=outcome, reason=reason
    )
