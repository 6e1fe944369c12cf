"""Gemini CLI."""

import json

from place import Place
from real.api import Tools
from real.clis import Cli
from real.gemini_api import KEY, Gemini
from real.scenarios import CHOICES, Json


def prepare(place: Place, url: str) -> None:
    folder = place.root / "home" / ".gemini"
    folder.mkdir(mode=0o700, parents=True)
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    place.env |= {
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": url,
        "COLORTERM": "truecolor",  # it warns otherwise
    }


def _shell(given: Json, **more: object) -> tuple[str, Json]:
    return "run_shell_command", {**given, "description": "Run it", **more}


def _edit(given: Json) -> tuple[str, Json]:
    change = {"old_string": given["old"], "new_string": given["new"], "instruction": "Change it"}
    return "replace", {"file_path": given["file"], **change}


def _question(given: Json) -> tuple[str, Json]:
    options = [{"label": label, "description": f"the {label} one"} for label in CHOICES]
    asked = {"question": given["question"], "header": "Colour", "type": "choice"}
    return "ask_user", {"questions": [asked | {"multiSelect": False, "options": options}]}


TOOLS: Tools = {
    "run": _shell,
    "background": lambda it: _shell(it, is_background=True),
    "read": lambda it: ("read_file", {"file_path": it["file"]}),
    "edit": _edit,
    "write": lambda it: ("write_file", {"file_path": it["file"], "content": it["text"]}),
    "question": _question,
    "plan": lambda _: ("exit_plan_mode", {"plan_filename": "plan.md"}),
    "subagent": lambda it: ("invoke_agent", {"agent_name": "generalist", **it}),
}
CLI = Cli(
    name="gemini",
    package="@google/gemini-cli",
    program="node_modules/.bin/gemini",
    pinned="0.61.0",
    service=Gemini,
    tools=TOOLS,
    prepare=prepare,
    options={"permission": "auto_edit", "allow": ["run_shell_command(git)"]},
    prompt="Type your message",
    trust_keys=("1",),
    limit_key="2",
    own_s=2.5,
    dialog="● 1.",
    lacks={
        "answers": "its hooks cannot allow what it asks: it is answered in its pane",
        "background": "it does not say that a command goes on after the turn",
        "cost": "it does not say what it costs",
        "failing": "what fails is asked again by itself for many minutes",
        "put-back": "a prompt that Escape ended does not come back to its input line",
        "plan": "its plans are judged in its pane",
    },
)
