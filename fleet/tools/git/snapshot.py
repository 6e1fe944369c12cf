"""Reads what a worktree holds beside its commits, and writes it as a tree; its index is copied."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from fleet.errors import ToolError
from fleet.tools.git.run import git
from fleet.tools.git.workspaces import admin_dir

# The number of spaces before the path in a line of `git status --porcelain=v2`, by its kind.
_SPACES = {"1": 8, "u": 10, "?": 1, "!": 1}


class Look(Struct, frozen=True):
    """What a worktree holds beside its HEAD; all paths are relative to it.

    `changed` files differ from HEAD or are new, those in `added` are staged as new, and those in
    `edited_again` were edited after they were staged. `nested` are repositories inside the
    worktree; `dirty_submodules` have work that only a commit of theirs can hold. `branch` is None
    where HEAD is detached, `head` where there is no commit.
    """

    head: str | None
    branch: str | None
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    edited_again: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    dirty_submodules: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def look(path: Path, *, ignored: bool = False) -> Look:
    """Return what the worktree `path` holds, without taking a lock or writing its index."""
    options = ("--branch", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
    more = ("--ignored=matching",) if ignored else ()
    return _parse(git(path, "status", "--porcelain=v2", "-z", *options, *more).fields)


def write_tree(path: Path, seen: Look, *, exclude: tuple[str, ...] = ()) -> str:
    """Return a tree of the worktree as it is: what was `seen` over its HEAD, by the user's filters.

    Of the paths in `exclude` the tree holds what HEAD or the index holds, if git tracks them.
    """
    left_out = set(exclude)
    wanted = [name for name in (*seen.changed, *seen.unmerged) if name not in left_out]
    with _index_copy(path) as env:
        adding = ("update-index", "--add", "--remove", "-z", "--stdin")
        git(path, *adding, stdin=_listing(wanted), env=env)
        if staged := left_out.intersection(seen.added):
            removing = ("update-index", "--force-remove", "-z", "--stdin")
            git(path, *removing, stdin=_listing(staged), env=env)
        return git(path, "write-tree", env=env).text


def staged_tree(path: Path) -> str:
    """Return a tree of what is staged in the worktree `path`."""
    with _index_copy(path) as env:
        return git(path, "write-tree", env=env).text


@contextmanager
def _index_copy(path: Path) -> Iterator[dict[str, str]]:
    """Offer variables that make git use a copy of the worktree's index, with all it has cached.

    The copy keeps the time of the original: by it git knows which files may have been written
    after they were last looked at, within the resolution of the clock.
    """
    admin = admin_dir(path)
    with tempfile.TemporaryDirectory(prefix="fleet-") as directory:
        copy = Path(directory) / "index"
        try:
            if admin and (admin / "index").exists():
                shutil.copy2(admin / "index", copy)
        except OSError as error:
            raise ToolError(
                f"cannot copy the index of {path}: {error.strerror}",
                hint=f"check the space and the rights in {directory}",
            ) from error
        yield {"GIT_INDEX_FILE": str(copy)}


def _listing(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _parse(fields: list[str]) -> Look:
    heads: dict[str, str] = {}
    found: dict[str, list[str]] = {name: [] for name in Look.__struct_fields__[2:]}
    for field in fields:
        kind = field[0]
        if kind == "#":
            _, name, value = field.split(" ", 2)
            heads[name] = value
            continue
        parts = field.split(" ", _SPACES[kind])
        for group in _groups(kind, parts):
            found[group].append(parts[-1])
    return Look(
        None if heads["branch.oid"] == "(initial)" else heads["branch.oid"],
        None if heads["branch.head"] == "(detached)" else heads["branch.head"],
        **{name: tuple(paths) for name, paths in found.items()},
    )


def _groups(kind: str, parts: list[str]) -> Iterator[str]:
    """Yield the fields of `Look` to which the path of this line belongs."""
    if kind == "?":
        yield "nested" if parts[-1].endswith("/") else "changed"
    elif kind == "!":
        yield "ignored"
    elif kind == "u":
        yield "unmerged"
    else:
        yield from _tracked_groups(*parts[1:3])


def _tracked_groups(states: str, submodule: str) -> Iterator[str]:
    yield "changed"
    if states[0] == "A":
        yield "added"
    if "." not in states:
        yield "edited_again"
    if submodule[2:] not in ("..", ""):
        yield "dirty_submodules"
