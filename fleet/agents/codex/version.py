"""Which versions of Codex know what; hooks that a version does not know are ignored by it."""

import re

_SHARED_SERVER = (0, 166)


def may_share_server(version: str | None) -> bool:
    """Whether it starts a server for all its sessions that outlives them, unless told not to."""
    return _numbers(version) >= _SHARED_SERVER


def _numbers(version: str | None) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version or "")
    return tuple(map(int, found[0].split("."))) if found else ()
