"""A line at the bottom of a screen in which a person types; it may grow to several."""

from collections.abc import Iterator

from textual import events
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, TextArea


class Editor(TextArea):
    """A text area that sends with Enter, makes a new line with Ctrl+J, and leaves with Escape."""

    async def _on_key(self, event: events.Key) -> None:
        prompt = self.parent
        if not isinstance(prompt, Prompt) or event.key not in ("enter", "ctrl+j", "escape"):
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            prompt.post_message(Prompt.Submitted(prompt))
        elif event.key == "escape":
            prompt.post_message(Prompt.Cancelled(prompt))
        else:
            self.insert("\n")


class Prompt(Horizontal):
    """A label, and what is typed behind it; `about` is what it will be used for."""

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, prompt: "Prompt") -> None:
            super().__init__()
            self.prompt = prompt

    class Cancelled(Submitted):
        """Escape was pressed."""

    class Changed(Submitted):
        """Something was typed."""

    class Ready(Submitted):
        """What is typed from now on arrives."""

    def __init__(self, label: str, *, about: str, text: str = "") -> None:
        super().__init__(id="prompt")
        self.about = about
        self._label = label
        self._editor = Editor(text, compact=True, soft_wrap=True, highlight_cursor_line=False)
        self._editor.cursor_blink = False

    def compose(self) -> Iterator[Widget]:
        """Make the label and the editor."""
        yield Static(self._label, markup=False)
        yield self._editor

    def on_mount(self) -> None:
        """Begin at the end of what is there."""
        self._editor.move_cursor(self._editor.document.end)
        self._editor.focus()
        self.app.call_later(self.post_message, self.Ready(self))

    @property
    def text(self) -> str:
        """What is typed so far."""
        return self._editor.text

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tell of it."""
        event.stop()
        self.post_message(self.Changed(self))
