"""Keys that move in what is read: the same for a diff, for output and for text."""

from fleet.tui.reader import Reader
from fleet.tui.talk import FILTER, TalkScreen
from fleet.tui.widgets import Lines

SHIFT = 16  # columns


class ReadingScreen(TalkScreen):
    """A screen with a reader, whose list and lines can be clicked."""

    reader: Reader

    def moved(self) -> None:
        """Say where the reader is."""

    def _move(self, by: int) -> None:
        self.reader.move(by)
        self.moved()

    def do_down(self, _: str) -> None:
        """Go a line down."""
        self._move(1)

    def do_up(self, _: str) -> None:
        """Go a line up."""
        self._move(-1)

    def do_top(self, _: str) -> None:
        """Go to the beginning."""
        self.reader.go(0)
        self.moved()

    def do_bottom(self, _: str) -> None:
        """Go to the end."""
        self.reader.go(len(self.reader.document.rows))
        self.moved()

    def do_page_down(self, _: str) -> None:
        """Go a page down."""
        self.reader.page(1)
        self.moved()

    def do_page_up(self, _: str) -> None:
        """Go a page up."""
        self.reader.page(-1)
        self.moved()

    def do_left(self, _: str) -> None:
        """Move long lines back."""
        self.reader.shift(-SHIFT)
        self.moved()

    def do_right(self, _: str) -> None:
        """See more of long lines."""
        self.reader.shift(SHIFT)
        self.moved()

    def do_next_section(self, _: str) -> None:
        """Go to the next file or check."""
        self._jumped("this is the last one", found=self.reader.section(1))

    def do_last_section(self, _: str) -> None:
        """Go to the file or check before."""
        self._jumped("this is the first one", found=self.reader.section(-1))

    def do_next_stop(self, _: str) -> None:
        """Go to the next hunk."""
        self._jumped("no hunk follows", found=self.reader.stop(1))

    def do_last_stop(self, _: str) -> None:
        """Go to the hunk before."""
        self._jumped("no hunk is before this one", found=self.reader.stop(-1))

    def _jumped(self, why: str, *, found: bool) -> None:
        if found:
            self.moved()
        else:
            self.fleet.refuse(why)

    def do_search(self, _: str) -> None:
        """Type what to look for."""
        self.type_text("/", about=FILTER, text=self.reader.needle)

    def typed(self, about: str, text: str) -> None:
        """Look for what is typed."""
        if about == FILTER:
            self.reader.search(text)
            self.moved()
        else:
            super().typed(about, text)

    def given_up(self, about: str) -> None:
        """Look for nothing."""
        if about == FILTER:
            self.typed(FILTER, "")

    def do_next_found(self, _: str) -> None:
        """Go to where it is found next."""
        self._find(1)

    def do_last_found(self, _: str) -> None:
        """Go to where it was found before."""
        self._find(-1)

    def _find(self, by: int) -> None:
        why = self.reader.find(by)
        if why is not None:
            self.fleet.refuse(why)
        self.moved()

    def on_lines_clicked(self, message: Lines.Clicked) -> None:
        """Go to what was clicked."""
        if message.lines.id == "index":
            self.reader.pick(message.line)
        elif message.lines.id == "text":
            self.reader.go(message.line)
        self.moved()
