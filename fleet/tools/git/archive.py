"""Keeps what is about to be removed: nothing that was made in a workspace is lost with it.

An archive is one commit at refs/fleet/trash/TASK. Its first parent is the branch's head, its tree
the worktree as it was, with uncommitted and untracked files.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from fleet.errors import RefusedError
from fleet.tools.git.repository import (
    Place,
    branch_tip,
    changed_paths,
    checkouts,
    ref_commit,
    tips,
)
from fleet.tools.git.run import git
from fleet.tools.git.snapshot import Look, look, staged_tree, write_tree
from fleet.tools.git.updating import refused, update
from fleet.tools.git.workspaces import admin_dir

_HEADS = "refs/heads/"
_TRASH = "refs/fleet/trash/"
_MOST_LISTED = 200  # ignored files named in the archive's message
_AUTOSTASH = ("rebase-merge/autostash", "rebase-apply/autostash")
_FLEET: Mapping[str, str] = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "fleet"), ("EMAIL", "fleet@localhost"))
}


def archive(place: Place, *, task: str, path: Path | None, branch: str) -> str | None:
    """Pin all that `branch` and its worktree `path` hold, and return the archive's commit.

    An earlier archive of the task stays reachable from the new one. Ignored files are named in
    the message, not kept. None: there is neither branch nor worktree, and no archive.

    Raises:
        RefusedError: the worktree has a repository or a submodule with work that cannot be kept.
        ToolError: git could not, or the disk is full; what is to be archived must stay.
    """
    earlier = ref_commit(place, _TRASH + task)
    tip = branch_tip(place, branch)
    admin = admin_dir(path) if path else None
    if path and admin:
        tree, parents, message = _worktree(path, admin, tip)
    elif tip:
        tree, parents, message = f"{tip}^{{tree}}", [tip], ""
        if earlier and _first_parent(place, earlier) == tip:
            return earlier  # made while the worktree was there, it holds more
    else:
        return earlier
    if earlier and _same(place, earlier, tree, parents):
        return earlier
    commit = _commit(
        place, tree, [*parents, *([earlier] if earlier else [])], f"archive of {task}\n\n{message}"
    )
    git(place.git_dir, "update-ref", _TRASH + task, commit, earlier or "0" * len(commit))
    return commit


def restore(place: Place, task: str, branch: str) -> str:
    """Make `branch` again at the head it had when `task` was archived, and return that commit.

    Raises:
        RefusedError: there is no archive, or the branch exists at another commit.
    """
    head = _first_parent(place, _archive_of(place, task))
    tip = branch_tip(place, branch)
    if tip == head:
        return head
    if tip:
        raise RefusedError(
            f"the branch {branch} exists at another commit",
            hint=f"type: git branch -m {branch} other-name",
        )
    git(place.git_dir, "update-ref", _HEADS + branch, head, "0" * len(head))
    return head


def give_back(place: Place, task: str, path: Path) -> None:
    """Put the uncommitted files of the archive into the worktree `path`, uncommitted again.

    `path` is clean and on the restored branch; what had been staged is there unstaged.

    Raises:
        RefusedError: there is no archive, or `path` has uncommitted work of its own.
    """
    commit = _archive_of(place, task)
    if look(path).changed:
        raise RefusedError(f"{path} has uncommitted work", hint=f"type: git -C {path} status")
    git(path, "restore", f"--source={commit}", "--worktree", "--", ":/")


def forget(place: Place, task: str, *, revisions: int = 0) -> None:
    """Delete the task's archive, its sealed revisions and the marks by which these landed.

    All or none of them; git removes the objects in time, where nothing else leads to them.
    """
    marks = (f"refs/fleet/landed/{task}-{number}" for number in range(1, revisions + 1))
    names = tips(place, _TRASH + task, f"refs/fleet/cand/{task}", *marks)
    orders = "".join(f"delete {name}\n" for name in names)
    git(place.git_dir, "update-ref", "--stdin", stdin=orders.encode())


def delete_branch(place: Place, branch: str, *, head: str) -> None:
    """Delete `branch` if it is still at `head`; do nothing if there is none.

    Raises:
        RefusedError: it has moved on, or is checked out somewhere.
    """
    tip = branch_tip(place, branch)
    if tip is None:
        return
    if tip != head:
        raise RefusedError(f"the branch {branch} has moved on since it was archived")
    if where := checkouts(place).get(branch):
        raise RefusedError(f"the branch {branch} is checked out in {where}")
    if complaint := update(place.git_dir, f"delete {_HEADS}{branch} {head}"):
        raise refused(place.git_dir, complaint)


def contains(place: Place, *, target: str, base: str, head: str) -> bool:
    """Return whether `target` has the change from `base` to `head`: merged, squashed or rebased.

    The change itself is compared, so a branch that never moved is contained nowhere.
    """
    if git(place.git_dir, "diff-tree", "--quiet", base, head, expect=(0, 1)).code == 0:
        return False
    return _adds_nothing(place, target, head) or _was_picked(place, target, base=base, head=head)


def _worktree(path: Path, admin: Path, tip: str | None) -> tuple[str, list[str], str]:
    """Return the tree of the worktree, the commits that it needs, and words on what is not kept."""
    seen = look(path, ignored=True)
    if seen.dirty_submodules:
        where = path / seen.dirty_submodules[0]
        raise RefusedError(
            f"the submodule {where} has work that fleet cannot keep",
            hint=f"commit and push it: git -C {where} status",
        )
    heads = [tip, seen.head, *_autostashes(admin)]
    parents = list(dict.fromkeys(commit for commit in heads if commit))
    if seen.edited_again and parents and not seen.unmerged:
        parents.append(_staged(path, parents[0]))
    work = replace(seen, changed=(*seen.changed, *_inside(path, seen.nested)))
    dirty = bool(work.changed or work.unmerged or seen.head is None)
    tree = write_tree(path, work) if dirty else f"{seen.head}^{{tree}}"
    return tree, parents, _not_kept(seen)


def _staged(path: Path, parent: str) -> str:
    """Return a commit of what was staged and then edited again, which no file holds any more."""
    words = ("commit-tree", staged_tree(path), "-p", parent, "-m", "what was staged")
    return git(path, *words, env=_FLEET).text


def _autostashes(admin: Path) -> Iterator[str]:
    for name in _AUTOSTASH:
        if (admin / name).exists():
            yield (admin / name).read_text().strip()


def _inside(path: Path, nested: tuple[str, ...]) -> Iterator[str]:
    """Yield the files of repositories inside the worktree, without their history."""
    for name in nested:
        for item in (path / name).rglob("*"):
            inner = item.relative_to(path)
            if ".git" not in inner.parts and (item.is_symlink() or item.is_file()):
                yield str(inner)


def _not_kept(seen: Look) -> str:
    lines = [f"not kept, ignored: {name}" for name in seen.ignored[:_MOST_LISTED]]
    lines += [f"not kept, the history of the repository {name}" for name in seen.nested]
    return "\n".join(lines)


def _commit(place: Place, tree: str, parents: list[str], message: str) -> str:
    links = [part for parent in parents for part in ("-p", parent)]
    text = message.encode(errors="surrogateescape")
    resolved = git(place.git_dir, "rev-parse", tree).text
    return git(place.git_dir, "commit-tree", resolved, *links, stdin=text, env=_FLEET).text


def _same(place: Place, earlier: str, tree: str, parents: list[str]) -> bool:
    """Return whether the archive `earlier` holds this tree and these commits already."""
    asked = ("rev-parse", f"{earlier}^{{tree}}", tree, f"{earlier}^@")
    old, new, *links = git(place.git_dir, *asked).lines
    return old == new and set(parents) <= set(links)


def _first_parent(place: Place, commit: str) -> str:
    return git(place.git_dir, "rev-parse", f"{commit}^1").text


def _archive_of(place: Place, task: str) -> str:
    commit = ref_commit(place, _TRASH + task)
    if commit is None:
        raise RefusedError(f"there is no archive of {task} in {place.root}")
    return commit


def _adds_nothing(place: Place, target: str, head: str) -> bool:
    """Return whether merging `head` would leave `target` as it is."""
    asked = ("merge-tree", "--write-tree", "--no-messages", target, head)
    merged = git(place.git_dir, *asked, hermetic=True, expect=(0, 1))
    whole = git(place.git_dir, "rev-parse", f"{target}^{{tree}}").text
    return merged.code == 0 and merged.text == whole


def _was_picked(place: Place, target: str, *, base: str, head: str) -> bool:
    """Return whether `target` has each commit of the change, or one that makes the whole of it."""
    if _each_was_picked(place, target, base=base, head=head):
        return True
    paths = ("--", *changed_paths(place, base, head))
    change = git(place.git_dir, "diff-tree", "-p", "--no-renames", base, head, hermetic=True).out
    asked = ("--literal-pathspecs", "rev-list", "--no-merges", f"{base}..{target}", *paths)
    found = git(place.git_dir, *asked).out
    showing = ("--literal-pathspecs", "diff-tree", "-p", "--no-renames", "--stdin", *paths)
    patches = git(place.git_dir, *showing, stdin=found, hermetic=True).out
    return bool(_patch_ids(place, change) & _patch_ids(place, patches))


def _each_was_picked(place: Place, target: str, *, base: str, head: str) -> bool:
    """Return whether `target` has each commit under another name; merges cannot be compared."""
    missing = git(place.git_dir, "rev-list", "--count", head, f"^{target}", f"^{base}").text
    commits = git(place.git_dir, "cherry", target, head, base).lines
    picked = sum(line.startswith("-") for line in commits)
    return 0 < picked == int(missing)


def _patch_ids(place: Place, patches: bytes) -> set[str]:
    """Return what identifies each of these patches, whatever their line numbers."""
    return {line.split()[0] for line in git(place.git_dir, "patch-id", stdin=patches).lines}
