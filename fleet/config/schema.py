"""Describes the configuration for editors and readers: JSON schema and Markdown, never by hand."""

import json
import sys
from collections.abc import Sequence

from fleet.config.keys import Key, default, table_schema, written
from fleet.config.kinds import Schema
from fleet.config.repository import REPO_KEYS
from fleet.config.user import USER_KEYS
from fleet.core.policy import FleetPolicy, RepoPolicy


def schema() -> Schema:
    """Return the JSON schema of `fleet.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleet.yaml",
        "description": "What a repository asks of fleet",
        **table_schema(REPO_KEYS, RepoPolicy()),
    }


def reference() -> str:
    """Return both files' keys as Markdown tables."""
    return (
        "`fleet.yaml`, in the repository:\n\n"
        + _table(REPO_KEYS, RepoPolicy())
        + "\n`~/.config/fleet/config.yaml`, your own:\n\n"
        + _table(USER_KEYS, FleetPolicy())
    )


def _table(keys: Sequence[Key], policy: object) -> str:
    rows = [
        f"| `{key.name}` | {key.kind.label} | {_default(key, policy)} | {key.about} |\n"
        for key in keys
    ]
    return "| key | holds | default | what it is for |\n|---|---|---|---|\n" + "".join(rows)


def _default(key: Key, policy: object) -> str:
    held = default(key, policy)
    return key.absent if held is None else f"`{written(held)}`"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
