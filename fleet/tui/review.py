"""The review screen: one change with its diff, its checks and its task, and a person's verdict."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import msgspec
from textual import events
from textual.widget import Widget

from fleet.core.causes import CheckResult
from fleet.core.packet import Packet
from fleet.core.rows import LiveRow, TaskDetail, WhyView
from fleet.errors import FleetError
from fleet.protocol import Comments, Log, Review, Show, Why
from fleet.tui.cells import Line
from fleet.tui.model import Model
from fleet.tui.reader import Reader
from fleet.tui.remarks import RemarkScreen
from fleet.tui.talk import FILTER
from fleet.tui.verdict import VerdictScreen
from fleet.tui.views import bars, review
from fleet.tui.views.marked import still_open
from fleet.tui.views.reading import Document, Row
from fleet.tui.widgets import Lines

_LONGEST = 500_000  # characters of one check's output: whatever they are, a reply carries them
_READABLE = 110  # columns of running text


class ReviewScreen(RemarkScreen, VerdictScreen):
    """Shows one change as it was when it was read; what comes later is said, and read on demand."""

    place: ClassVar[str] = "review"

    def __init__(self, task: str) -> None:
        super().__init__()
        self._now = review.Standing(task=task)
        self._pane = review.PANES[0]
        self._instead: Document | None = Document((Row("reading the diff", "quiet", " "),))
        self._outputs: dict[str, str] = {}
        self._logs: set[str] = set()
        self._reading = 0  # how many times it was read: answers to earlier readings are too late

    def compose(self) -> Iterator[Widget]:
        """Make the parts, from top to bottom."""
        self._header, self._tabs = Lines("header"), Lines("tabs")
        self.reader, self._footer = Reader("reader"), Lines("footer")
        yield self._header
        yield self._tabs
        yield self.reader
        yield self._footer

    def on_mount(self) -> None:
        """Read it."""
        self.read()

    def on_resize(self, _: events.Resize) -> None:
        """Use the room there is."""
        self.call_after_refresh(self._open)

    def live(self) -> LiveRow | None:
        """Return the task of the change."""
        return self.fleet.model.tasks.get(self._now.task)

    def head(self) -> str | None:
        """Return the commit that is on the screen."""
        return self._now.shown.head if self._now.shown else None

    # --- reading ---------------------------------------------------------------------------

    def read(self) -> None:
        """Ask for all that is shown."""
        self._reading += 1
        self._outputs, self._logs = {}, set()
        task, request = self._now.task, self.fleet.request
        diff = self.diff_request(task)
        request(diff, then=self._wanted(self._diff_came), otherwise=self._no)
        remarks = self._wanted(self.remarks_came)
        request(Comments(task=task), then=remarks, otherwise=lambda _: None)
        request(Show(task=task), then=self._wanted(self._detail_came))
        request(Why(task=task), then=self._wanted(self._why_came), otherwise=lambda _: None)
        self._read_packet()

    def _read_packet(self) -> None:
        request = Review(task=self._now.task)
        came = self._wanted(self._packet_came)
        self.fleet.request(request, then=came, otherwise=lambda _: None)  # it is no change yet

    def _wanted(self, then: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return `then` for answers that are still wanted when they come."""
        reading = self._reading
        return lambda answer: (
            then(answer) if reading == self._reading and self.is_attached else None
        )

    def _diff_came(self, answer: dict[str, Any]) -> None:
        self._instead = None
        self.diff_came(answer)
        shown = review.Shown(
            task=answer["task"],
            head=answer["head"],
            base=answer["base"],
            revision=answer["revision"],
            seen=answer.get("seen", 0),
            auto_commit=answer["auto_commit"],
            sealed=answer.get("sealed", True),
            files=len(self.files),
            added=sum(file.added for file in self.files),
            removed=sum(file.removed for file in self.files),
            cut=answer.get("cut", False),
            since=answer.get("since", 0),
            unfit=tuple(answer.get("conflicts") or ()),
        )
        self._know(shown=shown)

    def _no(self, error: FleetError) -> None:
        if self.since and self._now.shown is not None:
            self.since = self._now.shown.since > 0
        if self._now.shown is not None:
            self.fleet.refuse(error.message, error.hint)  # what was read stays on the screen
            return
        hint = [Row(error.hint, "quiet", " ")] if error.hint else []
        self._instead = Document((Row(error.message, "wanted", " "), *hint))
        self._open()

    def _detail_came(self, answer: Any) -> None:
        self._know(detail=msgspec.convert(answer, TaskDetail))

    def _why_came(self, answer: Any) -> None:
        self._know(why=msgspec.convert(answer, WhyView))

    def _packet_came(self, answer: Any) -> None:
        self._know(packet=msgspec.convert(answer, Packet))

    def _know(self, **said: Any) -> None:
        self._now = msgspec.structs.replace(self._now, **said)
        self._open()

    def _read_outputs(self) -> None:
        for result in self._results():
            name = review.stem(result)
            if name not in self._logs:
                self._logs.add(name)
                came, failed = self._keeps(name)
                request = Log(task=self._now.task, check=name, last=_LONGEST)
                self.fleet.request(request, then=self._wanted(came), otherwise=failed)

    def _keeps(self, name: str) -> tuple[Callable[[Any], None], Callable[[FleetError], None]]:
        def keep(text: str) -> None:
            self._outputs[name] = text
            if self.is_attached:
                self._open()

        return lambda answer: keep(answer["text"]), lambda error: keep(error.message)

    def _results(self) -> tuple[CheckResult, ...]:
        return self._now.detail.results if self._now.detail else ()

    # --- drawing ---------------------------------------------------------------------------

    def show(self, model: Model) -> None:
        """Show how the change stands now; what is read stays as it is."""
        entry = next((row for row in model.queue if row.task == self._now.task), None)
        live = model.tasks.get(self._now.task)
        known = self._now.packet
        self._now = msgspec.structs.replace(self._now, live=live, entry=entry)
        if self.is_mounted:
            self._draw()
            if entry and entry.risk and known is not None and known.risk is None:
                self._read_packet()  # it was measured meanwhile

    def _open(self) -> None:
        if self._pane == "checks":
            self._read_outputs()
        self.reader.open(self._pane, self._document())
        self._draw()

    def relaid(self) -> None:
        """Show what was said, in the diff and above it."""
        self._know(open=tuple(still_open(self.remarks)))

    def in_diff(self) -> bool:
        """Whether the diff is what is read."""
        return self._pane == "diff"

    def waiting(self) -> int:
        """Return how many comments go along with a return."""
        return sum(it.state in ("unsent", "unanswered") for it in self.remarks)

    def _document(self) -> Document:
        if self._pane == "checks":
            commands = self._now.detail.checks if self._now.detail else ()
            return review.checks(self._results(), self._outputs, commands)
        if self._pane == "packet":
            return review.packet(self._now, min(self.reader.text_columns, _READABLE))
        if self._pane == "task":
            return review.task(self._now, min(self.size.width, _READABLE), self.fleet.now())
        return self._instead or self.diff()

    def _draw(self) -> None:
        columns = self.size.width
        lost = bars.away(self.fleet.lost, columns)
        self._header.show([*review.header(self._now, columns), *lost])
        place = self.reader.where()
        self._tabs.show([review.tabs(self._pane, self._results(), place, columns)])
        self._footer.show([self._keys(columns)])

    def _keys(self, columns: int) -> Line:
        if self.typing():
            return bars.typing(filtering=self.about() == FILTER, undo="look for nothing")
        return bars.footer(self.fleet.keys, self.context(), columns)

    def moved(self) -> None:
        """Say where the reader is."""
        self._draw()

    # --- keys ------------------------------------------------------------------------------

    def judged(self) -> None:
        """Leave: the next change is chosen elsewhere."""
        if self.is_current:
            self.dismiss()

    def approve_refused(self, error: FleetError) -> None:
        """Say why, and read what there is now."""
        super().approve_refused(error)
        if self.is_attached:
            self.read()

    def do_reload(self, _: str) -> None:
        """Read the newest revision."""
        self.read()

    def do_since(self, _: str) -> None:
        """Read what has changed since the revision that was read last, or all of it again."""
        self.since = not self.since
        self.read()

    def do_back(self, _: str) -> None:
        """Forget what is looked for, or leave."""
        if self.reader.needle:
            self.given_up(FILTER)
        else:
            self.dismiss()

    def do_quit(self, _: str) -> None:
        """Leave."""
        self.dismiss()

    def _to_pane(self, name: str) -> None:
        self._pane = name
        self._open()

    def do_next_pane(self, _: str, by: int = 1) -> None:
        """Open the next pane."""
        place = review.PANES.index(self._pane) + by
        self._to_pane(review.PANES[place % len(review.PANES)])

    def do_last_pane(self, _: str) -> None:
        """Open the pane before."""
        self.do_next_pane("", -1)

    def do_show_pane(self, key: str) -> None:
        """Open a pane by its number."""
        self._to_pane(review.PANES[int(key) - 1])

    def do_pull_request(self, _: str) -> None:
        """Copy the address of the pull request, and say where that stands."""
        pull = self._selected().row.pr
        if pull is None:
            self.fleet.refuse(f"{self._now.task} has no pull request")
            return
        self.fleet.copy_to_clipboard(pull.url)
        self.fleet.say(f"copied: {pull.url}  {pull.says}")

    def do_worktree(self, _: str) -> None:
        """Copy the path of the worktree, and say it."""
        path = self._selected().row.worktree
        if path is None:
            self.fleet.refuse(f"{self._now.task} has no workspace now")
            return
        self.fleet.copy_to_clipboard(path)
        self.fleet.say(f"copied: {path}")
