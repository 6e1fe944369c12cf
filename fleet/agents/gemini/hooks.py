"""What the events of Gemini CLI's hooks tell.

Rules that experiments gave, and that this table follows:

- it waits for each of its hooks, so that they come in the order of what happened.
- a turn that ends, fails or is broken off while the model answers ends with AfterAgent; one that
  Escape ends in a dialog or a tool does not. Its title shows that.
- a tool is told of before it is known whether it needs permission.
- whoever answered a dialog is not told; what goes on is a tool that has ended or, after a refusal,
  the next request, which is told as if it was to compress the context (PreCompress).
- why a turn broke off is only in the file of its conversation, which our script looks into.
"""

import json
import re
from datetime import UTC, datetime, timedelta
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
    SaysWorking,
    Signal,
)
from fleet.agents.gemini import asks
from fleet.agents.generic import Reader, SessionId, lines, one_line, read_event

Signals = tuple[Signal, ...]
CONTEXT = 1_048_576  # tokens that all of its own models take
_CANCELLED = "Command was cancelled by user"


class _Session(Struct):
    session_id: SessionId


class _Prompt(Struct):
    prompt: str = ""


class _Questions(Struct):
    questions: list[asks.Question] = []


class _Asked(Struct):
    tool_name: str
    tool_input: _Questions


class _Response(Struct, frozen=True, rename="camel"):
    llm_content: object = None


class _Ended(Struct):
    tool_response: _Response = _Response()


class _Event(Struct, frozen=True):
    session_id: str = ""


class _Error(Struct):
    content: object = ""
    timestamp: Annotated[datetime, Meta(tz=True)] | None = None


class _Told(Struct):
    """An event, with what our script found in the file of the conversation."""

    event: _Event = _Event()
    tokens: int | None = None
    input: int = 0
    error: _Error | None = None


def read(name: str, payload: bytes) -> Signals:
    """Return what the event `name` told, or a hook of the generic vocabulary, oldest first."""
    return read_event(name, payload, _READERS.get(name), _CUT.get(name, ()))


def _session_start(payload: bytes) -> Signals:
    return (SaysConversation(msgspec.json.decode(payload, type=_Session).session_id),)


def _prompt(payload: bytes) -> Signals:
    prompt = msgspec.json.decode(payload, type=_Prompt).prompt
    return (SaysHeard(lines(prompt, longest=len(prompt))), SaysWorking())


def _tool(payload: bytes) -> Signals:
    called = msgspec.json.decode(payload, type=asks.Called)
    if called.tool_name == asks.QUESTION:
        asked = msgspec.json.decode(payload, type=_Asked).tool_input.questions
        return (asks.question(asked),)
    return (SaysDoing(asks.doing(called)),)


def _tool_ended(payload: bytes) -> Signals:
    try:
        said = msgspec.json.decode(payload, type=_Ended).tool_response.llm_content
    except (ValueError, RecursionError):
        return (SaysWorking(),)  # whatever it printed, and however much of that was cut off
    first = str(said).removeprefix("<untrusted_context>").lstrip()
    return (SaysIdle() if first.startswith(_CANCELLED) else SaysWorking(),)


def _notification(payload: bytes) -> Signals:
    asked = msgspec.json.decode(payload, type=asks.Dialog)
    return (asks.dialog(asked),) if asked.notification_type == "ToolPermission" else ()


def _request(payload: bytes) -> Signals:
    return (*_used(msgspec.json.decode(payload, type=_Told)), SaysWorking())


def _turn_ended(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Told)
    return (*_used(told), SaysIdle() if told.error is None else _failed(told.error))


def _used(told: _Told) -> Signals:
    if told.tokens is None:
        return ()
    context = min(max(told.input / CONTEXT, 0.0), 1.0) if told.input else None
    meter = one_line(told.event.session_id)
    return (SaysUsage(tokens=max(told.tokens, 0), context=context, meter=meter),)


# --- why a turn broke off -------------------------------------------------------------------------

_RETRY = re.compile(r"(?:retry after|retry in) ([0-9]{1,7}(?:\.[0-9]{1,9})?)s")
_KINDS = (
    ("budget", ("credit balance", "CREDITS_BALANCE", "billing")),
    ("rate-limit", ("RESOURCE_EXHAUSTED", "quota", "retry after", "retry in")),
    ("overloaded", ("UNAVAILABLE", "overloaded", "high demand")),
    ("login", ("UNAUTHENTICATED", "PERMISSION_DENIED", "API key not valid", "API_KEY_INVALID")),
    ("context", ("exceeds the maximum number of tokens", "context window")),
)


def _failed(error: _Error) -> SaysFailed:
    said = str(error.content)
    kinds = (kind for kind, signs in _KINDS if any(sign in said for sign in signs))
    return SaysFailed(_reason(said), next(kinds, "error"), _until(error))


def _until(error: _Error) -> datetime | None:
    """Return when it may be asked again, where the service has said."""
    found = _RETRY.search(str(error.content))
    if found is None or error.timestamp is None:
        return None
    return error.timestamp.astimezone(UTC) + timedelta(seconds=float(found[1]))


def _reason(said: str) -> str:
    """Return the service's own words, where it is told in JSON what they are."""
    start = said.find("{")
    try:
        inner = json.JSONDecoder().raw_decode(said[start:])[0]["error"]
        told = f"API error {inner['code']}: {inner['message']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        told = said.strip().removeprefix("[").removesuffix("]")
    return one_line(told) or "its turn broke off"


_READERS: dict[str, Reader] = {
    "SessionStart": _session_start,
    "BeforeAgent": _prompt,
    "BeforeTool": _tool,
    "AfterTool": _tool_ended,
    "Notification": _notification,
    "PreCompress": _request,
    "AfterAgent": _turn_ended,
}
# What an event means even where its payload is torn.
_CUT: dict[str, Signals] = {
    "BeforeAgent": (SaysWorking(),),
    "PreCompress": (SaysWorking(),),
    "AfterAgent": (SaysIdle(),),
}
