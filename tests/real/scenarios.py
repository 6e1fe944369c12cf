"""What the fake model says: a prompt's markers, in their order, are the steps of its turn.

`[[run make test]]` has it run a command, `[[fail 429 retry-after=2]]` has its request refused. A
turn without a further step ends with a sentence. Nothing is remembered between two requests: what
is refused is refused always, or as long as a test says that there is this trouble (`while=NAME`);
and so long nothing comes where it hangs.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
_MARKER = re.compile(r"\[\[([a-z-]+)(?:\s+(.*?))?\]\]", re.DOTALL)
_CWD = re.compile(r"(?:[Ww]orking directory: |<cwd>)([^\s\"\\\\<]+)")
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
CHOICES = ("Red", "Blue")
END = "That is all."


@dataclass(frozen=True)
class Said:
    """A message of a conversation; a user's has what its tools gave in `results`."""

    who: str  # user, model, or another who is not answered
    texts: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """What the model wants done: `run`, `background`, `read`, `edit`, `write`, `question`, `plan`,
    `subagent`. Each agent has tools of its own for it."""

    kind: str
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


def step_of(talk: Sequence[Said], request: str, troubles: Collection[str] = ()) -> Step:
    """Return the answer to `request`; `{cwd}` in a marker is where it says that it works."""
    prompt, done = _locate(talk)
    where = _CWD.search(request)
    prompt = prompt.replace("{cwd}", where[1] if where else "")
    steps = [_READERS[name](rest or "") for name, rest in _MARKER.findall(prompt)]
    failing = next((it for it in steps if it.status != 200), None)
    if failing is not None and done == 0 and (failing.trouble in troubles or not failing.trouble):
        return failing
    # A refused request leaves no message, and nor does a trouble that is over.
    passed = [it for it in steps if it.status == 200 and it.trouble in ("", *troubles)]
    return passed[done] if done < len(passed) else Step(END)


def _locate(talk: Sequence[Said]) -> tuple[str, int]:
    """Return the last words of the user's, and how many answers followed them."""
    for place in range(len(talk) - 1, -1, -1):
        said = talk[place]
        cleaned = (_REMINDER.sub("", text).strip() for text in said.texts)
        texts = [text for text in cleaned if text]
        if said.who != "user" or not texts:
            continue
        # Prompts that were given without an answer between them come as one message.
        marked = next(filter(_MARKER.search, reversed(texts)), None)
        if marked or not said.results:
            later = talk[place + 1 :]
            return marked or "\n".join(texts), sum(one.who == "model" for one in later)
    return "", 0


def _run(command: str) -> Step:
    return Step("I run it.", Tool("run", {"command": command}))


def _background(command: str) -> Step:
    return Step("I run it beside my work.", Tool("background", {"command": command}))


def _commit(rest: str) -> Step:
    file, _, text = rest.partition(" ")
    command = f"printf '%s\\n' '{text}' >> {file} && git add {file}"
    return _run(f"{command} && git commit -q -m 'Change {file}'")


def _read(file: str) -> Step:
    return Step("I read it.", Tool("read", {"file": file}))


def _edit(rest: str) -> Step:
    file, old, new = rest.split(" | ")
    return Step("I change it.", Tool("edit", {"file": file, "old": old, "new": new}))


def _write(rest: str) -> Step:
    file, _, text = rest.partition(" ")
    return Step("I write it.", Tool("write", {"file": file, "text": f"{text}\n"}))


def _question(rest: str) -> Step:
    return Step("I ask.", Tool("question", {"question": rest or "Which colour?"}))


def _plan(rest: str) -> Step:
    return Step("Here is my plan.", Tool("plan", {"plan": rest or "1. Do it\n2. Test it"}))


def _subagent(rest: str) -> Step:
    prompt = f"[[run {rest}]]" if rest else "Say hello."
    return Step("I have it done.", Tool("subagent", {"prompt": prompt}))


def _slow(rest: str) -> Step:
    return Step("thinking " * 20, lasts_s=float(rest or 5))


def _hang(rest: str) -> Step:
    """`3600 while=stuck`."""
    seconds, _, trouble = rest.partition("while=")
    return Step("late", silent_s=float(seconds or 3600), trouble=trouble)


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
