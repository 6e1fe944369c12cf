"""What a change became from one revision to another, without what its target brought meanwhile."""

from dataclasses import dataclass

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.changes import touched
from fleet.tools.git.merging import Conflicted, merge_trees
from fleet.tools.git.repository import Place, branch_tip
from fleet.tools.git.run import git


@dataclass(frozen=True, slots=True)
class Between:
    """What is to be compared: the later revision with `before`, a commit or a tree.

    Where the earlier one does not fit onto the later one's base, `conflicts` are the files in
    which it does not; `before` is the earlier revision as it was then, and `files` are those that
    either of them changes.
    """

    before: str
    conflicts: tuple[str, ...] = ()
    files: tuple[str, ...] | None = None


def between(place: Place, *, base: str, sealed: str, later_base: str, later: str) -> Between:
    """Return with what the revision `later`, cut at `later_base`, is compared to show its news.

    That is the tree of the earlier one, `base`..`sealed`, replayed onto `later_base`.

    Raises:
        ToolError: a commit is missing.
    """
    if base == later_base:
        return Between(sealed)
    merged = merge_trees(place, into=later_base, change=sealed, base=base)
    if not isinstance(merged, Conflicted):
        return Between(merged.tree)
    changed = touched(place, base, sealed) | touched(place, later_base, later)
    return Between(sealed, merged.files, tuple(sorted(changed)))


def branched_off(place: Place, commit: str, *, target: str) -> str | None:
    """Return where `commit` left the branch `target`, as that is now; None where it did not.

    What a revision took in of its target may be newer than what was known of it at its sealing.
    """
    tip = branch_tip(place, target)
    if tip is None:
        return None
    found = git(place.git_dir, "merge-base", commit, tip, env=AS_NAMED, expect=(0, 1)).text
    return found if found and found != commit else None
