"""What a test has to know of each agent's program: one module for each, and in it `CLI`."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from place import Place
from real.api import Handler, Tools
from real.scenarios import Json

AGENT, PROGRAM = "FLEET_REAL_AGENT", "FLEET_REAL_PROGRAM"  # set by scripts/real-agents alone


@dataclass(frozen=True)
class Cli:
    """An agent's program: where it comes from, how it is led to our service, what it can do.

    `prepare` makes of a place the machine of someone who has used it before; what `lacks` names is
    nothing that this program can do, and why. Tests ask for it by `pytest.mark.needs`.
    """

    name: str
    package: str  # in its registry
    program: str  # a pattern below the folder in which it was installed
    pinned: str
    service: type[Handler]
    tools: Tools
    prepare: Callable[[Place, str], None]  # given the service's URL
    registry: str = "npm"  # or pip
    options: Json = field(default_factory=dict)  # fleet's own, for this agent
    env: tuple[str, ...] = ()  # variables that reach it beside those that always do
    allow_key: str = "1"  # allows a permission in the pane
    hangs: str = "20s"  # a limit of time that is over only after its first request
    dialog: str = ""  # what its screen says as soon as a dialog can be answered there
    escapes_twice: bool = False  # whether it takes two Escapes to interrupt a turn
    # What the model is told of work in the background: that it has begun, and that it has ended.
    background: tuple[str, str] = ("running in background", "task-notification")
    trust_keys: tuple[str, ...] = ("Down", "Enter")  # say yes to the dialog about trust
    limit_key: str = ""  # ends the dialog about a limit, before which it hears nothing more
    own_s: float = 1.0  # until fleet shows what the agent tells: a title has to stand for a while
    refused: tuple[str, ...] = ("idle",)  # what it does once Escape has refused a permission
    lacks: Mapping[str, str] = field(default_factory=dict)
    prompt: str = "\u276f"  # stands before its input line
    debris: str = ""  # a file of a killed one's below XDG_RUNTIME_DIR, by its {pid}


def cli_of(name: str) -> Cli:
    cli: Cli = import_module(f"real.clis.{name}").CLI
    return cli


def chosen() -> tuple[Cli, Path]:
    """Return the agent that is tried, and its program."""
    return cli_of(os.environ[AGENT]), Path(os.environ[PROGRAM])
