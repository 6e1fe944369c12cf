"""The policies in force: read from where DESIGN says they count, and kept until that changes."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from fleet import paths
from fleet.agents.registry import Registry, adapters
from fleet.config import read_repo_policy, read_user_policy
from fleet.config.placing import placed
from fleet.core.ids import RepoId
from fleet.core.policy import AgentCommand, AgentOptions, FleetPolicy, RepoPolicy
from fleet.errors import ConfigError
from fleet.tools.git.contents import read_file
from fleet.tools.git.repository import Place

FILE = "fleet.yaml"
_KEPT = 8


class Policies:
    """What the user and the repositories configured; a file that broke leaves the last good one.

    Each target of a repository has its own; `complaints` says why the newest is not in force.
    """

    def __init__(self) -> None:
        self.fleet = FleetPolicy()
        self.targets: dict[tuple[RepoId, str], RepoPolicy] = {}
        self.complaints: dict[tuple[RepoId, str], str] = {}
        # Looking for plugins takes milliseconds, and each hook and screen asks for its adapter.
        self._registries: list[tuple[tuple[AgentCommand, ...], Registry]] = []

    def read_user(self) -> None:
        """Read the user's own configuration.

        Raises:
            ConfigError: it is not understood; what was in force stays.
        """
        file = paths.user_config()
        policy = read_user_policy(file)
        if policy.agent_options:
            _refuse_unknown(policy, policy.agents, text=file.read_bytes(), name=str(file))
        self.fleet = policy

    def read(self, place: Place, tip: str) -> RepoPolicy:
        """Return what a repository's file says: at the target's tip, else in the checkout.

        Raises:
            ConfigError: it is not understood; what was in force stays.
        """
        text = read_file(place, tip, FILE)
        if text is not None:
            return self._understood(text, "target")
        uncommitted = place.root / FILE
        if place.bare or not uncommitted.is_file():
            return RepoPolicy()
        try:
            return self._understood(uncommitted.read_bytes(), "uncommitted")
        except OSError as error:
            raise ConfigError(f"cannot read {uncommitted}: {error.strerror}") from error

    def _understood(self, text: bytes, source: Literal["target", "uncommitted"]) -> RepoPolicy:
        policy = read_repo_policy(text, source=source)
        known = (*self.fleet.agents, *policy.agents)
        _refuse_unknown(policy, known, text=text, name=FILE)
        return policy

    def keep(self, repo: RepoId, target: str, policy: RepoPolicy) -> None:
        """Put a policy in force for all that is to land on `target`."""
        self.targets[repo, target] = policy
        self.complaints.pop((repo, target), None)

    def registry(self, policy: RepoPolicy) -> Registry:
        """Return the agents that tasks of this repository may use.

        Raises:
            ConfigError: two agents want the same name.
        """
        commands = (*self.fleet.agents, *policy.agents)
        for known, registry in self._registries:
            if known == commands:
                return registry
        made = adapters(commands)
        self._registries = [(commands, made), *self._registries[: _KEPT - 1]]
        return made

    def options(self, policy: RepoPolicy, agent: str) -> AgentOptions:
        """Return how an agent is started: as the user says, and where he is silent, the file."""
        mine, theirs = (
            next((it for it in options if it.name == agent), AgentOptions(agent))
            for options in (self.fleet.agent_options, policy.agent_options)
        )
        return AgentOptions(
            agent,
            permission=mine.permission or theirs.permission,
            allow=tuple(dict.fromkeys((*theirs.allow, *mine.allow))),
            model=mine.model or theirs.model,
            effort=mine.effort or theirs.effort,
        )

    def default_agent(self, policy: RepoPolicy) -> str:
        return self.fleet.agent or policy.agent


def _refuse_unknown(
    policy: FleetPolicy | RepoPolicy, agents: Iterable[AgentCommand], *, text: bytes, name: str
) -> None:
    """Refuse options of an agent that there is not: they would have no effect."""
    known = sorted({*adapters(()).names(), *(agent.name for agent in agents)})
    for options in policy.agent_options:
        if options.name not in known:
            near = get_close_matches(options.name, known, n=1)
            guess = f' (did you mean "{near[0]}"?)' if near else ""
            error = ConfigError(
                f'agent_options: no agent is called "{options.name}"{guess}',
                hint=f"known here: {', '.join(known)}",
                key=("agent_options", options.name),
            )
            raise placed(error, text, name=name)


def uncommitted_file(root: str) -> Path:
    """Return where a repository's file lies while its target has none."""
    return Path(root) / FILE
