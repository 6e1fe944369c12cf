"""The text of a pull request: fleet's own part, which people may put theirs around or take over."""

import hashlib
import re

_MOST = 60_000  # characters: GitHub takes 65,536
_END = "<!-- /fleet -->"
_PART = re.compile(r"<!-- fleet ([0-9a-f]{16}) -->\n(.*?)\n<!-- /fleet -->", re.DOTALL)
_CUT = "\n\n… the rest did not fit: `fleet review` has it."


def part(text: str) -> str:
    """Return fleet's own part: between marks that tell later whether somebody has changed it."""
    if len(text) > _MOST:
        text = text[: text.rfind("\n", 0, _MOST)] + _CUT
    text = text.replace(_END, "").replace("\r\n", "\n").strip()
    return f"<!-- fleet {_digest(text)} -->\n{text}\n{_END}"


def renewed(there: str, text: str) -> str | None:
    """Return what is `there` with a new part of ours; None where it is to stay as it is.

    That is so where our part is what it was, or where people have taken it out or changed it.
    """
    there = there.replace("\r\n", "\n")
    found = _PART.search(there)
    if found is None or found[1] != _digest(found[2]):
        return None
    new = there[: found.start()] + part(text) + there[found.end() :]
    return None if new == there else new


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]
