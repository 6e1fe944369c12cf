"""A patch as git prints it, read into files, hunks and numbered lines."""

import re
from dataclasses import dataclass, field

from fleet.tui.cells import Span

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_HEAD = "diff --git "
_PATHS = ("+++ ", "--- ", "rename to ", "copy to ")
_NOTES = (
    ("new file mode ", "new, mode {}"),
    ("deleted file mode ", "deleted"),
    ("old mode ", "mode {}"),
    ("new mode ", "→ {}"),
    ("rename from ", "renamed from {}"),
    ("copy from ", "copied from {}"),
    ("Binary files ", "binary"),
    ("GIT binary patch", "binary"),
)
_USUAL = "new, mode 100644"


@dataclass
class File:
    """A file of a patch; of each line its style, its sign, its text and its number.

    `old` is its name before the change.
    """

    path: str
    old: str = ""
    notes: list[str] = field(default_factory=list)
    lines: list[tuple[str, str, str, int | None]] = field(default_factory=list)
    added: int = 0
    removed: int = 0

    def title(self) -> str:
        """Return its name, with what became of it beside its lines."""
        notes = ", ".join("new" if it == _USUAL else it for it in dict.fromkeys(self.notes))
        return f"{self.path}   {notes}" if notes else self.path

    def counts(self) -> tuple[Span, ...]:
        """Return how many lines it has more and less."""
        if not (self.added or self.removed):
            return (Span(self.notes[-1] if self.notes else "", "quiet"),)
        return (Span(f"+{self.added}", "added"), Span(f" -{self.removed}", "removed"))


class _Reader:
    """Reads a patch line by line; the counts of a hunk say which lines are its own."""

    def __init__(self) -> None:
        self.files: list[File] = []
        self._old = self._new = 0  # numbers of the next lines
        self._olds = self._news = 0  # how many lines the hunk has yet

    def take(self, line: str) -> None:
        if self._olds > 0 or self._news > 0:
            self._body(line)
        elif line.startswith(_HEAD):
            self.files.append(File(_path_of_head(line)))
        elif self.files:
            self._head(self.files[-1], line)

    def _body(self, line: str) -> None:
        file, sign, text = self.files[-1], line[:1], line[1:]
        if sign == "+":
            file.lines.append(("added", "+", text, self._new))
            file.added += 1
        elif sign == "-":
            file.lines.append(("removed", "-", text, self._old))
            file.removed += 1
        elif sign == "\\":
            file.lines.append(("quiet", "\\", text, None))
            return
        else:
            file.lines.append(("", " ", text, self._new))
        if sign != "+":
            self._old, self._olds = self._old + 1, self._olds - 1
        if sign != "-":
            self._new, self._news = self._new + 1, self._news - 1

    def _head(self, file: File, line: str) -> None:
        if hunk := _HUNK.match(line):
            old, olds, new, news, about = hunk.groups(default="1")
            self._old, self._olds, self._new, self._news = map(int, (old, olds, new, news))
            place = _span(new, news) if self._news else _span(old, olds)
            text = f"{place}  {hunk[5]}" if about and hunk[5] else place
            file.lines.append(("hunk", "", text, None))
        elif line.startswith("\\ "):
            file.lines.append(("quiet", "\\", line[1:], None))
        else:
            self._said(file, line)

    def _said(self, file: File, line: str) -> None:
        for start in _PATHS:
            if line.startswith(start) and not line.endswith("/dev/null"):
                file.path = _path(line.removeprefix(start), sided=start[0] in "+-")
                file.old = file.path if start == "--- " else file.old
        for start, note in _NOTES:
            if line.startswith(start):
                file.notes.append(note.format(_path(line.removeprefix(start), sided=False)))


def files(patch: str) -> list[File]:
    """Return the files of a patch, with their lines."""
    reader = _Reader()
    for line in patch.removesuffix("\n").split("\n"):
        reader.take(line)
    return reader.files


def _span(first: str, count: str) -> str:
    last = int(first) + int(count) - 1
    return f"line {first}" if last <= int(first) else f"lines {first}-{last}"


def _path_of_head(line: str) -> str:
    """Return the path in `diff --git a/PATH b/PATH`, whose blanks are not quoted."""
    both = line.removeprefix(_HEAD)
    if both.startswith('"'):
        return _path(both[: both.find('"', 1) + 1], sided=True)
    return both[2 : len(both) // 2]


def _path(written: str, *, sided: bool) -> str:
    """Return a path as git wrote it: with `a/` or `b/` before it if `sided`, perhaps quoted."""
    text = written.rstrip("\t")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        inner = text[1:-1].encode(errors="surrogateescape")
        text = _ESCAPE.sub(_unescaped, inner).decode(errors="backslashreplace")
    return text[2:] if sided else text


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else bytes([_ESCAPED[code[0]]])  # noqa: PLR2004 (octal)
