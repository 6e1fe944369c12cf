"""Merges open branches into their target and with each other, as the conflict radar asks for it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from fleet.core.ids import Commit
from fleet.core.radar import Branch, Normal, Touch
from fleet.errors import ToolError
from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.intent import is_ancestor
from fleet.tools.git.merging import Conflicted, Merged, pairs, tree_of
from fleet.tools.git.objects import person, write_commit
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git
from fleet.tools.git.scratch import Scratch, scratch
from fleet.tools.git.stand_ins import stand_in

_DIFF = (
    *("diff-tree", "--stdin", "-r", "-t", "-z", "--raw", "--no-abbrev", "--no-renames"),
    *("--always", "--ignore-submodules=none"),
)
_TREES = re.compile(r"[0-9a-f]{40,64} [0-9a-f]{40,64}\n")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_FOLDER = "040000"
Pair = tuple[str, str]
# Newer than whatever was merged: git looks for what commits have in common by their dates.
_WHEN = "4102444800 +0000"


def touch(place: Place, one: str, other: str) -> Touch | None:
    """Return what a target got from the commit `one` to `other`; None where it was taken back."""
    if not is_ancestor(place, one, other):
        return None
    [found] = _touches(place, [(other, one)])
    return found


def normalise(
    place: Place, kept: Scratch, branches: Sequence[Branch], *, onto: str
) -> list[Normal]:
    """Merge the tip of each branch into the commit `onto`, all in two processes.

    The commits are in `kept` alone. What cannot be merged at all, for want of common history or
    of a commit, is said by that branch and spoils no other.
    """
    merges = _merge_each(place, kept, [_sides(place, it, onto) for it in branches], onto)
    base = tree_of(place, onto)
    trees = [(base, it.tree) for it in merges if not isinstance(it, ToolError)]
    new, own = _both_touches(place, kept, trees, [(it.tip, it.base) for it in branches])
    touches, found = iter(new), []
    for branch, merged, whole in zip(branches, merges, own, strict=True):
        if isinstance(merged, ToolError):
            it = Normal(branch.tip, None, why=merged.message)
        else:
            it = _normal(place, kept, tip=branch.tip, onto=onto, merged=merged, new=next(touches))
            it = replace(it, own=whole and whole.and_(it.touch))
        found.append(replace(it, below=branch.below, beyond=branch.beyond))
    return found


def _sides(place: Place, branch: Branch, onto: str) -> Pair:
    """Return what is merged: what stands in for both sides, where history would tell too much."""
    beyond, tip = branch.beyond, branch.tip
    try:
        if (
            beyond is None
            or is_ancestor(place, beyond, onto)
            or not is_ancestor(place, beyond, tip)
        ):
            return onto, tip
        one, other = (stand_in(place, tree_of(place, it), [beyond]) for it in (onto, tip))
    except ToolError:
        return onto, tip  # something is missing, and whoever merges them says what
    return one, other


def _both_touches(
    place: Place, kept: Scratch, trees: Sequence[Pair], cuts: Sequence[Pair]
) -> tuple[Sequence[Touch], Sequence[Touch | None]]:
    """Return what the trees differ in, and what each branch changed since it was cut.

    None where nothing tells that. What its target changed alike is no difference between the
    trees, until the target goes on.
    """
    try:
        found = _touches(place, [*trees, *cuts], kept)
        return found[: len(trees)], found[len(trees) :]
    except ToolError:  # a branch, or where it was cut, is no more
        return _touches(place, trees, kept), [_own(place, cut) for cut in cuts]


def _own(place: Place, cut: Pair) -> Touch | None:
    try:
        [found] = _touches(place, [cut])
    except ToolError:
        return None
    return found


def conflicts(
    place: Place, kept: Scratch, two: Sequence[Pair], *, onto: str
) -> list[tuple[str, ...] | None]:
    """Try each pair of commits in `kept`, in one process; None where they fit together."""
    if not two:
        return []
    with scratch(place, kept.objects) as into:
        found = pairs(place, two, attributes=onto, within=into)
    return [it.files if isinstance(it, Conflicted) else None for it in found]


def _merge_each(
    place: Place, kept: Scratch, sides: Sequence[Pair], onto: str
) -> Sequence[Merged | Conflicted | ToolError]:
    try:
        return pairs(place, sides, attributes=onto, within=kept)
    except ToolError as error:
        if len(sides) == 1:
            return [error]
        return [it for two in sides for it in _merge_each(place, kept, [two], onto)]


def _normal(
    place: Place,
    kept: Scratch,
    *,
    tip: str,
    onto: str,
    merged: Merged | Conflicted,
    new: Touch,
) -> Normal:
    if isinstance(merged, Conflicted):
        return Normal(Commit(tip), None, new, files=merged.files)
    # With both as parents: what two branches have in common, one built on the other, is no clash.
    commit = Commit(_commit(place, kept.objects, merged.tree, [onto, tip]))
    return Normal(Commit(tip), commit, new)


def _commit(place: Place, objects: Path, tree: str, parents: list[str]) -> str:
    who = person("fleet", "fleet@localhost", _WHEN)
    written = write_commit(
        place.git_dir,
        tree=tree,
        parents=parents,
        author=who,
        committer=who,
        message="tried\n",
        objects=objects,
    )
    return written or _by_git(place, objects, tree, parents)


def _by_git(place: Place, objects: Path, tree: str, parents: list[str]) -> str:
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{what}": "fleet" for role in roles for what in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": f"@{_WHEN}" for role in roles}
    return git(
        place.git_dir,
        *("commit-tree", tree, "-F", "-"),
        *(part for parent in dict.fromkeys(parents) for part in ("-p", parent)),
        stdin=b"tried\n",
        env={**AS_NAMED, **who, **when, **Scratch(objects).env},
        hermetic=True,
    ).text


def _touches(place: Place, two: Sequence[Pair], within: Scratch | None = None) -> list[Touch]:
    """Return what differs in each pair of trees, or of a commit and an earlier one."""
    if not two:
        return []
    asked = "".join(f"{one} {other}\n" for one, other in two).encode()
    env = {**AS_NAMED, **(within.env if within else {})}
    found = git(place.git_dir, *_DIFF, stdin=asked, env=env, hermetic=True).fields
    touches = [Touch.of(*_parted(records)) for records in _sections(found)]
    if len(touches) != len(two):
        raise ToolError(f"git diff-tree answered {len(touches)} of {len(two)} questions")
    return touches


def _sections(fields: Sequence[str]) -> Iterator[list[tuple[str, str]]]:
    """Yield the records of each pair.

    Where it is of trees, a heading ends with a newline, and the next field follows in the same.
    """
    records: list[tuple[str, str]] | None = None
    rest = iter(fields)
    for field in rest:
        about, headings = field, 0
        while heading := _TREES.match(about):
            about, headings = about[heading.end() :], headings + 1
        if _COMMIT.fullmatch(about):
            about, headings = "", headings + 1
        for _ in range(headings):
            if records is not None:
                yield records
            records = []
        if about and records is not None:
            records.append((about, next(rest)))
    if records is not None:
        yield records


def _parted(records: Sequence[tuple[str, str]]) -> tuple[set[str], set[str]]:
    """Return the files that differ, and the directories that are no more."""
    files, gone = set(), set()
    for about, path in records:
        was, now = about.removeprefix(":").split(" ")[:2]
        if _FOLDER not in (was, now):
            files.add(path)
        elif now != _FOLDER:
            gone.add(path)
    return files, gone
