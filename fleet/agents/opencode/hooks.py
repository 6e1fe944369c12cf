"""What the plugin in an opencode tells, named after the events of opencode that it heard.

Rules that experiments gave, and that the plugin follows:

- a session of a subagent has events of its own: the user's session is the last one that was given
  words, and it rests in the background while a subagent is at work.
- Escape at a dialog refuses it and ends the turn; twice while it works, it ends the turn. Then the
  work is not done.
- a turn that breaks off tells its error before its end, and an interrupted one does too. Where the
  context was too long, its next turn follows by itself, with a shorter one.
- a retry is told with its time. One that is far off is ended by the plugin: until then, nothing
  that is typed would reach the model.
"""

from datetime import UTC, datetime
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
from fleet.agents.generic import NEEDS, Reader, SessionId, lines, one_line, read_event
from fleet.agents.opencode import asks

Signals = tuple[Signal, ...]
_KINDS = {
    "ProviderAuthError": "login",
    "ContextOverflowError": "context",
    "Retry": "rate-limit",
}
_STATUSES = {401: "login", 403: "login", 402: "budget", 429: "rate-limit", 529: "overloaded"}
_MONEY = ("credit balance", "insufficient_quota", "billing", "spending limit")


class _Prompt(Struct):
    session: SessionId
    text: str = ""


class _Status(Struct):
    type: str
    attempt: int = 0
    message: str = ""
    next: float = 0.0  # milliseconds since the epoch, like `now`


class _Turn(Struct):
    status: _Status
    background: bool = False
    stopped: bool = False
    now: float = 0.0


class _Data(Struct):
    message: str = ""
    status: int | None = msgspec.field(name="statusCode", default=None)
    next: float | None = None


class _Error(Struct):
    name: str = ""
    data: _Data = msgspec.field(default_factory=_Data)


class _Failed(Struct):
    error: _Error


class _Usage(Struct):
    cost: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    tokens: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    context: Annotated[float, Meta(ge=0)] | None = None


def read(name: str, payload: bytes) -> Signals:
    """Return what the event `name` told, or a hook of the generic vocabulary, oldest first."""
    return read_event(name, payload, _READERS.get(name), _CUT.get(name, ()))


def _prompt(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Prompt)
    conversation = SaysConversation(told.session)
    if not told.text.strip():
        return (conversation, SaysWorking())
    return (conversation, SaysHeard(lines(told.text, longest=len(told.text))), SaysWorking())


def _turn(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Turn)
    match told.status.type:
        case "idle":
            return (SaysIdle(background=told.background, broken_off=told.stopped),)
        case "retry":
            seconds = max(0, round((told.status.next - told.now) / 1000))
            why = one_line(told.status.message, 100)
            retry = f"{why}, retry in {seconds} s ({told.status.attempt})"
            return (SaysWorking(), SaysDoing(retry))
        case _:
            return (SaysWorking(),)


def _failed(payload: bytes) -> Signals:
    error = msgspec.json.decode(payload, type=_Failed).error
    data = error.data
    kind = _KINDS.get(error.name) or _STATUSES.get(data.status or 0, "error")
    if any(sign in data.message.casefold() for sign in _MONEY):
        kind = "budget"
    named = f"API error {data.status}" if data.status else error.name
    named = "rate limit" if error.name == "Retry" else named
    reason = one_line(": ".join(filter(None, (named, data.message)))) or "its turn broke off"
    until = None if data.next is None else datetime.fromtimestamp(data.next / 1000, UTC)
    return (SaysFailed(reason, kind, until),)


def _tool(payload: bytes) -> Signals:
    return (SaysDoing(asks.doing(payload)),)


def _usage(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Usage)
    context = None if told.context is None else min(told.context, 1.0)
    return (SaysUsage(told.cost, told.tokens, context),)


def _permission(payload: bytes) -> Signals:
    return (asks.permission(payload),)


def _question(payload: bytes) -> Signals:
    return (asks.question(payload),)


_READERS: dict[str, Reader] = {
    "chat.message": _prompt,
    "session.status": _turn,
    "session.error": _failed,
    "tool.execute": _tool,
    "message.updated": _usage,
    "permission.asked": _permission,
    "question.asked": _question,
}
# What a hook means even where its payload is torn.
_CUT: dict[str, Signals] = {
    "session.error": (SaysFailed("its turn broke off"),),
    "permission.asked": (SaysWaiting(NEEDS["permission"], "permission"),),
    "question.asked": (SaysWaiting(NEEDS["question"], "question"),),
}
