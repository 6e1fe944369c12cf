"""What the fake model says: a prompt's markers, in their order, are the steps of its turn.

`[[run make test]]` has it run a command, `[[fail 429 retry-after=2]]` has its request refused. A
turn without a further step ends with a sentence. Nothing is remembered between two requests: what
is refused is refused always, or as long as a test says that there is this trouble (`while=NAME`).
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
_MARKER = re.compile(r"\[\[([a-z-]+)(?:\s+(.*?))?\]\]", re.DOTALL)
_CWD = re.compile(r"[Ww]orking directory: ([^\s\"\\\\]+)")
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
CHOICES = ("Red", "Blue")
END = "That is all."


@dataclass(frozen=True)
class Tool:
    """A call of one of the agent's tools."""

    name: str
    given: Json


@dataclass(frozen=True)
class Step:
    """One answer: what it says, how slowly, and which tool it calls; or how it fails."""

    text: str = ""
    tool: Tool | None = None
    lasts_s: float = 0.0  # how long its text takes
    silent_s: float = 0.0  # how long nothing comes at all
    status: int = 200
    message: str = ""
    trouble: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    input_tokens: int | None = None


def step_of(body: Json, troubles: Collection[str] = ()) -> Step:
    """Return the answer to a request; `{cwd}` in a marker is where the agent says that it works."""
    prompt, done = _locate(body["messages"])
    where = _CWD.search(json.dumps(body))
    prompt = prompt.replace("{cwd}", where[1] if where else "")
    steps = [_READERS[name](rest or "") for name, rest in _MARKER.findall(prompt)]
    failing = next((it for it in steps if it.status != 200), None)
    if failing is not None and done == 0 and (failing.trouble in troubles or not failing.trouble):
        return failing
    passed = [it for it in steps if it.status == 200]  # a refused request leaves no message
    return passed[done] if done < len(passed) else Step(END)


def _locate(messages: Sequence[Json]) -> tuple[str, int]:
    """Return the last words of the user's, and how many answers followed them."""
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        text = _text(message.get("content")) if message.get("role") == "user" else ""
        if text and (_MARKER.search(text) or not _is_result(message)):
            later = messages[place + 1 :]
            return text, sum(one.get("role") == "assistant" for one in later)
    return "", 0


def _is_result(message: Json) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(it.get("type") == "tool_result" for it in content)


def _text(content: object) -> str:
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    found = [str(it.get("text", "")) for it in parts if it.get("type") == "text"]
    texts = [text for it in found if (text := _REMINDER.sub("", it).strip())]
    # Prompts that were given without an answer between them come as one message.
    return next(filter(_MARKER.search, reversed(texts)), "\n".join(texts))


def _run(command: str) -> Step:
    given = {"command": command, "description": "Run it"}
    return Step("I run it.", Tool("Bash", given))


def _background(command: str) -> Step:
    given = {"command": command, "description": "Run it", "run_in_background": True}
    return Step("I run it beside my work.", Tool("Bash", given))


def _commit(rest: str) -> Step:
    file, _, text = rest.partition(" ")
    command = f"printf '%s\\n' '{text}' >> {file} && git add {file}"
    return _run(f"{command} && git commit -q -m 'Change {file}'")


def _read(file: str) -> Step:
    return Step("I read it.", Tool("Read", {"file_path": file}))


def _edit(rest: str) -> Step:
    file, old, new = rest.split(" | ")
    given = {"file_path": file, "old_string": old, "new_string": new}
    return Step("I change it.", Tool("Edit", given))


def _write(rest: str) -> Step:
    file, _, text = rest.partition(" ")
    return Step("I write it.", Tool("Write", {"file_path": file, "content": f"{text}\n"}))


def _question(rest: str) -> Step:
    options = [{"label": label, "description": f"the {label} one"} for label in CHOICES]
    asked = {
        "question": rest or "Which colour?",
        "header": "Colour",
        "multiSelect": False,
        "options": options,
    }
    return Step("I ask.", Tool("AskUserQuestion", {"questions": [asked]}))


def _plan(rest: str) -> Step:
    return Step("Here is my plan.", Tool("ExitPlanMode", {"plan": rest or "1. Do it\n2. Test it"}))


def _subagent(rest: str) -> Step:
    given = {
        "description": "look around",
        "subagent_type": "general-purpose",
        "prompt": f"[[run {rest}]]" if rest else "Say hello.",
    }
    return Step("I have it done.", Tool("Agent", given))


def _slow(rest: str) -> Step:
    return Step("thinking " * 20, lasts_s=float(rest or 5))


def _hang(rest: str) -> Step:
    return Step("late", silent_s=float(rest or 3600))


def _full(rest: str) -> Step:
    return Step("My context is nearly full.", input_tokens=int(rest or 190_000))


def _fail(rest: str) -> Step:
    """`429 retry-after=2 while=busy the message`."""
    status, *words = rest.split()
    headers = dict(word.split("=", 1) for word in words if "=" in word)
    return Step(
        status=int(status),
        trouble=headers.pop("while", ""),
        message=" ".join(word for word in words if "=" not in word) or "It is refused.",
        headers=headers,
    )


_READERS: dict[str, Callable[[str], Step]] = {
    "run": _run,
    "background": _background,
    "commit": _commit,
    "read": _read,
    "edit": _edit,
    "write": _write,
    "question": _question,
    "plan": _plan,
    "subagent": _subagent,
    "slow": _slow,
    "hang": _hang,
    "full": _full,
    "fail": _fail,
}


def error_of(step: Step) -> Json:
    kind = _ERRORS.get(step.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": step.message}}
