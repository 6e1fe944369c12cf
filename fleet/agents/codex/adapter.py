"""Codex CLI: how it is started, and what its hooks, its title and its screen mean.

Tried with the versions 0.144.0, 0.160.0 and 0.171.0.
"""

from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.codex import asks, config, hooks, line, screens, titles
from fleet.agents.codex.options import options, worktree_link
from fleet.agents.prompts import as_argument, briefing
from fleet.core.commands import Verdict
from fleet.core.facts import TOKENS
from fleet.core.policy import Done

# What its commands find: started by one of them, another would take itself for a part of it.
_OWN = (
    *("CODEX_SESSION_ID", "CODEX_THREAD_ID", "CODEX_TOOL_CALL_ID", "CODEX_CI", "CODEX_VERSION"),
    *("CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_MANAGED_BY_NPM"),
    *("CODEX_MANAGED_PACKAGE_ROOT", "CODEX_APPLY_PATCH_PRESERVE_LINE_ENDINGS"),
)
_ACCOUNTS = ("OPENAI_API_KEY", "CODEX_API_KEY", "OPENAI_BASE_URL", "CODEX_HOME")


class CodexAdapter(Silent):
    """The `codex` on the agent's PATH, in the terminal, with the user's own configuration.

    All that is fleet's is given for one launch by options; no file of the user's is touched.
    """

    name: str = "codex"
    converses: bool = True
    done: Done | None = None
    attempts: int = 1
    scrub: tuple[str, ...] = (*SCRUB, *_OWN)
    accounts: tuple[str, ...] | None = _ACCOUNTS
    usage: frozenset[str] | None = frozenset({TOKENS})
    reports: bool = True
    repeats: bool = True
    clear_line: bytes = b"\x15"  # Ctrl-U empties one row; Escape would break a turn off

    def launch(self, request: Request) -> Launch:
        """Return its start: afresh, or with its conversation taken up again."""
        text = briefing(request, notes=True)
        prompt, texts = as_argument(request, text)
        known = request.conversation
        words = ("codex",) if known is None else ("codex", "resume")
        conversation = () if known is None else (known,)
        return Launch(
            (*words, *options(request), "--", *conversation, prompt),
            unset=self.scrub,
            files=texts,
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what one of its events told, or a hook of the generic vocabulary."""
        return hooks.read(name, payload)

    def program(self) -> str | None:
        return "codex"

    def version_argv(self) -> tuple[str, ...] | None:
        return ("codex", "--version")

    def config_files(self, request: Request) -> tuple[str, ...]:
        own = config.file(request)
        return (worktree_link(request), *((own,) if own else ()))

    def read_screen(self, text: str) -> tuple[Signal, ...]:
        return screens.read(text)

    def input_line(self, screen: str) -> str | None:
        return line.read(screen)

    def read_title(self, title: str) -> tuple[Signal, ...]:
        """Return what the title of its pane says, for as long as that is its title."""
        return titles.read(title)

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        return asks.answer(payload, verdict, text)
