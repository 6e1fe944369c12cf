"""Claude Code's files: those that one run is given, and what the user's own say and are to say."""

import json
import re
import shlex
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from fleet.agents.adapter import Request, Seed
from fleet.agents.claude.version import events, is_tried
from fleet.agents.tables import inner, listed

SETTINGS = "settings.json"
STATUS_LINE = "statusline.sh"
TRUST, API_KEY = "trust", "api-key"  # what a person may consent to
_BYPASS = "bypassPermissions"
# Seconds for which a person may be asked; timers of more than 24 days fire at once.
_ASK_TIMEOUT_S = 1_000_000
_HOOK_TIMEOUT_S = 10
_KEY_TAIL = 20  # characters by which it remembers a key
_STATUS_LINE = """\
#!/bin/sh
# Tells fleet what this session has used, and shows {what}.
said=$(cat)
printf '%s' "$said" | {hook} statusline
{show}
"""
_SHOW_OWN = r"""printf 'fleet: %s' "$FLEET_TASK"
used=$(printf '%s' "$said" | sed -n 's/.*"used_percentage":\([0-9][0-9]*\).*/\1/p')
[ -z "$used" ] || printf ' · context %s %%' "$used"
"""


class _StatusLine(Struct):
    command: str
    type: str = "command"
    padding: int | None = None


class _Theirs(Struct, rename="camel"):
    status_line: _StatusLine | None = None


def of_run(request: Request) -> dict[str, str]:
    """Return the files of one run by name."""
    theirs = _status_line(request)
    return {
        SETTINGS: json.dumps(_settings(request, theirs), indent=1),
        STATUS_LINE: _script(request, theirs),
    }


def config_dir(environment: Mapping[str, str]) -> str | None:
    """Return where it keeps settings and session files."""
    home = environment.get("HOME")
    return environment.get("CLAUDE_CONFIG_DIR") or (f"{home}/.claude" if home else None)


def config_files(request: Request) -> tuple[str, ...]:
    """Return the files that `of_run` and `seeds` look at."""
    state = _state_file(request.environment)
    return (*_settings_files(request), *((state,) if state else ()))


def _state_file(environment: Mapping[str, str]) -> str | None:
    """Return the file of its own state, which is elsewhere than its settings by default."""
    folder = environment.get("CLAUDE_CONFIG_DIR") or environment.get("HOME")
    return folder and f"{folder}/.claude.json"


def _settings_files(request: Request) -> tuple[str, ...]:
    """Return the settings that it reads, those that count more first."""
    user = config_dir(request.environment)
    project = f"{request.worktree}/.claude"
    local = (f"{project}/settings.local.json", f"{project}/settings.json")
    return (*local, *((f"{user}/settings.json",) if user else ()))


# --- the settings of a run ------------------------------------------------------------------------


def _settings(request: Request, theirs: _StatusLine | None) -> dict[str, object]:
    script = shlex.quote(f"{request.run_dir}/{STATUS_LINE}")
    line: dict[str, object] = {"type": "command", "command": f"/bin/sh {script}"}
    if theirs is not None and theirs.padding is not None:
        line["padding"] = theirs.padding
    settings: dict[str, object] = {
        "hooks": {event: [_hook(request, event)] for event in events(request.version)},
        "statusLine": line,
        "permissions": {"allow": _rules(request)},
    }
    if request.permission == _BYPASS:  # who chose that has answered its warning
        settings["skipDangerousModePermissionPrompt"] = True
    return settings


def _hook(request: Request, event: str) -> dict[str, object]:
    entry: dict[str, object] = {"type": "command"}
    words = [event, "--ask"] if event == "PermissionRequest" else [event]
    program = f"{request.home}/bin/fleet-hook"
    if is_tried(request.version):
        entry |= {"command": program, "args": words}
    else:
        entry["command"] = shlex.join([program, *words])
    if event == "PermissionRequest":
        entry["timeout"] = _ASK_TIMEOUT_S  # it may not go on without its answer
    else:
        entry |= {"timeout": _HOOK_TIMEOUT_S, "async": True}
    group: dict[str, object] = {"hooks": [entry]}
    if event == "Notification" and "PermissionRequest" in events(request.version):
        group["matcher"] = "agent_needs_input|elicitation_dialog"  # the rest is known already
    return group


def _rules(request: Request) -> list[str]:
    """Return what it may do outside of its worktree: read what we left for it, keep its notes."""
    texts = (f"Read(/{request.run_dir}/prompt.txt)", f"Read(/{request.run_dir}/messages/**)")
    return [*texts, f"Read(/{request.notes})", f"Edit(/{request.notes})"]


# --- the status line ------------------------------------------------------------------------------


def _status_line(request: Request) -> _StatusLine | None:
    """Return the status line that the user or the project has: ours takes its place."""
    for file in _settings_files(request):
        try:
            text = request.config.get(file) or "{}"
            theirs = msgspec.json.decode(text, type=_Theirs).status_line
        except (ValueError, RecursionError):
            continue  # what it cannot read itself shows nothing either
        if theirs is not None:
            return theirs if theirs.type == "command" and _is_shown(theirs.command) else None
    return None


def _is_shown(command: str) -> bool:
    return bool(command.strip()) and "\0" not in command


def _script(request: Request, theirs: _StatusLine | None) -> str:
    hook = shlex.quote(f"{request.home}/bin/fleet-hook")
    if theirs is None:
        return _STATUS_LINE.format(what="the task", hook=hook, show=_SHOW_OWN)
    show = f"printf '%s' \"$said\" | /bin/sh -c {shlex.quote(theirs.command)}"
    return _STATUS_LINE.format(what="the user's own status line", hook=hook, show=show)


# --- what a person consented to -------------------------------------------------------------------


def seeds(request: Request) -> tuple[Seed, ...]:
    """Return its state file with the answers that a person agreed to have given beforehand."""
    file = _state_file(request.environment)
    if file is None or not request.consents & {TRUST, API_KEY}:
        return ()
    try:
        known = json.loads(request.config.get(file) or "{}")
    except (ValueError, RecursionError):
        return ()  # a file that is not understood is not written
    if not isinstance(known, dict) or not _agree(known, request):
        return ()
    return (Seed(file, json.dumps(known, indent=2, ensure_ascii=False)),)


def _agree(known: dict[str, object], request: Request) -> bool:
    """Add the answers to `known`; return whether there was one to add."""
    added = False
    if TRUST in request.consents and request.repo:
        # All worktrees of a repository are trusted by its main one.
        project = inner(inner(known, "projects"), request.repo)
        added = project.get("hasTrustDialogAccepted") is not True
        project["hasTrustDialogAccepted"] = True
    key = request.environment.get("ANTHROPIC_API_KEY", "")[-_KEY_TAIL:]
    if API_KEY in request.consents and re.fullmatch(r"[ -~]+", key):
        answers = inner(known, "customApiKeyResponses")
        approved, rejected = listed(answers, "approved"), listed(answers, "rejected")
        if key not in (*approved, *rejected):
            approved.append(key)
            added = True
    return added
