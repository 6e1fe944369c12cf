"""A screen with a list in which one item is selected, and below it what is to be said of that."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events

from fleet.tui.cells import Line, Span
from fleet.tui.tasks import TaskScreen
from fleet.tui.views import bars, detail
from fleet.tui.widgets import Lines


class ListScreen(TaskScreen):
    """Shows `entries`, of which `items` can be selected; `_draw` is called when that changes."""

    empty: ClassVar[str]  # what stands there while there is nothing to list

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._header, self._list = Lines("header"), Lines("list")
        self._rule, self._detail, self._footer = Lines("rule"), Lines("detail"), Lines("footer")

    def entries(self) -> Sequence[object]:
        """Return what stands on each line of the list."""
        raise NotImplementedError

    def items(self) -> Sequence[object]:
        """Return those of the entries that can be selected, in their order."""
        raise NotImplementedError

    def choose(self) -> None:
        """Note what is selected now, before it is drawn."""
        raise NotImplementedError

    def _draw(self) -> None:
        raise NotImplementedError

    def on_resize(self, _: events.Resize) -> None:
        """Use the room there is."""
        self.call_after_refresh(self._draw)

    def _select(self, at: int) -> None:
        self._at = min(max(at, 0), max(len(self.items()) - 1, 0))
        self.choose()
        self._draw()

    def _cursor(self) -> int | None:
        items = self.items()
        return self.entries().index(items[self._at]) if items else None

    def _room(self) -> int:
        """Return how many columns the list has."""
        return self._list.scrollable_content_region.width or self.size.width

    def _show(self, lines: list[Line], rule: Line, full: list[Line]) -> None:
        """Show the list, with the selected item in view, and `full` as far as there is room."""
        columns, cursor = self.size.width, self._cursor()
        self._header.show(bars.header(self.fleet.model, self.fleet.lost, columns))
        self._list.show(lines or [(Span(self.empty, "quiet"),)], cursor=cursor)
        if cursor is not None:
            self._list.reveal(0 if self._at == 0 else cursor)
        self._rule.show([rule])
        self._detail.show(detail.shortened(full, max(self.size.height // 3, 4), "reading"))
        self._footer.show([bars.footer(self.fleet.keys, self.context(), columns)])

    # --- keys ------------------------------------------------------------------------------

    def _page(self) -> int:
        return max(self._list.size.height - 2, 1)

    def do_down(self, _: str) -> None:
        """Go to the next one."""
        self._select(self._at + 1)

    def do_up(self, _: str) -> None:
        """Go to the one before."""
        self._select(self._at - 1)

    def do_top(self, _: str) -> None:
        """Go to the first."""
        self._select(0)

    def do_bottom(self, _: str) -> None:
        """Go to the last."""
        self._select(len(self.items()))

    def do_page_down(self, _: str) -> None:
        """Go a page down."""
        self._select(self._at + self._page())

    def do_page_up(self, _: str) -> None:
        """Go a page up."""
        self._select(self._at - self._page())

    def do_read(self, _: str) -> None:
        """Read what the selected task has changed."""
        self.do_review("")

    def do_back(self, _: str) -> None:
        """Leave."""
        self.dismiss()

    do_quit = do_back

    def on_lines_clicked(self, message: Lines.Clicked) -> None:
        """Select what was clicked; read what was clicked twice."""
        entries, items = self.entries(), self.items()
        if message.lines is not self._list or message.line >= len(entries):
            return
        entry = entries[message.line]
        if entry in items:
            self._select(items.index(entry))
            if message.again:
                self.do_read("")
