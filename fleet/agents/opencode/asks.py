"""What opencode asks of a person, and what its plugin is to post as the answer.

The dialog stays on the screen, and whoever answers first has answered. A refusal without a reason
ends the turn, so that one always goes with it; a question's refusal takes none, and with a reason
it becomes an answer in a person's own words.
"""

import json
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from fleet.agents import questions
from fleet.agents.adapter import SaysWaiting
from fleet.agents.generic import MOST_CHOICES, lines, one_line
from fleet.core.commands import Verdict
from fleet.core.rows import Ask

Input = dict[str, Any]
_TELLING = (
    *("command", "filePath", "filepath", "pattern", "path", "url", "query", "description"),
    *("prompt", "name"),
)
_REFUSED = "A person has refused this."


class _Tool(Struct):
    tool: str = ""
    input: Input = {}
    directory: str = ""


class _Option(Struct):
    label: str


class _Question(Struct):
    question: str
    options: list[_Option] = []


class _Request(Struct):
    # It becomes a part of an address.
    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,100}\Z")]
    permission: str = ""
    patterns: list[str] = []
    metadata: Input = {}
    directory: str = ""
    questions: list[_Question] = []


def doing(payload: bytes) -> str:
    """Return one line for a call of a tool: `bash: make test`."""
    told = msgspec.json.decode(payload, type=_Tool)
    return _line(told.tool, _what(told.input, told.directory))


def permission(payload: bytes) -> SaysWaiting:
    asked = msgspec.json.decode(payload, type=_Request)
    what = _what(asked.metadata, asked.directory) or ", ".join(asked.patterns)
    text = _whole(asked.metadata) or lines("\n".join(asked.patterns))
    ask = Ask(kind="permission", tool=one_line(asked.permission), text=text)
    return SaysWaiting(
        one_line(f"permission: {_line(asked.permission, what)}"), "permission", ask=ask
    )


def question(payload: bytes) -> SaysWaiting:
    asked = msgspec.json.decode(payload, type=_Request)
    # Choices are named where one word answers all of it.
    choices = _labels(asked.questions[0]) if len(asked.questions) == 1 else []
    return questions.question([it.question for it in asked.questions], choices[:MOST_CHOICES])


def answer(payload: bytes, verdict: Verdict, text: str) -> str | None:
    """Return what the plugin is to post; None where this is no answer to what was asked."""
    try:
        asked = msgspec.json.decode(payload, type=_Request)
    except (ValueError, RecursionError):
        return None
    if asked.questions:
        return _reply(asked, verdict, text)
    if verdict == "allow":
        return _post(f"/permission/{asked.id}/reply", {"reply": "once"})
    refusal = {"reply": "reject", "message": text or _REFUSED}
    return _post(f"/permission/{asked.id}/reply", refusal)


def _reply(asked: _Request, verdict: Verdict, text: str) -> str | None:
    if verdict == "deny" and not text.strip():
        return _post(f"/question/{asked.id}/reject", {})
    many = len(asked.questions)
    said = text.splitlines() if verdict == "text" and many > 1 else [text] * many
    if not text.strip() or len(said) != many:
        return None
    answers = [
        [questions.chosen(_labels(one), it)] for one, it in zip(asked.questions, said, strict=True)
    ]
    return _post(f"/question/{asked.id}/reply", {"answers": answers})


def _post(url: str, body: Input) -> str:
    return json.dumps({"url": url, "body": body})


def _labels(asked: _Question) -> list[str]:
    return [option.label for option in asked.options]


def _line(tool: str, what: str) -> str:
    return one_line(f"{tool}: {what}".removesuffix(": "))


def _what(given: Input, directory: str) -> str:
    if asked := given.get("questions"):
        return _questions(asked)
    found = next((name for name in _TELLING if given.get(name)), "")
    told = str(given.get(found, ""))
    return questions.near(told, directory)


def _questions(given: object) -> str:
    try:
        return " / ".join(it.question for it in msgspec.convert(given, type=list[_Question]))
    except msgspec.ValidationError:
        return ""


def _whole(given: Input) -> str:
    """Return all that is known of it, for someone who decides on it: nothing is hidden."""
    if set(given) == {"command"}:
        return lines(str(given["command"]))
    return questions.whole(given)
