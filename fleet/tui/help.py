"""The help screen: every key that works on the screen below it."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events
from textual.widget import Widget

from fleet.tui.cells import Span
from fleet.tui.screen import FleetScreen
from fleet.tui.views import helping
from fleet.tui.widgets import Lines


class HelpScreen(FleetScreen):
    """Shows the keys of the screen from which it was called."""

    place: ClassVar[str] = "help"

    def __init__(self, about: FleetScreen) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> Iterator[Widget]:
        """Make title and list."""
        self._list = Lines("list")
        yield Lines("header", [(Span(" keys", "strong"), Span("   esc leads back", "quiet"))])
        yield self._list

    def on_resize(self, event: events.Resize) -> None:
        """Show the list in the room there is."""
        context = self._about.context()
        self._list.show(helping.lines(self.fleet.keys, context, event.size.width - 1))

    def _scroll(self, lines: int) -> None:
        self._list.scroll_to(y=self._list.scroll_offset.y + lines, animate=False)

    def do_down(self, _: str) -> None:
        """Scroll down."""
        self._scroll(1)

    def do_up(self, _: str) -> None:
        """Scroll up."""
        self._scroll(-1)

    def do_page_down(self, _: str) -> None:
        """Scroll a page down."""
        self._scroll(self._list.size.height - 1)

    def do_page_up(self, _: str) -> None:
        """Scroll a page up."""
        self._scroll(1 - self._list.size.height)

    def do_back(self, _: str) -> None:
        """Leave."""
        self.dismiss()

    do_help = do_quit = do_back
