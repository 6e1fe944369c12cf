"""The reference agent: the prompt is a shell command, run as it stands, once."""

from fleet.agents import generic
from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.prompts import PROMPT_FILE, fits
from fleet.core.commands import Verdict
from fleet.core.policy import Done


class ShellAdapter(Silent):
    """`/bin/sh -c PROMPT`; the command may report by `"$FLEET_HOME/bin/fleet-hook"`."""

    name: str = "shell"
    converses: bool = False
    done: Done | None = None
    attempts: int = 1
    scrub: tuple[str, ...] = SCRUB
    accounts: tuple[str, ...] | None = None

    def launch(self, request: Request) -> Launch:
        """Return the shell on the prompt; one too long for an argument is run from a file."""
        if fits(request.prompt):
            return Launch(("/bin/sh", "-c", request.prompt), unset=self.scrub)
        return Launch(
            ("/bin/sh", f"{request.run_dir}/{PROMPT_FILE}"),
            unset=self.scrub,
            files={PROMPT_FILE: request.prompt},
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what a hook of the generic vocabulary told."""
        return generic.read_hook(name, payload)

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        """Return a person's verdict in the generic vocabulary."""
        return generic.answer(verdict, text)

    def program(self) -> str | None:
        """Return the shell."""
        return "/bin/sh"
