"""What the events of Copilot CLI tell: those of its bridge, and its hooks where there is none.

Rules that experiments gave, and that these tables follow:

- the bridge tells one thing after the other, hooks may overtake it. So what only shows that a turn
  goes on comes from one of them; that a prompt was taken up may come from both.
- `Stop` also ends a turn after which a prompt that waited is taken up, and one beside which a
  command still runs. `assistant.idle` comes when no prompt waits, `session.idle` when nothing runs.
- a turn that fails is told by `session.error`, after which the bridge keeps back that it is idle.
- Escape, pressed twice, ends a turn for which no hook is fired; the bridge tells that it is idle.
- what ran beside a turn speaks to the agent as if a person did.
"""

from typing import Annotated, Any

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
from fleet.agents.copilot import asks
from fleet.agents.generic import NEEDS, Reader, SessionId, lines, one_line, read_event

Signals = tuple[Signal, ...]
_NOT_A_PERSON = "<system_notification>"
_TELLING = ("command", "path", "pattern", "message", "question", "summary", "description", "query")
_FAILURES = {
    "rate_limit": "rate-limit",
    "authentication": "login",
    "authorization": "login",
    "quota": "budget",
    "context_limit": "context",
}
# Of what has no type: a provider of the user's own, a context that could not be compacted.
_BY_TEXT = {"credit balance": "budget", "too long": "context", "overloaded": "overloaded"}
_BY_STATUS = {529: "overloaded"}
_WAITS = {"permission_prompt": "permission", "elicitation_dialog": "question"}


class _Session(Struct):
    session_id: SessionId


class _BridgeSession(Struct, rename="camel"):
    session_id: SessionId


class _Prompt(Struct):
    prompt: str = ""


class _Message(Struct):
    content: str = ""


class _Hooked(Struct):
    tool_name: str = ""
    tool_input: dict[str, Any] = {}
    cwd: str = ""


class _Called(Struct, rename="camel"):
    tool_name: str = ""
    arguments: dict[str, Any] = {}


class _Retry(Struct):
    reason: str = ""


class _Idle(Struct):
    aborted: bool = False


class _Error(Struct, rename="camel"):
    error_type: str = ""
    message: str = ""
    status_code: int = 0


class _Cause(Struct, frozen=True):
    message: str = ""


class _Occurred(Struct):
    error: _Cause = _Cause()


class _Notification(Struct):
    notification_type: str = ""
    message: str = ""


class _Usage(Struct):
    tokens: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    context: float | None = None
    meter: str = ""


def read(name: str, payload: bytes) -> Signals:
    """Return what the event `name` told, or a hook of the generic vocabulary, oldest first."""
    return read_event(name, payload, _READERS.get(name), _CUT.get(name, ()))


def _session_start(payload: bytes) -> Signals:
    return (SaysConversation(msgspec.json.decode(payload, type=_Session).session_id),)


def _conversation(payload: bytes) -> Signals:
    return (SaysConversation(msgspec.json.decode(payload, type=_BridgeSession).session_id),)


def _prompt(payload: bytes) -> Signals:
    return _heard(msgspec.json.decode(payload, type=_Prompt).prompt)


def _message(payload: bytes) -> Signals:
    return _heard(msgspec.json.decode(payload, type=_Message).content)


def _heard(text: str) -> Signals:
    if not text or text.startswith(_NOT_A_PERSON):
        return (SaysWorking(),)
    return (SaysHeard(lines(text, longest=len(text))), SaysWorking())


def _hooked(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Hooked)
    return (SaysDoing(_doing(told.tool_name, told.tool_input)),)


def _called(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Called)
    return (SaysDoing(_doing(told.tool_name, told.arguments)),)


def _doing(tool: str, given: dict[str, Any]) -> str:
    what = next((given[name] for name in _TELLING if given.get(name)), "")
    return one_line(f"{tool}: {what}".removesuffix(": "))


def _retry(payload: bytes) -> Signals:
    reason = msgspec.json.decode(payload, type=_Retry).reason.replace("_", " ")
    return (SaysDoing(one_line(f"{reason}, it tries again")),)


def _occurred(payload: bytes) -> Signals:
    return (SaysDoing(one_line(msgspec.json.decode(payload, type=_Occurred).error.message)),)


def _works(_: bytes) -> Signals:
    return (SaysWorking(),)


def _compaction(_: bytes) -> Signals:
    return (SaysDoing("compacting its context"),)


def _asks(payload: bytes) -> Signals:
    return (asks.waiting(payload),)


def _dialog(_: bytes) -> Signals:
    return (SaysWaiting("an answer to the dialog in its pane"),)


def _turn_ended(payload: bytes) -> Signals:
    msgspec.json.decode(payload, type=_Idle)
    return (SaysIdle(background=True),)


def _idle(payload: bytes) -> Signals:
    return (SaysIdle(broken_off=msgspec.json.decode(payload, type=_Idle).aborted),)


def _error(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Error)
    said = told.message.casefold()
    by_text = next((kind for sign, kind in _BY_TEXT.items() if sign in said), "error")
    kind = _FAILURES.get(told.error_type) or _BY_STATUS.get(told.status_code) or by_text
    return (SaysFailed(one_line(told.message or told.error_type) or _BROKE_OFF, kind),)


def _notification(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Notification)
    kind = _WAITS.get(told.notification_type)
    if kind is None:
        return ()  # that a command has ended, it is told as well
    return (SaysWaiting(one_line(told.message) or NEEDS[kind], kind),)


def _usage(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Usage)
    context = None if told.context is None else min(max(told.context, 0.0), 1.0)
    if told.tokens is None and context is None:
        return ()
    return (SaysUsage(None, told.tokens, context, one_line(told.meter)),)


_BROKE_OFF = "its turn broke off"
_READERS: dict[str, Reader] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _hooked,
    "PostToolUse": _works,
    "PostToolUseFailure": _works,
    "Notification": _notification,
    "ErrorOccurred": _occurred,
    "PreCompact": _compaction,
    "Stop": _idle,
    # --- the bridge
    "session": _conversation,
    "user.message": _message,
    "assistant.turn_start": _works,
    "answered": _works,
    "tool.execution_start": _called,
    "assistant.turn_retry": _retry,
    "session.compaction_start": _compaction,
    "permission.requested": _asks,
    "elicitation.requested": _asks,
    "user_input.requested": _asks,
    "exit_plan_mode.requested": _asks,
    "auto_mode_switch.requested": _dialog,
    "session_limits_exhausted.requested": _dialog,
    "assistant.idle": _turn_ended,
    "session.idle": _idle,
    "session.error": _error,
    "assistant.usage": _usage,
}
# What an event means even where its payload is torn.
_CUT: dict[str, Signals] = {
    "UserPromptSubmit": (SaysWorking(),),
    "user.message": (SaysWorking(),),
    "assistant.idle": (SaysIdle(background=True),),
    "session.idle": (SaysIdle(broken_off=True),),
    "Stop": (SaysIdle(broken_off=True),),
    "session.error": (SaysFailed(_BROKE_OFF),),
}
