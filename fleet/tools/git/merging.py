"""Merges without a work tree: the same commits give the same objects, whoever asks and wherever."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from fleet.errors import ToolError
from fleet.tools.git.attributes import AS_NAMED, attributes_of, without_drivers
from fleet.tools.git.changes import changes, touched
from fleet.tools.git.lfs import kept_by_lfs
from fleet.tools.git.remembered import Remembered
from fleet.tools.git.repository import Place
from fleet.tools.git.run import Answer, git
from fleet.tools.git.scratch import Scratch, scratch
from fleet.tools.git.stand_ins import stand_in

_TASK = "%(trailers:key=Fleet-Task,valueonly,separator=%x2C)"
_POINTER = "CONFLICT (lfs): both sides changed {}, which has no lines to be merged\n"
_CLEAN = {"1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides fit together; `tree` is the result."""

    tree: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """The sides do not fit together. `files` may be empty: some conflicts are about no one file.

    `tree` holds both sides with marks of conflict, where it was asked for.
    """

    files: tuple[str, ...]
    messages: str = ""
    tree: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What kinds of conflict these are, in git's words."""
        lines = filter(None, self.messages.splitlines())
        return tuple(line for line in lines if not line.startswith("Auto-merging "))


def merge_trees(
    place: Place, *, into: str, change: str, base: str | None = None
) -> Merged | Conflicted:
    """Merge the commit `change` into the commit `into`; no ref, index or work tree is touched.

    With `base`, what `change` brings is what it has beyond that commit, whatever history says that
    the two have in common: what stands on work that was squashed brings that a second time else.

    The result depends on the commits, on the repository's own `info/attributes` and on git's
    version: no other configuration counts, and a path that names a custom merge driver conflicts
    where both sides changed it. So does one that git LFS keeps: one side has to be chosen, whole.

    Raises:
        ToolError: a commit is missing, or they have no common ancestor.
    """
    sides = (into, change)
    if base is not None:
        sides = (_beyond(place, into, base), _beyond(place, change, base))
    answer = _merge_tree(place, "--messages", *sides, attributes=into, expect=(0, 1))
    fields = iter(answer.fields)
    tree, files = _result(fields)
    said = list(_records(fields))
    if answer.code:
        told = "".join(it.text for it in said)
        for stands_in, named in zip(sides, (into, change), strict=True):
            told = told.replace(stands_in, named)
        return Conflicted(files, told)
    mixed = [path for it in said if it.kind == "Auto-merging" for path in it.paths]
    pointers = kept_by_lfs(place, mixed, attributes=into)
    return (
        Conflicted(pointers, "".join(map(_POINTER.format, pointers))) if pointers else Merged(tree)
    )


def pairs(
    place: Place,
    tips: Sequence[tuple[str, str]],
    *,
    attributes: str,
    within: Scratch | None = None,
) -> list[Merged | Conflicted]:
    """Merge each pair of commits, all in one process, and return what came of each.

    The attributes are those of the commit `attributes`. No object is left in the repository:
    trees are good for something only `within` a scratch directory, which may hold the commits, too.

    Raises:
        ToolError: as `merge_trees`; one bad pair spoils all.
    """
    if not tips:
        return []
    asked = "".join(f"{one} {other}\n" for one, other in tips).encode()
    with nullcontext(within) if within else scratch(place) as into:
        answer = _merge_tree(
            place,
            *("--no-messages", "--stdin"),
            attributes=attributes,
            stdin=asked,
            env=into.env,
        )
    fields, found = iter(answer.fields), list[Merged | Conflicted]()
    for status in fields:
        tree, files = _result(fields)
        # Here 1 is clean and 0 a conflict, against the exit codes of the same command.
        found.append(Merged(tree) if _CLEAN[status] else Conflicted(files, tree=tree))
    if len(found) != len(tips):
        raise ToolError(f"git merge-tree answered {len(found)} of {len(tips)} questions")
    return found


def contained(
    place: Place, *, base: str, sealed: str, target: str, commit: str, onto_base: bool = False
) -> tuple[str, ...]:
    """Return the paths in which landing `commit` on `target` would not be what was reviewed.

    Reviewed was `base`..`sealed`, with `base` their merge base, or with `onto_base` the commit
    that they are merged by. The landing may touch only what was reviewed, and where the target did
    not move it must bring exactly the reviewed content. Renames can break that honestly: then
    merging again must give the tree of `commit`.
    """
    reviewed = changes(place.git_dir, base, sealed)
    landing = {path: it.now for path, it in changes(place.git_dir, target, commit).items()}
    moved = touched(place, base, target)
    foreign = {path for path in landing if path not in reviewed}
    changed = {
        path
        for path, change in reviewed.items()
        if path not in moved and landing.get(path) != change.now
    }
    by = base if onto_base else None
    if not foreign | changed or _merges_to(place, target, sealed, commit, base=by):
        return ()
    return tuple(sorted(foreign | changed))


@dataclass(frozen=True, slots=True)
class Reached:
    """A commit by which something reached a target; `task` is the one that fleet landed by it."""

    commit: str
    subject: str
    task: str = ""

    @property
    def line(self) -> str:
        """The commit in one line."""
        return f"{self.commit} {self.subject}"


def conflicting_commits(
    place: Place, *, base: str, target: str, files: Sequence[str], limit: int = 20
) -> tuple[Reached, ...]:
    """Return by what `files` of `target` became others than at `base`, newest first.

    What was merged counts as the one commit that merged it.
    """
    answer = git(
        place.git_dir,
        *("--literal-pathspecs", "log", "-z", "--no-show-signature", f"--max-count={limit}"),
        *("--first-parent", f"--format=%h%n{_TASK}%n%s", f"{base}..{target}", "--", *files),
        env=AS_NAMED,
        hermetic=True,
    )
    parts = (field.split("\n", 2) for field in answer.fields)
    return tuple(Reached(commit, subject, task) for commit, task, subject in parts)


def _merge_tree(
    place: Place,
    *args: str,
    attributes: str,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    expect: tuple[int, ...] = (0,),
) -> Answer:
    command = ("merge-tree", "--write-tree", "-z", "--name-only", *args)
    surroundings = {**AS_NAMED, **without_drivers(place), **(env or {})}
    with attributes_of(place, attributes) as (cwd, options):
        return git(
            cwd, *options, *command, stdin=stdin, env=surroundings, expect=expect, hermetic=True
        )


def _result(fields: Iterator[str]) -> tuple[str, tuple[str, ...]]:
    """Read one merge: its tree and the files in conflict, which an empty field ends."""
    tree = next(fields, "")
    if not re.fullmatch(r"[0-9a-f]{40,64}", tree):
        # It exits with 1, as for a conflict, when it does not know a commit, and prints no tree.
        raise ToolError("git merge-tree named no tree", hint="are all the commits still there?")
    return tree, tuple(takewhile(bool, fields))


class _Record(NamedTuple):
    """One thing that git says to a person of a merge."""

    paths: tuple[str, ...]
    kind: str
    text: str


def _records(fields: Iterator[str]) -> Iterator[_Record]:
    """Read what git says: records of a count, so many paths, a kind and a text."""
    for count in fields:
        if not count.isdecimal():  # advice on submodules, which is no record
            yield _Record((), "", count)
            continue
        *paths, kind, text = [next(fields, "") for _ in range(int(count) + 2)]
        yield _Record(tuple(paths), kind, text)


def _beyond(place: Place, commit: str, base: str) -> str:
    """Return what stands in for `commit` where it is to have `base` in common with another."""
    return commit if commit == base else stand_in(place, tree_of(place, commit), [base])


def _merges_to(place: Place, target: str, sealed: str, commit: str, *, base: str | None) -> bool:
    merged = merge_trees(place, into=target, change=sealed, base=base)
    return isinstance(merged, Merged) and merged.tree == tree_of(place, commit)


def tree_of(place: Place, commit: str) -> str:
    known = _trees.get(commit)
    if known is not None:
        return known
    asked = f"{commit}^{{tree}}"
    return keep_tree(commit, git(place.git_dir, "rev-parse", "--verify", asked, env=AS_NAMED).text)


def keep_tree(commit: str, tree: str) -> str:
    """Remember the tree of a commit, which never changes, and return it."""
    return _trees.put(commit, tree)


_trees: Remembered[str, str] = Remembered(256)
