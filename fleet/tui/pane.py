"""A task's pane as it is drawn, with its history: it follows the end until someone scrolls."""

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from fleet.core.rows import Frame
from fleet.tui.sgr import bare, segments
from fleet.tui.widgets import Drawing

PAGE = 400  # lines of history that are asked for at a time
MOST = 4000


class PaneView(Drawing):
    """Shows frames of one task's pane; each line is drawn once, and again when it has changed."""

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
        self._lines: list[str] = []
        self._asked = 0
        self._drawn: LRUCache[tuple[str, int, int], Strip] = LRUCache(1024)

    def clear(self) -> None:
        """Show nothing, and follow the end of whatever comes next."""
        self.frame, self._lines, self.following, self._asked = None, [], True, 0
        self.virtual_size = Size(0, 0)
        self.refresh()

    def draw(self, frame: Frame, *, whole: bool) -> None:
        """Show what has changed; `whole` where nothing of what is here counts any more."""
        old_cursor = self.frame.cursor if self.frame else None
        from_end = len(self._lines) - self.scroll_offset.y
        lines = [] if whole else self._lines
        grown = frame.height - len(lines)
        lines += [""] * max(grown, 0)
        del lines[frame.height :]
        changed = {place for place in frame.lines if place < frame.height}
        for place in changed:
            lines[place] = frame.lines[place]
        self._lines, self.frame = lines, frame
        self._asked = frame.history if whole else self._asked
        changed |= {place for _, place in (it for it in (old_cursor, frame.cursor) if it)}
        if whole or grown:
            self._resize(from_end)
            return
        self._refresh_lines(changed)
        if self.following:
            self.follow()

    def follow(self) -> None:
        """Show the end from now on."""
        self._follow(on=True)
        target = max(self._end() - self.size.height, 0)
        if target != self.scroll_offset.y:
            self.scroll_to(y=target, animate=False, immediate=True, force=True)

    def scroll_by(self, lines: int) -> None:
        """Scroll, and stop following the end where that is upwards."""
        last = max(self._end() - self.size.height, 0)
        target = min(max(self.scroll_offset.y + lines, 0), last)
        self._follow(on=target == last and lines > 0)
        self.scroll_to(y=target, animate=False, immediate=True, force=True)
        if target < self.size.height and lines < 0:
            self._want_more()

    def scroll_to_begin(self) -> None:
        """Scroll to the beginning of what is here, and ask for more."""
        self.scroll_by(-len(self._lines))

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        place, columns = y + self.scroll_offset.y, self.scrollable_content_region.width
        if place >= len(self._lines):
            return self.blank()
        cursor = self.frame.cursor if self.frame and self.frame.live else None
        column = cursor[0] if cursor and cursor[1] == place else -1
        key = (self._lines[place], column, columns)
        strip = self._drawn.get(key)
        if strip is None:
            strip = self._drawn[key] = _strip(*key, self.ground)
        return strip

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._drawn.clear()

    def on_resize(self, _: events.Resize) -> None:
        """Keep the end in view."""
        if self.following:
            self.follow()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scroll_by(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scroll_by(3)

    def _end(self) -> int:
        """Return how many lines there are up to the last one that says something."""
        cursor = self.frame.cursor if self.frame else None
        least = cursor[1] + 1 if cursor else 0
        for place in range(len(self._lines), least, -1):
            if bare(self._lines[place - 1]).strip():
                return place
        return least

    def _resize(self, from_end: int) -> None:
        self.virtual_size = Size(0, len(self._lines))
        self.refresh()
        if self.following:
            self.follow()
        else:
            top = max(len(self._lines) - from_end, 0)
            self.scroll_to(y=top, animate=False, immediate=True, force=True)

    def _refresh_lines(self, places: set[int]) -> None:
        top, width = self.scroll_offset.y, self.size.width
        for place in places:
            if top <= place < top + self.size.height:
                self.refresh(Region(0, place - top, width, 1))

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


def _strip(line: str, cursor: int, columns: int, base: Style) -> Strip:
    pieces = [Segment(text, base + style if style else base) for text, style, _ in segments(line)]
    strip = Strip(pieces).adjust_cell_length(columns, base)
    if not 0 <= cursor < columns:
        return strip
    under = strip.crop(cursor, cursor + 1).apply_style(Style(reverse=True))
    return Strip.join([strip.crop(0, cursor), under, strip.crop(cursor + 1, columns)])
