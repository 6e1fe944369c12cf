"""opencode."""

import json

from place import Place
from real.api import Tools
from real.clis import Cli
from real.messages import KEY, Messages
from real.scenarios import CHOICES, Json

_QUIET = ("OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD")
_PLUGIN = "@opencode-ai/plugin"
_MODEL = {
    "name": "Fake",
    "tool_call": True,
    "limit": {"context": 200_000, "output": 8192},
    "cost": {"input": 3, "output": 15},
}


def prepare(place: Place, url: str) -> None:
    folder = place.root / "config" / "opencode"
    # It has installed this at its first start; a start that has to waits for it, and for a network.
    (folder / "node_modules").mkdir(parents=True)
    lock = {"lockfileVersion": 3, "packages": {"": {"dependencies": {_PLUGIN: "*"}}}}
    (folder / "package-lock.json").write_text(json.dumps(lock))
    provider = {
        "npm": "@ai-sdk/anthropic",
        "name": "Fake",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {"fake-model": _MODEL},
    }
    config = {"model": "fake/fake-model", "small_model": "fake/fake-model", "share": "disabled"}
    (folder / "opencode.json").write_text(json.dumps(config | {"provider": {"fake": provider}}))
    place.env |= dict.fromkeys(_QUIET, "1")


def _question(given: Json) -> tuple[str, Json]:
    options = [{"label": label, "description": f"the {label} one"} for label in CHOICES]
    asked = {"question": given["question"], "header": "Colour", "options": options}
    return "question", {"questions": [asked]}


def _edit(given: Json) -> tuple[str, Json]:
    change = {"oldString": given["old"], "newString": given["new"]}
    return "edit", {"filePath": given["file"], **change}


TOOLS: Tools = {
    "run": lambda it: ("bash", it | {"description": "Run it"}),
    "read": lambda it: ("read", {"filePath": it["file"]}),
    "edit": _edit,
    "write": lambda it: ("write", {"filePath": it["file"], "content": it["text"]}),
    "question": _question,
    "subagent": lambda it: (
        "task",
        it | {"description": "look around", "subagent_type": "general"},
    ),
}
CLI = Cli(
    name="opencode",
    package="opencode-ai",
    # It is in a package for each platform; the main one only finds it.
    program="node_modules/opencode-linux-*64/bin/opencode",
    pinned="1.18.33",
    service=Messages,
    tools=TOOLS,
    prepare=prepare,
    options={"permission": "edit", "allow": ["bash(git *)"]},
    env=_QUIET,
    allow_key="Enter",
    prompt="┃",
    dialog="select  enter",
    escapes_twice=True,
    hangs="60s",
    refused=("working", "idle"),  # a moment passes until its turn has ended
    lacks={
        "trust": "it asks nobody for trust in a directory",
        "background": "its commands end with their turn",
        "clear": "its requests do not name their conversation",
        "overflow": "it goes on by itself with a shorter context",
        "put-back": "an interrupted prompt stays in its conversation",
        "silence": "its spinner moves the cursor, which counts as news",
        "plan": "it has no tool that shows a plan",
    },
)
