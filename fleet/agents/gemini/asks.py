"""What Gemini CLI asks of a person: it is answered in the pane, as its hooks cannot answer it.

A hook before a tool comes before it is judged whether the tool needs permission, and can only
forbid it; the one that tells of a dialog is heard before the dialog is drawn, and not listened to.
"""

import json

from msgspec import Struct

from fleet.agents.adapter import SaysWaiting
from fleet.agents.generic import MOST_CHOICES, NEEDS, lines, one_line
from fleet.agents.questions import near
from fleet.core.rows import Ask

QUESTION, PLAN = "ask_user", "exit_plan_mode"
Input = dict[str, object]
_TELLING = (
    *("command", "file_path", "dir_path", "pattern", "query", "url", "prompt", "objective"),
    *("description", "name", "title"),
)


class Called(Struct):
    """A call of a tool, as far as it matters."""

    tool_name: str = ""
    tool_input: Input = {}
    cwd: str = ""


class Details(Struct, frozen=True, rename="camel"):
    """What a dialog is about, as far as it matters: which of these there are says its type."""

    type: str = ""
    title: str = ""
    command: str = ""
    file_path: str = ""
    file_diff: str = ""
    server_name: str = ""
    tool_name: str = ""
    prompt: str = ""
    urls: list[str] | None = None


class Dialog(Struct):
    """A dialog that is about to be drawn."""

    notification_type: str = ""
    message: str = ""
    details: Details = Details()
    cwd: str = ""


class _Option(Struct):
    label: str = ""


class Question(Struct):
    """One question of several, each with its choices."""

    question: str = ""
    options: list[_Option] = []


def doing(called: Called) -> str:
    """Return one line for a call of a tool: `run_shell_command: make test`."""
    found = next((name for name in _TELLING if called.tool_input.get(name)), None)
    told = str(called.tool_input.get(found or "", ""))
    return one_line(f"{called.tool_name}: {near(told, called.cwd)}".removesuffix(": "))


def question(questions: list[Question]) -> SaysWaiting:
    """Return what its own tool for questions asks."""
    text = lines("\n".join(it.question for it in questions))
    options = questions[0].options if len(questions) == 1 else []
    choices = tuple(one_line(it.label) for it in options[:MOST_CHOICES])
    need = one_line(f"an answer: {text}") if text else NEEDS["question"]
    ask = Ask(kind="question", tool=QUESTION, text=text or need, choices=choices)
    return SaysWaiting(need, "question", ask=ask)


def dialog(asked: Dialog) -> SaysWaiting:
    """Return what a dialog wants: of a question and a plan it does not say which."""
    details = asked.details
    match details.type:
        case "ask_user":
            return SaysWaiting(NEEDS["question"], "question")
        case "exit_plan_mode":
            return SaysWaiting(NEEDS["plan"], "plan")
        case "exec":
            return _permission("run_shell_command", details.command, one_line(details.command))
        case "edit":
            path = near(details.file_path, asked.cwd)
            return _permission("edit", f"{path}\n{details.file_diff}", path)
        case "mcp":
            tool = f"{details.server_name} {details.tool_name}"
            return _permission(tool, "", "")
        case _:
            urls = json.dumps(details.urls, ensure_ascii=False) if details.urls else ""
            about = "\n".join(filter(None, (details.prompt, urls))) or details.title
            return _permission(details.type, about, about or asked.message)


def _permission(tool: str, text: str, about: str) -> SaysWaiting:
    name = one_line(tool)
    need = one_line(f"permission: {name}: {about}".removesuffix(": ").replace(": :", ":"))
    ask = Ask(kind="permission", tool=name, text=lines(text) or need)
    return SaysWaiting(need, "permission", ask=ask)
