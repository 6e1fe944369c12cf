"""The conflict screen: which open branches do not fit together, live, and in which files."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events
from textual.widget import Widget

from fleet.core.rows import LiveRow
from fleet.tui.cells import Line, Span
from fleet.tui.model import Model
from fleet.tui.tasks import TaskScreen
from fleet.tui.views import bars, detail
from fleet.tui.views import conflicts as view
from fleet.tui.widgets import Lines

_EMPTY = "  no open branches conflict"


class ConflictScreen(TaskScreen):
    """Lists the conflicts; keys are about one of the two tasks of the one that is selected."""

    place: ClassVar[str] = "conflicts"

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[view.Entry, ...] = ()
        self._clashes: list[view.Clash] = []
        self._at = 0
        self._chosen: tuple[str, str | None] | None = None
        self._second = False  # the task on the right is selected

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        self._header, self._list = Lines("header"), Lines("list")
        self._rule, self._detail, self._footer = Lines("rule"), Lines("detail"), Lines("footer")
        yield from (self._header, self._list, self._rule, self._detail, self._footer)

    def on_resize(self, _: events.Resize) -> None:
        """Use the room there is."""
        self.call_after_refresh(self._draw)

    def _clash(self) -> view.Clash | None:
        return self._clashes[self._at] if self._clashes else None

    def _side(self) -> str | None:
        clash = self._clash()
        if clash is None:
            return None
        return clash.other if self._second and clash.other else clash.task

    def live(self) -> LiveRow | None:
        """Return the task that is selected."""
        return self.fleet.model.tasks.get(self._side() or "")

    def show(self, model: Model) -> None:
        """Show what is known now; the same conflict stays selected, wherever it stands."""
        if not self.is_mounted:
            return
        self._entries = view.entries(model)
        self._clashes = [entry for entry in self._entries if isinstance(entry, view.Clash)]
        known = [(it.task, it.other) for it in self._clashes]
        self._select(known.index(self._chosen) if self._chosen in known else self._at)

    def _select(self, at: int) -> None:
        self._at = min(max(at, 0), max(len(self._clashes) - 1, 0))
        clash = self._clash()
        chosen = (clash.task, clash.other) if clash else None
        if chosen != self._chosen:
            self._chosen, self._second = chosen, False
        self._draw()

    def _draw(self) -> None:
        columns, clash, model = self.size.width, self._clash(), self.fleet.model
        if not columns:
            return
        self._header.show(bars.header(model, self.fleet.lost, columns))
        room = self._list.scrollable_content_region.width or columns
        wide = view.width_of(self._clashes)
        lines = [self._line(entry, wide, room) for entry in self._entries]
        cursor = None if clash is None else self._entries.index(clash)
        self._list.show(lines or [(Span(_EMPTY, "quiet"),)], cursor=cursor)
        if cursor is not None:
            self._list.reveal(0 if self._at == 0 else cursor)
        self._rule.show([(Span("─" * columns, "rule"),)])
        full = view.details(clash, model, columns) if clash else []
        self._detail.show(detail.shortened(full, max(self.size.height // 3, 4), "reading"))
        self._footer.show([bars.footer(self.fleet.keys, self.context(), columns)])

    def _line(self, entry: view.Entry, wide: int, room: int) -> Line:
        if isinstance(entry, view.Head):
            return view.head(entry)
        selected = entry is self._clash()
        return view.line(entry, wide, room, side=self._side() if selected else None)

    # --- keys ------------------------------------------------------------------------------

    def _page(self) -> int:
        return max(self._list.size.height - 2, 1)

    def do_down(self, _: str) -> None:
        """Go to the next conflict."""
        self._select(self._at + 1)

    def do_up(self, _: str) -> None:
        """Go to the conflict before."""
        self._select(self._at - 1)

    def do_top(self, _: str) -> None:
        """Go to the first."""
        self._select(0)

    def do_bottom(self, _: str) -> None:
        """Go to the last."""
        self._select(len(self._clashes))

    def do_page_down(self, _: str) -> None:
        """Go a page down."""
        self._select(self._at + self._page())

    def do_page_up(self, _: str) -> None:
        """Go a page up."""
        self._select(self._at - self._page())

    def do_other_side(self, _: str) -> None:
        """Select the other task of the two."""
        self._second = not self._second
        self._draw()

    def do_read(self, _: str) -> None:
        """Read what the selected task has changed."""
        self.do_review("")

    def do_back(self, _: str) -> None:
        """Leave."""
        self.dismiss()

    do_quit = do_conflicts = do_back

    def on_lines_clicked(self, message: Lines.Clicked) -> None:
        """Select what was clicked; read what was clicked twice."""
        if message.lines is not self._list or message.line >= len(self._entries):
            return
        entry = self._entries[message.line]
        if isinstance(entry, view.Clash):
            self._select(self._clashes.index(entry))
            if message.again:
                self.do_read("")
