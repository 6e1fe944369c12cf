"""opencode: how it is started, and what the plugin that fleet gives it tells.

Tried with the versions 1.1.58 and 1.18.33. There is no dialog before the first prompt, and no port
is opened.
"""

from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.opencode import asks, files, hooks, line
from fleet.agents.prompts import PROMPT_FILE, as_argument, briefing
from fleet.core.commands import Verdict
from fleet.core.facts import COST, TOKENS
from fleet.core.policy import Done

# Set for what runs inside of an opencode, they would make this one a part of that.
_INSIDE = ("OPENCODE", "OPENCODE_PID", "OPENCODE_ROUTE", "OPENCODE_WORKSPACE_ID")


class OpencodeAdapter(Silent):
    """The `opencode` on the agent's PATH, in the terminal, with the user's own configuration.

    All that is fleet's is a plugin, which one launch is given by its environment.
    """

    name: str = "opencode"
    converses: bool = True
    done: Done | None = None
    attempts: int = 1
    scrub: tuple[str, ...] = (*SCRUB, *_INSIDE)
    accounts: tuple[str, ...] | None = (
        *("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY"),
        *("GOOGLE_GENERATIVE_AI_API_KEY", "OPENCODE_API_KEY", "OPENCODE_AUTH_CONTENT"),
    )
    usage: frozenset[str] | None = frozenset({COST, TOKENS})
    repeats: bool = True
    clear_line: bytes = b"\x15"  # Ctrl-U empties one row; Escape would break a turn off

    def launch(self, request: Request) -> Launch:
        """Return its start: afresh, or with its conversation taken up again."""
        text = briefing(request, notes=True)
        options = [*_options(request)]
        kept = files.of_run(request)
        if request.conversation is not None:
            # With a session to go on with it takes no prompt: the plugin gives it this one.
            options += ["--session", request.conversation]
            kept[PROMPT_FILE] = text
        else:
            prompt, texts = as_argument(request, text)
            options.append(f"--prompt={prompt}")
            kept |= texts
        return Launch(
            ("opencode", *options), env=files.environment(request), unset=self.scrub, files=kept
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what the plugin told, or a hook of the generic vocabulary."""
        return hooks.read(name, payload)

    def program(self) -> str | None:
        return "opencode"

    def input_line(self, screen: str) -> str | None:
        return line.read(screen)

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        return asks.answer(payload, verdict, text)


def _options(request: Request) -> tuple[str, ...]:
    options: list[str] = []
    if (agent := files.agent(request)) is not None:
        options += ["--agent", agent]
    if request.model:
        options += ["--model", request.model]
    return tuple(options)
