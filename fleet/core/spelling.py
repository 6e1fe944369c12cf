"""Names of files as text: git's names are bytes, and whatever is not UTF-8 has a spelling here."""

import re

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def spelled(path: str) -> str:
    r"""Return a name as it can be kept and shown: bytes that are not UTF-8 become `\xNN`."""
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def unspelled(path: str) -> str:
    """Return the name that `spelled` spells so, as the system's own functions take it."""
    raw = _ESCAPED.sub(
        lambda code: bytes([int(code[1], 16)]), path.encode(errors="surrogateescape")
    )
    return raw.decode(errors="surrogateescape")
