"""What asks a person something above any screen: whether to go on, or for a few words."""

from collections.abc import Callable, Iterator, Sequence

from textual import events
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static, TextArea

from fleet.core.commands import Command
from fleet.errors import FleetError
from fleet.tui.cells import Line, Span, tidy
from fleet.tui.keys import pressed, shown
from fleet.tui.model import Model
from fleet.tui.screen import FleetScreen
from fleet.tui.widgets import Lines


class Dialog(FleetScreen, ModalScreen[None]):
    """Lies above another screen, which goes on showing what is known."""

    def show(self, model: Model) -> None:
        """Let the screen below show it."""
        stack = self.fleet.screen_stack
        below = stack[stack.index(self) - 1] if self in stack[1:] else None
        if isinstance(below, FleetScreen):
            below.show(model)

    def label(self, command: str, label: str) -> Line:
        """Return a key, and what it does here."""
        keys = next((key.keys for key in self.fleet.keys if key.command == command), ())
        return (Span(shown(keys[0]) if keys else "", "key"), Span(f" {label}   ", "quiet"))


class ConfirmDialog(Dialog):
    """Asks `question`, with what follows from it, and calls `then` if a person wants it."""

    place = "confirm"

    def __init__(
        self, question: str, saying: Sequence[str], verb: str, then: Callable[[], None]
    ) -> None:
        super().__init__()
        self._question, self._saying, self._verb, self._then = question, saying, verb, then

    def compose(self) -> Iterator[Widget]:
        """Make question, consequences and keys."""
        with Vertical(id="box"):
            yield Static(tidy(self._question), markup=False, classes="question")
            for line in self._saying:
                yield Static(tidy(line), markup=False, classes="saying")
            keys = (*self.label("yes", self._verb), *self.label("no", "leave it"))
            yield Lines("ways", [keys])

    def do_yes(self, _: str) -> None:
        """Go on."""
        self.dismiss()
        self._then()

    def do_no(self, _: str) -> None:
        """Leave."""
        self.dismiss()

    do_back = do_quit = do_no


class NoteDialog(Dialog):
    """Asks for a note, and sends it with the request that `made` makes of it.

    It is kept in the drafts as `about` until it has surely gone; `then` is called once it has.
    `missing` is said where it is empty; without that it may be.
    """

    place = "note"

    def __init__(
        self,
        question: str,
        about: str,
        made: Callable[[str], Command],
        then: Callable[[], None],
        missing: str = "",
    ) -> None:
        super().__init__()
        self._missing = missing
        self._question, self._about, self._made, self._then = question, about, made, then
        self._sending = False

    def compose(self) -> Iterator[Widget]:
        """Make question, text and keys."""
        draft = self.fleet.drafts.get(self._about, "")
        self._text = TextArea(draft, compact=True, highlight_cursor_line=False)
        self._text.cursor_blink = False
        self._error = Static("", markup=False, classes="error")
        with Vertical(id="box"):
            yield Static(tidy(self._question), markup=False, classes="question")
            yield self._text
            yield self._error
            yield Lines("ways", [(*self.label("submit", "send"), *self.label("back", "leave it"))])

    def typing(self) -> bool:
        """Whether what is typed is text."""
        return True

    def on_mount(self) -> None:
        """Begin at the end of what was typed before."""
        self._text.move_cursor(self._text.document.end)
        self._text.focus()

    def on_text_area_changed(self, _: TextArea.Changed) -> None:
        """Keep what is typed."""
        self.fleet.drafts[self._about] = self._text.text

    def carries_out(self, event: events.Key) -> bool:
        """Carry out the keys that are no text."""
        return form_key(self, event)

    def do_submit(self, _: str) -> None:
        """Send it, and leave once it has gone."""
        if self._missing and not self._text.text.strip():
            self._say(self._missing)
        elif not self._sending:
            self._sending = True
            request = self._made(self._text.text)
            self.fleet.request(request, then=self._sent, otherwise=self._refused)

    def _sent(self, _: object) -> None:
        self.fleet.drafts.pop(self._about, None)
        if self.is_current:
            self.dismiss()
        self._then()

    def _refused(self, error: FleetError) -> None:
        self._sending = False
        self._say(f"{error.message}\n{error.hint}" if error.hint else error.message)

    def _say(self, why: str) -> None:
        self._error.update("\n".join(tidy(line) for line in why.splitlines()))
        self._error.display = True

    def do_back(self, _: str) -> None:
        """Leave; what was typed is kept."""
        self.dismiss()


def form_key(screen: FleetScreen, event: events.Key) -> bool:
    """Carry out a key on a screen where most of them are text."""
    if event.is_printable:
        return False
    for name in event.aliases:
        key = pressed(screen.fleet.keys, name, screen.place)
        if key is not None and (screen.place in key.screens or key.command == "back"):
            screen.carry_out(key, event.key)
            return True
    return False
