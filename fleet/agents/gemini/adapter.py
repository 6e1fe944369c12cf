"""Gemini CLI: how it is started, and what its hooks, its pane's title and its screen mean.

Tried with the versions 0.40.0 and 0.61.0. An older one, or one that does not say which it is, is
started without hooks, and known by its title and its screen alone.
"""

from msgspec.structs import replace

from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.gemini import files, hooks, line, screens, titles
from fleet.agents.prompts import PROMPT_FILE, as_argument, briefing
from fleet.core.facts import TOKENS
from fleet.core.policy import Done

MODE = "auto_edit"
_LONG_PROMPT = f"{files.MESSAGES}/{PROMPT_FILE}"  # where it may read


class GeminiAdapter(Silent):
    """The `gemini` on the agent's PATH, in the terminal, with the user's own configuration.

    All that is fleet's is given for one launch by a home that links to the user's; only with a
    person's consent the directories in which it works are among those that it trusts.
    """

    name: str = "gemini"
    converses: bool = True
    done: Done | None = None
    attempts: int = 1
    scrub: tuple[str, ...] = (
        *(*SCRUB, "GEMINI_CLI", "GEMINI_CLI_NO_RELAUNCH", "GEMINI_SESSION_ID"),
        *("GEMINI_CLI_IDE_SERVER_PORT", "GEMINI_CLI_IDE_WORKSPACE_PATH"),
        *("GEMINI_CLI_IDE_AUTH_TOKEN", "GEMINI_CLI_IDE_PID"),
    )
    accounts: tuple[str, ...] | None = (
        *("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
        *("GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS", "GEMINI_CLI_HOME"),
    )
    usage: frozenset[str] | None = frozenset({TOKENS})
    queues: bool = True
    repeats: bool = True
    # It takes an Enter that follows a paste at once for a part of that: a line that goes on.
    enter_after_s: float = 0.75
    clear_line: bytes = b"\x15"  # Ctrl-U empties one row

    def launch(self, request: Request) -> Launch:
        """Return its start: afresh, or with its conversation taken up again."""
        ours = files.of_run(request)
        notes = f"{request.run_dir}/{files.NOTES}" if ours else request.notes
        text = briefing(replace(request, notes=notes), notes=True)
        prompt = _argument(as_argument(request, text, _LONG_PROMPT)[0])
        argv = ("gemini", *_options(request), "-i", prompt)
        return Launch(
            ("/bin/sh", f"{request.run_dir}/{files.START}", *argv) if ours else argv,
            env=_environment(request),
            unset=self.scrub,
            files=ours | ({} if prompt == text else {_LONG_PROMPT: text}),
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what one of its events told, or a hook of the generic vocabulary."""
        return hooks.read(name, payload)

    def program(self) -> str | None:
        return "gemini"

    def version_argv(self) -> tuple[str, ...] | None:
        return ("gemini", "--version")

    def config_files(self, request: Request) -> tuple[str, ...]:
        return files.config_files(request)

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        return screens.read(text)

    def input_line(self, screen: str) -> str | None:
        return line.read(screen)

    def read_title(self, title: str) -> tuple[Signal, ...]:
        """Return what its pane's title says, for as long as it stands there."""
        return titles.read(title)


def _environment(request: Request) -> dict[str, str]:
    folders = files.trusted_folders(request)
    return {} if folders is None else {"GEMINI_CLI_TRUSTED_FOLDERS_PATH": folders}


def _options(request: Request) -> tuple[str, ...]:
    options = ["--approval-mode", request.permission or MODE]
    if files.trusts(request):
        options += ["--include-directories", f"{request.run_dir}/{files.MESSAGES}"]
    if request.conversation is not None:
        options += ["--resume", request.conversation]
    if request.model:
        options += ["--model", request.model]
    return tuple(options)


def _argument(text: str) -> str:
    """Return `text` as it can be an option's value: neither like an option nor quoted.

    Quotes around a value are taken off, and a value that begins with a dash is none.
    """
    quoted = len(text) > 1 and text[0] in "'\"" and text[0] == text[-1]
    return f" {text}" if quoted or text.startswith("-") else text
