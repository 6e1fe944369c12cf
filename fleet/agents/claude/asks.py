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
    text = lines("\n".join(it.question for it in questions))
    # Choices are named where one word answers all of it.
    options = questions[0].options if len(questions) == 1 else []
    choices = tuple(one_line(option.label) for option in options)
    need = one_line(f"an answer: {text}") if text else NEEDS["question"]
    return SaysWaiting(
        need, "question", ask=Ask(kind="question", tool=QUESTION, text=text, choices=choices)
    )


def _questions(asked: Asked) -> list[_Question]:
    try:
        return msgspec.convert(asked.tool_input, type=_Questions).questions
    except (ValidationError, RecursionError):
        return []


def _answers(questions: list[_Question], text: str) -> dict[str, str] | None:
    """Return an answer for each question: several are answered by a line each."""
    said = [text] if len(questions) == 1 else text.splitlines()
    if not text.strip() or len(said) != len(questions):
        return None
    return {
        question.question: _chosen(question, one)
        for question, one in zip(questions, said, strict=True)
    }


def _chosen(question: _Question, said: str) -> str:
    """Return the label that is meant, by itself or by its number; else the words as they are."""
    word = said.strip()
    by_name = {option.label.casefold(): option.label for option in question.options}
    by_number = {str(place): it.label for place, it in enumerate(question.options, start=1)}
    return by_name.get(word.casefold()) or by_number.get(word) or word


def _what(asked: Asked) -> str:
    if asked.tool_name == QUESTION:
        return " / ".join(it.question for it in _questions(asked))
    found = next((name for name in _TELLING if asked.tool_input.get(name)), None)
    told = str(asked.tool_input.get(found or "", ""))
    return told.removeprefix(f"{asked.cwd}/") if asked.cwd else told


def _input(asked: Asked) -> str:
    """Return all that the tool is given, for someone who decides on it: nothing is hidden."""
    if set(asked.tool_input) <= {"command", "description"}:
        return lines(str(asked.tool_input.get("command", "")))
    shown = (f"{name}: {_shown(value)}" for name, value in asked.tool_input.items())
    return lines("\n".join(shown))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
