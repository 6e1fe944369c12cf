"""The private server's configuration, and the one way in which outside text may enter it."""

import re

HUB = "_hub"  # holds our control connection; task names never begin with an underscore
SESSION_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
PANE_ID = re.compile(r"%[0-9]+")
RUN = re.compile(r"[!-~]{1,500}")  # no blank: it is one field of a line
USER_OPTION = re.compile(r"@[a-z][a-z_]*")
WAY_BACK_KEY = "C-q"
PREFIX = "C-b"

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

# Agents write to these terminals: their escapes may reach neither the clipboard nor the outer
# terminal, and no client may bring variables of its own environment to them.
# `window-size manual` is absent on purpose: set globally, it crashes tmux 3.3a.
# -q: tmux 3.2 lacks some of these options, and would show its complaint in the first pane.
_SERVER = {
    "exit-empty": "off",
    "escape-time": "10",
    "focus-events": "on",
    "set-clipboard": "off",
    "default-terminal": "tmux-256color",
    "buffer-limit": "50",
}
_SESSIONS = {
    "update-environment": "",
    "default-shell": "/bin/sh",
    "default-command": "",
    "default-size": "200x50",
    "destroy-unattached": "off",
    "detach-on-destroy": "on",
    "history-limit": "10000",
    "mouse": "off",
    "set-titles": "off",
    "lock-after-time": "0",
    "prefix": PREFIX,
    "status": "on",
    "status-interval": "0",
    "status-left-length": "100",
    "status-right-length": "60",
    "status-left": "#{session_name}  #{@fleet_title}  ",
    "status-right": f" back to fleet: #{{?@fleet_back,#{{@fleet_back}},{WAY_BACK_KEY}}} ",
}
_WINDOWS = {
    "remain-on-exit": "on",
    "remain-on-exit-format": "",  # last words are an agent's own
    "allow-passthrough": "off",
    "allow-rename": "off",
    "allow-set-title": "on",  # by which some agents tell what they do
    "automatic-rename": "off",
    "window-size": "latest",
}
COMMANDS = (
    *(("set-option", "-sq", name, value) for name, value in _SERVER.items()),
    *(("set-option", "-gq", name, value) for name, value in _SESSIONS.items()),
    *(("set-option", "-gwq", name, value) for name, value in _WINDOWS.items()),
    ("bind-key", "-n", WAY_BACK_KEY, "detach-client"),
    ("bind-key", "d", "detach-client"),
)


def label(text: str) -> str:
    """Return `text` as one line that tmux shows as it is, however often it expands it.

    tmux runs `#(command)` and obeys `#[style]` wherever it formats a text, and how many rounds
    that takes differs by place and version, so that no doubled `#` is safe everywhere.
    """
    return _UNSAFE.sub(" ", text).replace("#", "\N{FULLWIDTH NUMBER SIGN}").strip()


def way_back(user_prefix: str | None) -> str:
    """Return the keys that lead out of an agent's terminal, for a person's own tmux prefix.

    tmux takes its prefix before anything else: a key equal to the outer prefix never arrives
    here by one press, and our own prefix has to be typed twice where it is also the outer one.
    """
    if user_prefix == WAY_BACK_KEY:
        return f"{PREFIX} d"
    if user_prefix == PREFIX:
        return f"{WAY_BACK_KEY} or {PREFIX} {PREFIX} d"
    return f"{WAY_BACK_KEY} or {PREFIX} d"
