"""Codex CLI."""

import shlex

from place import Place
from real.api import Tools
from real.clis import Cli
from real.responses import Responses
from real.scenarios import CHOICES, Json

_CONFIG = """\
model = "fake-model"
model_provider = "fake"

[analytics]
enabled = false

[sandbox_workspace_write]
exclude_slash_tmp = true
exclude_tmpdir_env_var = true

[features]
default_mode_request_user_input = true

[model_providers.fake]
name = "fake"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "FAKE_KEY"
request_max_retries = 0
stream_max_retries = 4
"""
_CHANGE = """\
import pathlib, sys
path, old, new = pathlib.Path(sys.argv[1]), *sys.argv[2:]
path.write_text(path.read_text().replace(old, new))
"""


def prepare(place: Place, url: str) -> None:
    home = place.root / "codex"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(_CONFIG.format(url=url))
    place.env |= {"CODEX_HOME": str(home), "FAKE_KEY": "not-a-key"}


def _run(given: Json) -> tuple[str, Json]:
    """What is not git's leaves the sandbox, for which it has to ask."""
    command = str(given["command"])
    asks = {} if command.startswith("git ") else {"sandbox_permissions": "require_escalated"}
    return "exec_command", {"cmd": command, **asks}


def _in_sandbox(*words: str) -> tuple[str, Json]:
    return "exec_command", {"cmd": shlex.join(words)}


def _question(text: str) -> Json:
    options = [{"label": label, "description": f"the {label} one"} for label in CHOICES]
    return {"id": "colour", "header": "Colour", "question": text, "options": options}


TOOLS: Tools = {
    "run": _run,
    "read": lambda it: _in_sandbox("cat", it["file"]),
    "edit": lambda it: _in_sandbox("python3", "-c", _CHANGE, it["file"], it["old"], it["new"]),
    "question": lambda it: ("request_user_input", {"questions": [_question(it["question"])]}),
}
CLI = Cli(
    name="codex",
    package="@openai/codex",
    program="node_modules/.bin/codex",
    pinned="0.171.0",
    service=Responses,
    tools=TOOLS,
    prepare=prepare,
    options={"permission": "workspace-write"},
    env=("CODEX_HOME", "FAKE_KEY"),
    prompt="\u203a",
    lacks={
        "put-back": "a prompt that was interrupted stays sent",
        "background": "a command that it leaves running does not wake it",
        "clear-told": "it names a new conversation with its first prompt",
        "pane": "it asks in its pane only where a person is attached",
        "cost": "it tells tokens, no prices",
        "plan": "no option starts it in its mode for plans",
    },
)
