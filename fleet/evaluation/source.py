"""Reads one change from git: its files, the lines that differ, and what blobs hold; all bounded."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO, Self, cast

from fleet.tools.git.run import git, spawn

# What a repository says in its own configuration must not have us fetch, or map a whole pack.
_ENV = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}
_SPARING = ("-c", "core.packedGitWindowSize=32m", "-c", "core.packedGitLimit=256m")
_DIFF = (*_SPARING, "diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color")
_MOST_PATCH = 8 * 1024 * 1024  # bytes
_MOST_WORDS = 64 * 1024  # bytes
_MOST_LINE = 2000  # characters
MOST_BLOB = 1024 * 1024  # bytes; what is larger was hardly written by hand
_ABSENT = "0"
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)")


@dataclass(slots=True)
class File:
    """One path that differs. `gone` and `new` are the lines removed and added, by their numbers."""

    path: str
    old_path: str
    status: str  # A, D, M, R, T
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    added: int | None = None  # None: binary
    removed: int | None = None
    gone: dict[int, str] = field(default_factory=dict)
    new: dict[int, str] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return (self.added or 0) + (self.removed or 0)

    @property
    def is_text(self) -> bool:
        return self.added is not None and self.new_mode.startswith("100")


@dataclass(slots=True)
class Entry:
    """A file in a tree."""

    path: str
    blob: str
    size: int


class Source:
    """One change in one repository. It runs one git that gives blobs, until it is left."""

    def __init__(self, git_dir: Path, base: str, sealed: str) -> None:
        self.base, self.sealed, self._git_dir = base, sealed, git_dir
        self.cut = False  # whether there is more of a patch than was read
        self.files = self._read_files()
        self._read_patch()
        self._blobs = spawn(
            git_dir, *_SPARING, "cat-file", "--batch-command", env=_ENV, hermetic=True
        )
        self._held: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._blobs)

    def old(self, file: File) -> str | None:
        """Return the text that a file held; None where it was none, or more than `MOST_BLOB`."""
        return self._text(file.old_blob) if file.old_mode.startswith("100") else None

    def new(self, file: File) -> str | None:
        """Return the text that a file holds; None where it is none, or more than `MOST_BLOB`."""
        return self._text(file.new_blob) if file.new_mode.startswith("100") else None

    def messages(self) -> str:
        """Return what the commits of the change say, oldest first."""
        span = f"{self.base}..{self.sealed}"
        asked = ("log", "--no-show-signature", "--max-count=100", "--format=%B", span)
        return os.fsdecode(self._read(_MOST_WORDS, *_SPARING, *asked))

    def tree(self) -> list[Entry]:
        """Return all plain files of the base."""
        asked = ("ls-tree", "-r", "-l", "-z", "--full-tree", self.base)
        fields = git(self._git_dir, *_SPARING, *asked, env=_ENV, hermetic=True).fields
        rows = (row.partition("\t") for row in fields)
        abouts = ((about.split(), path) for about, _, path in rows)
        return [
            Entry(path, about[2], int(about[3]))
            for about, path in abouts
            if about[0].startswith("100") and about[3].isdecimal()
        ]

    def contents(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """Yield what each blob holds, in order; git reads ahead of us."""
        child = spawn(self._git_dir, *_SPARING, "cat-file", "--batch", "--buffer", env=_ENV)
        # It stops reading names while nobody takes what it writes, so a thread of its own gives it.
        feeder = Thread(target=_feed, args=(child, tuple(blobs)), daemon=True)
        feeder.start()
        try:
            stdout = cast("IO[bytes]", child.stdout)
            while head := stdout.readline():
                size = _size(head)
                yield stdout.read(size + 1)[:-1] if size is not None else b""
        finally:
            _end(child)
            feeder.join()

    def _text(self, blob: str) -> str | None:
        if not blob.strip(_ABSENT):
            return None
        if blob not in self._held:
            self._held[blob] = self._read_text(blob)
        return self._held[blob]

    def _read_text(self, blob: str) -> str | None:
        size = self._ask(f"info {blob}")
        if size is None or size > MOST_BLOB:
            return None
        if self._ask(f"contents {blob}") is None:
            return None
        data = cast("IO[bytes]", self._blobs.stdout).read(size + 1)[:-1]
        return None if b"\0" in data[:8000] else data.decode(errors="replace")

    def _ask(self, command: str) -> int | None:
        stdin = cast("IO[bytes]", self._blobs.stdin)
        stdin.write(f"{command}\n".encode())
        stdin.flush()
        return _size(cast("IO[bytes]", self._blobs.stdout).readline())

    def _read_files(self) -> list[File]:
        asked = (*_DIFF, "--raw", "--no-abbrev", "--numstat", "-z", "--ignore-submodules=none")
        fields = iter(
            git(self._git_dir, *asked, self.base, self.sealed, env=_ENV, hermetic=True).fields
        )
        files: dict[str, File] = {}
        for head in fields:
            if head.startswith(":"):
                file = _raw(head, fields)
                files[file.path] = file
            elif head:
                _numbers(head, fields, files)
        return list(files.values())

    def _read_patch(self) -> None:
        asked = (*_DIFF, "-p", "-U0", "--full-index", self.base, self.sealed)
        patch = self._read(_MOST_PATCH + 1, *asked)
        self.cut = len(patch) > _MOST_PATCH
        _take_hunks(patch[:_MOST_PATCH], self.files)

    def _read(self, most: int, *args: str) -> bytes:
        """Return the first `most` bytes of what git says, and end it."""
        child = spawn(self._git_dir, *args, env=_ENV, hermetic=True)
        try:
            return cast("IO[bytes]", child.stdout).read(most)
        finally:
            _end(child)


def _feed(child: subprocess.Popen[bytes], blobs: tuple[str, ...]) -> None:
    with contextlib.suppress(OSError, ValueError):  # it was ended, as nobody wants to know more
        stdin = cast("IO[bytes]", child.stdin)
        stdin.write("".join(f"{blob}\n" for blob in blobs).encode())
        stdin.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Leave no process behind."""
    child.kill()  # it only reads, so it leaves no lock
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        with contextlib.suppress(OSError):
            cast("IO[bytes]", pipe).close()


def _size(head: bytes) -> int | None:
    """Read the line before an object: its name, its kind and its size; or that it is missing."""
    words = head.split()
    return int(words[2]) if len(words) == 3 and words[1] == b"blob" else None  # noqa: PLR2004


def _raw(head: str, fields: Iterator[str]) -> File:
    old_mode, new_mode, old_blob, new_blob, status = head.removeprefix(":").split(" ")
    old_path = next(fields)
    path = next(fields) if status[0] in "RC" else old_path
    return File(path, old_path, status[0], old_mode, new_mode, old_blob, new_blob)


def _numbers(head: str, fields: Iterator[str], files: dict[str, File]) -> None:
    added, removed, path = head.split("\t", 2)
    if not path:  # renamed: both names follow
        next(fields)
        path = next(fields)
    file = files.get(path)
    if file is not None and added != "-":
        file.added, file.removed = int(added), int(removed)


def _take_hunks(patch: bytes, files: Iterable[File]) -> None:
    """Give each file its lines; files are known by their blobs, for names may be quoted."""
    by_blobs: dict[tuple[str, str], list[File]] = {}
    for file in files:
        by_blobs.setdefault((file.old_blob, file.new_blob), []).append(file)
    concerned: list[File] = []
    old = new = 0
    for line in patch.split(b"\n"):
        sign = line[:1]
        if sign == b"+" and concerned and new:
            _put(concerned, "new", new, line)
            new += 1
        elif sign == b"-" and concerned and old:
            _put(concerned, "gone", old, line)
            old += 1
        elif found := _HUNK.match(line):
            old, new = int(found[1]), int(found[3])
            old, new = old or 1, new or 1
        elif line.startswith(b"diff --git "):
            concerned, old, new = [], 0, 0
        elif index := _INDEX.match(line):
            concerned = by_blobs.get((index[1].decode(), index[2].decode()), [])


def _put(files: Iterable[File], side: str, number: int, line: bytes) -> None:
    text = os.fsdecode(line[1 : _MOST_LINE + 1].removesuffix(b"\r"))
    for file in files:
        getattr(file, side)[number] = text
