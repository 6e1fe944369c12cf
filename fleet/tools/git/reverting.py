"""Makes the commit that undoes what landed, on the target as it is now; no ref moves."""

from collections.abc import Mapping

from fleet.tools.git.building import Built, commit_tree
from fleet.tools.git.merging import Conflicted, merge_trees, tree_of
from fleet.tools.git.repository import Place


def undo(
    place: Place,
    *,
    landed: str,
    before: str,
    target: str,
    message: str,
    when: int,
    trailers: Mapping[str, str],
) -> Built | Conflicted | None:
    """Make a commit on `target` that takes away what `landed` had brought to `before`.

    What others changed since stays; where they changed the same lines, it conflicts. None: there
    is nothing left to undo. `when` is the commit's time in seconds: with it, equal arguments give
    the same object.
    """
    # merge-tree takes a merge base of its own choice from 2.40 on; this works with every git: both
    # sides are commits upon one that holds what had landed.
    base = commit_tree(place, tree_of(place, landed), [], message="landed", when=when)
    ours = commit_tree(place, tree_of(place, target), [base], message="now", when=when)
    theirs = commit_tree(place, tree_of(place, before), [base], message="before", when=when)
    merged = merge_trees(place, into=ours, change=theirs)
    if isinstance(merged, Conflicted):
        return merged
    if merged.tree == tree_of(place, target):
        return None
    made = commit_tree(place, merged.tree, [target], message=message, when=when, trailers=trailers)
    return Built(made, merged.tree)
