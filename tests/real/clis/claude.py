"""Claude Code."""

import json

from place import Place
from real.api import Tools
from real.clis import Cli
from real.messages import KEY, Messages
from real.scenarios import CHOICES, Json

_KEY_TAIL = 20
_QUIET = (
    *("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY"),
    "DISABLE_ERROR_REPORTING",
)


def prepare(place: Place, url: str) -> None:
    config = place.root / "claude"
    config.mkdir(mode=0o700)
    known = {
        "hasCompletedOnboarding": True,
        "customApiKeyResponses": {"approved": [KEY[-_KEY_TAIL:]], "rejected": []},
    }
    (config / ".claude.json").write_text(json.dumps(known))
    place.env |= {
        "CLAUDE_CONFIG_DIR": str(config),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": KEY,
        **dict.fromkeys(_QUIET, "1"),
        "CLAUDE_CODE_MAX_RETRIES": "2",
    }


def _bash(given: Json, **more: object) -> tuple[str, Json]:
    return "Bash", {**given, "description": "Run it", **more}


def _question(text: str) -> Json:
    options = [{"label": label, "description": f"the {label} one"} for label in CHOICES]
    return {"question": text, "header": "Colour", "multiSelect": False, "options": options}


def _edit(given: Json) -> tuple[str, Json]:
    change = {"old_string": given["old"], "new_string": given["new"]}
    return "Edit", {"file_path": given["file"], **change}


def _subagent(given: Json) -> tuple[str, Json]:
    return "Agent", given | {"description": "look around", "subagent_type": "general-purpose"}


TOOLS: Tools = {
    "run": _bash,
    "background": lambda it: _bash(it, run_in_background=True),
    "read": lambda it: ("Read", {"file_path": it["file"]}),
    "edit": _edit,
    "write": lambda it: ("Write", {"file_path": it["file"], "content": it["text"]}),
    "question": lambda it: ("AskUserQuestion", {"questions": [_question(it["question"])]}),
    "plan": lambda it: ("ExitPlanMode", it),
    "subagent": _subagent,
}
CLI = Cli(
    name="claude",
    package="@anthropic-ai/claude-code",
    # It is in a package for each platform; the main one only finds it, and needs a newer node.
    program="node_modules/@anthropic-ai/claude-code-*/claude",
    pinned="2.1.332",
    service=Messages,
    tools=TOOLS,
    prepare=prepare,
    options={"permission": "acceptEdits", "allow": ["Bash(git *)"]},
    env=(*_QUIET, "CLAUDE_CODE_MAX_RETRIES"),
    # A killed one leaves its socket behind, as it leaves its session file.
    debris="cc-socks/{pid}.sock",
)
