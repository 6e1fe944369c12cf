"""Which versions of Copilot CLI are known to know what."""

import re

_BRIDGE = (1, 0, 102)


def has_bridge(version: str | None) -> bool:
    """Whether an extension was found to work, by which it tells and asks what no hook does."""
    found = re.match(r"\d+(?:\.\d+)*", version or "")
    return found is not None and tuple(map(int, found[0].split("."))) >= _BRIDGE
