"""The conflict screen: which open branches do not fit together, live, and in which files."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.widget import Widget

from fleet.core.rows import LiveRow
from fleet.tui.cells import Line, Span
from fleet.tui.listing import ListScreen
from fleet.tui.model import Model
from fleet.tui.views import conflicts as view


class ConflictScreen(ListScreen):
    """Lists the conflicts; keys are about one of the two tasks of the one that is selected."""

    place: ClassVar[str] = "conflicts"
    empty: ClassVar[str] = "  no open branches conflict"

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[view.Entry, ...] = ()
        self._clashes: list[view.Clash] = []
        self._chosen: tuple[str, str | None] | None = None
        self._second = False  # the task on the right is selected

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        yield from (self._header, self._list, self._rule, self._detail, self._footer)

    def entries(self) -> Sequence[view.Entry]:
        """Return what stands on each line of the list."""
        return self._entries

    def items(self) -> Sequence[view.Clash]:
        """Return the conflicts."""
        return self._clashes

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

    def choose(self) -> None:
        """Note the conflict; of another one, the task on the left is selected."""
        clash = self._clash()
        chosen = (clash.task, clash.other) if clash else None
        if chosen != self._chosen:
            self._chosen, self._second = chosen, False

    def _draw(self) -> None:
        columns, clash = self.size.width, self._clash()
        if not columns:
            return
        room, wide = self._room(), view.width_of(self._clashes)
        lines = [self._line(entry, wide, room) for entry in self._entries]
        full = view.details(clash, self.fleet.model, columns) if clash else []
        self._show(lines, (Span("─" * columns, "rule"),), full)

    def _line(self, entry: view.Entry, wide: int, room: int) -> Line:
        if isinstance(entry, view.Head):
            return view.head(entry)
        selected = entry is self._clash()
        return view.line(entry, wide, room, side=self._side() if selected else None)

    # --- keys ------------------------------------------------------------------------------

    def do_other_side(self, _: str) -> None:
        """Select the other task of the two."""
        self._second = not self._second
        self._draw()

    do_conflicts = ListScreen.do_back
