"""Undoes a checkout that was killed halfway, and leaves alone what a user changed or made."""

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from fleet.tools.git.changes import Change, changes
from fleet.tools.git.run import git

_MOST_NAMED = 200  # a command line does not hold more than some thousand paths
_ABSENT, _LINK, _SUBMODULE = "000000", "120000", "160000"


def missing_files(checkout: Path, *, parent: str, commit: str) -> tuple[str, ...]:
    """Return the files of `parent` that `commit` changes and that `checkout` does not have."""
    return tuple(
        path
        for path, change in changes(checkout, parent, commit).items()
        if change.was[0] != _ABSENT and not os.path.lexists(checkout / path)
    )


def files_in_the_way(checkout: Path, *, parent: str, commit: str) -> tuple[str, ...]:
    """Return the files that a user changed or made in `checkout`, and that `commit` changes too."""
    touched = changes(checkout, parent, commit)
    there = {path: it for path, it in touched.items() if _is_file(checkout / path)}
    new = {path for path, change in there.items() if change.was[0] == _ABSENT}
    edited = _edited(checkout, parent, [path for path in there if path not in new])
    return tuple(path for path in there if path in new or path in edited)


def _edited(checkout: Path, commit: str, paths: Sequence[str]) -> set[str]:
    """Return which of `paths` differ from what `commit` holds; git compares as few as it can."""
    if not paths:
        return set()
    asked = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules")
    named = paths if len(paths) <= _MOST_NAMED else ()
    return set(git(checkout, "--literal-pathspecs", *asked, commit, "--", *named).fields)


def is_checked_out(checkout: Path, *, parent: str, commit: str) -> bool:
    """Return whether the index holds `commit` wherever that differs from `parent`, if anywhere."""
    wanted = {path: change.now for path, change in changes(checkout, parent, commit).items()}
    staged = _staged(checkout, wanted)
    same = (staged.get(path, (_ABSENT, "")) == _entry(now) for path, now in wanted.items())
    return bool(wanted) and all(same)


def undo_checkout(
    checkout: Path, *, parent: str, commit: str, missing: Collection[str] = ()
) -> tuple[str, ...]:
    """Bring back the files of `parent` where git was killed while it wrote those of `commit`.

    A file is git's if it is what `commit` holds, or the beginning of it, or if it is gone and was
    not `missing` before; each other file stays as it is. The index, which git replaces last, must
    be as it was. Returns the paths that were brought back or taken away.
    """
    touched = {
        path: change
        for path, change in changes(checkout, parent, commit).items()
        if _SUBMODULE not in {change.was[0], change.now[0]}
    }
    staged = _staged(checkout, touched)
    mine = {
        path: change
        for path, change in touched.items()
        if staged.get(path, (_ABSENT, "")) == _entry(change.was)
    }
    torn = {path for path, change in mine.items() if _is_torn(checkout, path, change)}
    for path in torn:
        _take_away(checkout, path)
    lost = [
        path
        for path, change in mine.items()
        if change.was[0] != _ABSENT and path not in missing and not os.path.lexists(checkout / path)
    ]
    names = "\0".join(lost).encode(errors="surrogateescape")
    git(checkout, "checkout-index", "-f", "-z", "--stdin", stdin=names)
    return tuple(sorted({*torn, *lost}))


def take_back(checkout: Path, *, parent: str, commit: str) -> None:
    """Bring files and index from `commit`, which git wrote there, back to `parent`.

    What differs from `commit` stays as it is; where it is in the way, nothing is changed.

    Raises:
        ToolError: something is in the way.
    """
    git(checkout, "-c", "submodule.recurse=false", "read-tree", "-m", "-u", commit, parent)


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _entry(entry: tuple[str, str]) -> tuple[str, str]:
    mode, blob = entry
    return (mode, "" if mode == _ABSENT else blob)


def _staged(checkout: Path, paths: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """Return mode and blob of each of `paths` in the index; one with a conflict has neither."""
    listed = (field.split("\t", 1) for field in git(checkout, "ls-files", "-s", "-z").fields)
    found = {}
    for about, path in listed:
        mode, blob, stage = about.split(" ")
        if path in paths:
            found[path] = (mode, blob) if stage == "0" else ("", "")
    return found


def _is_torn(checkout: Path, path: str, change: Change) -> bool:
    """Return whether git wrote, or began to write, the new content of `path`."""
    file = checkout / path
    mode, blob = change.now
    if mode == _ABSENT or not _is_file(file):
        return False
    if _same(checkout, path, change.was):
        return False
    return _same(checkout, path, change.now) or _is_beginning(checkout, path, mode, blob)


def _same(checkout: Path, path: str, entry: tuple[str, str]) -> bool:
    file = checkout / path
    mode, blob = entry
    if mode == _ABSENT or file.is_symlink() != (mode == _LINK):
        return False
    if mode == _LINK:
        return os.fsencode(os.readlink(file)) == _content(checkout, blob)  # noqa: PTH115 - bytes
    if (mode == "100755") != os.access(file, os.X_OK):
        return False
    # By git's own way in, so that line ends and filters count for nothing.
    return git(checkout, "hash-object", "--", path).text == blob


def _is_beginning(checkout: Path, path: str, mode: str, blob: str) -> bool:
    file = checkout / path
    if mode == _LINK or file.is_symlink():
        return False
    whole = git(checkout, "cat-file", "--filters", f"--path={path}", blob).out
    return whole.startswith(file.read_bytes())


def _content(checkout: Path, blob: str) -> bytes:
    return git(checkout, "cat-file", "blob", blob).out


def _take_away(checkout: Path, path: str) -> None:
    (checkout / path).unlink()
    for parent in Path(path).parents:
        directory = checkout / parent
        if directory == checkout or any(directory.iterdir()):
            return
        directory.rmdir()
