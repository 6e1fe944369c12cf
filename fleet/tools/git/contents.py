"""What one commit holds; a commit never changes, so that each answer is kept."""

import os
from collections.abc import Container
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from fleet.tools.git import refs
from fleet.tools.git.remembered import Remembered
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_KEPT = 64  # commits


class Features(Struct, frozen=True):
    """What a repository uses that makes worktrees and merges behave differently."""

    submodules: bool
    lfs: bool
    sparse: bool
    partial: bool


def features(place: Place, commit: str) -> Features:
    """Return what the repository uses at `commit`."""
    return _features(place, commit, refs.stamp(place.git_dir / "config"))


@lru_cache(maxsize=_KEPT)
def _features(place: Place, commit: str, *_configured: object) -> Features:
    wanted = r"^(core\.sparsecheckout|extensions\.partialclone|remote\..*\.promisor)$"
    asked = ("config", "--type=bool-or-str", "--get-regexp", wanted)
    settings = git(place.root, *asked, expect=(0, 1)).lines
    tracked = ("grep", "-q", "-e", "filter=lfs", commit, "--", ":(glob)**/.gitattributes")
    return Features(
        submodules=read_file(place, commit, ".gitmodules") is not None,
        lfs=git(place.git_dir, *tracked, expect=(0, 1)).code == 0,
        sparse="core.sparsecheckout true" in settings,
        partial=any(not line.startswith("core.") for line in settings),
    )


def read_file(place: Place, commit: str, path: str) -> bytes | None:
    """Return what the file `path` holds at `commit`, or None if there is no such file."""
    known, key = _read.get(commit) or {}, (place.git_dir, path)
    if key not in known:
        known = _read.put(commit, known | {key: _read_file(place.git_dir, commit, path)})
    return known[key]


def inherit_files(base: str, head: str, differing: Container[str]) -> None:
    """Note that two commits differ in the paths `differing` and in no others."""
    known = _read.get(base) or {}
    same = {key: held for key, held in known.items() if key[1] not in differing}
    if same:
        _read.put(head, same | (_read.get(head) or {}))


# By commit, repository and path.
_read: Remembered[str, dict[tuple[Path, str], bytes | None]] = Remembered(_KEPT)


def _read_file(git_dir: Path, commit: str, path: str) -> bytes | None:
    asked = os.fsencode(f"{commit}:{path}\n")
    head, _, rest = git(git_dir, "cat-file", "--batch", stdin=asked).out.partition(b"\n")
    _, kind, size = head.rsplit(b" ", 2) if not head.endswith(b" missing") else (b"", b"", b"0")
    return rest[: int(size)] if kind == b"blob" else None
