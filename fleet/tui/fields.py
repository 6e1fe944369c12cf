"""Fields of a form: a label, what is typed or chosen, and what is wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from textual import events
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from fleet.tui.cells import tidy, width


class Option(Struct, frozen=True):
    """Something that can be chosen: `why` says why it would not work."""

    value: str
    label: str
    why: str = ""


class Choice(Widget, can_focus=True):
    """One of a few options in a row: left and right, blank, or the first letter chooses."""

    class Changed(Message):
        """Another option was chosen."""

    def __init__(self, options: Sequence[Option] = (), value: str = "") -> None:
        super().__init__()
        self._options, self._value = tuple(options), value

    @property
    def value(self) -> str:
        """What is chosen."""
        return self._value

    @property
    def text(self) -> str:
        """What is chosen."""
        return self._value

    @property
    def chosen(self) -> Option | None:
        """The option that is chosen."""
        return next((it for it in self._options if it.value == self._value), None)

    def offer(self, options: Sequence[Option], *, usual: str = "") -> None:
        """Offer these from now on; what was chosen stays, if it is among them."""
        self._options = tuple(options)
        values = [it.value for it in options]
        if self._value not in values:
            self._value = usual if usual in values else next(iter(values), "")
        self.refresh(layout=True)

    def render(self) -> Content:
        """Draw all options where there is room, else the one that is chosen."""
        room = self.size.width
        if sum(width(tidy(it.label)) + 3 for it in self._options) > room > 0:
            return self._one()
        parts: list[Any] = []
        for it in self._options:
            parts += [(f" {tidy(it.label)} ", self._style(it)), " "]
        return Content.assemble(*parts) if parts else Content("none is known yet")

    def _one(self) -> Content:
        chosen = self.chosen
        label = tidy(chosen.label) if chosen else ""
        return Content.assemble("◂ ", (label, "bold"), " ▸")

    def _style(self, option: Option) -> str:
        if option.value == self._value:
            return "bold $text on $primary 60%" if self.has_focus else "bold on $foreground 15%"
        return "$foreground 40%" if option.why else "$foreground 75%"

    def on_focus(self) -> None:
        """Show that it is chosen here."""
        self.refresh()

    on_blur = on_focus

    def on_key(self, event: events.Key) -> None:
        """Choose."""
        by = {"right": 1, "space": 1, "left": -1}.get(event.key)
        if by is not None:
            self._step(by)
        elif not (event.is_printable and event.character and self._begins(event.character)):
            return
        event.stop()
        event.prevent_default()

    def _step(self, by: int) -> None:
        values = [it.value for it in self._options]
        if values:
            at = values.index(self._value) if self._value in values else -1
            self._choose(values[(at + by) % len(values)])

    def _begins(self, letter: str) -> bool:
        values = [it.value for it in self._options]
        at = values.index(self._value) + 1 if self._value in values else 0
        for it in (*self._options[at:], *self._options[:at]):
            if it.label.casefold().startswith(letter.casefold()):
                self._choose(it.value)
                return True
        return False

    def _choose(self, value: str) -> None:
        self._value = value
        self.refresh()
        self.post_message(self.Changed())

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        column = 0
        for it in self._options:
            column += width(tidy(it.label)) + 3
            if event.x < column:
                self._choose(it.value)
                return


class Names(Suggester):
    """Completes the last of several names."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._names = sorted(names)

    async def get_suggestion(self, value: str) -> str | None:
        """Return `value` with its last name whole."""
        begun = value.replace(",", " ").rsplit(" ", maxsplit=1)[-1]
        taken = value.replace(",", " ").split()[:-1]
        for name in self._names if begun else ():
            if name.startswith(begun) and name not in taken:
                return value + name[len(begun) :]
        return None


class Field(Horizontal):
    """A label, an editor, and beside it what is wrong, or else a hint."""

    def __init__(self, name: str, label: str, editor: Widget, hint: str = "") -> None:
        super().__init__(id=f"field-{name}", classes="field")
        self.field, self._label, self.editor, self._hint = name, label, editor, hint
        self._note = Static(hint, markup=False, classes="note")
        self._wrong: str | None = None
        self._say()

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from left to right."""
        yield Static(self._label, markup=False, classes="label")
        yield self.editor
        yield self._note

    @property
    def value(self) -> str:
        """What is typed or chosen."""
        editor: Any = self.editor
        return str(editor.text if isinstance(editor, TextArea | Choice) else editor.value)

    def hint(self, hint: str, *, warns: bool = False) -> None:
        """Say something that helps, while nothing is wrong."""
        self._hint = hint
        self.set_class(warns, "-warned")
        self._say()

    def blame(self, why: str | None) -> None:
        """Say what is wrong, or nothing any more."""
        self._wrong = why
        self._say()

    def _say(self) -> None:
        said = self._hint if self._wrong is None else self._wrong
        self.set_class(self._wrong is not None, "-wrong")
        self.set_class(not said, "-plain")
        self._note.update(tidy(said))

    def on_descendant_focus(self) -> None:
        """Show where one types."""
        self.add_class("-here")

    def on_descendant_blur(self) -> None:
        """Show it no more."""
        self.remove_class("-here")


def line(value: str, *, placeholder: str = "", suggester: Suggester | None = None) -> Input:
    """Return an editor for one line."""
    made = Input(
        value, placeholder=placeholder, suggester=suggester, compact=True, select_on_focus=False
    )
    made.cursor_blink = False
    return made


def lines(value: str) -> TextArea:
    """Return an editor for several lines."""
    made = TextArea(value, compact=True, highlight_cursor_line=False)
    made.cursor_blink = False
    return made
