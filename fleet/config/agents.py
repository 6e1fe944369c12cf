"""Agents described in a configuration: any command, with placeholders that are really known."""

import difflib
import re
from collections.abc import Callable, Sequence
from typing import get_args

from fleet.config.keys import Key, read_table, table_schema
from fleet.config.kinds import (
    AGENT_NAME,
    ARGV,
    ENVIRONMENT,
    FLAG,
    TEXT,
    TEXTS,
    Kind,
    Schema,
    choice,
    whole,
)
from fleet.config.reading import Value
from fleet.core.policy import Done

PLACEHOLDERS = ("prompt", "prompt_file", "task", "worktree", "model", "effort", "conversation")


def _read_command(value: Value) -> object:
    argv = ARGV.read(value)
    for word in re.findall(r"\{([a-z_]+)\}", value.raw or str(argv)):
        # Braces are everyday signs in commands: only what is nearly a placeholder is a mistake.
        near = difflib.get_close_matches(word, PLACEHOLDERS, n=1, cutoff=0.75)
        if word not in PLACEHOLDERS and near:
            raise value.error(f'unknown placeholder "{{{word}}}" (did you mean "{{{near[0]}}}"?)')
    return argv


_COMMAND = Kind("a command", _read_command, ARGV.schema)
AGENT_KEYS = (
    Key("command", _COMMAND, "what starts it, with {prompt} or {prompt_file}", required=True),
    Key("resume", _COMMAND, "what takes up {conversation} again"),
    Key("converses", FLAG, "whether it reads further messages as lines typed into its pane"),
    Key("queues", FLAG, "whether what is typed while it works is taken up later", absent="yes"),
    Key("done", choice(*get_args(Done)), "when its run has ended", absent="as its command does"),
    Key("attempts", whole(1, 1000), "fresh attempts until the checks pass", absent="one"),
    Key("env", ENVIRONMENT, "environment variables that are set for it"),
    Key("reports", FLAG, "whether it tells its terminal what it does (OSC 7501)"),
)


OPTION_KEYS = (
    Key("permission", TEXT, "one of its own permission modes", absent="the agent's own default"),
    Key("allow", TEXTS, "tools that it uses without asking, as it writes them itself"),
    Key("model", TEXT, "where a task names no `--model`", absent="the agent's own default"),
    Key("effort", TEXT, "where a task names no `--effort`", absent="the agent's own default"),
)


def _by_name(keys: Sequence[Key]) -> Callable[[Value], list[dict[str, object]]]:
    def read(value: Value) -> list[dict[str, object]]:
        found = []
        for name, entry in value.entries().items():
            if not re.fullmatch(AGENT_NAME, name, re.ASCII):
                raise entry.error("an agent's name has small letters, digits and dashes only")
            found.append({"name": name, **read_table(entry, keys)})
        return found

    return read


def _named(label: str, keys: Sequence[Key]) -> Kind:
    schema: Schema = {
        "type": "object",
        "propertyNames": {"pattern": f"^{AGENT_NAME}$"},
        "additionalProperties": table_schema(keys),
    }
    return Kind(label, _by_name(keys), schema, lambda _: {})


AGENTS = _named("agents by name", AGENT_KEYS)
AGENT_OPTIONS = _named("options by the names of agents", OPTION_KEYS)
