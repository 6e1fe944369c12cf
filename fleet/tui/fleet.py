"""The first screen: all tasks by what they need, and the selected one's pane, live."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget

from fleet.core.rows import LiveRow
from fleet.tui.cells import Line
from fleet.tui.link import FrameCame, ViewEnded
from fleet.tui.model import Entry, Model, Selection, listed, move, names, next_need, reselect
from fleet.tui.pane import PaneView
from fleet.tui.talk import FILTER, TalkScreen
from fleet.tui.views import bars, detail
from fleet.tui.views.table import Table, heading
from fleet.tui.widgets import Lines

WIDE = 180
LOW = 14  # rows; on fewer of them the list is short, and no row is empty
VIEW_AFTER_S = 0.08  # who holds j down passes by panes that need not be drawn


class FleetListScreen(TalkScreen):
    """Lists the tasks, and shows what the selected one needs, says and draws."""

    place: ClassVar[str] = "fleet"

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Entry, ...] = ()
        self._selection = Selection()
        self._needle = ""
        self._table = Table()
        self._in_pane = False
        self._viewed: str | None = None
        self._view_note = ""
        self._seen: tuple[object, ...] = ()
        self._soon: Timer | None = None
        self._tick: Timer | None = None

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        self._header, self._heading, self._list = Lines("header"), Lines("heading"), Lines("list")
        self._pane = PaneView("pane")
        self._footer = Lines("footer")
        yield self._header
        with Vertical(id="body"):
            yield Vertical(self._heading, self._list, id="tasks")
            yield self._pane
        yield self._footer

    def on_mount(self) -> None:
        """Let ages grow."""
        self._tick = self.set_interval(1.0, self._draw)

    def on_resize(self, event: events.Resize) -> None:
        """Put list and pane beside each other where there is room for both; save rows if few."""
        self.set_class(event.size.width >= WIDE, "-wide")
        self.set_class(event.size.height < LOW, "-low")
        self.call_after_refresh(self._draw)

    def live(self) -> LiveRow | None:
        """Return the task that is selected."""
        return self.fleet.model.tasks.get(self._selection.task or "")

    def show(self, model: Model) -> None:
        """Show what is known now."""
        if self.is_mounted:
            seen = self._list.sees(self._list.cursor)
            self._entries = listed(model, self._needle)
            self._select(reselect(self._selection, self._entries))
            if seen:
                self._reveal()  # what was in view stays there when tasks come in above it

    def _select(self, selection: Selection) -> None:
        self._selection = selection
        self._draw()
        if selection.task != self._viewed or self._pane_of(self.live()) != self._seen:
            self._view_soon()

    # --- drawing ---------------------------------------------------------------------------

    def _draw(self) -> None:
        model, now, columns = self.fleet.model, self.fleet.now(), self.size.width
        if not columns:
            return
        said = self.fleet.tip(model) if self.fleet.tip else ""
        self._header.show([*bars.header(model, self.fleet.lost, columns), *bars.tip(said, columns)])
        room = (self._list.region.width or columns) - 1  # where a scroll bar may come and go
        lines = self._table.lines(self._entries, now, room - 1, self._selection.task)
        self._heading.show([heading(self._table.widths)])
        self._list.show(lines or [bars.empty(model, self._needle, room)], cursor=self._cursor())
        self._draw_task()
        self._footer.show([self._keys(columns)])

    def _keys(self, columns: int) -> Line:
        if self.typing():
            return bars.typing(filtering=self.about() == FILTER)
        return bars.footer(self.fleet.keys, self.context(), columns)

    def _draw_task(self) -> None:
        live, columns = self.live(), self._pane.size.width or self.size.width
        rule, lines = detail.rule(live, self._note(), columns), []
        if live is not None:
            room = max(self._pane.size.height - 3, 3)
            lines = detail.needs(live, list(self.fleet.keys), self.context(), columns)
            keep = detail.answers(live, columns)
            lines = detail.shortened(lines, room, "attaching", keep=keep)
            if len(lines) < room:
                lines.append(detail.facts(live, columns, self.fleet.now()))
        self._pane.show([rule, *lines])

    def _note(self) -> str:
        if self._view_note or not self.fleet.linked:
            return self._view_note if self.fleet.linked else "as it was"
        if self._pane.frame is None:
            return ""
        if not self._pane.following:
            return "scrolled; G follows"
        return "live" if self._pane.frame.live else "its last words"

    def _cursor(self) -> int | None:
        return next(
            (
                place
                for place, entry in enumerate(self._entries)
                if isinstance(entry, LiveRow) and entry.row.task == self._selection.task
            ),
            None,
        )

    # --- the pane --------------------------------------------------------------------------

    @staticmethod
    def _pane_of(live: LiveRow | None) -> tuple[object, ...]:
        """Return what tells one pane of a task from its next."""
        return (live.row.pane, live.row.attempt, live.row.pid) if live else ()

    def _view_soon(self) -> None:
        if self._soon is not None:
            self._soon.stop()
        self._seen = self._pane_of(self.live())
        self._soon = self.set_timer(VIEW_AFTER_S, self._view)

    def _view(self) -> None:
        if self._soon is not None:
            self._soon.stop()
        self._soon = None
        self._viewed, self._view_note = self._selection.task, ""
        self._seen = self._pane_of(self.live())
        self._pane.clear()
        self._draw_task()
        self.fleet.link.view(self._viewed)

    def frame_came(self, message: FrameCame) -> None:
        """Draw what has changed in the pane."""
        if message.frame.task == self._viewed:
            first = self._pane.frame is None or bool(self._view_note)
            self._view_note = ""  # it is in view again
            self._pane.draw(message.frame, whole=message.whole)
            if first:
                self._draw_task()

    def view_ended(self, message: ViewEnded) -> None:
        """Say that the pane is gone."""
        if message.task == self._viewed:
            last = "its last words" if self._pane.frame else "this pane is gone"
            self._view_note = message.why or last
            self._draw_task()

    def on_pane_view_more_wanted(self, message: PaneView.MoreWanted) -> None:
        """Ask for more of the history."""
        self.fleet.link.view(self._viewed, message.history)

    def on_pane_view_scrolled(self, _: PaneView.Scrolled) -> None:
        """Say whether the end is in view."""
        self._draw_task()

    # --- moving ----------------------------------------------------------------------------

    def _move(self, by: int) -> None:
        if self._in_pane:
            self._pane.scroll_rows(by)
            return
        self._select(move(self._selection, self._entries, by))
        self._reveal()

    def _reveal(self) -> None:
        cursor = self._cursor()
        if cursor is not None:
            self._list.reveal(0 if cursor == 1 else cursor)  # the first one's head is seen with it

    def _page(self) -> int:
        return max((self._pane if self._in_pane else self._list).size.height - 2, 1)

    def do_down(self, _: str) -> None:
        """Go to the next task."""
        self._move(1)

    def do_up(self, _: str) -> None:
        """Go to the task before."""
        self._move(-1)

    def do_page_down(self, _: str) -> None:
        """Go a page down."""
        self._move(self._page())

    def do_page_up(self, _: str) -> None:
        """Go a page up."""
        self._move(-self._page())

    def do_top(self, _: str) -> None:
        """Go to the beginning."""
        self._move(-(10**6))

    def do_bottom(self, _: str) -> None:
        """Go to the end, and follow it."""
        self._move(10**6)

    def do_next(self, _: str) -> None:
        """Go to the next task that needs a person."""
        name = next_need(self.fleet.model, self._selection)
        if name not in names(self._entries):
            self._filter("")
        self._select(reselect(Selection(name), self._entries))
        self._reveal()

    def do_digit(self, key: str) -> None:
        """Answer a question with that choice, or jump to that row."""
        live, number = self.live(), int(key) if key.isdecimal() else 1
        if live is None or live.ask is None or not live.ask.choices:
            self._select(move(Selection(place=number - 1), self._entries, 0))
            self._reveal()
        elif number > len(live.ask.choices):
            self.fleet.refuse(f"there are {len(live.ask.choices)} choices")
        else:
            self.answer(live, "text", live.ask.choices[number - 1])

    def do_pane(self, _: str) -> None:
        """Let the keys that move scroll the pane, or move in the list again."""
        self._in_pane = not self._in_pane
        self.set_class(self._in_pane, "-pane")
        if not self._in_pane:
            self._pane.follow()

    def do_back(self, _: str) -> None:
        """Leave the pane, or the filter."""
        if self._in_pane:
            self.do_pane("")
        elif self._needle:
            self._filter("")

    def on_lines_clicked(self, message: Lines.Clicked) -> None:
        """Select what was clicked."""
        entry = self._entries[message.line] if message.line < len(self._entries) else None
        if message.lines is self._list and isinstance(entry, LiveRow):
            self._select(reselect(Selection(entry.row.task), self._entries))

    def _filter(self, needle: str) -> None:
        self._needle = needle
        self.show(self.fleet.model)

    def do_filter(self, _: str) -> None:
        """Type what to look for."""
        self.type_text("/", about=FILTER, text=self._needle)

    def typed(self, about: str, text: str) -> None:
        """Look for what is typed."""
        if about == FILTER:
            self._filter(text)
        super().typed(about, text)

    def given_up(self, about: str) -> None:
        """Show all again."""
        if about == FILTER:
            self._filter("")
