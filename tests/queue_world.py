"""A world for the merge queue without git: commits are the set of edits that they hold.

What conflicts and what fails together is said by the test; a check is red where a set of edits that
breaks is in the tree. The target moves by compare and swap, and everybody who moved it is noted.
"""

import histories as h

from fleet.core.ids import Commit
from fleet.core.line import Car

Edits = frozenset[Commit]  # each by the sealed commit that brought it


class World:
    """A repository, its target, and the people who work on it without us."""

    def __init__(self) -> None:
        self.begin = h.BASE
        self.branches: dict[str, Commit] = {}
        self.stands: dict[str, Commit] = {}  # branches that were cut from another change, and where
        self.clashes: set[Edits] = set()  # two that do not merge
        self.breaks: set[Edits] = set()  # what no check passes with
        self.empties: set[Commit] = set()  # edits with which checks find nothing to run
        self.values = {self.begin}  # that the target has had
        self.passed: set[tuple[str, str]] = set()  # a tree, and a command that passed on it
        self.tested: set[Commit] = set()  # edits of code and tests
        self.doubtful: set[Commit] = set()  # what cannot be measured, and whose proofs are refuted
        self.dirty = False  # the target is checked out, and a file of it is edited
        self.overwritten = False
        self.taken_back = False
        self.made = 0
        self._tip = self.begin
        self._edits: dict[Commit, Edits] = {self.begin: frozenset()}
        self._parents: dict[Commit, Commit] = {}

    @property
    def tip(self) -> Commit:
        return self._tip

    def edits(self, commit: Commit) -> Edits:
        return self._edits[commit]

    def behind(self, commit: Commit) -> list[Commit]:
        """Return what a commit builds on, itself the first."""
        found = [commit]
        while found[-1] in self._parents:
            found.append(self._parents[found[-1]])
        return found

    def newest(self, commit: Commit) -> Commit:
        """Return the edit that a commit adds to what it builds on."""
        added = self.edits(commit) - self.edits(self._parents.get(commit, commit))
        return min(added, default=commit)

    def red(self, edits: Edits) -> bool:
        return self.empty(edits) or any(broken <= edits for broken in self.breaks)

    def empty(self, edits: Edits) -> bool:
        return not self.empties.isdisjoint(edits)

    def told(self) -> list[tuple[str, str]]:
        """Return what the commits on the target say has landed: tasks, and their sealed commits."""
        return []

    def marked(self, task: str, revision: int, commit: Commit) -> bool:
        """Whether a reference says so as well."""
        return True

    # What is built on the target ------------------------------------------------------------------

    def commit(self, branch: str) -> Commit:
        """Commit on a branch: one edit, in place of the one before."""
        self.made += 1
        new = h.commit(f"{branch} {self.made}")
        self._edits[new] = frozenset({new})
        self.branches[branch] = new
        return new

    def stand(self, branch: str, on: Commit) -> None:
        """Commit on a branch that is cut from another change, or put onto another one of it."""
        self.stands[branch] = on
        self.commit(branch)

    def clash(self, one: str, two: str) -> None:
        """Commit on two branches what does not go together."""
        self.clashes.add(frozenset({self.commit(one), self.commit(two)}))

    def merges(self, onto: Commit, sealed: Commit) -> bool:
        both = self.edits(onto) | {sealed}
        return not any(sealed in clash and clash <= both for clash in self.clashes)

    def build(self, onto: Commit, car: Car) -> Commit | None:
        """Merge one change onto a commit; None where they conflict."""
        if not self.merges(onto, car.sealed):
            return None
        return self._commit(h.commit(f"{car.sealed} by {car.by} onto {onto}"), onto, car.sealed)

    def tree(self, commit: Commit) -> str:
        """Return the name of what a commit holds: others may hold the same."""
        return h.commit(f"tree of {sorted(self.edits(commit))}")

    def _commit(self, name: Commit, onto: Commit, edit: Commit) -> Commit:
        self._edits[name] = self._edits[onto] | {edit}
        self._parents[name] = onto
        return name

    # The target -----------------------------------------------------------------------------------

    def swap(self, old: Commit, new: Commit) -> None:
        """Move the target for us: the only way in which we do."""
        if self.tip == old and not self.dirty:
            self.move(new)

    def move(self, new: Commit) -> None:
        self.overwritten |= self.dirty
        self._tip = new
        self.values.add(new)

    def person_commits(self) -> None:
        self.made += 1
        edit = h.commit(f"by hand {self.made}")
        self._tip = self._commit(h.commit(f"{edit} on {self.tip}"), self.tip, edit)
        self.values.add(self._tip)

    def person_takes_back(self) -> None:
        """The newest commit is taken off the target by force."""
        if self.tip in self._parents:
            self.taken_back = True
            self._tip = self._parents[self.tip]
            self.values.add(self._tip)

    def person_edits(self, *, dirty: bool) -> None:
        """Somebody edits a file of a checkout of the target, or has done with it."""
        self.dirty = dirty
