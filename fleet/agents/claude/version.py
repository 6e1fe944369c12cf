"""Which versions of Claude Code are known to know what: an unknown event opens a dialog there."""

import re

_TRIED = (2, 1, 197)
_PERMISSION_HOOK = (2, 0, 45)


def is_tried(version: str | None) -> bool:
    """Whether all that fleet uses was found to work in a version as old as this one."""
    return _numbers(version) >= _TRIED


def events(version: str | None) -> tuple[str, ...]:
    """Return the hook events to listen to, all of which this version knows."""
    classic = ("SessionStart", "UserPromptSubmit", "PreToolUse", "Stop", "Notification")
    if is_tried(version):
        return (*classic, "PermissionRequest", "PostToolBatch", "StopFailure", "PreCompact")
    asks = ("PermissionRequest",) if _numbers(version) >= _PERMISSION_HOOK else ()
    return (*classic, "PostToolUse", *asks)


def _numbers(version: str | None) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version or "")
    return tuple(map(int, found[0].split("."))) if found else ()
