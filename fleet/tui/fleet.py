"""The first screen: all tasks by what they need, and the selected one's pane, live."""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from textual.widget import Widget

from fleet.core.rows import LiveRow
from fleet.tui.cells import Line
from fleet.tui.model import Entry, Head, Model, Selection, listed, move, next_need, reselect
from fleet.tui.screen import FleetScreen
from fleet.tui.views import bars, table
from fleet.tui.widgets import Lines


class FleetListScreen(FleetScreen):
    """Lists the tasks, and shows what the selected one needs, says and draws."""

    place: ClassVar[str] = "fleet"

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self._selection = Selection()
        self._needle = ""

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        yield Lines("header")
        yield Lines("heading")
        yield Lines("list")
        yield Lines("footer")

    def live(self) -> LiveRow | None:
        """Return the task that is selected."""
        return self.fleet.model.tasks.get(self._selection.task or "")

    def show(self, model: Model) -> None:
        """Show what is known now."""
        if not self.is_mounted:
            return
        self._entries = listed(model, self._needle)
        self._selection = reselect(self._selection, self._entries)
        self._draw()

    def _draw(self) -> None:
        columns, now = self.size.width, self.fleet.now()
        sizes = table.widths(self._entries, now, columns - 1)
        lines = [self._line(entry, sizes, now) for entry in self._entries]
        self.query_one("#heading", Lines).show([table.heading(sizes)])
        self.query_one("#list", Lines).show(lines, cursor=self._cursor())
        top = bars.header(self.fleet.model, self.fleet.lost, columns)
        self.query_one("#header", Lines).show(top)
        self.query_one("#footer", Lines).show(
            [bars.footer(self.fleet.keys, self.context(), columns)]
        )

    def _line(self, entry: Entry, sizes: table.Widths, now: datetime) -> Line:
        if isinstance(entry, Head):
            return table.head(entry)
        return table.row(entry, sizes, now, selected=entry.row.task == self._selection.task)

    def _cursor(self) -> int | None:
        places = (
            place
            for place, entry in enumerate(self._entries)
            if isinstance(entry, LiveRow) and entry.row.task == self._selection.task
        )
        return next(places, None)

    def _move(self, by: int) -> None:
        self._selection = move(self._selection, self._entries, by)
        self._draw()
        cursor = self._cursor()
        if cursor is not None:
            self.query_one("#list", Lines).reveal(cursor)

    def do_down(self, _: str) -> None:
        """Go to the next task."""
        self._move(1)

    def do_up(self, _: str) -> None:
        """Go to the task before."""
        self._move(-1)

    def do_next(self, _: str) -> None:
        """Go to the next task that needs a person."""
        name = next_need(self.fleet.model, self._selection)
        self._selection = reselect(Selection(name), self._entries)
        self._move(0)
