"""What one run of opencode is given: the plugin, what it is to do, and what is allowed."""

import json
import posixpath
import re
from importlib import resources
from pathlib import PurePosixPath

import msgspec

from fleet.agents.adapter import Request
from fleet.agents.prompts import PROMPT_FILE

PLUGIN, OPTIONS = "opencode-fleet.js", "opencode-fleet.json"
Rule = tuple[
    str, str, str
]  # a permission's name, a pattern, what happens: the last that fits counts
_AUTO = "auto"  # what nobody denies is allowed
_CONTENT = "OPENCODE_CONFIG_CONTENT"
_TEXT = resources.files(__package__).joinpath("plugin.js").read_text(encoding="utf-8")
# The modes that are rules; any other is an agent of opencode's, which has rules of its own.
_MODES: dict[str, tuple[Rule, ...]] = {
    "ask": (("edit", "*", "ask"), ("bash", "*", "ask"), ("webfetch", "*", "ask")),
    "edit": (("edit", "*", "allow"), ("bash", "*", "ask"), ("webfetch", "*", "ask")),
    _AUTO: (),
}
# These take no patterns: an opencode that finds one does not start.
_WITHOUT_PATTERNS = frozenset({"webfetch", "websearch", "todowrite", "question", "doom_loop"})
_TOOL = re.compile(r"(?P<name>\w+)\s*(?:\((?P<pattern>.*)\))?", re.DOTALL)


def agent(request: Request) -> str | None:
    """Return the agent of opencode's that a mode means, None for the one that it takes itself."""
    return None if request.permission in {None, *_MODES} else request.permission


def of_run(request: Request) -> dict[str, str]:
    """Return the files of one run by name."""
    options: dict[str, object] = {
        "title": f"fleet: {request.task}",
        "effort": request.effort or None,
        "rules": _rules(request),
        "auto": True if request.permission == _AUTO else None,
    }
    if request.conversation is not None:
        options |= {
            "session": request.conversation,
            "prompt": f"{request.run_dir}/{PROMPT_FILE}",
            "agent": agent(request),
            "model": _model(request),
        }
    kept = {name: value for name, value in options.items() if value is not None}
    return {PLUGIN: _TEXT, OPTIONS: json.dumps(kept, indent=1)}


def environment(request: Request) -> dict[str, str]:
    """Return what names the plugin, beside what the user's own variable says."""
    try:
        theirs = msgspec.json.decode(
            request.environment.get(_CONTENT) or "{}", type=dict[str, object]
        )
    except (ValueError, RecursionError):
        theirs = {}  # with comments in it, say: ours takes its place
    known = theirs.get("plugin")
    plugins = known if isinstance(known, list) else []
    plugin = PurePosixPath(request.run_dir, PLUGIN).as_uri()
    text = json.dumps(theirs | {"plugin": [*plugins, plugin]}, ensure_ascii=False)
    # Dozens of agents must not replace, at the same time, the program from which they run.
    return {_CONTENT: text, "OPENCODE_DISABLE_AUTOUPDATE": "1"}


def _model(request: Request) -> dict[str, str] | None:
    provider, _, model = (request.model or "").partition("/")
    return {"providerID": provider, "modelID": model} if provider and model else None


def _rules(request: Request) -> list[Rule]:
    """Return the rules of this launch, which come after the user's own."""
    mode = _MODES.get(request.permission or "", ())
    tools = (_TOOL.fullmatch(tool.strip()) for tool in request.allow)
    allowed = [(it["name"].lower(), it["pattern"] or "*", "allow") for it in tools if it]
    known = [it for it in allowed if it[1] == "*" or it[0] not in _WITHOUT_PATTERNS]
    return [*mode, *known, *_own(request)]


def _own(request: Request) -> list[Rule]:
    """Return what it may do outside of its worktree: read what we left for it, keep its notes."""
    folders = (posixpath.dirname(request.notes), request.run_dir)
    outside = [("external_directory", f"{folder}/*", "allow") for folder in folders]
    return [*outside, ("edit", posixpath.relpath(request.notes, request.worktree), "allow")]
