"""Typing into an agent's pane: text once and whole, as one line, and submitted.

Nothing here presses Escape, presses Enter on what it does not see, or types over what a person may
be typing.
"""

import contextlib
import re
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fleet.errors import ToolError
from fleet.tools.tmux.control import Control, TmuxGoneError
from fleet.tools.tmux.language import Command
from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.view import PaneState, capture_command, checked, find, people

LONGEST = 800  # characters: agents take a longer paste for quoted material
_TAB = 4
_MARK = "@fleet_typed"  # of a pane: the number that was typed there last, and how far that came
_MOST_ENTERS = 2  # more, where the first was swallowed: by a dialog that was just being closed
_MOST_PASTES = 2  # more, where the first one is not seen to come
_MOST_PRESSES = 60  # of the key that clears an input line: some programs empty one row at a time
_ESCAPES = re.compile(
    r"""
    (?:\x1b\]|\x9d) [^\x07\x1b\x9c]* (?:\x07|\x1b\\|\x9c)          # OSC: title, clipboard, link
  | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f]) [^\x1b\x9c]* (?:\x1b\\|\x9c)  # DCS, SOS, PM, APC
  | (?:\x1b\[|\x9b) [0-?]* [ -/]* [@-~]?                          # CSI: colours, cursor, paste end
  | \x1b [ -/]* [0-~]?                                            # all other escapes
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Habits:
    """How a program in a pane takes what is typed.

    `input_line` reads a screen with its colours and returns what stands in the input line, None
    where the screen has none, as at a dialog; `clear` are the bytes that empty it, or a row of it;
    Enter is not pressed earlier than `enter_after_s` after the text shows.
    """

    input_line: Callable[[str], str | None] | None = None
    clear: bytes = b""
    enter_after_s: float = 0.0


@dataclass(frozen=True)
class Typed:
    """The text was typed and submitted; `cleared` is what stood in the input line before.

    `before`: some of that, or all, was done by a call that did not come back.
    """

    cleared: str = ""
    before: bool = False


@dataclass(frozen=True)
class Busy:
    """Nothing was typed, for a person or a dialog may take the keys; later it may be."""

    reason: str
    by_person: bool = True


@dataclass(frozen=True)
class RefusedInput:
    """Nothing was typed."""

    reason: str


Outcome = Typed | Busy | RefusedInput


def clean(text: str) -> str:
    """Return `text` with its lines, and with nothing in it that could steer a terminal.

    Every line ends with a line feed. Escape sequences are taken out whole; of a string, such as a
    title, that nothing ends only the sign is that begins it. Tabs stay, other controls go.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _ESCAPES.sub("", lines))


def as_line(text: str) -> str | None:
    """Return what is typed for `text`: clean, without blanks around it, tabs made spaces.

    None where it is nothing, several lines or too long: then it is put into a file, as it is, and
    the line names the file.
    """
    line = clean(text).strip().expandtabs(_TAB)
    return line if line and "\n" not in line and len(line) <= LONGEST else None


class Keyboard:
    """The one writer of all panes of a server: messages to the same pane wait for each other."""

    def __init__(self, panes: Panes, *, settle_s: float = 0.5) -> None:
        self._panes = panes
        self._settle_s = settle_s
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    def type(
        self,
        pane_id: str,
        line: str,
        *,
        run: str,
        number: int,
        habits: Habits = Habits(),
    ) -> Outcome:
        """Type what `as_line` returned into the pane of `run`, and submit it: each number once.

        Numbers grow. Whoever is killed while it types has its call finished by the next one with
        its number: tmux keeps, with the keys themselves, how far it came. Only what nobody is
        typing is cleared.

        Raises:
            ToolError: tmux refused or is gone; the text may or may not have been typed.
        """
        if as_line(line) != line:
            return RefusedInput("this is not a line that may be typed")
        with self._lock(pane_id):
            # One connection throughout: after a restart of tmux, the id is another agent's.
            tmux = self._panes.server.connection()
            state = find(tmux, pane_id)
            if state is None or state.run != run:
                return RefusedInput("its pane is gone")
            if state.dead:
                return RefusedInput("the agent has ended")
            return _Typing(tmux, state, habits, self._settle_s).type(line, number)

    def has_typed(self, pane_id: str) -> bool:
        """Return whether anything was ever typed into a pane, by us or one before us.

        Raises:
            ToolError: tmux refused or is gone.
        """
        return _mark(self._panes.server.connection(), pane_id) != (0, False)

    def _lock(self, pane_id: str) -> threading.Lock:
        with self._guard:
            return self._locks[pane_id]


def _at_the_keyboard(stands: str | None) -> str:
    if stands is None:
        return "someone is attached and may be typing"
    return "someone is attached, and its input line is not empty"


def _mark(tmux: Control, pane_id: str) -> tuple[int, bool]:
    """Return the last number that was typed, and whether Enter was not pressed after it."""
    said = tmux.command("display-message", "-p", "-t", checked(pane_id), f"#{{{_MARK}}}")
    number, _, stage = "".join(said).partition(" ")
    return int(number or 0), stage == "pasted"


class _Typing:
    """One message on its way into one pane, whose lock is held."""

    def __init__(self, tmux: Control, state: PaneState, habits: Habits, settle_s: float) -> None:
        self._tmux, self._habits = tmux, habits
        self._pane, self._session = state.pane_id, state.session_id
        self._settle_s, self._shows_s = settle_s, 6 * settle_s
        # Copy mode, to which a person may go at any time, swallows keys and the marks of a paste:
        # it is left in the same go.
        self._no_mode = ("copy-mode", "-q", "-t", state.pane_id)

    def type(self, line: str, number: int) -> Outcome:
        last, pasted = _mark(self._tmux, self._pane)
        if last > number or (last == number and not pasted):
            return Typed(before=True)
        stands = self.line()
        if (reason := self._objection(stands)) is not None:
            return reason
        if pasted and stands != "":
            self.submit(last)
            stands = ""
        if last == number:
            return Typed(before=True)
        if stands and not self.clear():
            return RefusedInput("its input line is not empty")
        self.paste(line, number)
        self.submit(number)
        return Typed(cleared=stands or "")

    def _objection(self, stands: str | None) -> Busy | None:
        """Return what speaks against typing now, where this stands in the input line."""
        if stands is None and self._habits.input_line is not None:
            return Busy("its screen shows no input line", by_person=False)
        if stands != "" and people(self._tmux, self._session):
            return Busy(_at_the_keyboard(stands))
        return None

    def line(self) -> str | None:
        """Return what stands in the input line; one that a dialog hides gets a moment to show."""
        if self._habits.input_line is not None:
            self._until(lambda: self._stands() is not None, self._shows_s)
        return self._stands()

    def _stands(self) -> str | None:
        if self._habits.input_line is None:
            return None
        rows = self._tmux.command(*capture_command(self._pane, colours=True))
        return self._habits.input_line("\n".join(rows))

    def clear(self) -> bool:
        """Empty the input line, and say whether it is empty now."""
        for _ in range(_MOST_PRESSES if self._habits.clear else 0):
            if not (before := self._stands()):
                break
            self._press(self._habits.clear)
            self._until(partial(self._is_other, before), self._settle_s)
        return self._stands() == ""

    def _is_other(self, before: str | None) -> bool:
        return self._stands() != before

    def paste(self, line: str, number: int) -> None:
        """Paste the line, and return once it shows: Enter at once may be swallowed.

        Some programs drop what comes while they close a dialog. Where it is seen that nothing
        came, it is pasted again, behind keys that would clear what is late.
        """
        if self._habits.input_line is None:
            end = "".join(line.split())[-8:]
            before = self._screen().count(end)
            self._paste(line, number)
            self._until(lambda: self._screen().count(end) > before, self._settle_s)
        else:
            self._paste(line, number)
            for _ in range(_MOST_PASTES if self._habits.clear else 0):
                self._until(lambda: self._stands() != "", self._shows_s)
                if self._stands() != "":
                    break
                self._paste(line, number, self._keys(self._habits.clear * _MOST_PRESSES))
            self._until(lambda: self._stands() != "", self._shows_s)
        time.sleep(self._habits.enter_after_s)  # from when it shows: the program may be slow

    def _paste(self, line: str, number: int, *first: Command) -> None:
        buffer = f"fleet-{uuid.uuid4().hex}"
        try:
            self._tmux.group(
                [
                    ("set-buffer", "-b", buffer, "--", line),
                    self._no_mode,
                    *first,
                    ("paste-buffer", "-p", "-r", "-d", "-b", buffer, "-t", self._pane),
                    self._marked(f"{number} pasted"),
                ]
            )
        except ToolError as error:
            if not isinstance(error, TmuxGoneError):
                with contextlib.suppress(ToolError):
                    self._tmux.command("delete-buffer", "-b", buffer)
            raise

    def submit(self, number: int) -> None:
        """Press Enter; again only where what was typed is seen to stand in the line as it did."""
        line = self._stands()
        # As a byte: tmux 3.7 ignores the key named Enter in some of its modes.
        self._press(b"\r", self._marked(f"{number} submitted"))
        for _ in range(_MOST_ENTERS if line else 0):
            self._until(partial(self._is_other, line), self._shows_s)
            if self._is_other(line):
                return
            self._press(b"\r")

    def _press(self, keys: bytes, *more: Command) -> None:
        self._tmux.group([self._no_mode, self._keys(keys), *more])

    def _keys(self, keys: bytes) -> Command:
        return ("send-keys", "-t", self._pane, "-H", *(f"{key:02x}" for key in keys))

    def _marked(self, mark: str) -> Command:
        return ("set-option", "-p", "-t", self._pane, _MARK, mark)

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Return when it holds, or after so long."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)  # a program's drawing is no event that tmux tells of

    def _screen(self) -> str:
        return "".join("".join(self._tmux.command(*capture_command(self._pane))).split())
