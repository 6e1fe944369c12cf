"""Reads a worktree's index from its file, as gitformat-index(5) lays it out.

What it holds and what git was told to pass over are asked after each checkout, and two processes
of git take longer than a pass over the file. Where that does not say it plainly, git is asked.
"""

import hashlib
from pathlib import Path

from msgspec import Struct

from fleet.tools.git.refs import content

_LARGEST = 2_000_000  # bytes, some 20,000 files: the pass takes 10 ms, and other threads wait
_PLAIN = b"DIRC\0\0\0\2"  # version 2, which knows no mark but `assume unchanged`
_HEADER, _FLAGS, _NAME, _HASH = 12, 60, 62, 20  # sizes and places, in bytes
_LONG_NAME, _UNCHANGED = 0xFFF, 0x8000


class Index(Struct, frozen=True):
    """What an index says: the tree that it holds, if it knows, and what git takes for unchanged."""

    tree: str | None
    hidden: tuple[str, ...]


def read_index(admin: Path) -> Index | None:
    """Return what the index in the git directory `admin` says; None: only git can tell."""
    data = content(admin / "index")
    body = data[:-_HASH]
    whole = hashlib.sha1(body, usedforsecurity=False).digest() == data[-_HASH:]
    if len(data) > _LARGEST or not data.startswith(_PLAIN) or not whole:
        return None
    hidden, at = [], _HEADER
    for _ in range(int.from_bytes(data[8:_HEADER], "big")):
        flags = data[at + _FLAGS] << 8 | data[at + _FLAGS + 1]
        name, length = at + _NAME, flags & _LONG_NAME
        end = name + length if length < _LONG_NAME else data.index(b"\0", name)
        if flags & _UNCHANGED:
            hidden.append(data[name:end].decode(errors="surrogateescape"))
        at += (end - at) // 8 * 8 + 8  # one to eight zeros end it
    extensions = _extensions(body[at:])
    if any(name[:1].islower() for name in extensions):  # without those, the rest is misread
        return None
    return Index(_root(extensions.get(b"TREE", b"")), tuple(hidden))


def _extensions(rest: bytes) -> dict[bytes, bytes]:
    found, at = {}, 0
    while at < len(rest):
        size = int.from_bytes(rest[at + 4 : at + 8], "big")
        found[rest[at : at + 4]] = rest[at + 8 : at + 8 + size]
        at += 8 + size
    return found


def _root(trees: bytes) -> str | None:
    """Return the tree of all entries, where git wrote it down and nothing changed since."""
    about, newline, rest = trees.removeprefix(b"\0").partition(b"\n")
    known = newline and not about.startswith(b"-")
    return rest[:_HASH].hex() if known else None
