"""Tables of keys: the one list from which validation, JSON schema and reference are made."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.config.kinds import Kind, Schema
from fleet.config.reading import Value


@dataclass(frozen=True)
class Key:
    """One key of a mapping: what it may hold, and what it is for.

    `field` is where the policy keeps it, with a dot for a nested policy (the key's own name where
    it is empty); `absent` says what holds where the policy's default is None.
    """

    name: str
    kind: Kind
    about: str
    field: str = ""
    absent: str = ""
    required: bool = False


def read_table(value: Value, keys: Sequence[Key]) -> dict[str, object]:
    """Return what the mapping `value` says, nested under the names of the policy's fields.

    Raises:
        ConfigError: a key is unknown, twice there or missing, or a value is not of its kind.
    """
    entries = value.entries(known=[key.name for key in keys])
    found: dict[str, dict[str, object]] = {"": {}}
    for key in keys:
        outer, _, inner = (key.field or key.name).rpartition(".")
        if key.name in entries:
            found.setdefault(outer, {})[inner] = key.kind.read(entries[key.name])
        elif key.required:
            raise value.error(f'the key "{key.name}" is missing')
    return found.pop("") | found


def default(key: Key, policy: object) -> object:
    """Return the value of `key` in a default policy as a person would write it, or None."""
    held = policy
    for part in (key.field or key.name).split("."):
        held = getattr(held, part)
    return None if held is None else key.kind.show(held)


def written(held: object) -> str:
    """Return a default value as it would stand in a YAML file."""
    return held if isinstance(held, str) else json.dumps(held)


def table_schema(keys: Sequence[Key], policy: object | None = None) -> Schema:
    """Return the JSON schema of a mapping with `keys`, with the defaults of `policy`."""
    properties: Schema = {}
    for key in keys:
        known = None if policy is None else default(key, policy)
        properties[key.name] = {
            "description": key.about,
            **({} if known is None else {"default": known}),
            **key.kind.schema,
        }
    required = [key.name for key in keys if key.required]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"required": required} if required else {}),
    }
