"""What a forge merged: whether the target really has what was approved, and only that."""

from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.changes import touched
from fleet.tools.git.intent import is_ancestor
from fleet.tools.git.merging import Merged, contained, merge_trees
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git


def fault(place: Place, *, base: str, sealed: str, commit: str, tip: str) -> str | None:
    """Return what is wrong with how `commit` brought `base`..`sealed` to a target at `tip`.

    It may be a merge, one commit for all, or the last of as many as there were. None: all that
    was approved is there, and where the target had not moved nothing else came with it.
    """
    if not _is_there(place, commit, tip):
        return f"{commit[:10]} is not on it"
    parents = _parents(place, base=base, sealed=sealed, commit=commit)
    found = [_strays(place, base, sealed, parent, commit) for parent in parents]
    if not all(found):
        return None
    return f"{commit[:10]} differs from what was approved in {', '.join(found[0][:5])}"


def _strays(place: Place, base: str, sealed: str, parent: str, commit: str) -> tuple[str, ...]:
    """Return the paths in which it is not what merging into `parent` gives.

    That the commits are there proves nothing: a merge can have them, and drop what they changed.
    """
    found = contained(place, base=base, sealed=sealed, target=parent, commit=commit)
    reviewed = touched(place, base, sealed)
    merged = merge_trees(place, into=parent, change=sealed)
    if not isinstance(merged, Merged):
        return found or tuple(merged.files) or tuple(sorted(reviewed))
    lost = reviewed & touched(place, merged.tree, commit)
    return found or tuple(sorted(lost))


def _is_there(place: Place, commit: str, tip: str) -> bool:
    known = git(place.git_dir, "cat-file", "-e", f"{commit}^{{commit}}", expect=(0, 1, 128))
    return known.code == 0 and is_ancestor(place, commit, tip)


def _parents(place: Place, *, base: str, sealed: str, commit: str) -> list[str]:
    """Return where the target may have been before: one commit back, or as many as were rebased.

    A merge has two parents, and one commit for all changes all that was approved; else it is the
    last of several, and what came with the others has to be seen as well.
    """
    asked = git(place.git_dir, "rev-list", "--parents", "-1", commit, env=AS_NAMED)
    first, *others = asked.text.split()[1:] or [commit]
    if others:
        return [first]
    count = git(place.git_dir, "rev-list", "--count", "--no-merges", f"{base}..{sealed}").text
    back = ("rev-parse", "--verify", "-q", f"{commit}~{count}")
    known = git(place.git_dir, *back, env=AS_NAMED, expect=(0, 1, 128))
    alone = touched(place, base, sealed) <= touched(place, first, commit)
    found = [*([first] if alone else []), *([known.text] if known.code == 0 else [])]
    return found or [first]
