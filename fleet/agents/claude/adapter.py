"""Claude Code: how it is started, and what its hooks, its session file and its screen mean.

Tried with the versions 2.1.197 and 2.1.332. An older one, or one that does not say which it is,
gets the hooks and options that all of them know.
"""

import re
from collections.abc import Mapping

from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Presence,
    Request,
    Signal,
    Silent,
)
from fleet.agents.claude import asks, files, hooks, line, presence, screens
from fleet.agents.claude.version import is_tried
from fleet.agents.prompts import as_argument, briefing
from fleet.core.commands import Verdict
from fleet.core.facts import COST
from fleet.core.policy import Done

# Its own default asks a server what is safe, and opens a dialog where it cannot.
MODE = "acceptEdits"
_ENVIRONMENT = {
    # The screen keeps its history, which `fleet log` and `fleet screen` show.
    "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN": "1",
    "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1",
    # Dozens of agents must not replace, at the same time, the program from which they run.
    "DISABLE_AUTOUPDATER": "1",
}


class ClaudeAdapter(Silent):
    """The `claude` on the agent's PATH, in the terminal, with the user's own configuration.

    All that is fleet's is given for one launch by `--settings`; only with a person's consent the
    user's `.claude.json` is made to say beforehand what a dialog would ask.
    """

    name: str = "claude"
    converses: bool = True
    done: Done | None = None
    attempts: int = 1
    scrub: tuple[str, ...] = (*SCRUB, "CLAUDE_PROJECT_DIR")
    accounts: tuple[str, ...] | None = (
        *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"),
        *("CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"),
        "CLAUDE_CONFIG_DIR",
    )
    usage: frozenset[str] | None = frozenset({COST})
    repeats: bool = True
    clear_line: bytes = b"\x15"  # Ctrl-U empties one row; Escape would break a turn off

    def launch(self, request: Request) -> Launch:
        """Return its start: afresh, or with its conversation taken up again."""
        text = briefing(request, notes=True)
        prompt, texts = as_argument(request, text)
        return Launch(
            ("claude", *_options(request), "--", prompt),
            env=_ENVIRONMENT,
            unset=self.scrub,
            files=files.of_run(request) | texts,
            seeds=files.seeds(request),
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what one of its events told, or a hook of the generic vocabulary."""
        return hooks.read(name, payload)

    def program(self) -> str | None:
        return "claude"

    def version_argv(self) -> tuple[str, ...] | None:
        return ("claude", "--version")

    def config_files(self, request: Request) -> tuple[str, ...]:
        return files.config_files(request)

    def presence_file(self, environment: Mapping[str, str], pid: int) -> str | None:
        folder = files.config_dir(environment)
        return folder and f"{folder}/sessions/{pid}.json"

    def read_presence(self, content: bytes, *, pid_start: int) -> Presence | None:
        return presence.read(content, pid_start=pid_start)

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        return screens.read(text)

    def input_line(self, screen: str) -> str | None:
        return line.read(screen)

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        return asks.answer(payload, verdict, text)


def _options(request: Request) -> tuple[str, ...]:
    tried = is_tried(request.version)
    options = ["--settings", f"{request.run_dir}/{files.SETTINGS}"]
    options += ["--permission-mode", request.permission or MODE]
    if request.allow:
        options += ["--allowedTools", *request.allow]
    if request.conversation is not None:
        options += ["--resume", request.conversation]
    elif _is_uuid(request.fresh):
        options += ["--session-id", request.fresh]
    if tried:
        options += ["--name", f"fleet: {request.task}"]
    if request.model:
        options += ["--model", request.model]
    if request.effort and tried:
        options += ["--effort", request.effort]
    return tuple(options)


def _is_uuid(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None
