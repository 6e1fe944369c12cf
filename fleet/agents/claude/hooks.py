"""What the events of Claude Code's hooks and its status line tell.

Rules that experiments gave, and that this table follows:

- hooks of one moment may overtake each other. So a tool that begins or ends is only shown; what
  brings a waiting agent back to work is a whole batch of tools that has ended, or a prompt.
- a tool that was refused ends its batch like any other, and is told by nothing else.
- Escape, a retry and an answer given in the pane fire no hook: the session file shows them.
- a turn that ends while a task of it runs in the background is followed by another by itself.
- /clear begins a new conversation in the same process; compaction and resuming do not.
- what a session has cost starts at nothing with each process and each conversation.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from fleet.agents.adapter import (
    SaysConversation,
    SaysDoing,
    SaysFailed,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.agents.claude import asks
from fleet.agents.generic import NEEDS, Reader, SessionId, lines, one_line, read_event

Signals = tuple[Signal, ...]
# A background task that ended speaks to the agent as if a person did.
_NOT_A_PERSON = "<task-notification>"
_FAILURES = {
    "rate_limit": "rate-limit",
    "authentication_failed": "login",
    "billing_error": "budget",
}
_SAID = {"prompt is too long": "context", "overloaded": "overloaded"}  # and has no name of its own
_WAITS = {
    "permission_prompt": "permission",
    "agent_needs_input": "question",
    "elicitation_dialog": "question",
}


class _Session(Struct):
    session_id: SessionId


class _Prompt(Struct):
    prompt: str = ""


class _Stop(Struct):
    background_tasks: list[object] = []


class _Failure(Struct):
    agent_id: str = ""
    error: str = ""
    error_details: str = ""
    last_assistant_message: str = ""


class _Notification(Struct):
    notification_type: str = ""
    message: str = ""


class _Agent(Struct):
    agent_id: str = ""


class _Cost(Struct, frozen=True):
    total_cost_usd: Annotated[float, Meta(ge=0, le=1e9)] | None = None


class _Window(Struct, frozen=True):
    used_percentage: float | None = None


class _Status(Struct):
    session_id: str = ""
    cost: _Cost = _Cost()
    context_window: _Window = _Window()


def read(name: str, payload: bytes) -> Signals:
    """Return what the event `name` told, or a hook of the generic vocabulary, oldest first."""
    return read_event(name, payload, _READERS.get(name), _CUT.get(name, ()))


def _session_start(payload: bytes) -> Signals:
    return (SaysConversation(msgspec.json.decode(payload, type=_Session).session_id),)


def _prompt(payload: bytes) -> Signals:
    prompt = msgspec.json.decode(payload, type=_Prompt).prompt
    if not prompt or prompt.startswith(_NOT_A_PERSON):
        return (SaysWorking(),)
    return (SaysHeard(lines(prompt, longest=len(prompt))), SaysWorking())


def _tool(payload: bytes) -> Signals:
    return (SaysDoing(asks.doing(msgspec.json.decode(payload, type=asks.Asked))),)


def _batch(payload: bytes) -> Signals:
    # Another agent's batch says nothing of who asks or waits.
    return () if msgspec.json.decode(payload, type=_Agent).agent_id else (SaysWorking(),)


def _compaction(_: bytes) -> Signals:
    return (SaysDoing("compacting its context"),)


def _permission(payload: bytes) -> Signals:
    return (asks.waiting(payload),)


def _stop(payload: bytes) -> Signals:
    tasks = msgspec.json.decode(payload, type=_Stop).background_tasks
    return (SaysIdle(background=bool(tasks)),)


def _failure(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Failure)
    if told.agent_id:
        return ()  # it was a helper's turn, which its own agent is told of
    said = f"{told.last_assistant_message} {told.error_details}".casefold()
    by_words = next((kind for words, kind in _SAID.items() if words in said), "error")
    kind = _FAILURES.get(told.error, by_words)
    reason = one_line(told.last_assistant_message or told.error) or "its turn broke off"
    return (SaysFailed(reason, kind),)


def _notification(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Notification)
    kind = _WAITS.get(told.notification_type)
    if kind is None:
        return ()  # that it is still idle is no news
    return (SaysWaiting(one_line(told.message) or NEEDS[kind], kind),)


def _nothing(_: bytes) -> Signals:
    return ()


def _status_line(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Status)
    used = told.context_window.used_percentage
    context = None if used is None else min(max(used / 100, 0.0), 1.0)
    if told.cost.total_cost_usd is None and context is None:
        return ()
    meter = one_line(told.session_id)
    return (SaysUsage(told.cost.total_cost_usd, context=context, meter=meter),)


_READERS: dict[str, Reader] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _tool,
    "PostToolUse": _tool,
    "PostToolBatch": _batch,
    "PreCompact": _compaction,
    "PermissionRequest": _permission,
    "Stop": _stop,
    "StopFailure": _failure,
    "Notification": _notification,
    "SessionEnd": _nothing,
    "statusline": _status_line,
}
# What an event means even where its payload is torn: some hooks are given none at all.
_CUT: dict[str, Signals] = {
    "UserPromptSubmit": (SaysWorking(),),
    "Stop": (SaysIdle(background=True),),
    "StopFailure": (SaysFailed("its turn broke off"),),
}
