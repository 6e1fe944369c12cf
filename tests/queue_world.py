"""A world for the merge queue without git: commits are the set of edits that they hold.

What conflicts and what fails together is said by the test; a check is red where a set of edits that
breaks is in the tree. The target moves by compare and swap, and everybody who moved it is noted.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import histories as h

from fleet.core.ids import Commit

Edits = frozenset[Commit]  # each by the sealed commit that brought it


class Move(NamedTuple):
    """The target went from `old` to `new`."""

    old: Commit
    new: Commit
    ours: bool


@dataclass
class World:
    """A repository, its target, and the people who work on it without us."""

    tip: Commit = h.BASE
    edits: dict[Commit, Edits] = field(default_factory=lambda: {h.BASE: frozenset()})
    parents: dict[Commit, Commit] = field(default_factory=dict)
    branches: dict[str, Commit] = field(default_factory=dict)
    clashes: set[Edits] = field(default_factory=set)  # two that do not merge
    breaks: set[Edits] = field(default_factory=set)  # what no check passes with
    moves: list[Move] = field(default_factory=list)
    passed: set[Commit] = field(default_factory=set)  # on which checks were green
    dirty: bool = False  # the target is checked out, and a file of it is edited
    overwritten: bool = False
    taken_back: bool = False
    made: int = 0

    def commit(self, branch: str) -> Commit:
        """Commit something new on a branch; each commit is one edit, in place of the one before."""
        self.made += 1
        new = h.commit(f"{branch} {self.made}")
        self.edits[new] = frozenset({new})
        self.branches[branch] = new
        return new

    def build(self, onto: Commit, sealed: Commit) -> Commit | None:
        """Merge one change onto a commit; None where they conflict."""
        before = self.edits[onto]
        if any(clash <= before | {sealed} and sealed in clash for clash in self.clashes):
            return None
        merged = h.commit(f"{sealed} onto {onto}")
        self.edits[merged] = before | {sealed}
        self.parents[merged] = onto
        return merged

    def red(self, edits: Edits) -> bool:
        return any(broken <= edits for broken in self.breaks)

    def check(self, commit: Commit) -> bool:
        """Run the checks; whether they were green."""
        green = not self.red(self.edits[commit])
        if green:
            self.passed.add(commit)
        return green

    # The target ----------------------------------------------------------------------------------

    def history(self, tip: Commit | None = None) -> list[Commit]:
        """The commits that a commit has behind it, itself the first."""
        found = [tip or self.tip]
        while found[-1] in self.parents:
            found.append(self.parents[found[-1]])
        return found

    def swap(self, old: Commit, new: Commit) -> bool:
        """Move the target for us, unless it is elsewhere or a person would lose work."""
        if self.tip != old or self.dirty:
            return False
        self._move(new, ours=True)
        return True

    def _move(self, new: Commit, *, ours: bool) -> None:
        self.overwritten |= ours and self.dirty
        self.moves.append(Move(self.tip, new, ours))
        self.tip = new

    def person_commits(self) -> None:
        self.made += 1
        edit = h.commit(f"by hand {self.made}")
        new = h.commit(f"{edit} on {self.tip}")
        self.edits[new] = self.edits[self.tip] | {edit}
        self.parents[new] = self.tip
        self._move(new, ours=False)

    def person_takes_back(self) -> None:
        """The newest commit is taken off the target by force."""
        if self.tip in self.parents:
            self.taken_back = True
            self._move(self.parents[self.tip], ours=False)

    def values(self) -> set[Commit]:
        """Every value that the target has had."""
        return {h.BASE, *(move.new for move in self.moves)}
