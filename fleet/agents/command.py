"""An agent that is any command from a configuration; its words never pass through a shell."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from fleet.agents import generic
from fleet.agents.adapter import (
    SCRUB,
    Launch,
    Request,
    Signal,
    Silent,
)
from fleet.agents.prompts import PROMPT_FILE, as_argument, briefing
from fleet.config.agents import PLACEHOLDERS
from fleet.core.commands import Verdict
from fleet.core.policy import AgentCommand, Done
from fleet.errors import ConfigError

# `${name}` is a shell's own variable in a script that is an argument.
_PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
_OWN_VARIABLES = "FLEET_"


class CommandAdapter(Silent):
    """A configured command with its placeholders filled in, never twice.

    An argument or variable whose placeholder has no value is left out, and so is an option that
    stands by itself just before such an argument (`--model`, then `{model}`). A prompt too long
    for an argument goes to a file, and the agent is told to read that.

    Raises:
        ConfigError: a placeholder is unknown or in the program's own place, or `env` sets a
            variable by which fleet knows its runs.
    """

    def __init__(self, command: AgentCommand) -> None:
        _check(command)
        self.name = command.name
        self.converses = command.converses
        self.queues = command.queues
        self.done: Done | None = command.done
        self.attempts = 1 if command.attempts is None else command.attempts
        self.scrub: tuple[str, ...] = SCRUB
        self.reports = command.reports
        self._command = command

    def launch(self, request: Request) -> Launch:
        """Return the command on this request; `resume` where a conversation is taken up."""
        template = self._command.resume if request.conversation is not None else ()
        if not template:
            request, template = replace(request, conversation=None), self._command.command
        text = briefing(request, notes=self.converses)
        values = _values(request, text)
        env = {name: _filled(value, values) for name, value in self._command.env.items()}
        return Launch(
            _words(template, values),
            env={name: value for name, value in env.items() if value is not None},
            unset=self.scrub,
            files={PROMPT_FILE: text} if self._reads_file or values["prompt"] != text else {},
        )

    def read_hook(self, name: str, payload: bytes) -> tuple[Signal, ...]:
        """Return what a hook of the generic vocabulary told."""
        return generic.read_hook(name, payload)

    def answer(self, payload: bytes, verdict: Verdict, text: str) -> str | None:
        """Return a person's verdict in the generic vocabulary."""
        return generic.answer(verdict, text)

    def program(self) -> str | None:
        """Return the command's first word; None where that is a path in the worktree."""
        first = self._command.command[0]
        return None if "/" in first and not first.startswith("/") else first

    @property
    def _reads_file(self) -> bool:
        return any("prompt_file" in _PLACEHOLDER.findall(text) for text in _texts(self._command))


def _texts(command: AgentCommand) -> tuple[str, ...]:
    return (*command.command, *command.resume, *command.env.values())


def _check(command: AgentCommand) -> None:
    programs = [argv[0] for argv in (command.command, command.resume) if argv]
    if not command.command or any(_PLACEHOLDER.search(program) for program in programs):
        raise _error(command, "the command must begin with the name of a program")
    for word in _PLACEHOLDER.findall(" ".join(_texts(command))):
        if word not in PLACEHOLDERS:
            raise _error(command, f'unknown placeholder "{{{word}}}"')
    for name in command.env:
        if name.startswith(_OWN_VARIABLES):
            raise _error(command, f"{name} is set by fleet itself")


def _error(command: AgentCommand, why: str) -> ConfigError:
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    return ConfigError(f"agents.{command.name}: {why}", hint=f"placeholders: {known}")


def _values(request: Request, text: str) -> dict[str, str | None]:
    return {
        "prompt": as_argument(request, text)[0],
        "prompt_file": f"{request.run_dir}/{PROMPT_FILE}",
        "task": request.task,
        "worktree": request.worktree,
        "model": request.model or None,
        "effort": request.effort or None,
        "conversation": request.conversation,
    }


def _filled(template: str, values: Mapping[str, str | None]) -> str | None:
    """Return `template` with its placeholders replaced; None where one has no value."""
    if any(values[name] is None for name in _PLACEHOLDER.findall(template)):
        return None
    return _PLACEHOLDER.sub(lambda found: values[found[1]] or "", template)


def _words(template: tuple[str, ...], values: Mapping[str, str | None]) -> tuple[str, ...]:
    words = [_filled(item, values) for item in template]
    for place, word in enumerate(words[1:], start=1):
        option = template[place - 1]
        if word is None and re.fullmatch(r"--?[^=\s{]+", option):
            words[place - 1] = None
    return tuple(word for word in words if word is not None)
