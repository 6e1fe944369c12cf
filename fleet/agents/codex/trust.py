"""Fleet's hooks, given for one launch, and trusted for it by what exactly they are.

Codex runs only hooks that a person has reviewed, each known by a digest of what it runs. A launch
can name such digests as well as hooks, so that ours run unasked, while hooks of the user's or of a
repository wait for a review as always: `--dangerously-bypass-hook-trust` would run them all.
"""

import hashlib
import json
import re
import shlex

from fleet.agents.adapter import Request
from fleet.agents.codex import config, toml

QUESTION = "request_user_input"  # its tool for questions, which takes no answer by any other hook
ASKS = "Question"  # what the hook before that tool is called, beside the one before any tool
_ASK_TIMEOUT_S = 1_000_000  # for which a person may be asked
_TIMEOUT_S = 10
_LAST_TIMEOUT_S = 3  # all that it grants these
_LAST = frozenset({"Interrupt", "SessionEnd"})
_EVENTS = (
    *("SessionStart", "UserPromptSubmit", "PreToolUse", "PreModelRequest", "PreCompact", "Stop"),
    "Interrupt",
)
_LAYER = "/<session-flags>/config.toml"  # where it says that the hooks of a launch come from
_SHOWN = "fleet asks a person"

Group = dict[str, object]


def options(request: Request) -> tuple[str, ...]:
    """Return the options of a launch that give it its hooks."""
    groups = _groups(f"{request.home}/bin/fleet-hook", attempts=config.attempts(request))
    words = [f"hooks.{event}={toml.text(found)}" for event, found in groups.items()]
    trusted = {
        f"{_LAYER}:{_snake(event)}:{place}:0": {"trusted_hash": _digest(event, group)}
        for event, found in groups.items()
        for place, group in enumerate(found)
    }
    words.append(f"hooks.state={toml.text(trusted)}")
    return tuple(it for word in words for it in ("-c", word))


def _groups(program: str, *, attempts: int) -> dict[str, list[Group]]:
    groups = {event: [_group(program, event)] for event in _EVENTS}
    # The event does not tell whether another attempt follows.
    groups["PostModelRequest"] = [_group(program, f"PostModelRequest:{attempts}")]
    groups["PermissionRequest"] = [_group(program, "PermissionRequest", ask=True)]
    groups["PreToolUse"].append(_group(program, ASKS, ask=True) | {"matcher": QUESTION})
    return groups


def _group(program: str, event: str, *, ask: bool = False) -> Group:
    words = [program, event, "--ask"] if ask else [program, event]
    limit = _LAST_TIMEOUT_S if event in _LAST else _TIMEOUT_S
    hook: Group = {
        "type": "command",
        "command": shlex.join(words),
        "timeout": _ASK_TIMEOUT_S if ask else limit,
        "async": False,  # it waits for each, so that none overtakes another
    }
    if ask:
        hook["statusMessage"] = _SHOWN
    return {"hooks": [hook]}


def _digest(event: str, group: Group) -> str:
    """Return what Codex knows a hook by: all it says, with its keys in order, without a blank."""
    said = {"event_name": _snake(event), **group}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _snake(event: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
