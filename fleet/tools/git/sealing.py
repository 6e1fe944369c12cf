"""Pins what an agent has made at one commit; its branch, index and files are only read."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from fleet.tools.git.changes import numbers
from fleet.tools.git.repository import Place, branch_tip, ref_commit
from fleet.tools.git.run import git
from fleet.tools.git.snapshot import Look, look, write_tree
from fleet.tools.git.updating import refused, update
from fleet.tools.git.workspaces import admin_dir

UNCOMMITTED = "Fleet-Uncommitted"  # the trailer of a commit that fleet made of uncommitted files

_IN_PROGRESS = (
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase"),
    ("BISECT_LOG", "a bisection"),
)


class Sealed(Struct, frozen=True):
    """A change at one commit.

    `head` is the branch's own commit, and `commit` that or, with `auto_commit`, one above it that
    holds the uncommitted files. The rest compares `commit` with `base`, where it left the target.
    """

    commit: str
    head: str
    base: str
    auto_commit: bool
    added: int
    removed: int
    files: tuple[str, ...]


class Empty(Struct, frozen=True):
    """Nothing differs from the commit where the branch left its target."""


class Unsealable(Struct, frozen=True):
    """The work is not in a state that can be sealed; `reason` is a phrase for a person."""

    reason: str


Outcome = Sealed | Empty | Unsealable


def seal(
    place: Place,
    path: Path,
    *,
    branch: str,
    target_commit: str,
    ref: str,
    exclude: tuple[str, ...] = (),
    message: str = "uncommitted work",
    author: Mapping[str, str] | None = None,
) -> Outcome:
    """Pin what `branch` and its worktree `path` hold at `ref`, and return what that is.

    Where `ref` exists it is kept, and told again. Files at `exclude` (fleet's own copies), ignored
    ones and repositories inside the worktree are left out. `author` are variables as git reads
    them (GIT_AUTHOR_NAME...) for the commit that holds uncommitted files, else the user's own.

    Raises:
        ToolError: git could not, or the disk is full; then `ref` was not made.
    """
    outcome = _seal_worktree(
        place, path, branch=branch, target=target_commit, exclude=exclude, message=message,
        author=author,
    )  # fmt: skip
    return _pin(place, outcome, ref=ref, target=target_commit)


def seal_branch(place: Place, branch: str, *, target_commit: str, ref: str) -> Outcome:
    """Pin the head of a branch made by hand at `ref`, as `seal` does; only commits count."""
    head = branch_tip(place, branch)
    if head is None:
        outcome: Outcome = Unsealable(f"there is no branch {branch}")
    else:
        outcome = _measure(place, head, target=target_commit)
    return _pin(place, outcome, ref=ref, target=target_commit)


def _seal_worktree(
    place: Place,
    path: Path,
    *,
    branch: str,
    target: str,
    exclude: tuple[str, ...],
    message: str,
    author: Mapping[str, str] | None,
) -> Outcome:
    admin = admin_dir(path)
    if admin is None:
        return Unsealable(f"the worktree {path} is gone")
    seen = look(path)
    if reason := _obstacle(admin, seen, branch):
        return Unsealable(reason)
    head = commit = str(seen.head)
    if set(seen.changed) - set(exclude):
        tree = write_tree(path, seen, exclude=exclude)
        text = f"{message}\n\n{UNCOMMITTED}: yes\n".encode()
        commit = git(path, "commit-tree", tree, "-p", head, stdin=text, env=author).text
    return _measure(place, commit, head=head, target=target)


def _obstacle(admin: Path, seen: Look, branch: str) -> str | None:
    """Return why this worktree cannot be sealed, or None."""
    reasons = [f"{what} is in progress" for name, what in _IN_PROGRESS if (admin / name).exists()]
    reasons += [f"{name} has unresolved conflicts" for name in seen.unmerged]
    if seen.branch != branch:
        at = f"on {seen.branch}" if seen.branch else "detached"
        reasons.append(f"HEAD is {at}, not on {branch}")
    if seen.head is None:
        reasons.append(f"{branch} has no commit")
    reasons += [f"the submodule {name} has uncommitted work" for name in seen.dirty_submodules]
    return reasons[0] if reasons else None


def _measure(place: Place, commit: str, *, target: str, head: str | None = None) -> Outcome:
    """Return what `commit` changes since it left `target`; its branch is at `head`, if known."""
    found = git(place.git_dir, "merge-base", commit, target, expect=(0, 1))
    if found.code:
        return Unsealable("it shares no history with the target")
    base = found.text
    rows = numbers(place, base, commit)
    if not rows:
        return Empty()
    added, removed = (sum(int(row[side]) for row in rows if row[side] != "-") for side in (0, 1))
    head = head or _own_head(place, commit)
    return Sealed(commit, head, base, commit != head, added, removed, tuple(row[2] for row in rows))


def _pin(place: Place, outcome: Outcome, *, ref: str, target: str) -> Outcome:
    """Make `ref`, unless there is one: then what it holds is the outcome, whatever came since."""
    if isinstance(outcome, Sealed):
        complaint = update(place.git_dir, f"create {ref} {outcome.commit}")
        if not complaint:
            return outcome
        if ref_commit(place, ref) is None:
            raise refused(place.git_dir, complaint)
    held = ref_commit(place, ref)
    return _measure(place, held, target=target) if held else outcome


def _own_head(place: Place, commit: str) -> str:
    """Return `commit`, or its parent where fleet made it of uncommitted files."""
    form = f"--format=%(trailers:key={UNCOMMITTED},valueonly,separator=)%x00%P"
    mark, _, parents = git(place.git_dir, "log", "-1", form, commit).text.partition("\0")
    return parents if mark else commit
