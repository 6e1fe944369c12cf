"""The queue screen: all changes as they will land, and what the selected one waits for."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.widget import Widget

from fleet.core.commands import Edit, Thaw
from fleet.core.policy import PRIORITIES
from fleet.core.rows import LiveRow, QueueRow
from fleet.tui.cells import Line
from fleet.tui.listing import ListScreen
from fleet.tui.model import Model
from fleet.tui.verdict import VerdictScreen
from fleet.tui.views import queue as view
from fleet.tui.widgets import Lines


class QueueScreen(ListScreen, VerdictScreen):
    """Lists the changes in landing order; keys are about the one that is selected."""

    place: ClassVar[str] = "queue"
    empty: ClassVar[str] = "  nothing waits to land"

    def __init__(self) -> None:
        super().__init__()
        self._heading = Lines("heading")
        self._entries: tuple[view.Entry, ...] = ()
        self._rows: list[QueueRow] = []
        self._chosen: str | None = None

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        yield from (self._header, self._heading, self._list)
        yield from (self._rule, self._detail, self._footer)

    def entries(self) -> Sequence[view.Entry]:
        """Return what stands on each line of the list."""
        return self._entries

    def items(self) -> Sequence[QueueRow]:
        """Return the changes."""
        return self._rows

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

    def choose(self) -> None:
        """Note the change."""
        row = self._row()
        self._chosen = row.task if row else None

    def _draw(self) -> None:
        columns, row = self.size.width, self._row()
        if not columns:
            return
        room = self._room()
        sizes = view.widths(self._rows, room)
        self._heading.show([view.heading(sizes, room)] if self._rows else [])
        lines = [self._line(entry, sizes, room) for entry in self._entries]
        full = view.details(row, columns) if row else []
        self._show(lines, view.rule(row, columns), full)

    def _line(self, entry: view.Entry, sizes: tuple[int, ...], room: int) -> Line:
        if isinstance(entry, view.Head):
            return view.head(entry)
        return view.line(entry, sizes, room, selected=entry.task == self._chosen)

    # --- keys ------------------------------------------------------------------------------

    def do_sooner(self, _: str) -> None:
        """Let it land before others."""
        self._move(1)

    def do_later(self, _: str) -> None:
        """Let others land before it."""
        self._move(-1)

    def _move(self, by: int) -> None:
        row = self._selected().row
        wanted = PRIORITIES[PRIORITIES.index(row.priority) + by]
        self.fleet.request(
            Edit(task=row.task, priority=wanted), done=f"{row.task} has the priority {wanted}"
        )

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

    do_queue = ListScreen.do_back
