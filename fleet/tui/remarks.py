"""What a person does with the lines of a change: comments on them, and marks files as read."""

from typing import Any

import msgspec

from fleet.core.commands import (
    Comment,
    DropComment,
    EditComment,
    MarkSeen,
    Reply,
    ResolveComment,
)
from fleet.core.comments import CommentRow
from fleet.protocol import Comments, Diff
from fleet.tui.reading import ReadingScreen
from fleet.tui.views import marked, patch
from fleet.tui.views.reading import Document, section_at

_UNSAID = "there is nothing said yet"


class RemarkScreen(ReadingScreen):
    """A screen with the diff of one change, whose lines are commented on; `relaid` draws it anew.

    With `since` it is the difference from the revision that was read last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.marked = marked.Marked()
        self.remarks: tuple[CommentRow, ...] = ()
        self.since = False
        self.files: list[patch.File] = []
        self._seen: set[str] = set()
        self._answer: dict[str, Any] = {}

    def relaid(self) -> None:
        """Draw the diff as it is laid out now."""

    def in_diff(self) -> bool:
        """Whether the diff is what is read."""
        return True

    def diff_request(self, task: str) -> Diff:
        """Return what asks for the diff that is wanted."""
        return Diff(task=task, screen=True, since_review=self.since)

    def diff_came(self, answer: dict[str, Any]) -> None:
        """Take in a diff."""
        self._answer = answer
        self.files = patch.files(answer["patch"])
        self._seen = set(answer.get("viewed") or ())
        self._lay_out()

    def remarks_came(self, answer: Any) -> None:
        """Take in what was said of it, and show that where it belongs."""
        said = tuple(msgspec.convert(answer or [], list[CommentRow]))
        if said != self.remarks:
            self.remarks = said
            self._lay_out()
        self.relaid()

    def diff(self) -> Document:
        """Return the diff as it is laid out."""
        return self.marked.document

    def _lay_out(self) -> None:
        """Lay it out; the reader stays on the line, or in the file, that it is on."""
        before, row = self.marked, self.reader.row
        self.marked = marked.marked(
            self.files,
            self.remarks,
            () if self._answer.get("since") else self._seen,
            columns=self.reader.text_columns,
            cut=self._answer.get("cut", False),
            news=bool(self._answer.get("since")),
        )
        if self.in_diff() and before.document.rows:
            self.reader.keep(self._same(before, row))

    def _same(self, before: marked.Marked, row: int) -> int:
        if (name := before.owners.get(row)) is not None:
            for at, owner in self.marked.owners.items():
                if owner == name:
                    return at
        spot = next((before.spots[at] for at in range(row, -1, -1) if at in before.spots), None)
        path, wanted = _file(before, row), self.marked.spots
        if spot is not None and spot.path == path:
            found = next((at for at, it in wanted.items() if it == spot), None)
            if found is not None:
                return found
        sections = zip(self.marked.paths, self.marked.document.sections, strict=True)
        return next((it.row for name, it in sections if name == path), row)

    def _again(self, _: object = None) -> None:
        """Ask once more for what was said."""
        if self.is_attached:
            self.fleet.request(Comments(task=self._reviewed()), then=self.remarks_came)

    def _reviewed(self) -> str:
        return str(self._answer.get("task", ""))

    def _owner(self) -> CommentRow | None:
        """Return the comment that the reader is on."""
        name = self.marked.owners.get(self.reader.row)
        return next((it for it in self.remarks if it.id == name), None)

    def do_comment(self, _: str) -> None:
        """Type what to say of the line, or more to the comment, that the reader is on."""
        if not self._can_mark():
            return
        owner, spot = self._owner(), self.marked.spots.get(self.reader.row)
        if owner is not None:
            self._more(owner)
        elif spot is None:
            self.fleet.refuse("this is no line of a file; go to one first")
        elif self._answer.get("since") and spot.side == "old":
            self.fleet.refuse("this line is of the earlier revision", "i shows the whole change")
        else:
            self._new(spot)

    def _new(self, spot: marked.Spot) -> None:
        task, revision = self._reviewed(), self._answer["revision"]
        place = f"{spot.path} line {spot.line}"

        def made(text: str) -> Comment:
            return Comment(
                task=task,
                path=spot.path,
                line=spot.line,
                side=spot.side,
                text=text,
                revision=revision,
            )

        about = f"comment {task} {spot.path}:{spot.line}{spot.side}"
        quote = self.marked.document.rows[self.reader.row].text.strip()
        self.fleet.open("note", f"{place}: {quote}", about, made, self._again, _UNSAID)

    def _more(self, owner: CommentRow) -> None:
        about = f"comment {owner.id}"
        unsent = [it.text for it in owner.replies if not it.sent]
        if owner.state != "unsent":
            self.fleet.open(
                *("note", f"say more to {owner.id}", about),
                *(lambda text: Reply(comment=owner.id, text=text), self._again, _UNSAID),
            )
            return
        self.fleet.drafts.setdefault(about, unsent[-1] if unsent else owner.text)
        self.fleet.open(
            *("note", f"{owner.id}, which was not sent yet", about),
            *(lambda text: EditComment(comment=owner.id, text=text), self._again, _UNSAID),
        )

    def do_settle(self, _: str) -> None:
        """Take back the comment that the reader is on, or let it count no more."""
        owner = self._owner()
        if owner is None:
            self.fleet.refuse("this is no comment; go to one first")
        elif owner.state == "unsent":
            request = DropComment(comment=owner.id)
            self.fleet.request(request, done=f"{owner.id} is taken back", then=self._again)
        else:
            request_ = ResolveComment(comment=owner.id)
            self.fleet.request(request_, done=f"{owner.id} is resolved", then=self._again)

    def do_seen(self, _: str) -> None:
        """Fold the file that the reader is in, which was read; or unfold it."""
        if not self._can_mark():
            return
        path = _file(self.marked, self.reader.row)
        if not path:
            self.fleet.refuse("this is no file")
            return
        seen = path not in self._seen

        def noted(_: object) -> None:
            self._seen ^= {path}
            if self.is_attached:
                self._lay_out()
                self.relaid()

        revision = self._answer["revision"]
        request = MarkSeen(task=self._reviewed(), paths=(path,), seen=seen, revision=revision)
        self.fleet.request(request, then=noted)

    def _can_mark(self) -> bool:
        """Whether a sealed revision is read; else say why not."""
        if not self._answer.get("sealed"):
            self.fleet.refuse("there is no revision yet that could be marked")
        elif not self.in_diff():
            self.fleet.refuse("only lines of the diff can be marked", "1 shows it")
        else:
            return True
        return False


def _file(of: marked.Marked, row: int) -> str:
    """Return the file that a row is in; empty where it is in none."""
    section = section_at(of.document, row)
    return "" if section is None or section >= len(of.paths) else of.paths[section]
