"""Where a person reads: one document at a time, with a list of its sections where there is room."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace
from textual import events
from textual.containers import Horizontal
from textual.widget import Widget

from fleet.tui.cells import Line, Span, fit, length, spread
from fleet.tui.views.reading import Document, Page, after, before, found, section_at
from fleet.tui.widgets import Lines

INDEXED = 100  # columns from which on the sections are listed
_INDEX = (16, 40)  # columns of that list


class Place(Struct, frozen=True):
    """Where in a document a reader is."""

    row: int = 0
    left: int = 0


class Reader(Horizontal):
    """Shows documents by name; of each it remembers where the reader was."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._document = Document()
        self._opened = ""
        self._places: dict[str, Place] = {}
        self._needle = ""
        self._found: list[int] = []

    def compose(self) -> Iterator[Widget]:
        """Make the list of sections, and the text."""
        self._index, self._text = Lines("index"), Lines("text")
        yield self._index
        yield self._text

    @property
    def document(self) -> Document:
        """What is read."""
        return self._document

    @property
    def row(self) -> int:
        """The line that is marked."""
        return self._place.row

    @property
    def text_columns(self) -> int:
        """How many columns the text has."""
        return self._text.scrollable_content_region.width or self.app.size.width

    def open(self, name: str, document: Document) -> None:
        """Show a document from now on, at the place where its reader was."""
        self._document, self._opened = document, name
        self._found = found(document, self._needle)
        self._put(replace(self._place, row=self._inside(self._place.row)))
        self._text.reveal(self.row)

    def keep(self, row: int) -> None:
        """Be at `row` in the document of this name that is opened next."""
        self._places[self._opened] = replace(self._place, row=max(row, 0))

    @property
    def _place(self) -> Place:
        return self._places.get(self._opened, Place())

    def _inside(self, row: int) -> int:
        return min(max(row, 0), max(len(self._document.rows) - 1, 0))

    def _put(self, place: Place) -> None:
        self._places[self._opened] = place
        self.draw()

    def draw(self) -> None:
        """Draw it in the room there is."""
        sections = self._document.sections
        roomy = self.app.size.width >= INDEXED and len(sections) > 1
        listed = roomy and self._document.indexed
        self._index.display = listed
        if listed:
            current = section_at(self._document, self.row)
            self._index.show(self._listed(current), cursor=current)
            self._index.reveal(current or 0)
        page = Page(self._document, self.text_columns, left=self._place.left, needle=self._needle)
        self._text.show(page, cursor=self.row)

    def _listed(self, current: int | None) -> list[Line]:
        sections = self._document.sections
        least, most = _INDEX
        wanted = max(len(it.label) + length(it.note) + 5 for it in sections)
        room = min(max(wanted, least), most)
        self._index.styles.width = room + 1
        lines = []
        for place, it in enumerate(sections):
            mark = Span("▌ ", "mark") if place == current else Span("  ")
            label = Span(_tail(it.label, room - length(it.note) - 4), "quiet" if it.note else "")
            lines.append(spread((mark, label), (*it.note, Span(" ")), room))
        return lines

    def on_resize(self, _: events.Resize) -> None:
        """Draw it in the room there is now."""
        self.call_after_refresh(self.draw)

    def where(self) -> str:
        """Return where the reader is, in a few words."""
        rows, current = len(self._document.rows), section_at(self._document, self.row)
        said = []
        if self._needle:
            at = sum(place <= self.row for place in self._found)
            said.append(f"/{fit(self._needle, 20)} {at}/{len(self._found)}")
        if current is not None and len(self._document.sections) > 1:
            label = _tail(self._document.sections[current].label, 30)
            said.append(f"{label}  {current + 1}/{len(self._document.sections)}")
        if self._place.left:
            said.append(f"column {self._place.left + 1}")
        said.append(f"{round(100 * (self.row + 1) / max(rows, 1))}%")
        return "  ".join(said)

    # --- moving ----------------------------------------------------------------------------

    def go(self, row: int, *, to_top: bool = False) -> None:
        """Go to a row; with `to_top` what follows it is in view as far as there is room."""
        row = self._inside(row)
        self._put(replace(self._place, row=row))
        self._text.reveal(row, row + self._text.size.height - 1 if to_top else None)

    def move(self, by: int) -> None:
        """Go so many rows on; from where the text was scrolled to, where that is elsewhere."""
        top, height = self._text.scroll_offset.y, max(self._text.size.height, 1)
        start = min(max(self.row, top), top + height - 1)
        self.go(start + by)

    def page(self, by: int) -> None:
        """Go so many pages on."""
        self.move(by * max(self._text.size.height - 2, 1))

    def shift(self, by: int) -> None:
        """See so many columns more of long lines."""
        self._put(replace(self._place, left=max(self._place.left + by, 0)))

    def section(self, by: int) -> bool:
        """Go to the next section, or the one before; return whether there is one."""
        return self._jump([it.row for it in self._document.sections], by)

    def stop(self, by: int) -> bool:
        """Go to the next stop, or the one before; return whether there is one."""
        return self._jump(self._document.stops, by)

    def _jump(self, places: tuple[int, ...] | list[int], by: int) -> bool:
        row = after(places, self.row) if by > 0 else before(places, self.row)
        if row is not None:
            self.go(row, to_top=True)
        return row is not None

    def pick(self, section: int) -> None:
        """Go to a section by its place in the list."""
        self.go(self._document.sections[section].row, to_top=True)

    # --- searching -------------------------------------------------------------------------

    @property
    def needle(self) -> str:
        """What is looked for."""
        return self._needle

    def search(self, needle: str) -> None:
        """Mark what is looked for, and go to where it is found first from here on."""
        self._needle = needle
        self._found = found(self._document, needle)
        row = after(self._found, self.row - 1)
        self.go(self.row if row is None else row)

    def find(self, by: int) -> str | None:
        """Go to where it is found next, round the end; return why not."""
        if not self._needle:
            return "nothing was looked for; / looks for a text"
        if not self._found:
            return f"{self._needle} is not found"
        row = after(self._found, self.row) if by > 0 else before(self._found, self.row)
        self.go(self._found[0 if by > 0 else -1] if row is None else row)
        return None


def _tail(path: str, columns: int) -> str:
    """Return the end of a path, which tells it from others better than its beginning."""
    if len(path) <= columns:
        return path
    return fit(f"…{path[len(path) - columns + 1 :]}", max(columns, 1))
