"""GitHub Copilot CLI: how it is started, and what its hooks, its bridge and its screen mean.

Tried with version 1.0.102. An older one, or one that does not say which it is, gets hooks alone:
they don't tell that a turn was broken off, and what they ask is answered in the pane.
"""

from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.copilot import asks, hooks, line, plugin, screens, trust
from fleet.agents.copilot.version import has_bridge
from fleet.agents.prompts import PROMPT_FILE, as_argument, briefing, in_file
from fleet.core.commands import Verdict
from fleet.core.facts import TOKENS
from fleet.core.policy import Done

_ENVIRONMENT = {
    "COPILOT_DISABLE_TERMINAL_TITLE": "1",
    # Dozens of agents must not replace, at the same time, the program from which they run.
    "COPILOT_AUTO_UPDATE": "false",
}
_FLAGS = "COPILOT_CLI_ENABLED_FEATURE_FLAGS"
# What `permission` may be; with another word it is the CLI that refuses.
_MODES = {
    "edits": ("--allow-tool=write",),
    "manual": (),
    "plan": ("--mode=plan",),
    "allow-all": ("--allow-all",),
}
# An extension brings tools for extensions along, which are none of the agent's business.
_EXTENSION_TOOLS = (
    *("extensions_manage", "extensions_reload", "list_canvas_capabilities", "open_canvas"),
    "invoke_canvas_action",
)


class CopilotAdapter(Silent):
    """The `copilot` on the agent's PATH, in the terminal, with the user's own configuration.

    All that is fleet's is a plugin given for one launch by `--plugin-dir`; only with a person's
    consent the user's `config.json` is made to say beforehand that the repository is trusted.
    """

    name: str = "copilot"
    converses: bool = True
    done: Done | None = None
    attempts: int = 1
    scrub: tuple[str, ...] = (
        *(*SCRUB, "CLAUDE_PROJECT_DIR", "CLAUDE_PLUGIN_ROOT", "CLAUDE_PLUGIN_DATA"),
        *("PLUGIN_ROOT", "PLUGIN_DATA", "COPILOT_PLUGIN_ROOT", "COPILOT_PLUGIN_DATA"),
        *("COPILOT_CLI", "COPILOT_CLI_BINARY_VERSION", "COPILOT_CLI_RESOLVED_DIST_DIR"),
        *("COPILOT_LOADER_PID", "COPILOT_PROJECT_DIR", "COPILOT_HOOK_DIR"),
        "COPILOT_AGENT_SESSION_ID",
    )
    accounts: tuple[str, ...] | None = (
        *("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "COPILOT_GH_HOST", "GH_HOST"),
        *("COPILOT_PROVIDER_BASE_URL", "COPILOT_PROVIDER_API_KEY", "COPILOT_HOME"),
        "COPILOT_PROVIDER_BEARER_TOKEN",
    )
    usage: frozenset[str] | None = frozenset({TOKENS})
    repeats: bool = True
    clear_line: bytes = b"\x15"  # Ctrl-U; Escape would break a turn off

    def launch(self, request: Request) -> Launch:
        """Return its start: afresh, or with its conversation taken up again."""
        text = briefing(request, notes=True)
        # A dash in front would make an option of it.
        give = in_file if text.startswith("-") else as_argument
        prompt, texts = give(request, text, f"{plugin.SHOWN}/{PROMPT_FILE}")
        shown = f"{request.run_dir}/{plugin.SHOWN}"
        return Launch(
            ("copilot", *_options(request), f"--add-dir={shown}", "-i", prompt),
            env=_environment(request),
            unset=self.scrub,
            files=plugin.of_run(request) | texts,
            seeds=trust.seeds(request),
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what an event told, or a hook of the generic vocabulary."""
        return hooks.read(name, payload)

    def program(self) -> str | None:
        return "copilot"

    def version_argv(self) -> tuple[str, ...] | None:
        return ("copilot", "--version")

    def config_files(self, request: Request) -> tuple[str, ...]:
        return trust.config_files(request)

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        return screens.read(text)

    def input_line(self, screen: str) -> str | None:
        return line.read(screen)

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        return asks.answer(payload, verdict, text)


def _options(request: Request) -> tuple[str, ...]:
    mode = request.permission or "edits"
    options = [f"--plugin-dir={request.run_dir}/{plugin.FOLDER}"]
    options += _MODES.get(mode, (f"--mode={mode}",))
    options += [f"--allow-tool={tool}" for tool in request.allow]
    if has_bridge(request.version):
        options += [f"--allow-tool=extension-permission-access({plugin.BRIDGE})"]
        options += [f"--excluded-tools={tool}" for tool in _EXTENSION_TOOLS]
    if request.conversation is not None:
        options += [f"--resume={request.conversation}"]
    elif has_bridge(request.version):
        options += [f"--name=fleet: {request.task}"]
    if request.model:
        options += [f"--model={request.model}"]
    if request.effort:
        options += [f"--reasoning-effort={request.effort}"]
    return tuple(options)


def _environment(request: Request) -> dict[str, str]:
    if not has_bridge(request.version):
        return _ENVIRONMENT
    theirs = request.environment.get(_FLAGS)
    return _ENVIRONMENT | {_FLAGS: f"{theirs},EXTENSIONS" if theirs else "EXTENSIONS"}
