"""What two commits differ in; asked often of the same two, and it never changes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fleet.tools.git.attributes import AS_NAMED, inherit
from fleet.tools.git.contents import inherit_files
from fleet.tools.git.remembered import Remembered
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git


@dataclass(frozen=True, slots=True)
class Change:
    """A path's mode and blob in two commits; mode 000000 where it is not there."""

    was: tuple[str, str]
    now: tuple[str, str]


def touched(place: Place, base: str, head: str) -> frozenset[str]:
    """Return the paths in which two commits differ; a rename counts with both its names."""
    return frozenset(changes(place.git_dir, base, head))


def changes(cwd: Path, base: str, head: str) -> dict[str, Change]:
    """Return what the commits `base` and `head` hold in each path in which they differ."""
    if base == head:
        return {}
    known = _known.get((base, head)) or _by_way(base, head)
    return _asked(cwd, base, head) if known is None else known


def _by_way(base: str, head: str) -> dict[str, Change] | None:
    """Return what two steps that are known come to; so a target is followed as it moves."""
    for between in _steps.get(head) or ():
        first, second = _known.get((base, between)), _known.get((between, head))
        if first is not None and second is not None:
            both = {path: Change(it.was, second.get(path, it).now) for path, it in first.items()}
            whole = second | both
            found = {path: it for path, it in whole.items() if it.was != it.now}
            return _put(base, head, found)
    return None


def _put(base: str, head: str, found: dict[str, Change]) -> dict[str, Change]:
    _steps.put(head, (base, *(_steps.get(head) or ())[: _MOST_WAYS - 1]))
    return _known.put((base, head), found)


_DIFF = (
    *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"),
    "--ignore-submodules=none",
)
_known: Remembered[tuple[str, str], dict[str, Change]] = Remembered(256)
_steps: Remembered[str, tuple[str, ...]] = Remembered(256)  # from where changes to a head are known
_MOST_WAYS = 4


def numbers(place: Place, base: str, head: str) -> list[tuple[str, str, str]]:
    """Return for each path in which two commits differ (lines added, lines removed, path).

    A binary file has `-` for both. The same process tells what `changes` wants to know later.
    """
    fields = git(place.git_dir, *_DIFF, "--numstat", base, head, env=AS_NAMED, hermetic=True).fields
    raw = 2 * sum(field.startswith(":") for field in fields[::2])
    _keep(base, head, fields[:raw])
    rows = (field.split("\t", 2) for field in fields[raw:])
    return [(added, removed, path) for added, removed, path in rows]


def digest(place: Place, base: str, head: str) -> str:
    """Return the SHA-256 of what two commits differ in: each path, its modes and its blobs."""
    found = sorted(changes(place.git_dir, base, head).items())
    rows = ("\0".join((path, *it.was, *it.now)) for path, it in found)
    whole = "\0".join(rows).encode(errors="surrogateescape")
    return hashlib.sha256(whole).hexdigest()


def messages(place: Place, base: str, head: str) -> str:
    """Return what the commits between two commits say, the newest first."""
    command = ("log", "--no-show-signature", "--format=%B%x00", f"{base}..{head}")
    return git(place.git_dir, *command, env=AS_NAMED, hermetic=True).text


def _asked(cwd: Path, base: str, head: str) -> dict[str, Change]:
    fields = git(cwd, *_DIFF, base, head, env=AS_NAMED, hermetic=True).fields
    return _keep(base, head, fields)


def _keep(base: str, head: str, fields: list[str]) -> dict[str, Change]:
    abouts = (about.removeprefix(":").split(" ") for about in fields[::2])
    found = {
        path: Change(was=(about[0], about[2]), now=(about[1], about[3]))
        for about, path in zip(abouts, fields[1::2], strict=True)
    }
    inherit(base, head, found)
    inherit_files(base, head, found)
    return _put(base, head, found)
