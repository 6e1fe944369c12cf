"""A patch laid out for a reader: with what was said of its lines, and without what was read."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from fleet.core.comments import CommentRow, Side
from fleet.tui.cells import LONGEST, Span, wrapped
from fleet.tui.views.patch import File, files
from fleet.tui.views.reading import Document, Row, Section, visible

_READABLE = 100  # columns of running text
_STYLES = {"unanswered": "wanted", "unsent": "busy", "answered": "good"}
SEEN = "seen, and as it was"


class Spot(NamedTuple):
    """A line of a file, as a comment names it."""

    path: str
    side: Side
    line: int


class Marked(Struct, frozen=True):
    """A patch as a document: which line each row is, and to which comment it belongs.

    `paths` are the files, by section.
    """

    document: Document = Document()
    spots: dict[int, Spot] = {}
    owners: dict[int, str] = {}
    paths: tuple[str, ...] = ()


def parsed(patch: str, *, cut: bool = False) -> Document:
    """Return a patch for a reader; where it was `cut`, its end says so."""
    return marked(files(patch), cut=cut).document


def marked(
    patch: Sequence[File],
    comments: Iterable[CommentRow] = (),
    seen: Collection[str] = (),
    *,
    columns: int = _READABLE,
    cut: bool = False,
    news: bool = False,
) -> Marked:
    """Return a patch with each comment below its line; files that were `seen` are only named.

    With `news` it begins at an earlier revision: its old lines are not those before the change.
    """
    numbers = [line[3] or 0 for file in patch for line in file.lines]
    gutter = max(len(str(max(numbers, default=0))), 3)
    layout = _Layout(gutter, min(columns, _READABLE), news=news)
    left = list(comments)
    for file in patch:
        own = [it for it in left if _path(it) in (file.path, file.old)]
        left = [it for it in left if it not in own]
        layout.file(file, own, folded=file.path in seen)
    if left:
        layout.title("comments elsewhere", (Span(str(len(left)), "quiet"),), "")
        for comment in left:
            layout.comment(comment, apart=True)
    if cut:
        layout.rows += [Row(""), Row("the rest is too long for a screen", "wanted")]
    return layout.made()


def _path(comment: CommentRow) -> str:
    return comment.now_path or comment.path


class _Layout:
    """Lays out one file after the other."""

    def __init__(self, gutter: int, columns: int, *, news: bool) -> None:
        self.rows: list[Row] = []
        self._gutter, self._columns, self._news = gutter, columns, news
        self._sections: list[Section] = []
        self._paths: list[str] = []
        self._stops: list[int] = []
        self._spots: dict[int, Spot] = {}
        self._owners: dict[int, str] = {}

    def title(self, text: str, note: tuple[Span, ...], path: str) -> None:
        """Begin something that a reader goes to."""
        if self.rows:
            self.rows.append(Row(""))
        label = visible((path or text)[-LONGEST:])
        self._sections.append(Section(len(self.rows), label, note))
        self._paths.append(path)
        self.rows.append(Row(text, "file"))

    def file(self, file: File, comments: list[CommentRow], *, folded: bool) -> None:
        """Lay out a file with what was said of it."""
        if folded:
            self.title(f"{file.title()}   {SEEN}", (Span("seen", "quiet"),), file.path)
            lines: list[tuple[str, str, str, int | None]] = []
        else:
            self.title(file.title(), file.counts(), file.path)
            lines = file.lines
        there = {_spot(file, line) for line in lines} if comments else set()
        by_spot: dict[Spot, list[CommentRow]] = {}
        for comment in comments:
            spot = Spot(_path(comment), comment.side, comment.now_line or 0)
            if spot in there and not (self._news and comment.side == "old"):
                by_spot.setdefault(spot, []).append(comment)
            else:
                self.comment(comment, apart=True)
        for line in lines:
            self._line(line, _spot(file, line), by_spot)

    def _line(
        self,
        line: tuple[str, str, str, int | None],
        spot: Spot | None,
        by_spot: dict[Spot, list[CommentRow]],
    ) -> None:
        style, sign, text, number = line
        if style == "hunk":
            self._stops.append(len(self.rows))
            self.rows.append(Row(text, "hunk", " " * (self._gutter + 2)))
            return
        lead = f" {'' if number is None else number:>{self._gutter}} "
        if spot is not None:
            self._spots[len(self.rows)] = spot
        self.rows.append(Row(text, style, lead, sign))
        for comment in by_spot.get(spot, ()) if spot is not None else ():
            self.comment(comment)

    def comment(self, comment: CommentRow, *, apart: bool = False) -> None:
        """Lay out a comment with its answers; one that stands `apart` says where it belongs."""
        style = _STYLES.get(comment.state, "quiet")
        said = [f"{comment.id}  {comment.state}{_where(comment) if apart else ''}"]
        said += wrapped(f"{comment.by}: {comment.text}", self._columns)
        for reply in comment.replies:
            by = reply.by if reply.sent else f"{reply.by}, not sent yet"
            said += wrapped(f"{by}: {reply.text}", self._columns)
        for text in said:
            self._owners[len(self.rows)] = comment.id
            self.rows.append(Row(text, style, " " * (self._gutter + 2), "┃ "))

    def made(self) -> Marked:
        """Return all that was laid out."""
        document = Document(
            tuple(self.rows), tuple(self._sections), tuple(self._stops), _twins(self.rows)
        )
        return Marked(document, self._spots, self._owners, tuple(self._paths))


def _where(comment: CommentRow) -> str:
    side = " before the change" if comment.side == "old" else ""
    if comment.outdated:
        return f"  on a line that is gone{side}: {comment.quote.strip()}"
    return f"  {comment.now_path} line {comment.now_line}{side}: {comment.quote.strip()}"


def _spot(file: File, line: tuple[str, str, str, int | None]) -> Spot | None:
    style, _, _, number = line
    if number is None:
        return None
    old = style == "removed"
    return Spot((file.old or file.path) if old else file.path, "old" if old else "new", number)


def _twins(rows: list[Row]) -> dict[int, int]:
    """Return which rows replace each other: those of runs of one length do."""
    twins: dict[int, int] = {}
    place = 0
    while place < len(rows):
        middle = _run(rows, place, "removed")
        end = _run(rows, middle, "added")
        if end - middle == middle - place:
            twins.update(zip(range(place, middle), range(middle, end), strict=True))
            twins.update(zip(range(middle, end), range(place, middle), strict=True))
        place = max(end, place + 1)
    return twins


def _run(rows: list[Row], start: int, style: str) -> int:
    end = start
    while end < len(rows) and rows[end].style == style:
        end += 1
    return end


def still_open(comments: Sequence[CommentRow]) -> list[str]:
    """Return what is still to be done about the comments, in phrases."""
    told = [it for it in comments if it.state in ("unanswered", "answered")]
    missing = sum(it.state == "unanswered" for it in told)
    unsent = sum(it.state == "unsent" for it in comments)
    noun = "comment" if len(told) == 1 else "comments"
    said = [f"{missing} of {len(told)} {noun} unanswered"] if missing else []
    if unsent:
        said.append(f"{unsent} {'comment' if unsent == 1 else 'comments'} to be sent with a return")
    return said
