"""What the events of Codex's hooks tell.

Rules that experiments gave, and that this table follows:

- it waits for each hook, so that they come in the order in which things happened.
- several tools may run at once. So a tool that begins is only shown; what brings a waiting agent
  back to work is its next request, which follows when all of them have ended.
- a request that failed is most often made again, so that it is only shown. The turn has broken off
  by the last attempt, whose number stands in the hook's name (`PostModelRequest:6`) as it is in no
  payload; where that is wrong, the next request says so, or the screen.
- what its helpers do says nothing of the agent, but counts as used: their events name them, and
  their requests carry another thread's id than the session's.
- an interruption has a hook of its own, and no Stop follows it.
"""

from functools import partial
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
from fleet.agents.codex import asks, failures
from fleet.agents.codex.trust import ASKS
from fleet.agents.generic import Reader, SessionId, lines, one_line, read_event

Signals = tuple[Signal, ...]
_ANSWERED = "PostModelRequest"


class _Helper(Struct, kw_only=True):
    agent_id: str = ""  # whose it is, where it is a helper's


class _Session(_Helper):
    session_id: SessionId


class _Prompt(_Helper):
    prompt: str = ""


class _Tokens(Struct):
    input_tokens: Annotated[int, Meta(ge=0)] = 0
    cached_input_tokens: Annotated[int, Meta(ge=0)] = 0
    output_tokens: Annotated[int, Meta(ge=0)] = 0


class _Asking(Struct):
    session_id: str = ""
    thread_id: str = ""


class _Answered(_Asking):
    request_id: str = ""
    attempt_number: int = 1
    status: str = ""
    error: str | None = None
    token_usage: _Tokens | None = None


def read(name: str, payload: bytes) -> Signals:
    """Return what the event `name` told, or a hook of the generic vocabulary, oldest first."""
    event, _, attempts = name.partition(":")
    answered = partial(_answered, attempts=attempts)
    reader = answered if event == _ANSWERED else _READERS.get(event)
    return read_event(name, payload, reader, _CUT.get(event, ()))


def _session_start(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Session)
    return () if told.agent_id else (SaysConversation(told.session_id),)


def _prompt(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Prompt)
    if told.agent_id:
        return ()
    return (SaysHeard(lines(told.prompt, longest=len(told.prompt))), SaysWorking())


def _tool(payload: bytes) -> Signals:
    asked = msgspec.json.decode(payload, type=asks.Asked)
    return (SaysDoing(asks.doing(asked)),)


def _question(payload: bytes) -> Signals:
    return (asks.question(payload),)


def _permission(payload: bytes) -> Signals:
    return (asks.permission(payload),)


def _request(payload: bytes) -> Signals:
    told = msgspec.json.decode(payload, type=_Asking)
    return (SaysWorking(),) if told.thread_id == told.session_id else ()


def _answered(payload: bytes, attempts: str = "") -> Signals:
    told, most = msgspec.json.decode(payload, type=_Answered), int(attempts or 0)
    if told.token_usage is not None:
        return (_used(told.request_id, told.token_usage),)
    if not told.error or told.status != "failed" or told.thread_id != told.session_id:
        return ()
    reason, kind = failures.reason(told.error), failures.kind(told.error)
    if failures.is_final(told.error, is_last=0 < most <= told.attempt_number):
        return (SaysFailed(reason, kind),)
    if kind == "rate-limit":  # it waits for as long as the service asks it to, and tells nobody
        return (SaysFailed(reason, kind, retrying=True),)
    return (SaysDoing(one_line(f"attempt {told.attempt_number} failed: {reason}")),)


def _used(request: str, tokens: _Tokens) -> SaysUsage:
    """Each request is a meter of its own: a session that is taken up again counts from its past."""
    fresh = max(0, tokens.input_tokens - tokens.cached_input_tokens)
    return SaysUsage(tokens=fresh + tokens.output_tokens, meter=one_line(request))


def _compaction(_: bytes) -> Signals:
    return (SaysDoing("compacting its context"),)


def _stop(_: bytes) -> Signals:
    return (SaysIdle(),)


def _interrupt(payload: bytes) -> Signals:
    helper = msgspec.json.decode(payload, type=_Helper).agent_id
    return () if helper else (SaysIdle(broken_off=True),)


_READERS: dict[str, Reader] = {
    "SessionStart": _session_start,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _tool,
    ASKS: _question,
    "PermissionRequest": _permission,
    "PreModelRequest": _request,
    "PreCompact": _compaction,
    "Stop": _stop,
    "Interrupt": _interrupt,
}
# What an event means even where its payload is torn.
_CUT: dict[str, Signals] = {
    "UserPromptSubmit": (SaysWorking(),),
    "Interrupt": (SaysIdle(broken_off=True),),
}
