"""Values as they are written in TOML, for Codex's `-c`."""

import json
from collections.abc import Mapping, Sequence


def text(value: object) -> str:
    """Return a string, number, truth value, list or table on one line."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            pairs = (f"{text(str(name))}={text(inner)}" for name, inner in value.items())
            return "{" + ",".join(pairs) + "}"
        case Sequence():
            return "[" + ",".join(map(text, value)) + "]"
        case _:
            return json.dumps(value)
