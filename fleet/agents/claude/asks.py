"""What Claude Code asks of a person, and how its PermissionRequest hook is answered.

The dialog stays on the screen while the hook waits, and whoever answers first has answered. Its
tools for questions and plans take an answer only with the input that they were called with; a
question's answers are a part of that.
"""

import json

import msgspec
from msgspec import Struct, ValidationError

from fleet.agents.adapter import SaysWaiting
from fleet.agents.generic import NEEDS, lines, one_line
from fleet.agents.questions import answers, chosen, near, question, whole
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

QUESTION, PLAN = "AskUserQuestion", "ExitPlanMode"
Input = dict[str, object]
_TELLING = (
    *("command", "file_path", "notebook_path", "pattern", "path", "url", "query", "description"),
    *("prompt", "skill", "subject"),
)
_REFUSED = "A person has refused this."


class Asked(Struct):
    """The payload, as far as it matters."""

    tool_name: str = ""
    tool_input: Input = {}
    cwd: str = ""


class _Option(Struct):
    label: str


class _Question(Struct):
    question: str
    options: list[_Option] = []


class _Questions(Struct):
    questions: list[_Question]


def doing(asked: Asked) -> str:
    """Return one line for a call of a tool: `Bash: make test`."""
    return one_line(f"{asked.tool_name}: {_what(asked)}".removesuffix(": "))


def waiting(payload: bytes) -> SaysWaiting:
    """Return what is asked; a payload that is cut off asks all the same."""
    asked = _asked(payload)
    match asked.tool_name:
        case "PermissionRequest" | "":
            return SaysWaiting(NEEDS["permission"], "permission", ask=Ask())
        case tool if tool == QUESTION:
            return _question(asked)
        case tool if tool == PLAN:
            ask = Ask(kind="plan", tool=PLAN, text=lines(str(asked.tool_input.get("plan", ""))))
            return SaysWaiting(NEEDS["plan"], "plan", ask=ask)
        case tool:
            ask = Ask(kind="permission", tool=one_line(tool), text=_input(asked))
            return SaysWaiting(one_line(f"permission: {doing(asked)}"), "permission", ask=ask)


def answer(payload: bytes, verdict: Verdict, text: str) -> str | None:
    """Return what the hook is to print; None where this is no answer to what was asked."""
    asked = _asked(payload)
    if verdict == "deny" or (verdict == "text" and asked.tool_name != QUESTION):
        return _decision({"behavior": "deny", "message": text or _REFUSED})
    if asked.tool_name == QUESTION:
        answers = _answers(_questions(asked), text) if verdict == "text" else None
        if answers is None:
            return None
        return _decision(
            {"behavior": "allow", "updatedInput": asked.tool_input | {"answers": answers}}
        )
    if asked.tool_name == PLAN:
        return _decision({"behavior": "allow", "updatedInput": asked.tool_input})
    return _decision({"behavior": "allow"})


def _asked(payload: bytes) -> Asked:
    try:
        return msgspec.json.decode(payload, type=Asked)
    except (ValueError, RecursionError):
        return Asked()


def _decision(decision: Input) -> str:
    said = {"hookEventName": "PermissionRequest", "decision": decision}
    return json.dumps({"hookSpecificOutput": said})


# --- what is asked --------------------------------------------------------------------------------


def _question(asked: Asked) -> SaysWaiting:
    questions = _questions(asked)
    # Choices are named where one word answers all of it.
    options = questions[0].options if len(questions) == 1 else []
    texts = [it.question for it in questions]
    return question(texts, [option.label for option in options], tool=QUESTION)


def _questions(asked: Asked) -> list[_Question]:
    try:
        return msgspec.convert(asked.tool_input, type=_Questions).questions
    except (ValidationError, RecursionError):
        return []


def _answers(questions: list[_Question], text: str) -> dict[str, str] | None:
    """Return an answer for each question: several are answered by a line each."""
    said = answers(text, len(questions))
    if said is None:
        return None
    pairs = zip(questions, said, strict=True)
    return {asked.question: chosen(_labels(asked), one) for asked, one in pairs}


def _labels(asked: _Question) -> list[str]:
    return [option.label for option in asked.options]


def _what(asked: Asked) -> str:
    if asked.tool_name == QUESTION:
        return " / ".join(it.question for it in _questions(asked))
    found = next((name for name in _TELLING if asked.tool_input.get(name)), None)
    told = str(asked.tool_input.get(found or "", ""))
    return near(told, asked.cwd)


def _input(asked: Asked) -> str:
    """Return all that the tool is given, for someone who decides on it: nothing is hidden."""
    if set(asked.tool_input) <= {"command", "description"}:
        return lines(str(asked.tool_input.get("command", "")))
    return whole(asked.tool_input)
