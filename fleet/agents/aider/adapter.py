"""aider: one turn on its prompt, without a person, then it ends.

Tried with version 0.86. It is not conversed with: a person who wants more sends a new attempt. It
tells nothing while it works, so that its screen and its end are all there is to see.
"""

from fleet.agents import generic
from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.aider import screens
from fleet.agents.prompts import PROMPT_FILE, briefing
from fleet.core.policy import Done

# It asks nobody, and so must not be asked either: with these it says yes to all that it would ask,
# except to running commands.
_ALONE = (
    *("--yes-always", "--no-suggest-shell-commands", "--no-detect-urls"),
    *("--no-show-model-warnings", "--no-show-release-notes", "--no-check-update"),
    "--no-analytics",
)
# What it would leave behind in the repository, and in its commits.
_NO_TRACE = (
    *("--no-gitignore", "--no-attribute-author", "--no-attribute-committer"),
    "--no-attribute-co-authored-by",
)
# Its map of the repository is a database in there, which would become a part of the change.
_IGNORES = frozenset({".aider*", "/.aider*", ".aider.tags.cache*"})
_COMMANDS = ("/", "!")  # by which it would take a prompt for one of its commands, or a shell's
_IDENTITY = ("NAME", "EMAIL")


class AiderAdapter(Silent):
    """The `aider` on the agent's PATH, with the user's own configuration.

    It commits what it changes, in the user's name; it runs no command. It has a map of the
    repository only where git ignores the file of it, as aider's own `.gitignore` line says.
    """

    name: str = "aider"
    converses: bool = False
    done: Done | None = "exit"
    attempts: int = 1
    scrub: tuple[str, ...] = SCRUB
    accounts: tuple[str, ...] | None = (
        *("ANTHROPIC_API_KEY", "ANTHROPIC_API_BASE", "OPENAI_API_KEY", "OPENAI_API_BASE"),
        *("OPENROUTER_API_KEY", "GEMINI_API_KEY", "DEEPSEEK_API_KEY"),
    )
    usage: frozenset[str] | None = frozenset()

    def launch(self, request: Request) -> Launch:
        """Return its start on a prompt that is in a file."""
        text = briefing(request, notes=False)
        if text.startswith(_COMMANDS):
            text = f"\n{text}"
        return Launch(
            ("aider", *_ALONE, *_NO_TRACE, *_options(request)),
            env={"BROWSER": "true"} | _identity(request),  # nobody is there to look at a page
            unset=self.scrub,
            files={PROMPT_FILE: text},
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what a hook of the generic vocabulary told, as its checks may call one."""
        return generic.read_hook(name, payload)

    def program(self) -> str | None:
        return "aider"

    def config_files(self, request: Request) -> tuple[str, ...]:
        """Return the files that say what git ignores."""
        return _ignore_files(request)

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        return screens.read(text)


def _options(request: Request) -> tuple[str, ...]:
    options = [f"--chat-history-file={request.run_dir}/chat.md"]
    options += [f"--input-history-file={request.run_dir}/input.history"]
    options += [f"--message-file={request.run_dir}/{PROMPT_FILE}"]
    if not _is_ignored(request):
        options += ["--map-tokens=0"]
    if request.attempt > 1:
        options += [f"--read={request.notes}"]
    if request.model:
        options += [f"--model={request.model}"]
    if request.effort:
        options += [f"--reasoning-effort={request.effort}"]
    return tuple(options)


def _ignore_files(request: Request) -> tuple[str, ...]:
    home = request.environment.get("HOME")
    config = request.environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    theirs = (f"{config}/git/ignore",) if config else ()
    return (f"{request.worktree}/.gitignore", *theirs)


def _is_ignored(request: Request) -> bool:
    texts = (request.config.get(file) or "" for file in _ignore_files(request))
    return any(line.strip() in _IGNORES for text in texts for line in text.splitlines())


def _identity(request: Request) -> dict[str, str]:
    """Return the user's name as git's configuration, where it is in the environment alone.

    It would write another one into the repository's configuration.
    """
    known = [request.environment.get(f"GIT_AUTHOR_{part}") for part in _IDENTITY]
    if not all(known) or "GIT_CONFIG_COUNT" in request.environment:
        return {}
    values = {"GIT_CONFIG_COUNT": str(len(_IDENTITY))}
    for place, (part, value) in enumerate(zip(_IDENTITY, known, strict=True)):
        values[f"GIT_CONFIG_KEY_{place}"] = f"user.{part.lower()}"
        values[f"GIT_CONFIG_VALUE_{place}"] = value or ""
    return values
