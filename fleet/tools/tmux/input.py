"""Typing into an agent's pane: text once and whole, and called delivered only when it was seen.

Nothing here presses Escape, presses Enter twice, or types over what a person may be typing.
"""

import contextlib
import re
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from fleet.errors import ToolError
from fleet.tools.tmux.control import Control, TmuxGoneError
from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.view import PaneState, capture_command, find, people

LONGEST = 800  # characters: agents take a longer paste for quoted material
_ESCAPES = re.compile(
    r"""
    (?:\x1b\]|\x9d) [^\x07\x1b\x9c]* (?:\x07|\x1b\\|\x9c)?        # OSC: title, clipboard, link
  | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f]) [^\x1b\x9c]* (?:\x1b\\|\x9c)?  # DCS, SOS, PM, APC
  | (?:\x1b\[|\x9b) [0-?]* [ -/]* [@-~]?                          # CSI: colours, cursor, paste end
  | \x1b [ -/]* [0-~]?                                            # all other escapes
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Delivered:
    """The agent itself reported the text."""


@dataclass(frozen=True)
class Unconfirmed:
    """The text was typed and submitted; nobody saw it arrive."""

    reason: str


@dataclass(frozen=True)
class RefusedInput:
    """Nothing was typed."""

    reason: str


Outcome = Delivered | Unconfirmed | RefusedInput


def clean(text: str) -> str:
    """Return `text` with its lines, and with nothing in it that could steer a terminal."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _ESCAPES.sub("", lines))


def fits(text: str) -> bool:
    """Say whether `text` may be typed; otherwise put it in a file and type a line that names it."""
    line = clean(text).strip()
    return bool(line) and "\n" not in line and len(line) <= LONGEST


class Keyboard:
    """The one writer of all panes of a server: messages to the same pane wait for each other."""

    def __init__(self, panes: Panes, *, settle_s: float = 0.5) -> None:
        self._panes = panes
        self._settle_s = settle_s
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def send(
        self,
        pane_id: str,
        text: str,
        *,
        run: str,
        confirm: Callable[[], bool] | None = None,
        line_is_empty: Callable[[str], bool | None] | None = None,
    ) -> Outcome:
        """Type `text` as one line into the pane of `run`, and submit it.

        `confirm` is called once, after Enter; it waits for the agent's own report as long as it
        sees fit and says whether it came. `line_is_empty` reads a screen and says whether the
        agent's input line is empty, None where it cannot tell.

        Raises:
            ToolError: tmux refused or is gone; the text may or may not have been typed.
        """
        if not fits(text):
            return RefusedInput("the text is empty, has several lines or is too long to be typed")
        with self._lock(pane_id):
            # One connection throughout: after a restart of tmux, the id is another agent's.
            tmux = self._panes.server.connection()
            state = find(tmux, pane_id)
            if state is None or state.run != run:
                return RefusedInput("its pane is gone")
            if reason := _objection(tmux, state, line_is_empty):
                return RefusedInput(reason)
            self._type(tmux, state, clean(text).strip().expandtabs(4))
            if confirm is None:
                return Unconfirmed("this agent does not report what it was told")
            return Delivered() if confirm() else Unconfirmed("the agent did not report it")

    def _lock(self, pane_id: str) -> threading.Lock:
        with self._guard:
            return self._locks[pane_id]

    def _type(self, tmux: Control, state: PaneState, line: str) -> None:
        if state.in_mode:
            tmux.command("copy-mode", "-q", "-t", state.pane_id)  # it would swallow the keys
        buffer = f"fleet-{uuid.uuid4().hex}"
        try:
            tmux.group(
                [
                    ("set-buffer", "-b", buffer, "--", line),
                    ("paste-buffer", "-p", "-r", "-d", "-b", buffer, "-t", state.pane_id),
                ]
            )
        except ToolError as error:
            if not isinstance(error, TmuxGoneError):
                with contextlib.suppress(ToolError):
                    tmux.command("delete-buffer", "-b", buffer)
            raise
        self._wait_until_drawn(tmux, state.pane_id, line)
        # As a byte: tmux 3.7 ignores the key named Enter in some of its modes.
        tmux.command("send-keys", "-t", state.pane_id, "-H", "0d")

    def _wait_until_drawn(self, tmux: Control, pane_id: str, line: str) -> None:
        """Return when the text shows, or after `settle_s`: Enter at once may be swallowed."""
        end = "".join(line.split())[-8:]
        deadline = time.monotonic() + self._settle_s
        while time.monotonic() < deadline:
            if end in "".join(_screen(tmux, pane_id).split()):
                return
            time.sleep(0.01)  # a program's drawing is no event that tmux tells of


def _objection(
    tmux: Control, state: PaneState, line_is_empty: Callable[[str], bool | None] | None
) -> str:
    if state.dead:
        return "the agent has ended"
    empty = line_is_empty(_screen(tmux, state.pane_id)) if line_is_empty else None
    if empty is False:
        return "its input line is not empty"
    if not empty and people(tmux, state.session_id):
        return "someone is attached and may be typing"
    return ""


def _screen(tmux: Control, pane_id: str) -> str:
    return "\n".join(tmux.command(*capture_command(pane_id)))
