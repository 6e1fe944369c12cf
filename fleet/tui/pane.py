"""A task's pane as it is drawn, with its history, below some lines that say what it is about."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from fleet.core.rows import Frame
from fleet.tui.cells import Line
from fleet.tui.sgr import bare, segments
from fleet.tui.widgets import Lines

PAGE = 400  # lines of history that are asked for at a time
MOST = 4000


class PaneView(Lines):
    """Shows frames of one task's pane; each row is drawn once, and again when it has changed.

    The lines above the pane are in one widget with it: when there are more or fewer of them,
    nothing else on the screen has to be laid out anew. It follows the end until someone scrolls.
    """

    class MoreWanted(Message):
        """Someone has scrolled to the beginning of what is here."""

        def __init__(self, history: int) -> None:
            super().__init__()
            self.history = history

    class Scrolled(Message):
        """It follows the end, or does not any more."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.frame: Frame | None = None
        self.following = True
        self._rows: list[str] = []
        self._top = 0  # the first row in view
        self._asked = 0
        self._strips: LRUCache[tuple[str, int, int], Strip] = LRUCache(1024)

    @property
    def room(self) -> int:
        """How many rows of the pane are in view."""
        return max(self.size.height - len(self.lines), 0)

    def clear(self) -> None:
        """Show nothing, and follow the end of whatever comes next."""
        self.frame, self._rows, self.following = None, [], True
        self._top = self._asked = 0
        self.refresh()

    def show(self, lines: Sequence[Line], *, cursor: int | None = None) -> None:
        """Show these lines above the pane."""
        old, self._lines = self._lines, lines
        if len(old) != len(lines):
            self.refresh()
            self._settle()
            return
        for place, line in enumerate(lines):
            if line != old[place]:
                self.refresh(Region(0, place, self.size.width, 1))

    def draw(self, frame: Frame, *, whole: bool) -> None:
        """Show what has changed; `whole` where nothing of what is here counts any more."""
        old_cursor = self.frame.cursor if self.frame else None
        from_end = len(self._rows) - self._top
        rows = [] if whole else self._rows
        grown = frame.height - len(rows)
        rows += [""] * max(grown, 0)
        del rows[frame.height :]
        changed = {place for place in frame.lines if place < frame.height}
        for place in changed:
            rows[place] = frame.lines[place]
        self._rows, self.frame = rows, frame
        self._asked = frame.history if whole else self._asked
        if whole or grown:
            self._top = max(frame.height - from_end, 0)
            self.refresh()
        else:
            self._refresh_rows(changed | {it[1] for it in (old_cursor, frame.cursor) if it})
        self._settle()

    def follow(self) -> None:
        """Show the end from now on."""
        self._follow(on=True)
        self._scroll(self._last())

    def scroll_rows(self, rows: int) -> None:
        """Scroll, and stop following the end where that is upwards."""
        last = self._last()
        target = min(max(self._top + rows, 0), last)
        self._follow(on=target == last and rows > 0)
        self._scroll(target)
        if target < self.room and rows < 0:
            self._want_more()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        columns = self.size.width
        if y < len(self._lines):
            return self.drawn(self._lines[y], columns=columns)
        place = y - len(self._lines) + self._top
        if place >= len(self._rows):
            return self.blank()
        cursor = self.frame.cursor if self.frame and self.frame.live else None
        key = (self._rows[place], cursor[0] if cursor and cursor[1] == place else -1, columns)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = _strip(*key, self.ground)
        return strip

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, _: events.Resize) -> None:
        """Keep the end in view."""
        self._settle()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_rows(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_rows(3)

    def _end(self) -> int:
        """Return how many rows there are up to the last one that says something."""
        cursor = self.frame.cursor if self.frame else None
        least = cursor[1] + 1 if cursor else 0
        for place in range(len(self._rows), least, -1):
            if bare(self._rows[place - 1]).strip():
                return place
        return least

    def _last(self) -> int:
        return max(self._end() - self.room, 0)

    def _settle(self) -> None:
        if self.following:
            self._scroll(self._last())

    def _scroll(self, top: int) -> None:
        if top != self._top:
            self._top = top
            self.refresh()

    def _refresh_rows(self, places: set[int]) -> None:
        above = len(self._lines) - self._top
        for place in places:
            if 0 <= place - self._top < self.room:
                self.refresh(Region(0, place + above, self.size.width, 1))

    def _follow(self, *, on: bool) -> None:
        if self.following != on:
            self.following = on
            self.post_message(self.Scrolled())

    def _want_more(self) -> None:
        have = self.frame.history if self.frame else 0
        wanted = min(have + PAGE, MOST)
        if have >= self._asked and wanted > have:
            self._asked = wanted
            self.post_message(self.MoreWanted(wanted))


def _strip(row: str, cursor: int, columns: int, base: Style) -> Strip:
    pieces = [Segment(text, base + style if style else base) for text, style, _ in segments(row)]
    strip = Strip([Segment(" ", base), *pieces]).adjust_cell_length(columns, base)
    place = cursor + 1
    if cursor < 0 or place >= columns:
        return strip
    under = strip.crop(place, place + 1).apply_style(Style(reverse=True))
    return Strip.join([strip.crop(0, place), under, strip.crop(place + 1, columns)])
