"""The user's own configuration file, read strictly into a FleetPolicy; it need not exist."""

from pathlib import Path

import msgspec

from fleet.config.agents import AGENT_OPTIONS, AGENTS
from fleet.config.keys import Key, read_table
from fleet.config.kinds import (
    AGENT,
    BINDINGS,
    FLAG,
    NOTICES,
    THEME,
    VARIABLES,
    amount,
    whole,
)
from fleet.config.reading import load
from fleet.core.policy import FleetPolicy
from fleet.errors import ConfigError

USER_KEYS = (
    Key("slots", whole(1, 1000), "how many runs may be under way at a time"),
    Key(
        "workers",
        whole(1, 100),
        "how many gates may run at once on this machine",
        absent="half of its cores, from 1 to 4",
    ),
    Key("agent", AGENT, "the agent that works where nothing else names one", absent="fleet.yaml's"),
    Key("agents", AGENTS, "agents of your own, for every repository: any command"),
    Key("agent_options", AGENT_OPTIONS, "how an agent is started where a task says no more"),
    Key("pool", whole(0, 100), "clean workspaces kept ready for each repository in use"),
    Key("disk_limit", amount("gigabytes"), "room for kept workspaces", "disk_limit_gb"),
    Key("max_runs_per_hour", whole(1, 100_000), "no more runs than this are started in an hour"),
    Key("first_port", whole(1024, 60_000), "where the ports given to workspaces begin"),
    Key("notify", NOTICES, "how you are told that a task needs you"),
    Key("env", VARIABLES, "variables of your shell that agents and checks get as well"),
    Key("theme", THEME, "the colours of the dashboard, by a name from its palette"),
    Key("mouse", FLAG, "whether the dashboard takes clicks and the wheel from the terminal"),
    Key("keys", BINDINGS, "keys of your own for commands of the dashboard; ? there lists both"),
)


def read_user_policy(path: Path) -> FleetPolicy:
    """Return what the file at `path` says, or the defaults if there is no such file.

    Raises:
        ConfigError: it cannot be read, or anything in it is not understood.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return FleetPolicy()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    value = load(text, name=str(path))
    said = {} if value is None else read_table(value, USER_KEYS)
    return msgspec.convert(said, type=FleetPolicy)
