"""Checks in a configuration: every one has a command, and a name of its own fit for a file."""

import re
from collections.abc import Collection

from fleet.config.keys import Key, read_table, table_schema
from fleet.config.kinds import CHECK_NAME, COMMAND, FLAG, Kind, duration, list_or_same, name
from fleet.config.reading import Value
from fleet.core.policy import Check
from fleet.errors import UsageError

_NAME = name("a name of letters, digits, dots and dashes", CHECK_NAME)
CHECK_KEYS = (
    Key("name", _NAME, "what the check is called, on screen and in the name of its log"),
    Key("run", COMMAND, "the command, for /bin/sh; it must exit with 0", required=True),
    Key("timeout", duration(), "after this time the check has failed", field="timeout_s"),
    Key("allow_empty", FLAG, "whether it may pass although not a single test ran"),
)


def check_from(command: str, *, taken: Collection[str] = ()) -> Check:
    """Return a check that runs `command`, named after it and like none of `taken`.

    Raises:
        UsageError: the command is empty, or nothing but comments: such a check cannot fail.
    """
    lines = [line.strip() for line in command.splitlines()]
    if all(not line or line.startswith("#") for line in lines):
        raise UsageError("the command of a check is empty", hint="for example: --check 'make test'")
    return Check(_slug(command, taken), command.strip())


def _slug(command: str, taken: Collection[str]) -> str:
    used = {one.casefold() for one in taken}
    stem = re.sub(r"[^a-z0-9]+", "-", command.lower())[:40].strip("-") or "check"
    candidate, number = stem, 2
    while candidate in used:
        candidate, number = f"{stem}-{number}", number + 1
    return candidate


def _read_checks(value: Value) -> list[dict[str, object]]:
    items = value.items("a list of checks")
    checks = [_read_check(item) for item in items]
    names: dict[str, int] = {}
    for item, check in zip(items, checks, strict=True):
        if (given := str(check.get("name", "")).casefold()) in names:
            raise item.error(f'the check on line {names[given]} is called "{given}" already')
        if given:  # names of logs must differ where the file system knows no capitals
            names[given] = item.line
    for check in checks:
        if "name" not in check:
            check["name"] = _slug(str(check["run"]), names)
            names[str(check["name"])] = 0
    return checks


def _read_check(item: Value) -> dict[str, object]:
    if item.found == "keys and values":
        return read_table(item, CHECK_KEYS)
    return {"run": COMMAND.read(item)}


_ITEM = table_schema(CHECK_KEYS, Check("", ""))
CHECKS = Kind(
    "a list of checks",
    _read_checks,
    {
        "anyOf": [
            COMMAND.schema,
            {"type": "array", "items": {"anyOf": [COMMAND.schema, _ITEM]}},
        ]
    },
    list_or_same,
)
