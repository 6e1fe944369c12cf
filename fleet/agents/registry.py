"""Which agents there are, by name: installed ones are imported only when one is asked for."""

import difflib
import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from fleet.agents.adapter import AgentAdapter
from fleet.agents.command import CommandAdapter
from fleet.config.reading import printable
from fleet.core.policy import AgentCommand
from fleet.errors import ConfigError, RefusedError

GROUP = "fleet.agents"


class Registry:
    """The agents that can be had: installed plugins and configured commands."""

    def __init__(
        self, installed: dict[str, set[EntryPoint]], configured: dict[str, CommandAdapter]
    ) -> None:
        self._installed = installed
        self._ready: dict[str, AgentAdapter] = dict(configured)

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted; nothing is imported for it."""
        return tuple(sorted({*self._installed, *self._ready}))

    def get(self, name: str) -> AgentAdapter:
        """Return the agent of this name, the same object each time.

        Raises:
            RefusedError: there is none, or its plugin cannot be used.
        """
        if name not in self._ready:
            if name not in self._installed:
                raise self._unknown(name)
            self._ready[name] = _loaded(name, self._installed[name])
        return self._ready[name]

    def _unknown(self, name: str) -> RefusedError:
        near = difflib.get_close_matches(name, self.names(), n=1)
        guess = f' (did you mean "{near[0]}"?)' if near else ""
        return RefusedError(
            f'no agent is called "{printable(name)}"{guess}',
            hint=f"known here: {', '.join(self.names())}",
        )


def adapters(
    commands: Iterable[AgentCommand], *, installed: Iterable[EntryPoint] | None = None
) -> Registry:
    """Return the agents that are installed (`installed`, where given) and those in `commands`.

    The same command may be given twice, as two configurations may both name it.

    Raises:
        ConfigError: a command takes the name of an installed agent or of a different command, or
            cannot be understood.
    """
    plugins = _plugins(*map(_stamp, sys.path)) if installed is None else installed
    by_name: dict[str, set[EntryPoint]] = {}
    for plugin in plugins:
        by_name.setdefault(plugin.name, set()).add(plugin)
    known: dict[str, AgentCommand] = {}
    for command in commands:
        if command.name in by_name:
            raise _taken(command, "is an installed agent")
        if known.setdefault(command.name, command) != command:
            raise _taken(command, "is configured twice, and differently")
    return Registry(by_name, {name: CommandAdapter(command) for name, command in known.items()})


@lru_cache(maxsize=1)
def _plugins(*_installed: object) -> tuple[EntryPoint, ...]:
    """Return the installed plugins; reading what every package offers takes 3 ms."""
    return tuple(entry_points(group=GROUP))


def _stamp(directory: str) -> int:
    """Return a value that changes when a package is installed in `directory`, or removed."""
    try:
        return Path(directory).stat().st_mtime_ns
    except OSError:
        return 0


def _taken(command: AgentCommand, why: str) -> ConfigError:
    return ConfigError(f'agents: "{command.name}" {why}', hint="give this one another name")


def _loaded(name: str, plugins: set[EntryPoint]) -> AgentAdapter:
    if len(plugins) > 1:
        places = " and ".join(sorted(plugin.value for plugin in plugins))
        raise RefusedError(
            f'the agent "{name}" is installed twice: {places}', hint="uninstall one of them"
        )
    (plugin,) = plugins
    try:
        adapter = plugin.load()()
    except Exception as error:  # whatever foreign code raises, the one answer is to name it
        raise _unusable(plugin, f"{type(error).__name__}: {error}") from error
    if not isinstance(adapter, AgentAdapter) or adapter.name != plugin.name:
        raise _unusable(plugin, f'this is no adapter called "{plugin.name}"')
    return adapter


def _unusable(plugin: EntryPoint, why: str) -> RefusedError:
    maker = plugin.dist.name if plugin.dist else plugin.value
    return RefusedError(
        f'the agent "{plugin.name}" cannot be used: {plugin.value} says: {printable(why)}',
        hint=f"install {maker} again, or choose another agent",
    )
