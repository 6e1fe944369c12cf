"""Finds where a branch left what it stands on: its target, or another change that has not landed.

What lies between that base and the branch is the branch's own work: all that a reviewer is shown,
and all that lands.
"""

from collections.abc import Sequence

from msgspec import Struct

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.intent import is_ancestor
from fleet.tools.git.merging import Conflicted, merge_trees, tree_of
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git
from fleet.tools.git.stand_ins import stand_in


class Base(Struct, frozen=True):
    """Where the own work of a branch begins.

    `upon` is the commit of the change below it that `commit` holds; None where that is no more
    than the target has. `made` where `commit` is one that no branch has, and nothing refers to.
    """

    commit: str
    upon: str | None = None
    made: bool = False


def base_of(place: Place, commit: str, *, target: str, parents: Sequence[str] = ()) -> Base | None:
    """Return the base of `commit`; None where it shares no history with the commit `target`.

    `parents` are the revisions of the change that it may stand on, the newest first. Where it holds
    one of these and more of its target than that does, its base is both of them merged; where
    they conflict, it is the change below it alone.
    """
    left = git(place.git_dir, "merge-base", commit, target, env=AS_NAMED, expect=(0, 1))
    if left.code:
        return None
    upon = next((it for it in parents if _is_below(place, it, commit)), None)
    if upon is None or is_ancestor(place, upon, left.text):
        return Base(left.text)
    if is_ancestor(place, left.text, upon):
        return Base(upon, upon)
    return _both(place, left.text, upon)


def _is_below(place: Place, old: str, commit: str) -> bool:
    """Whether `commit` builds on `old`; nothing builds on what was removed."""
    asked = ("merge-base", "--is-ancestor", old, commit)
    return git(place.git_dir, *asked, env=AS_NAMED, expect=(0, 1, 128)).code == 0


def _both(place: Place, left: str, upon: str) -> Base:
    merged = merge_trees(place, into=left, change=upon)
    if isinstance(merged, Conflicted):
        return Base(upon, upon)
    if merged.tree == tree_of(place, left):
        return Base(left)  # it has landed there under another name
    if merged.tree == tree_of(place, upon):
        return Base(upon, upon)
    return Base(stand_in(place, merged.tree, [left, upon]), upon, made=True)
