"""Which versions of Gemini CLI are known to know what."""

import re

_TRIED = (0, 40)


def is_tried(version: str | None) -> bool:
    """Whether all that fleet uses was found to work in a version as old as this one."""
    found = re.match(r"\d+(?:\.\d+)*", version or "")
    return found is not None and tuple(map(int, found[0].split("."))) >= _TRIED
