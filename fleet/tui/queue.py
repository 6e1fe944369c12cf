"""The queue screen: all changes as they will land, and what the selected one waits for."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events
from textual.widget import Widget

from fleet.core.commands import Thaw
from fleet.core.rows import LiveRow, QueueRow
from fleet.tui.cells import Line, Span
from fleet.tui.model import Model
from fleet.tui.verdict import VerdictScreen
from fleet.tui.views import bars, detail
from fleet.tui.views import queue as view
from fleet.tui.widgets import Lines

_EMPTY = "  nothing waits to land"


class QueueScreen(VerdictScreen):
    """Lists the changes in landing order; keys are about the one that is selected."""

    place: ClassVar[str] = "queue"

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[view.Entry, ...] = ()
        self._rows: list[QueueRow] = []
        self._at = 0
        self._chosen: str | None = None

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        self._header, self._heading, self._list = Lines("header"), Lines("heading"), Lines("list")
        self._rule, self._detail, self._footer = Lines("rule"), Lines("detail"), Lines("footer")
        yield from (self._header, self._heading, self._list)
        yield from (self._rule, self._detail, self._footer)

    def on_resize(self, _: events.Resize) -> None:
        """Use the room there is."""
        self.call_after_refresh(self._draw)

    def live(self) -> LiveRow | None:
        """Return the task of the selected change."""
        return self.fleet.model.tasks.get(self._chosen or "")

    def _row(self) -> QueueRow | None:
        return self._rows[self._at] if self._rows else None

    def head(self) -> str | None:
        """Return the commit that is on the screen."""
        row = self._row()
        return row.head if row else None

    def show(self, model: Model) -> None:
        """Show what is known now; the same change stays selected, wherever it stands."""
        if not self.is_mounted:
            return
        self._entries = view.entries(model)
        self._rows = [entry for entry in self._entries if isinstance(entry, QueueRow)]
        tasks = [row.task for row in self._rows]
        self._select(tasks.index(self._chosen) if self._chosen in tasks else self._at)

    def _select(self, at: int) -> None:
        self._at = min(max(at, 0), max(len(self._rows) - 1, 0))
        row = self._row()
        self._chosen = row.task if row else None
        self._draw()

    def _draw(self) -> None:
        columns, row = self.size.width, self._row()
        if not columns:
            return
        self._header.show(bars.header(self.fleet.model, self.fleet.lost, columns))
        room = self._list.scrollable_content_region.width or columns
        sizes = view.widths(self._rows, room)
        self._heading.show([view.heading(sizes, room)] if self._rows else [])
        lines = [self._line(entry, sizes, room) for entry in self._entries]
        cursor = self._cursor()
        self._list.show(lines or [(Span(_EMPTY, "quiet"),)], cursor=cursor)
        if cursor is not None:
            self._list.reveal(0 if self._at == 0 else cursor)
        self._rule.show([view.rule(row, columns)])
        full = view.details(row, columns) if row else []
        self._detail.show(detail.shortened(full, max(self.size.height // 3, 4), "reading"))
        self._footer.show([bars.footer(self.fleet.keys, self.context(), columns)])

    def _line(self, entry: view.Entry, sizes: tuple[int, ...], room: int) -> Line:
        if isinstance(entry, view.Head):
            return view.head(entry)
        return view.line(entry, sizes, room, selected=entry.task == self._chosen)

    def _cursor(self) -> int | None:
        row = self._row()
        return None if row is None else self._entries.index(row)

    # --- keys ------------------------------------------------------------------------------

    def _page(self) -> int:
        return max(self._list.size.height - 2, 1)

    def do_down(self, _: str) -> None:
        """Go to the next change."""
        self._select(self._at + 1)

    def do_up(self, _: str) -> None:
        """Go to the change before."""
        self._select(self._at - 1)

    def do_top(self, _: str) -> None:
        """Go to what lands first."""
        self._select(0)

    def do_bottom(self, _: str) -> None:
        """Go to what lands last."""
        self._select(len(self._rows))

    def do_page_down(self, _: str) -> None:
        """Go a page down."""
        self._select(self._at + self._page())

    def do_page_up(self, _: str) -> None:
        """Go a page up."""
        self._select(self._at - self._page())

    def do_read(self, _: str) -> None:
        """Read the change."""
        self.do_review("")

    def do_thaw(self, _: str) -> None:
        """Let the queue move again, once a person has confirmed it."""
        row = self._selected().row
        self.confirm(
            f"let the queue of {row.target} move again?",
            (row.needs or "it was frozen because its target moved unexpectedly",),
            verb="thaw",
            then=lambda: self.fleet.request(
                Thaw(cwd=row.repo, target=row.target), done=f"the queue of {row.target} moves again"
            ),
        )

    def do_back(self, _: str) -> None:
        """Leave."""
        self.dismiss()

    do_quit = do_queue = do_back

    def on_lines_clicked(self, message: Lines.Clicked) -> None:
        """Select what was clicked; read what was clicked twice."""
        if message.lines is not self._list or message.line >= len(self._entries):
            return
        entry = self._entries[message.line]
        if isinstance(entry, QueueRow):
            self._select(self._rows.index(entry))
            if message.again:
                self.do_read("")
