"""What Copilot CLI asks of a person, and how its bridge is told the answer.

The dialog stays on the screen while the bridge waits, and whoever answers first has answered.
"""

import json
from typing import Any

import msgspec
from msgspec import Struct

from fleet.agents.adapter import SaysWaiting
from fleet.agents.copilot import forms
from fleet.agents.copilot.forms import Field
from fleet.agents.generic import NEEDS, lines, one_line
from fleet.agents.questions import question, shown
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

# Of what a tool is given: what the decision is about; the rest of it says how that is shown.
_TELLING = (
    *("fullCommandText", "fileName", "path", "url", "serverName", "toolName", "args"),
    *("subject", "fact", "diff"),
)
_ASKS = "ask_user"
_NEXT = "interactive"  # after a plan it goes on, and asks as before


class _Prompt(Struct, frozen=True, rename="camel"):
    kind: str = ""
    access_kind: str = ""
    paths: list[str] = []


class _Schema(Struct):
    properties: dict[str, Field] = {}


class _Asked(Struct, rename="camel"):
    """What was asked, as far as it matters; which fields are there says of which kind it is."""

    permission_request: dict[str, Any] | None = None
    prompt_request: _Prompt = _Prompt()
    requested_schema: _Schema | None = None
    plan_content: str | None = None
    summary: str = ""
    message: str = ""
    question: str | None = None
    choices: list[str] = []


def waiting(payload: bytes) -> SaysWaiting:
    """Return what is asked; a payload that is cut off asks all the same."""
    asked = _asked(payload)
    if asked.permission_request is not None:
        return _permission(asked, asked.permission_request)
    if asked.requested_schema is not None:
        return _form(asked, asked.requested_schema)
    if asked.plan_content is not None:
        text = lines("\n\n".join(part for part in (asked.summary, asked.plan_content) if part))
        return SaysWaiting(NEEDS["plan"], "plan", ask=Ask(kind="plan", tool="plan", text=text))
    if asked.question is not None:
        return question([asked.question], asked.choices, tool=_ASKS)
    return SaysWaiting(NEEDS["permission"], "permission", ask=Ask())


def answer(payload: bytes, verdict: Verdict, text: str) -> str | None:
    """Return what the bridge is to pass on; None where this is no answer to what was asked."""
    asked = _asked(payload)
    given: dict[str, object] | None
    if asked.requested_schema is not None:
        given = _filled(asked.requested_schema, verdict, text)
    elif asked.plan_content is not None:
        given = _judged(verdict, text)
    elif asked.question is not None:
        given = _chosen(asked, verdict, text)
    elif verdict == "allow":
        given = {"kind": "approve-once"}
    else:
        given = _refused("kind", value="reject", why=text)
    return None if given is None else json.dumps(given)


def _asked(payload: bytes) -> _Asked:
    try:
        return msgspec.json.decode(payload, type=_Asked)
    except (ValueError, RecursionError):
        return _Asked()


def _permission(asked: _Asked, request: dict[str, Any]) -> SaysWaiting:
    tool, what = one_line(str(request.get("kind", ""))), _what(request)
    first = what.partition("\n")[0]
    if asked.prompt_request.kind == "path":
        paths = ", ".join(asked.prompt_request.paths)
        first = f"outside of its workspace: {paths}"
        what = f"{first}\n{what}"
    ask = Ask(kind="permission", tool=tool, text=lines(what))
    return SaysWaiting(one_line(f"permission: {tool}: {first}"), "permission", ask=ask)


def _what(request: dict[str, Any]) -> str:
    told = [shown(request[name]) for name in _TELLING if request.get(name)]
    rest = {name: value for name, value in request.items() if name not in ("kind", "toolCallId")}
    return "\n".join(told) or shown(rest)


def _form(asked: _Asked, schema: _Schema) -> SaysWaiting:
    fields = tuple(schema.properties.items())
    if len(fields) == 1:  # choices are named where one word answers all of it
        return question([asked.message], forms.labels(fields[0][1]), tool=_ASKS)
    parts = (f"{field.title or name}: {forms.told(field)}" for name, field in fields)
    return question([asked.message, *parts], (), tool=_ASKS)


def _filled(schema: _Schema, verdict: Verdict, text: str) -> dict[str, object] | None:
    if verdict == "deny":
        return {"action": "decline"}
    content = forms.filled(schema.properties, text) if verdict == "text" else None
    return None if content is None else {"action": "accept", "content": content}


def _refused(name: str, *, value: object, why: str) -> dict[str, object]:
    return {name: value, "feedback": why} if why else {name: value}


def _judged(verdict: Verdict, text: str) -> dict[str, object]:
    if verdict == "allow":
        return {"approved": True, "selectedAction": _NEXT}
    return _refused("approved", value=False, why=text)


def _chosen(asked: _Asked, verdict: Verdict, text: str) -> dict[str, object] | None:
    if verdict != "text" or not text.strip():
        return None
    field = Field(enum=asked.choices)
    known = forms.choice(field, text)
    return {"answer": known or text.strip(), "wasFreeform": known is None}
