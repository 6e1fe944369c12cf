"""Adding to settings that someone else has written: what is of another kind there is replaced."""

from typing import Any


def inner(table: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the table of this name in `table`, a new one where there is none."""
    found = table.setdefault(name, {})
    if not isinstance(found, dict):
        found = table[name] = {}
    return found


def listed(table: dict[str, Any], name: str) -> list[Any]:
    """Return the list of this name in `table`, a new one where there is none."""
    found = table.setdefault(name, [])
    if not isinstance(found, list):
        found = table[name] = []
    return found
