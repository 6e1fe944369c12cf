"""Pins what an agent has made at one commit; its branch, index and files are only read."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from fleet.tools.git.bases import base_of
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
    holds the uncommitted files. The rest compares `commit` with `base`, where it left the target,
    or `upon`, the revision of the change below it that it stands on.
    """

    commit: str
    head: str
    base: str
    auto_commit: bool
    added: int
    removed: int
    files: tuple[str, ...]
    upon: str | None = None


class Empty(Struct, frozen=True):
    """Nothing differs from the commit where the branch left its target."""


class Unsealable(Struct, frozen=True):
    """The work is not in a state that can be sealed; `reason` is a phrase for a person."""

    reason: str


Outcome = Sealed | Empty | Unsealable


class _Ground(Struct, frozen=True):
    """What a change may stand on: the tip of its target, and revisions of the change below it."""

    target: str
    parents: tuple[str, ...] = ()


def seal(
    place: Place,
    path: Path,
    *,
    branch: str,
    target_commit: str,
    ref: str,
    parents: Sequence[str] = (),
    exclude: tuple[str, ...] = (),
    message: str = "uncommitted work",
    author: Mapping[str, str] | None = None,
) -> Outcome:
    """Pin what `branch` and its worktree `path` hold at `ref`, and return what that is.

    Where `ref` exists it is kept, and told again. Files at `exclude` (fleet's own copies), ignored
    ones and repositories inside the worktree are left out. `author` are variables as git reads
    them (GIT_AUTHOR_NAME...) for the commit that holds uncommitted files, else the user's own.
    `parents` are the revisions of the change below it, as `base_of` has them.

    Raises:
        ToolError: git could not, or the disk is full; then `ref` was not made.
    """
    ground = _Ground(target_commit, tuple(parents))
    outcome = _seal_worktree(
        place, path, branch=branch, ground=ground, exclude=exclude, message=message, author=author
    )
    return _pin(place, outcome, ref=ref, ground=ground)


def seal_branch(
    place: Place, branch: str, *, target_commit: str, ref: str, parents: Sequence[str] = ()
) -> Outcome:
    """Pin the head of a branch made by hand at `ref`, as `seal` does; only commits count."""
    ground = _Ground(target_commit, tuple(parents))
    head = branch_tip(place, branch)
    if head is None:
        outcome: Outcome = Unsealable(f"there is no branch {branch}")
    else:
        outcome = _measure(place, head, ground=ground)
    return _pin(place, outcome, ref=ref, ground=ground)


def _seal_worktree(
    place: Place,
    path: Path,
    *,
    branch: str,
    ground: _Ground,
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
    return _measure(place, commit, head=head, ground=ground)


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


def _measure(place: Place, commit: str, *, ground: _Ground, head: str | None = None) -> Outcome:
    """Return what `commit` changes beyond its base; its branch is at `head`, if known."""
    base = base_of(place, commit, target=ground.target, parents=ground.parents)
    if base is None:
        return Unsealable("it shares no history with the target")
    rows = numbers(place, base.commit, commit)
    if not rows:
        return Empty()
    added, removed = (sum(int(row[side]) for row in rows if row[side] != "-") for side in (0, 1))
    head = head or _own_head(place, commit)
    return Sealed(
        commit=commit,
        head=head,
        base=base.commit,
        auto_commit=commit != head,
        added=added,
        removed=removed,
        files=tuple(row[2] for row in rows),
        upon=base.upon,
    )


def _pin(place: Place, outcome: Outcome, *, ref: str, ground: _Ground) -> Outcome:
    """Make `ref`, unless there is one: then what it holds is the outcome, whatever came since."""
    if isinstance(outcome, Sealed):
        orders = [f"create {ref} {outcome.commit}"]
        if outcome.upon not in {None, outcome.base}:  # no branch has that base
            orders.append(f"update {ref}-base {outcome.base}")
        complaint = update(place.git_dir, *orders)
        if not complaint:
            return outcome
        if ref_commit(place, ref) is None:
            raise refused(place.git_dir, complaint)
    held = ref_commit(place, ref)
    return _measure(place, held, ground=ground) if held else outcome


def _own_head(place: Place, commit: str) -> str:
    """Return `commit`, or its parent where fleet made it of uncommitted files."""
    form = f"--format=%(trailers:key={UNCOMMITTED},valueonly,separator=)%x00%P"
    mark, _, parents = git(place.git_dir, "log", "-1", form, commit).text.partition("\0")
    return parents if mark else commit
