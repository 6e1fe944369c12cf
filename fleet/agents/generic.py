"""The hooks of agents without a vocabulary of their own: any payload gives signals, none raises.

An agent calls `"$FLEET_HOME/bin/fleet-hook" NAME` with a JSON object on its standard input:

    working
    waiting       {"need": "...", "kind": "...", "until": "2026-01-02T03:04:05Z",
                   "tool": "...", "input": "...", "choices": ["...", "..."]}, each optional
    heard         {"text": "..."}: the prompt that it was given, in the same words
    idle          {"background": true}, optional
    usage         {"cost_usd": 0.25, "tokens": 1200}: this run so far, one of them or both
    conversation  {"id": "..."}
    done

Further fields are ignored. Texts are made one clean line.

`fleet-hook waiting --ask` waits for a person's verdict, and prints it as one JSON object:

    {"verdict": "allow", "text": ""}    allow, deny, or text, which answers a question
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from fleet.agents.adapter import (
    BadHook,
    SaysConversation,
    SaysDone,
    SaysHeard,
    SaysIdle,
    SaysUsage,
    SaysWaiting,
    SaysWorking,
    Signal,
)
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

LONGEST_TEXT = 200  # characters: a need is one phrase in a table
LONGEST_INPUT = 2000  # what a tool is to run is read before it is allowed
LARGEST_PAYLOAD = 256 * 1024  # bytes
MOST_CHOICES = 20
ASKS = ("permission", "question", "plan")
NEEDS = {
    "permission": "permission",
    "question": "an answer",
    "plan": "a verdict on its plan",
    "login": "a login",
    "trust": "trust in this directory",
    "rate-limit": "its rate limit to pass",
    "budget": "a larger budget",
    "error": "another try",
    "overloaded": "a service that is less busy",
    "context": "a shorter conversation",
}
_SEQUENCE = re.compile(  # of a terminal: CSI, strings such as OSC with or without their end, others
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|.)", re.DOTALL
)


# Deep nesting exhausts the parser; some times have no equal in UTC, or none at all.
_TORN = (ValueError, RecursionError, OverflowError, OSError)


class _Nothing(Struct):
    pass


class _Waiting(Struct):
    need: str = ""
    kind: str = "question"
    until: Annotated[datetime, Meta(tz=True)] | None = None
    tool: str = ""
    input: Any = ""
    choices: list[str] = []


class _Heard(Struct):
    text: str


class _Idle(Struct):
    background: bool = False


class _Usage(Struct):
    cost_usd: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    tokens: Annotated[int, Meta(ge=0, le=10**15)] | None = None


class _Conversation(Struct):
    # It becomes a word of a command line, where a dash in front would make it an option.
    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9_.:/@+-]{0,199}\Z")]


# A conversation's name as agents' own events have it: it becomes a word of a command line.
SessionId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9_-]{0,99}\Z")]
Reader = Callable[[bytes], tuple[Signal, ...]]


def read_event(
    name: str, payload: bytes, reader: Reader | None, torn: tuple[Signal, ...] = ()
) -> tuple[Signal, ...]:
    """Return what `reader` makes of an agent's own event; of `None`, what the hook `name` told.

    Where the payload is not understood, `torn` is what the event means even then.
    """
    if reader is None:
        return read_hook(name, payload)
    try:
        return reader(payload.strip() or b"{}")
    except _TORN as error:
        return (*torn, BadHook(f"hook {one_line(name)}: {one_line(str(error))}"))


def read_hook(name: str, payload: bytes) -> tuple[Signal, ...]:
    """Return what the hook `name` told: one signal, a `BadHook` where it is not understood."""
    reader = _READERS.get(name)
    if reader is None:
        return (BadHook(f'no hook is called "{one_line(name)}"'),)
    if len(payload) > LARGEST_PAYLOAD:
        return (BadHook(f"hook {name}: more than {LARGEST_PAYLOAD >> 10} KiB"),)
    try:
        return (reader(payload.strip() or b"{}"),)
    except _TORN as error:
        return (BadHook(f"hook {name}: {one_line(str(error))}"),)


def answer(verdict: Verdict, text: str) -> str:
    """Return what a hook prints that asks in this vocabulary."""
    return msgspec.json.encode({"verdict": verdict, "text": text}).decode() + "\n"


def one_line(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return `text` as one short line without anything that a terminal would obey."""
    line = " ".join(_visible(text[: 8 * longest]).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def lines(text: str, *, longest: int = 8_000) -> str:
    """Return `text` with its lines, but without anything that a terminal would obey.

    What is beyond `longest` characters is left out, and said to be.
    """
    shown = "\n".join(_visible(line).rstrip() for line in text[:longest].splitlines()).strip()
    return f"{shown}\n… {len(text) - longest} more characters" if len(text) > longest else shown


def _visible(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in _SEQUENCE.sub(" ", text))


def _working(payload: bytes) -> SaysWorking:
    msgspec.json.decode(payload, type=_Nothing)
    return SaysWorking()


def _waiting(payload: bytes) -> SaysWaiting:
    told = msgspec.json.decode(payload, type=_Waiting)
    kind = told.kind if told.kind in NEEDS else "question"
    until = None if told.until is None else told.until.astimezone(UTC)
    need = one_line(told.need) or NEEDS[kind]
    asks = told.tool or told.input or told.choices
    return SaysWaiting(need, kind, until, _ask(told, kind, need) if asks else None)


def _ask(told: _Waiting, kind: str, need: str) -> Ask:
    text = told.input if isinstance(told.input, str) else msgspec.json.encode(told.input).decode()
    return Ask(
        kind=kind if kind in ASKS else "question",
        tool=one_line(told.tool),
        text=one_line(text, LONGEST_INPUT) or need,
        choices=tuple(one_line(choice) for choice in told.choices[:MOST_CHOICES]),
    )


def _heard(payload: bytes) -> SaysHeard:
    return SaysHeard(msgspec.json.decode(payload, type=_Heard).text)


def _idle(payload: bytes) -> SaysIdle:
    return SaysIdle(msgspec.json.decode(payload, type=_Idle).background)


def _usage(payload: bytes) -> SaysUsage | BadHook:
    told = msgspec.json.decode(payload, type=_Usage)
    if told.cost_usd is None and told.tokens is None:
        return BadHook("hook usage: neither cost_usd nor tokens")
    return SaysUsage(told.cost_usd, told.tokens)


def _conversation(payload: bytes) -> SaysConversation:
    return SaysConversation(msgspec.json.decode(payload, type=_Conversation).id)


def _done(payload: bytes) -> SaysDone:
    msgspec.json.decode(payload, type=_Nothing)
    return SaysDone()


_READERS: dict[str, Callable[[bytes], Signal]] = {
    "working": _working,
    "waiting": _waiting,
    "heard": _heard,
    "idle": _idle,
    "usage": _usage,
    "conversation": _conversation,
    "done": _done,
}
