"""The plugin that one run is given: hooks, and an extension that is a bridge to fleet.

The bridge tells more than the hooks, and in order. Hooks that would say the same in other words
keep quiet while it is up; where it cannot be, because of an older version or somebody's policy,
they say what they can.
"""

import json
import shlex
from functools import cache
from importlib import resources

from fleet.agents.adapter import Request
from fleet.agents.copilot.version import has_bridge

FOLDER = "copilot"  # in the run's directory
SHOWN = "messages"  # what the agent may read there, as messages for it lie there, too
BRIDGE = "plugin:fleet:bridge"  # how the CLI calls the extension
_UP = "bridge-up"
_HOOK_TIMEOUT_S = 10
# By a name in this form an event tells what session it is of, and in snake case.
_ALWAYS = ("SessionStart", "UserPromptSubmit")
_ALONE = (
    *("PreToolUse", "PostToolUse", "PostToolUseFailure", "Notification", "Stop"),
    *("ErrorOccurred", "PreCompact"),
)


def of_run(request: Request) -> dict[str, str]:
    """Return the files of one run by name."""
    plugin = {
        "name": "fleet",
        "version": "1.0.0",
        "description": "Tells fleet what this session does.",
        "hooks": "hooks.json",
    }
    files = {
        f"{FOLDER}/plugin.json": json.dumps(plugin, indent=1),
        f"{FOLDER}/hooks.json": json.dumps(_hooks(request), indent=1),
        # The folder has to be there when the agent is told that it may read in it.
        f"{SHOWN}/README": "Messages for you that were too long to be typed.\n",
    }
    if has_bridge(request.version):
        files[f"{FOLDER}/extensions/bridge/extension.mjs"] = _bridge()
    return files


@cache
def _bridge() -> str:
    return resources.files(__package__).joinpath("extension.mjs").read_text("utf-8")


def _hooks(request: Request) -> dict[str, object]:
    up = shlex.quote(f"{request.run_dir}/{FOLDER}/{_UP}")
    hook = shlex.quote(f"{request.home}/bin/fleet-hook")
    # A hook that fails would have the tool refused.
    commands = {event: f"{hook} {event} || true" for event in _ALWAYS}
    commands |= {event: f"[ -e {up} ] || {hook} {event} || true" for event in _ALONE}
    entries = {
        event: [{"type": "command", "bash": command, "timeoutSec": _HOOK_TIMEOUT_S}]
        for event, command in commands.items()
    }
    return {"version": 1, "hooks": entries}
