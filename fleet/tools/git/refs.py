"""Deals with references by their files, as gitrepository-layout(5) lays them out.

A process of git takes 2 ms for what two system calls tell, and landing one change asks for some
thirty references. Where the files do not say it plainly (another storage, a symbolic reference),
None is no answer: `Unclear` is raised, and git is to be asked.
"""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

HEADS = "refs/heads/"
_HASH = re.compile(rb"[0-9a-f]{40,64}")
_STAMPED = 64  # packed-refs files kept parsed: one for each repository in use


class Unclear(Exception):  # noqa: N818 (nothing went wrong)
    """The files do not tell; git does."""


def read_ref(git_dir: Path, name: str) -> str | None:
    """Return the object that the full reference name `name` holds, None where there is none.

    Raises:
        Unclear: only git can tell.
    """
    _require_files(git_dir)
    try:
        held = (git_dir / name).read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return _packed(git_dir).get(name)
    if not _HASH.fullmatch(held):
        raise Unclear(name)
    return held.decode()


def names_below(git_dir: Path, prefix: str) -> set[str]:
    """Return the names of all references below `prefix` (which ends with a slash), less that.

    Raises:
        Unclear: only git can tell.
    """
    _require_files(git_dir)
    packed = {name.removeprefix(prefix) for name in _packed(git_dir) if name.startswith(prefix)}
    return packed | set(_loose(git_dir / prefix))


def head_branch(admin: Path) -> str | None:
    """Return the branch checked out where `admin` is the git directory, None for a commit."""
    held = os.fsdecode(content(admin / "HEAD").strip())
    named = held.removeprefix("ref:").strip() if held.startswith("ref:") else ""
    return named.removeprefix(HEADS) if named.startswith(HEADS) else None


def attach(git_dir: Path, admin: Path, branch: str) -> bool:
    """Let HEAD of the worktree whose git directory is `admin` name `branch`, as git itself would.

    Returns False where that is for git to do, or to refuse: then nothing was changed.
    """
    if (git_dir / "reftable").exists() or (admin / "HEAD").is_symlink():
        return False
    lock = admin / "HEAD.lock"
    try:
        with lock.open("xb") as file:
            file.write(os.fsencode(f"ref: {HEADS}{branch}\n"))
    except OSError:
        return False
    lock.replace(admin / "HEAD")
    return True


def worktree_of(admin: Path) -> Path | None:
    """Return the directory of a linked worktree: `gitdir` names the `.git` file in it."""
    named = os.fsdecode(content(admin / "gitdir").removesuffix(b"\n"))
    return (admin / named).parent if named else None


def content(file: Path) -> bytes:
    """Return what `file` holds, nothing where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def stamp(file: Path) -> tuple[int, int, int] | None:
    """Return a value that changes when `file` is written or replaced; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def is_open(file: Path) -> bool:
    """Return whether a process that we may look at has `file` open."""
    wanted = str(file)
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) == wanted:
                return True
        except OSError:
            continue  # it ended, or is another user's
    return False


def _loose(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix != ".lock":
            yield file.relative_to(folder).as_posix()


def _require_files(git_dir: Path) -> None:
    if (git_dir / "reftable").exists():
        raise Unclear("reftable")


def _packed(git_dir: Path) -> dict[str, str]:
    file = git_dir / "packed-refs"
    stamped = stamp(file)
    return _parsed(file, *stamped) if stamped else {}


@lru_cache(maxsize=_STAMPED)
def _parsed(file: Path, *_stamp: int) -> dict[str, str]:
    """Return what a packed-refs file holds; it is replaced as a whole, so its stamp names it."""
    lines = (line.partition(b" ") for line in file.read_bytes().splitlines())
    pairs = ((name, held) for held, _, name in lines if _HASH.fullmatch(held))
    return {name.decode(errors="surrogateescape"): held.decode() for name, held in pairs}
