"""Looks at a repository: where it is, what its branches hold. Nothing here changes anything."""

import difflib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from fleet.errors import RefusedError, ToolError
from fleet.tools.git import refs
from fleet.tools.git.run import failure, git, version

_HEADS = refs.HEADS
_COMMITS = (_HEADS, "refs/fleet/")  # whose references hold commits, never tags
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_MAX_HOPS = 5  # git follows as many symbolic references


class Place(Struct, frozen=True):
    """A repository as it was found; git runs in `git_dir`, which every worktree shares.

    `root` is the main working tree, or the repository itself where it is bare. `id` stays the
    same for as long as the repository stays where it is. `head_branch` is what was checked out in
    `root`; None means a commit and no branch.
    """

    root: Path
    git_dir: Path
    id: str
    bare: bool
    head_branch: str | None


def locate(path: Path) -> Place:
    """Return the repository that `path` lies in, be it a linked worktree or a subdirectory.

    Raises:
        RefusedError: there is none, or it has no commit yet.
        ToolError: git is missing, too old, or will not read the repository.
    """
    version()
    git_dir = _common_dir(path)
    main = next(_worktrees(git_dir))
    bare = "bare" in main
    root = git_dir if bare else _main_root(git_dir, Path(main["worktree"]))
    if not main.get("HEAD", "").strip("0") and not _has_branches(git_dir):
        raise RefusedError(
            f"the repository {root} has no commit yet", hint=f"type: git -C {root} commit"
        )
    branch = main["branch"].removeprefix(_HEADS) if "branch" in main else None
    return Place(
        root, git_dir, _identity(root, git_dir), bare, branch or _bare_head(git_dir, bare=bare)
    )


def target_branch(place: Place, named: str | None) -> str:
    """Return the branch to land in: the one named, or what the main working tree has checked out.

    Raises:
        RefusedError: there is no such branch, or none was named and HEAD is detached.
    """
    branch = named or place.head_branch
    if branch is None:
        raise RefusedError(
            f"{place.root} has no branch checked out to land in", hint="name one: --target BRANCH"
        )
    if branch_tip(place, branch) is None:
        raise _missing(place, branch, "branch")
    return branch


def resolve(place: Place, name: str) -> str:
    """Return the commit that `name` (a branch, a tag, a commit) stands for.

    Raises:
        RefusedError: there is no such commit; the hint names the branches that sound alike.
    """
    asked = ("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    answer = git(place.git_dir, *asked, expect=(0, 1, 128))
    if answer.code:
        raise _missing(place, name, "branch or commit")
    return answer.text


def branch_tip(place: Place, branch: str) -> str | None:
    """Return the newest commit of `branch`, or None if there is no such branch."""
    return ref_commit(place, _HEADS + branch)


def ref_commit(place: Place, ref: str) -> str | None:
    """Return the commit at the full reference name `ref`, or None if there is no such reference."""
    if ref.startswith(_COMMITS):
        try:
            return refs.read_ref(place.git_dir, ref)
        except refs.Unclear:
            pass
    asked = ("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    answer = git(place.git_dir, *asked, expect=(0, 1))
    return None if answer.code else answer.text


def names_below(place: Place, prefix: str) -> set[str]:
    """Return the names of all references below `prefix`, which ends with a slash, less that."""
    try:
        return refs.names_below(place.git_dir, prefix)
    except refs.Unclear:
        return {name.removeprefix(prefix) for name in tips(place, prefix)}


def tips(place: Place, *prefixes: str) -> dict[str, str]:
    """Return reference names and what they hold, of all references below `prefixes`."""
    answer = git(place.git_dir, "for-each-ref", "--format=%(objectname) %(refname)", *prefixes)
    pairs = (line.partition(" ") for line in answer.lines)
    return {name: commit for commit, _, name in pairs}


def check_branch_name(place: Place, branch: str) -> None:
    """Do nothing if a branch of this name can be made.

    Raises:
        RefusedError: it exists, its name is malformed, or another branch's name stands in the way.
    """
    plain = _PLAIN_NAME.fullmatch(branch)
    if not plain and git(place.git_dir, "check-ref-format", _HEADS + branch, expect=(0, 1)).code:
        raise RefusedError(f"{branch} cannot be the name of a branch")
    parts = branch.split("/")
    parents = {"/".join(parts[:count]) for count in range(1, len(parts))}
    taken = {name for name in (*parents, branch) if branch_tip(place, name)}
    taken |= {f"{branch}/{name}" for name in names_below(place, f"{_HEADS}{branch}/")}
    if branch in taken:
        raise RefusedError(f"the branch {branch} exists already", hint=f"git log {branch}")
    for other in sorted(taken):
        if other in parents:
            raise _blocked(other, f"every {other}/... branch")
        if other.startswith(branch + "/"):
            raise _blocked(other, f"the branch {branch}")


def checkouts(place: Place) -> dict[str, Path]:
    """Return the branches that are checked out, and where; a worktree that is gone counts not."""
    found = {}
    for admin in sorted((place.git_dir / "worktrees").glob("*")):
        branch, path = refs.head_branch(admin), refs.worktree_of(admin)
        if branch and path and path.is_dir():
            found[branch] = path
    if not place.bare and (branch := refs.head_branch(place.git_dir)):
        found[branch] = place.root
    return found


def signature(place: Place, branch: str) -> object:
    """Return a value that differs from an earlier one if the tip of `branch` may have moved.

    It costs a few system calls and no process, so it may be asked often.
    """
    name, held = _HEADS + branch, []
    for _ in range(_MAX_HOPS):
        held.append(refs.content(place.git_dir / name))
        if not held[-1].startswith(b"ref: "):
            break
        name = os.fsdecode(held[-1][5:].strip())
    stored = (place.git_dir / "packed-refs", place.git_dir / "reftable" / "tables.list")
    return (*held, refs.content(place.git_dir / "HEAD"), *map(refs.stamp, stored))


def diff_size(place: Place, base: str, head: str) -> tuple[int, int, int]:
    """Return how many lines are added and removed, and how many files differ, in `head`."""
    answer = git(place.git_dir, "diff-tree", "-r", "--shortstat", base, head)
    added, removed, files = (
        re.search(rf"(\d+) {what}", answer.text) for what in ("insertion", "deletion", "file")
    )
    return _count(added), _count(removed), _count(files)


def changed_paths(place: Place, base: str, head: str) -> tuple[str, ...]:
    """Return the files that differ between two commits; a renamed one counts twice."""
    asked = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head)
    return tuple(git(place.git_dir, *asked).fields)


def _common_dir(path: Path) -> Path:
    if not path.is_dir():
        raise RefusedError(f"{path} is not a directory")
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    answer = git(path, *asked, expect=(0, 128))
    if answer.code and "not a git repository" in answer.err:
        raise RefusedError(f"{path} is not in a git repository", hint="cd to one, or: git init")
    if answer.code:
        raise failure(path, asked, answer)
    return Path(answer.text).resolve()


def _has_branches(git_dir: Path) -> bool:
    return bool(git(git_dir, "for-each-ref", "--count=1", _HEADS).out)


def _worktrees(git_dir: Path) -> Iterator[dict[str, str]]:
    """Yield what git says of each worktree, the main one first."""
    entry: dict[str, str] = {}
    for line in git(git_dir, "worktree", "list", "--porcelain", "-z").fields:
        key, _, value = line.partition(" ")
        if key:
            entry[key] = value
        elif entry:
            yield entry
            entry = {}
    if entry:
        yield entry


def _main_root(git_dir: Path, listed: Path) -> Path:
    """Return the main working tree; a submodule is listed as its git directory."""
    if listed.resolve() != git_dir:
        return listed.resolve()
    answer = git(git_dir, "config", "core.worktree", expect=(0, 1))
    if answer.code:
        raise ToolError(f"the working tree of {git_dir} cannot be found", hint="cd to that tree")
    return (git_dir / answer.text).resolve()


def _bare_head(git_dir: Path, *, bare: bool) -> str | None:
    if not bare:
        return None
    answer = git(git_dir, "symbolic-ref", "--quiet", "HEAD", expect=(0, 1))
    return None if answer.code else answer.text.removeprefix(_HEADS)


def _identity(root: Path, git_dir: Path) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", root.name.removesuffix(".git").lower()).strip("-")
    return f"{slug[:40] or 'repo'}-{hashlib.sha256(os.fsencode(git_dir)).hexdigest()[:8]}"


def _missing(place: Place, name: str, kind: str) -> RefusedError:
    branches = [ref.removeprefix(_HEADS) for ref in tips(place, _HEADS)]
    near = difflib.get_close_matches(name, branches, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "git branch lists the branches"
    return RefusedError(f"there is no {kind} {name} in {place.root}", hint=hint)


def _blocked(other: str, what: str) -> RefusedError:
    return RefusedError(
        f"a branch named {other} blocks {what}", hint=f"type: git branch -m {other} other-name"
    )


def _count(match: re.Match[str] | None) -> int:
    return int(match[1]) if match else 0
