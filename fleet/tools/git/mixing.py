"""Makes trees that no branch has: one commit's files with some of another's in their places.

Neither a work tree nor anybody's index is touched, and no reference keeps what is made: a gate
that has it checked out does, for as long as it is needed.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fleet.errors import ToolError
from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.changes import Change, changes
from fleet.tools.git.merging import keep_tree
from fleet.tools.git.objects import person, write_commit
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_NOBODY = ("fleet", "fleet@localhost")


def differing(place: Place, one: str, other: str) -> dict[str, Change]:
    """Return what two commits or trees hold in each path in which they differ."""
    return changes(place.git_dir, one, other)


def paths_of(place: Place, commit: str) -> list[str]:
    """Return the paths of all files of a commit."""
    listed = git(
        place.git_dir, "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, env=AS_NAMED
    )
    return listed.fields


def exchange(place: Place, tree: str, held: Mapping[str, tuple[str, str]]) -> str:
    """Return the tree `tree` with each path of `held` at that mode and blob; 000000: not there.

    Raises:
        ToolError: another file would have to go, for it stands where a directory is to be.
    """
    lines = (f"{mode} {blob}\t{path}\0" for path, (mode, blob) in held.items())
    with tempfile.TemporaryDirectory(prefix="fleet-") as directory:
        env = {**AS_NAMED, "GIT_INDEX_FILE": str(Path(directory) / "index")}
        own = ("-c", "core.splitIndex=false")  # or a part of it would lie in the repository
        git(place.git_dir, *own, "read-tree", tree, env=env, hermetic=True)
        git(
            place.git_dir,
            *(*own, "update-index", "-z", "--index-info"),
            stdin=os.fsencode("".join(lines)),
            env=env,
            hermetic=True,
        )
        made = git(place.git_dir, *own, "write-tree", env=env, hermetic=True).text
    if lost := sorted(set(differing(place, tree, made)) - set(held)):
        raise ToolError(f"{lost[0]} is in the way of another file")
    return made


def commit_tree(place: Place, tree: str, *, parent: str, message: str, when: int) -> str:
    """Return a commit of `tree` on `parent`; equal arguments give the same one."""
    fleet = person(*_NOBODY, f"{when} +0000")
    commit = write_commit(
        place.git_dir,
        tree=tree,
        parents=(parent,),
        author=fleet,
        committer=fleet,
        message=f"{message}\n",
    ) or _by_git(place, tree, parent, message, when)
    keep_tree(commit, tree)
    return commit


def _by_git(place: Place, tree: str, parent: str, message: str, when: int) -> str:
    name, email = _NOBODY
    given = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", email), ("DATE", f"@{when} +0000"))
    }
    return git(
        place.git_dir,
        *("commit-tree", tree, "-p", parent, "-F", "-"),
        stdin=f"{message}\n".encode(),
        env={**AS_NAMED, **given},
        hermetic=True,
    ).text
