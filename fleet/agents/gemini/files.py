"""Gemini CLI's files: the home that one run is given, made of the user's own and of fleet's hooks.

It takes hooks for one launch from nowhere but its settings, and reads those of a system only where
the administrator owns them. So each run has a home in its directory in which all that the user has
is linked, and the settings alone are a file: the user's, with what fleet adds.
"""

import json
import re
import shlex
from typing import Any

from fleet.agents.adapter import Request
from fleet.agents.gemini.version import is_tried
from fleet.agents.tables import inner, listed

START, TELL, POLICY = "start.sh", "tell.sh", "policy.toml"
HOME = "gemini"  # in the run's directory
MESSAGES = "messages"  # where fleet leaves what is too long to be typed
NOTES = f"{MESSAGES}/notes.md"
TRUST = "trust"  # what a person may consent to
_FOLDER = ".gemini"
_SETTINGS, _TRUSTED = "settings.json", "trustedFolders.json"
TRUSTED = f"{HOME}/{_FOLDER}/{_TRUSTED}"
_HOOK_TIMEOUT_MS = 10_000
_PRIORITY = 100  # of up to 999 among the user's own rules
_SHELL = re.compile(r"(?:run_shell_command|ShellTool)\((.+)\)", re.DOTALL)
_TELLING = ("SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "Notification")
_COUNTING = ("PreCompress", "AfterAgent")  # before each request, and after a turn
# Comments, and the strings that may hold what looks like one.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_START = """\
#!/bin/sh
# Makes the home of this run: links to all that the user has, beside the files that are fleet's.
theirs=${{GEMINI_CLI_HOME:-$HOME}} own={home}
mkdir -p "$theirs/{folder}/tmp" "$theirs/{folder}/history" {messages}
for file in "$theirs/{folder}"/* "$theirs/{folder}"/.[!.]* "$theirs/.env" "$theirs/.agents"; do
  link=$own/${{file#"$theirs/"}}
  [ ! -e "$file" ] || [ -e "$link" ] || ln -sfn "$file" "$link"
done
cp {notes} {messages}/notes.md 2>/dev/null
date -u +%Y-%m-%dT%H:%M:%S >"$own/since"
export GEMINI_CLI_HOME="$own"
exec "$@"
"""
_TELL = """\
#!/bin/sh
# Tells fleet of the event $1, what this run has used, and whether the turn broke off: the file of
# the conversation has both. It holds earlier runs, too, and some answers twice.
said=$(cat)
case $said in
*'"prompt_response":"[no response text]"'*) sleep 0.2 ;; # why is written at the same moment
esac
file=$(printf '%s' "$said" | sed -n 's/.*"transcript_path":"\\([^"\\\\]*\\)".*/\\1/p')
found=$(awk -v since="$(cat {home}/since)" '
  !/^[{{]"id":"/ || !match($0, /"timestamp":"[^"]*"/) {{ next }}
  substr($0, RSTART + 13, RLENGTH - 14) < since {{ next }}
  {{ kind = substr($0, RSTART + RLENGTH + 1, 16) }}
  kind ~ /^"type":"error"/ || /"content":"A potential loop was detected/ {{ error = $0 }}
  kind ~ /^"type":"(user|gemini)"/ {{ error = "" }}
  match($0, /"tokens":[{{]"input":[0-9]*[^}}]*"total":[0-9]*/) {{
    tokens = substr($0, RSTART, RLENGTH); id = substr($0, 1, 60)
    match(tokens, /"input":[0-9]*/); input = substr(tokens, RSTART + 8, RLENGTH - 8)
    match(tokens, /"total":[0-9]*/); total = substr(tokens, RSTART + 8, RLENGTH - 8)
    sum += total - counted[id]; counted[id] = total
  }}
  END {{ printf ",\\"tokens\\":%d,\\"input\\":%d", sum, input
        if (error != "") printf ",\\"error\\":%s", error }}
' "$file" 2>/dev/null)
printf '{{"event":%s%s}}' "$said" "$found" | {hook} "$1"
"""


def own_home(request: Request) -> bool:
    """Whether the run gets a home of its own: where its settings are understood."""
    return is_tried(request.version) and _understood(request, _SETTINGS) is not None


def of_run(request: Request) -> dict[str, str]:
    """Return the files of one run by name."""
    settings, trusted = _understood(request, _SETTINGS), _trusted(request)
    if settings is None or not own_home(request):
        return {}
    folder, messages = f"{request.run_dir}/{HOME}", f"{request.run_dir}/{MESSAGES}"
    files = {
        START: _START.format(
            home=shlex.quote(folder),
            folder=_FOLDER,
            messages=shlex.quote(messages),
            notes=shlex.quote(request.notes),
        ),
        TELL: _TELL.format(home=shlex.quote(folder), hook=_hook_program(request)),
        f"{HOME}/{_FOLDER}/{_SETTINGS}": _text(_settings(request, settings)),
    }
    if request.allow:
        files[POLICY] = _policy(request)
    if trusted is not None:
        files[TRUSTED] = _text(trusted)
    return files


def trusts(request: Request) -> bool:
    """Whether the run's own directory and worktree count as trusted, as a person agreed to."""
    return own_home(request) and _trusted(request) is not None


def trusted_folders(request: Request) -> str | None:
    """Return the file of what it trusts: this run's own, else the user's, who may add to it."""
    if not own_home(request):
        return None
    return f"{request.run_dir}/{TRUSTED}" if trusts(request) else _theirs(request, _TRUSTED)


def config_files(request: Request) -> tuple[str, ...]:
    """Return the files that `of_run` looks at."""
    return tuple(filter(None, (_theirs(request, name) for name in (_SETTINGS, _TRUSTED))))


# --- what the user has ----------------------------------------------------------------------------


def _theirs(request: Request, name: str) -> str | None:
    env = request.environment
    if name == _TRUSTED and env.get("GEMINI_CLI_TRUSTED_FOLDERS_PATH"):
        return env["GEMINI_CLI_TRUSTED_FOLDERS_PATH"]
    home = env.get("GEMINI_CLI_HOME") or env.get("HOME")
    return home and f"{home}/{_FOLDER}/{name}"


def _understood(request: Request, name: str) -> dict[str, Any] | None:
    """Return what a file of the user's says, which is nothing where there is none."""
    file = _theirs(request, name)
    if file is None or file not in request.config:
        return None
    try:
        bare = _COMMENT.sub(lambda found: found[1] or "", request.config[file] or "")
        known = json.loads(bare.strip() or "{}")
    except (ValueError, RecursionError):
        return None
    return known if isinstance(known, dict) else None


# --- what is added to it --------------------------------------------------------------------------


def _settings(request: Request, settings: dict[str, Any]) -> dict[str, Any]:
    switch, hooks = inner(settings, "hooksConfig"), inner(settings, "hooks")
    if switch.get("enabled") is False:  # the user's own are not to run, and ours are
        hooks.clear()
    switch["enabled"] = True
    switch.setdefault("notifications", False)
    for event in (*_TELLING, *_COUNTING):
        listed(hooks, event).append({"hooks": [_hook(request, event)]})
    # Dozens of agents must not replace, at the same time, the program from which they run.
    inner(settings, "general")["enableAutoUpdate"] = False
    # Its title tells fleet what it does; its screen keeps its history, which fleet shows.
    shown = {"hideWindowTitle": False, "dynamicWindowTitle": True, "useAlternateBuffer": False}
    inner(settings, "ui").update(shown | {"showStatusInTitle": False})
    if request.allow:
        paths = listed(settings, "policyPaths")  # which take the place of the user's directory
        paths += [f"{request.run_dir}/{POLICY}"] if paths else _policies(request)
    return settings


def _policies(request: Request) -> list[str]:
    theirs = _theirs(request, "policies")
    return [*((theirs,) if theirs else ()), f"{request.run_dir}/{POLICY}"]


def _policy(request: Request) -> str:
    """Return what needs no permission: `run_shell_command(git)` is each command that begins so.

    Its own option for that forbids each other command, without a word.
    """
    rules = (_SHELL.fullmatch(tool) or tool for tool in request.allow)
    return "\n".join(map(_rule, rules))


def _rule(tool: re.Match[str] | str) -> str:
    name = tool if isinstance(tool, str) else "run_shell_command"
    lines = ["[[rule]]", f"toolName = {json.dumps(name)}"]
    if not isinstance(tool, str):
        lines.append(f"commandPrefix = {json.dumps(tool[1])}")
    return "\n".join((*lines, 'decision = "allow"', f"priority = {_PRIORITY}", ""))


def _hook(request: Request, event: str) -> dict[str, Any]:
    if event in _COUNTING:
        command = f"/bin/sh {shlex.quote(f'{request.run_dir}/{TELL}')} {event}"
    else:
        command = f"{_hook_program(request)} {event}"
    return {
        "name": f"fleet {event}",
        "type": "command",
        "command": command,
        "timeout": _HOOK_TIMEOUT_MS,
    }


def _hook_program(request: Request) -> str:
    return shlex.quote(f"{request.home}/bin/fleet-hook")


def _trusted(request: Request) -> dict[str, Any] | None:
    known = _understood(request, _TRUSTED) if TRUST in request.consents else None
    if known is None:
        return None
    folders = (request.worktree, f"{request.run_dir}/{MESSAGES}")
    return known | dict.fromkeys(folders, "TRUST_FOLDER")


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False)
