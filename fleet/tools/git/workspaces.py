"""Makes, hands out and takes back worktrees: each step may be repeated after a crash.

Whoever calls `create`, `claim`, `resume`, `recycle` or `drop` makes sure that nothing else runs in
that worktree. A worktree has the sparse patterns of the main working tree, as git gives it.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.errors import RefusedError, ToolError
from fleet.tools.git import submodules
from fleet.tools.git.index import read_index
from fleet.tools.git.refs import attach, content, is_open
from fleet.tools.git.repository import Place, branch_tip, checkouts
from fleet.tools.git.run import git
from fleet.tools.git.updating import refused, update

_HEADS = "refs/heads/"
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_CHECKOUT_S = 3600.0  # the user's filters may fetch gigabytes (LFS)
_REASON = "in use by fleet"
# What a merge, a rebase or the like leaves beside HEAD; `reset --hard` removes only some of it.
_UNFINISHED = ("rebase-merge", "rebase-apply", "sequencer", "BISECT_LOG", "BISECT_START")


def create(place: Place, path: Path, commit: str, *, lock: Path) -> None:
    """Make the worktree `path`, detached at `commit`, or finish one that is half made.

    `lock` is a file of ours: worktrees of one repository are entered one at a time by whoever
    uses the same file, because git's own commands fail when two do so at once.

    Raises:
        RefusedError: `path` holds files that belong to no worktree of this repository, or a
            submodule in use is not there at the commit wanted.
        ToolError: git could not; what was made so far is found and used by the next `create`.
    """
    with _one_at_a_time(lock):
        if not _is_whole(path):
            _tidy(place, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            options = ("--no-checkout", "--detach", "--lock", "--reason", _REASON)
            git(place.git_dir, "worktree", "add", *options, str(path), commit)
    if _detached_at(path) is None:
        raise RefusedError(f"the workspace {path} is in use by a branch")
    _check_out(place, path, commit)


def claim(place: Place, path: Path, *, branch: str, commit: str) -> None:
    """Give the clean, detached worktree `path` to a new `branch` that starts at `commit`.

    Moves only references where `path` is at `commit` already. A branch that exists is kept at its
    own head, as `resume` does; it follows no other branch.

    Raises:
        RefusedError: the worktree has another branch, or the branch another worktree.
    """
    at = _detached_at(path)
    if at is None:
        resume(place, path, branch=branch)
        return
    complaint = update(place.git_dir, f"create {_HEADS}{branch} {commit}")
    if complaint and branch_tip(place, branch) is None:
        raise refused(place.git_dir, complaint)
    if complaint:
        resume(place, path, branch=branch)
        return
    if at != commit:
        _advance(place, path, at, commit)
    _attach(place, path, branch)


def resume(place: Place, path: Path, *, branch: str) -> None:
    """Give the clean, detached worktree `path` to an existing `branch`, at its own head.

    Raises:
        RefusedError: there is no such branch, it is checked out elsewhere, or the worktree has
            another one.
    """
    found = checkouts(place)
    mine = next((name for name, at in found.items() if at.resolve() == path.resolve()), None)
    if mine == branch:
        return
    if mine:
        raise RefusedError(f"the workspace {path} is in use by the branch {mine}")
    if branch in found:
        raise RefusedError(
            f"the branch {branch} is checked out in {found[branch]}",
            hint=f"type: git -C {found[branch]} switch --detach",
        )
    tip = branch_tip(place, branch)
    if tip is None:
        raise RefusedError(f"there is no branch {branch} in {place.root}")
    if _detached_at(path) != tip:
        _check_out(place, path, tip)
    _attach(place, path, branch)


def recycle(
    place: Place, path: Path, commit: str, *, keep: tuple[str, ...], unhide: bool = True
) -> None:
    """Make `path` clean and detached at `commit`, whatever was going on there.

    `unhide` may be left out by who looks for files that git was told to pass over afterwards.

    **Everything in it is lost** but what matches `keep` (patterns as in .gitignore): archive
    first. The branch it had stays where it is, checked out nowhere.
    """
    admin = admin_dir(path)
    if admin is None:
        raise RefusedError(f"{path} is not a worktree of {place.root}")
    remove_stale_locks(admin)
    if not _COMMIT.fullmatch(head_of(path)):
        git(path, "update-ref", "--no-deref", "-m", "fleet: recycle", "HEAD", commit)
    for name in _UNFINISHED:
        _remove(admin / name)
    if unhide:
        _unhide(path, admin)
    _check_out(place, path, commit, force=True)
    kept = [part for pattern in keep for part in ("-e", pattern)]
    git(path, "clean", "-ffdxq", *kept)


def detach(path: Path, *, branch: str, head: str) -> None:
    """Take `branch`, which is at `head`, from the worktree `path`, whose files stay as they are."""
    admin = admin_dir(path)
    if admin is None or head_of(path) != f"ref: {_HEADS}{branch}":
        return
    order = f"update worktrees/{admin.name}/HEAD {head}"
    if complaint := update(admin.parent.parent, "option no-deref", order):
        raise refused(path, complaint)


def head_of(path: Path) -> str:
    """Return what the worktree's HEAD holds: a commit, or `ref: ` and a branch."""
    admin = admin_dir(path)
    return (admin / "HEAD").read_text().strip() if admin else ""


def drop(place: Place, path: Path, *, trash: Path, lock: Path) -> None:
    """Take the worktree `path` out of the repository and move its files to `trash`, at once.

    Raises:
        ToolError: `trash` is on another filesystem, or cannot be written.
    """
    with _one_at_a_time(lock):
        entries = _entries(place, path)
        try:
            trash.mkdir(parents=True, exist_ok=True)
            _discard(path, trash)
            for entry in entries:
                _discard_entry(entry, trash)
        except OSError as error:
            raise ToolError(
                f"cannot move {path} to {trash}: {error.strerror}",
                hint=f"check that both are on one filesystem with space, then: rm -r {path}",
            ) from error


def admin_dir(path: Path) -> Path | None:
    """Return where git keeps the state of the worktree `path`, or None if it is none (any more)."""
    line = os.fsdecode(content(path / ".git"))
    if not line.startswith("gitdir: "):
        return None
    admin = (path / line.removeprefix("gitdir: ").removesuffix("\n")).resolve()
    return admin if _points_to(admin / "gitdir", path) else None


def remove_stale_locks(admin: Path) -> None:
    """Remove the lock files of a git that was killed; one that a process holds open stays."""
    locks = [lock for name in ("index", "HEAD") if (lock := admin / f"{name}.lock").exists()]
    for lock in locks:
        if not is_open(lock):
            lock.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    """Exclude threads and processes alike: each locks the file by a descriptor of its own."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_whole(path: Path) -> bool:
    """Return whether git made a worktree that works; it writes `commondir` last."""
    admin = admin_dir(path)
    return admin is not None and (admin / "commondir").exists()


def _tidy(place: Place, path: Path) -> None:
    """Remove what a crash left of a worktree that was being made; nothing that holds work."""
    left = {item.name for item in path.iterdir()} if path.is_dir() else set()
    if left - {".git"}:
        raise RefusedError(
            f"{path} holds files, and is not a worktree of {place.root}",
            hint=f"move them away: mv {path} {path}.old",
        )
    if path.is_dir():
        shutil.rmtree(path)
    for entry in _entries(place, path):
        _forget(entry)


def _entries(place: Place, path: Path) -> list[Path]:
    """Return the entries by which the repository knows a worktree at `path`."""
    files = sorted((place.git_dir / "worktrees").glob("*/gitdir"))
    return [file.parent for file in files if _points_to(file, path)]


def _points_to(file: Path, path: Path) -> bool:
    named = os.fsdecode(content(file)).removesuffix("\n")
    return (file.parent / named).parent.resolve() == path.resolve()


def _forget(entry: Path) -> None:
    (entry / "gitdir").unlink(missing_ok=True)  # from here on git passes over the entry
    shutil.rmtree(entry)


def _discard(item: Path, trash: Path) -> None:
    if item.exists():
        item.rename(Path(tempfile.mkdtemp(dir=trash)) / item.name)


def _discard_entry(entry: Path, trash: Path) -> None:
    """Let the repository forget a worktree, at once where `trash` is on the same filesystem."""
    if entry.stat().st_dev == trash.stat().st_dev:
        _discard(entry, trash)
    else:
        _forget(entry)


def _check_out(place: Place, path: Path, commit: str, *, force: bool = False) -> None:
    """Bring files and index of the detached `path` to `commit`, by the user's own filters."""
    if admin := admin_dir(path):
        remove_stale_locks(admin)
    git(path, "reset", "--hard", "--quiet", commit, timeout_s=_CHECKOUT_S)
    if (path / ".gitmodules").exists():
        submodules.check_out(place, path, force=force)


def _advance(place: Place, path: Path, old: str, new: str) -> None:
    """Bring the clean worktree `path` forward, all but its HEAD: only what differs is looked at."""
    moved = git(path, "read-tree", "-m", "-u", old, new, expect=(0, 128), timeout_s=_CHECKOUT_S)
    if moved.code or (path / ".gitmodules").exists():
        _check_out(place, path, new)


def _attach(place: Place, path: Path, branch: str) -> None:
    admin = admin_dir(path)
    if admin and not attach(place.git_dir, admin, branch):
        remove_stale_locks(admin)
        git(path, "symbolic-ref", "-m", "fleet: claim", "HEAD", _HEADS + branch)


def _detached_at(path: Path) -> str | None:
    """Return the commit that `path` is detached at, or None if it is on a branch."""
    head = head_of(path)
    if _COMMIT.fullmatch(head):
        return head
    if head.startswith(_HEADS, 5) and not head.endswith(".invalid"):
        return None
    on_branch = git(path, "symbolic-ref", "--quiet", "HEAD", expect=(0, 1)).code == 0
    return None if on_branch else git(path, "rev-parse", "HEAD").text


def _unhide(path: Path, admin: Path) -> None:
    """Make git look again at files that it was told to take for unchanged.

    An agent may have set these marks with `git update-index`; `reset --hard` honours them, and
    its edits would stay for the next task.
    """
    found = read_index(admin)
    if found is not None and not found.hidden:
        return
    lines = git(path, "ls-files", "-v", "-z").fields
    hidden = [line[2:] for line in lines if line[0].islower() or _is_in_the_way(path, line)]
    if hidden:
        marks = ("--no-assume-unchanged", "--no-skip-worktree")
        for mark in marks:
            names = "\0".join(hidden).encode(errors="surrogateescape")
            git(path, "update-index", mark, "-z", "--stdin", stdin=names)


def _is_in_the_way(path: Path, line: str) -> bool:
    return line[0] == "S" and os.path.lexists(path / line[2:])


def _remove(item: Path) -> None:
    if item.is_dir():
        shutil.rmtree(item)
    else:
        item.unlink(missing_ok=True)
