"""GitHub Copilot CLI, with a model of the user's own and offline."""

import json

from place import Place
from real.api import Tools
from real.clis import Cli
from real.messages import Messages
from real.scenarios import CHOICES, Json

_PROVIDER = ("COPILOT_OFFLINE", "COPILOT_PROVIDER_TYPE")


def prepare(place: Place, url: str) -> None:
    home = place.root / "copilot"
    home.mkdir(mode=0o700)
    known = {"firstLaunchAt": "2026-01-02T03:04:05.678Z", "appTipShown": True}
    (home / "config.json").write_text(f"// It is managed by the program.\n{json.dumps(known)}\n")
    place.env |= {
        "COPILOT_HOME": str(home),
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_TYPE": "anthropic",
        "COPILOT_PROVIDER_BASE_URL": url,
        "COPILOT_PROVIDER_API_KEY": "not-a-key",
        "COPILOT_MODEL": "claude-sonnet-4.5",
    }


def _bash(given: Json, **more: object) -> tuple[str, Json]:
    return "bash", {**given, "description": "Run it", **more}


def _edit(given: Json) -> tuple[str, Json]:
    return "edit", {"path": given["file"], "old_str": given["old"], "new_str": given["new"]}


def _question(given: Json) -> tuple[str, Json]:
    colour = {"type": "string", "title": "Colour", "enum": list(CHOICES)}
    schema = {"properties": {"colour": colour}, "required": ["colour"]}
    return "ask_user", {"message": given["question"], "requestedSchema": schema}


TOOLS: Tools = {
    "run": _bash,
    "background": lambda it: _bash(it, mode="async"),
    "read": lambda it: ("view", {"path": it["file"]}),
    "edit": _edit,
    "write": lambda it: ("create", {"path": it["file"], "file_text": it["text"]}),
    "question": _question,
    "plan": lambda it: ("exit_plan_mode", {"summary": it["plan"]}),
    "subagent": lambda it: (
        "task",
        {"description": "look around", "agent_type": "task", "name": "around", **it},
    ),
}
CLI = Cli(
    name="copilot",
    package="@github/copilot",
    # It is in a package for each platform; the main one only finds it.
    program="node_modules/@github/copilot-*/copilot",
    pinned="1.0.102",
    service=Messages,
    tools=TOOLS,
    prepare=prepare,
    options={"permission": "edits", "allow": ["shell(git:*)", "shell(sleep)"]},
    env=_PROVIDER,
    dialog="↑/↓",
    refused=("working", "idle"),  # half a second passes until its turn has ended
    escapes_twice=True,
    background=("started in background", "system_notification"),
    lacks={
        "cost": "it counts tokens and credits, and says nothing of money",
        "put-back": "a prompt that is interrupted early is not put back into its input line",
    },
)
