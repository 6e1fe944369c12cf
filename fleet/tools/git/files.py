"""Brings files that git does not keep into a workspace, and deletes what is no longer wanted."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath

from fleet.errors import RefusedError, ToolError
from fleet.tools.git.run import git

_MOST_FILES = 200_000  # counting stops there: about a second


def prepare(
    path: Path, main_root: Path, *, copy: tuple[str, ...], link: tuple[str, ...]
) -> tuple[str, ...]:
    """Copy and link files from the user's main working tree into the workspace `path`.

    `copy` and `link` are paths or patterns (`*`, `**`) relative to `main_root`; what is missing
    there is passed over, and so is what git tracks in the workspace. A directory is linked as a
    whole and copied file by file.

    Returns the relative paths that are there now because of this or an earlier call: they are
    fleet's, and belong in no commit.

    Raises:
        RefusedError: a path leaves `main_root` or the workspace, be it by `..` or by a link.
        ToolError: a file cannot be read or written.
    """
    wanted = dict.fromkeys(_matches(main_root, copy, deep=True), False)
    wanted |= dict.fromkeys(_matches(main_root, link, deep=False), True)
    tracked = _tracked(path, wanted)
    ours = tuple(name for name in wanted if name not in tracked)
    for name in ours:
        _check_inside(path, (path / name).parent, name)
    for name in ours:
        try:
            _bring(main_root / name, path / name, as_link=wanted[name])
        except OSError as error:
            raise ToolError(f"cannot bring {name} to {path}: {error.strerror}") from error
    return ours


def usage_bytes(path: Path) -> int:
    """Return how much disk the files below `path` use; at least that, where they are too many."""
    used = 0
    for number, item in enumerate(_walk(path)):
        if number >= _MOST_FILES:
            break
        try:
            used += item.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue  # deleted meanwhile
    return used


def delete_trash(trash: Path) -> None:
    """Delete everything in `trash`, read-only directories too.

    Raises:
        ToolError: something cannot be deleted; the rest is gone.
    """
    for item in trash.iterdir() if trash.is_dir() else ():
        if item.is_symlink() or item.is_file():
            item.unlink()
            continue
        shutil.rmtree(item, ignore_errors=True)
        if item.exists():
            _open_up(item)
            shutil.rmtree(item, ignore_errors=True)
    if trash.is_dir() and (left := sorted(trash.iterdir())):
        raise ToolError(f"cannot delete {left[0]}", hint=f"type: sudo rm -r {left[0]}")


def _matches(root: Path, patterns: tuple[str, ...], *, deep: bool) -> Iterator[str]:
    for pattern in patterns:
        parts = PurePath(pattern).parts
        if not parts or ".." in parts or PurePath(pattern).is_absolute():
            raise RefusedError(f"the path {pattern or '(empty)'} leaves the repository")
        for found in sorted(root.glob(pattern)):
            yield from _names(root, found, deep=deep)


def _names(root: Path, found: Path, *, deep: bool) -> Iterator[str]:
    name = str(found.relative_to(root))
    if ".git" in found.relative_to(root).parts or name == "." or not found.exists():
        return
    _check_inside(root, found, name)
    if deep and found.is_dir():
        for item in sorted(found.iterdir()):
            yield from _names(root, item, deep=True)
    else:
        yield name


def _check_inside(root: Path, item: Path, name: str) -> None:
    if not item.resolve().is_relative_to(root.resolve()):
        raise RefusedError(f"the path {name} leaves {root} by a link")


def _tracked(path: Path, names: dict[str, bool]) -> set[str]:
    """Return those of `names` that git tracks in the workspace, or below which it does."""
    there = [name for name in names if os.path.lexists(path / name)]
    if not there:
        return set()
    found = git(path, "--literal-pathspecs", "ls-files", "-z", "--", *there).fields
    held = {str(parent) for name in found for parent in (PurePath(name), *PurePath(name).parents)}
    return held.intersection(there)


def _bring(source: Path, goal: Path, *, as_link: bool) -> None:
    goal.parent.mkdir(parents=True, exist_ok=True)
    if goal.is_symlink() or goal.is_file():
        goal.unlink()
    if as_link and not goal.is_dir():
        goal.symlink_to(source)
    elif not as_link:
        shutil.copy2(source, goal)


def _walk(path: Path) -> Iterator[os.DirEntry[str]]:
    try:
        entries = list(os.scandir(path))
    except OSError:
        return
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))


def _open_up(top: Path) -> None:
    """Give us back the right to delete in directories that were made read-only."""
    for directory, _, _ in os.walk(top):
        os.chmod(directory, 0o700)  # noqa: PTH101 - os.walk gives strings
