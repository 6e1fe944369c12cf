"""The one widget that shows lines: it draws a line once, and again only when it has changed."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fleet.tui.cells import Line

STYLES = (
    *("good", "bad", "wanted", "busy", "quiet", "strong", "title", "key", "mark"),
    *("added", "removed", "cursor", "rule", "added-word", "removed-word", "file", "hunk"),
    *("found", "tab"),
)
_PREFIX = "lines--"
# To be had by each screen: working them out for every widget would take half of a screen's start.
COMPONENTS = frozenset(f"{_PREFIX}{name}" for name in STYLES)


class Drawing(ScrollView, can_focus=False):
    """A widget that draws line by line: what it needs for each of them is worked out once."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._ground: Style | None = None
        self._blanks: dict[int, Strip] = {}

    @property
    def ground(self) -> Style:
        """The style of what has none of its own."""
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground

    def blank(self) -> Strip:
        """Return an empty line."""
        columns = self.size.width
        strip = self._blanks.get(columns)
        if strip is None:
            strip = self._blanks[columns] = Strip.blank(columns, self.ground)
        return strip

    def notify_style_update(self) -> None:
        """Forget what was worked out for other colours."""
        super().notify_style_update()
        self._ground = None
        self._blanks.clear()


class Lines(Drawing):
    """Shows lines; `cursor` is the one that is marked, if any.

    Colours are the component classes `lines--STYLE` of its screen. The cache holds drawn lines by
    what they say, so that one that comes back, or moves, is not drawn again.
    """

    class Clicked(Message):
        """A line was clicked; `again` where it was clicked twice."""

        def __init__(self, lines: "Lines", line: int, *, again: bool) -> None:
            super().__init__()
            self.lines, self.line, self.again = lines, line, again

        @property
        def control(self) -> "Lines":
            """The widget in which it was."""
            return self.lines

    def __init__(self, name: str, lines: Sequence[Line] = ()) -> None:
        super().__init__(name)
        self._lines: Sequence[Line] = lines
        self._cursor: int | None = None
        self._drawn: LRUCache[tuple[Line, bool, int], Strip] = LRUCache(1024)
        self._styles: dict[str, Style] = {}
        self.virtual_size = Size(0, len(lines))

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    @property
    def cursor(self) -> int | None:
        """The line that is marked."""
        return self._cursor

    def show(self, lines: Sequence[Line], *, cursor: int | None = None) -> None:
        """Show these lines from now on; only those that differ are drawn again."""
        old, old_cursor = self._lines, self._cursor
        self._lines, self._cursor = lines, cursor
        if len(old) != len(lines):
            self.virtual_size = Size(0, len(lines))
            self.refresh()
            return
        top = self.scroll_offset.y
        changed = {
            place
            for place in range(top, min(top + self.size.height, len(lines)))
            if lines[place] is not old[place] and lines[place] != old[place]
        }
        if old_cursor != cursor:
            changed |= {place for place in (old_cursor, cursor) if place is not None}
        for place in changed:
            self.refresh(Region(0, place - top, self.size.width, 1))

    def sees(self, place: int | None) -> bool:
        """Whether a line is in view."""
        top = self.scroll_offset.y
        return place is not None and top <= place < top + self.size.height

    def reveal(self, first: int, last: int | None = None) -> None:
        """Scroll no further than needed to show a line, and where there is room, up to `last`."""
        top, height = self.scroll_offset.y, self.scrollable_content_region.height or 1
        bottom = first if last is None else last
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True, force=True)
        elif bottom >= top + height:
            self.scroll_to(
                y=min(bottom - height + 1, first), animate=False, immediate=True, force=True
            )

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        place, columns = y + self.scroll_offset.y, self.scrollable_content_region.width
        if place >= len(self._lines):
            return self.blank()
        return self.drawn(self._lines[place], marked=place == self._cursor, columns=columns)

    def drawn(self, line: Line, *, columns: int, marked: bool = False) -> Strip:
        """Return a line as it is drawn."""
        key = (line, marked, columns)
        drawn = self._drawn.get(key)
        if drawn is None:
            drawn = self._drawn[key] = self._draw(*key)
        return drawn

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._drawn.clear()
        self._styles.clear()

    def on_click(self, event: events.Click) -> None:
        """Tell which line was clicked."""
        line = event.y + self.scroll_offset.y
        if line < len(self._lines):
            self.post_message(self.Clicked(self, line, again=event.chain > 1))

    def _draw(self, line: Line, marked: bool, columns: int) -> Strip:  # noqa: FBT001 (a cache's key)
        base = self._style("cursor") if marked else self.ground
        segments = [
            Segment(text, base + self._style(style) if style else base) for text, style in line
        ]
        return Strip(segments).adjust_cell_length(columns, base)

    def _style(self, names: str) -> Style:
        """Return the style of some names; what is translucent is mixed with the background."""
        known = self._styles.get(names)
        if known is None:
            ground, known = self.background_colors[1], Style.null()
            for name in names.split():
                rules = self.screen.get_component_styles(f"{_PREFIX}{name}")
                back = ground + rules.background if rules.background.a else None
                fore = (back or ground) + rules.color if rules.has_rule("color") else None
                known += (
                    Style(
                        color=fore.rich_color if fore else None,
                        bgcolor=back.rich_color if back else None,
                    )
                    + rules.text_style
                )
            if names == "cursor":
                known = self.ground + known
            self._styles[names] = known
        return known
