"""What Codex asks of a person, and how the hook that it waits for is answered.

It shows its own dialog only after a hook that decided nothing: while fleet asks, a person in the
pane could do no more than interrupt. The tool for questions takes no answer by a hook: it is
refused, and the answer is the reason, which the model is told.
"""

import json

import msgspec
from msgspec import Struct, ValidationError
from msgspec.structs import replace

from fleet.agents import questions
from fleet.agents.adapter import SaysWaiting
from fleet.agents.codex.trust import QUESTION
from fleet.agents.generic import NEEDS, lines, one_line
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

Input = dict[str, object]
_TELLING = ("command", "file_path", "path", "url", "query", "message")
_REFUSED = "A person has refused this."
_NO_ANSWER = "A person does not want to answer this."


class Asked(Struct):
    """The payload, as far as it matters."""

    hook_event_name: str = ""
    tool_name: str = ""
    tool_input: Input = {}
    cwd: str = ""


class _Option(Struct):
    label: str


class _Question(Struct):
    question: str
    options: list[_Option] | None = None


class _Questions(Struct):
    questions: list[_Question]


def doing(asked: Asked) -> str:
    """Return one line for a call of a tool: `Bash: make test`."""
    if asked.tool_name == QUESTION:
        what = " / ".join(it.question for it in _questions(asked))
    else:
        what = next((str(asked.tool_input[it]) for it in _TELLING if asked.tool_input.get(it)), "")
    return one_line(f"{asked.tool_name}: {what.removeprefix(f'{asked.cwd}/')}".removesuffix(": "))


def permission(payload: bytes) -> SaysWaiting:
    """Return what it wants to do; a payload that is cut off asks all the same."""
    asked = _decoded(payload)
    if not asked.tool_name:
        return SaysWaiting(NEEDS["permission"], "permission", ask=Ask(), hides=True)
    ask = Ask(kind="permission", tool=one_line(asked.tool_name), text=_input(asked))
    need = one_line(f"permission: {doing(asked)}")
    return SaysWaiting(need, "permission", ask=ask, hides=True)


def question(payload: bytes) -> SaysWaiting:
    asked = _questions(_decoded(payload))
    # Choices are named where one word answers all of it.
    choices = _labels(asked[0]) if len(asked) == 1 else []
    waiting = questions.question([it.question for it in asked], choices, tool=QUESTION)
    return replace(waiting, hides=True)


def answer(payload: bytes, verdict: Verdict, text: str) -> str | None:
    """Return what the hook is to print; None where this is no answer to what was asked."""
    asked = _decoded(payload)
    if asked.tool_name == QUESTION:
        return _answer(asked, verdict, text)
    if verdict == "allow":
        return _decision({"behavior": "allow"})
    return _decision({"behavior": "deny", "message": text or _REFUSED})


def _decoded(payload: bytes) -> Asked:
    try:
        return msgspec.json.decode(payload, type=Asked)
    except (ValueError, RecursionError):
        return Asked()


def _decision(decision: Input) -> str:
    return _said({"hookEventName": "PermissionRequest", "decision": decision})


def _said(output: Input) -> str:
    return json.dumps({"hookSpecificOutput": output})


def _answer(asked: Asked, verdict: Verdict, text: str) -> str | None:
    match verdict:
        case "text":
            told = _answers(_questions(asked), text)
        case "deny":
            told = text or _NO_ANSWER
        case _:
            told = None
    if told is None:
        return None
    denied = {"permissionDecision": "deny", "permissionDecisionReason": told}
    return _said({"hookEventName": "PreToolUse", **denied})


def _answers(asked: list[_Question], text: str) -> str | None:
    """Return all questions with their answers: several are answered by a line each."""
    said = questions.answers(text, len(asked))
    if said is None:
        return None
    pairs = zip(asked, said, strict=True)
    told = (f"{it.question} {questions.chosen(_labels(it), one)}" for it, one in pairs)
    return "A person has answered. " + "\n".join(told)


def _labels(asked: _Question) -> list[str]:
    return [option.label for option in asked.options or ()]


def _questions(asked: Asked) -> list[_Question]:
    try:
        return msgspec.convert(asked.tool_input, type=_Questions).questions
    except (ValidationError, RecursionError):
        return []


def _input(asked: Asked) -> str:
    """Return all that the tool is given, for someone who decides on it: nothing is hidden."""
    if set(asked.tool_input) <= {"command", "description"}:
        parts = (asked.tool_input.get("command"), asked.tool_input.get("description"))
        return lines("\n\n".join(str(part) for part in parts if part))
    return questions.whole(asked.tool_input)
