"""What is known of the line of one target: what was merged behind it, and what checks said of it.

A target's line is a merge train: changes merged one after the other, each onto the one before.
Trees are what checks are run on, so what they said is kept by tree, by the check's definition and
by the environment it ran in: a train that comes to the same tree needs no run.
"""

import hashlib
from collections.abc import Collection, Container, Iterable
from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fleet.core.causes import CheckResult, Conflict
from fleet.core.change import Member
from fleet.core.ids import Commit, TaskId
from fleet.core.policy import Check

_KEPT_TREES, _KEPT_TRAINS, _KEPT_HEADS, _KEPT_TIPS = 400, 60, 50, 32


class Car(Struct, frozen=True):
    """A change as it is merged: the commit that was sealed, and whose word it has, if it has one.

    `by` is in the message of the merge, so that another word makes another commit of one tree.
    """

    task: TaskId
    revision: int
    sealed: Commit
    by: str = ""

    @property
    def member(self) -> Member:
        return Member(self.task, self.revision)


class Train(Struct, frozen=True):
    """Changes merged onto `onto`, in order; `commits` and `trees` are what each one led to."""

    onto: Commit
    method: str
    cars: tuple[Car, ...]
    commits: tuple[Commit, ...]
    trees: tuple[str, ...]
    onto_tree: str


class Clash(Struct, frozen=True):
    """The last of `cars` does not merge onto those before it."""

    onto: Commit
    method: str
    cars: tuple[Car, ...]
    cause: Conflict


class Ran(Struct, frozen=True):
    """What one check said last of one tree, when, and how often it was red there."""

    result: CheckResult
    failures: int = 0
    at: datetime | None = None


_NEVER = Ran(CheckResult("", "", 0.0, ""))


class Tip(Struct, frozen=True):
    """A commit at which the target stood, and the task that brought it there, if one did."""

    commit: Commit
    task: TaskId | None = None


class Line(Struct, frozen=True):
    """All that is known of one target's line.

    `heads` tells of the last changes that were judged at its head whether they failed; `checked`
    has what checks said, by tree and then by `check_key`.
    """

    trains: tuple[Train, ...] = ()
    clashes: tuple[Clash, ...] = ()
    checked: dict[str, dict[str, Ran]] = {}
    heads: tuple[bool, ...] = ()
    tips: tuple[Tip, ...] = ()

    # What is known --------------------------------------------------------------------------

    def train(self, onto: Commit, method: str, cars: tuple[Car, ...]) -> Train | None:
        """Return the train of exactly `cars`, or a longer one that begins with them."""
        for train in reversed(self.trains):
            same = (train.onto, train.method) == (onto, method)
            if same and train.cars[: len(cars)] == cars:
                return train
        return None

    def clash(self, onto: Commit, method: str, cars: tuple[Car, ...]) -> Conflict | None:
        """Return why the last of `cars` does not merge onto the others, if that is known."""
        found = (it for it in self.clashes if (it.onto, it.method, it.cars) == (onto, method, cars))
        return next((clash.cause for clash in found), None)

    def said(self, tree: str, keys: Iterable[str]) -> list[Ran | None]:
        """Return what each check said of `tree`; None where it has not run."""
        known = self.checked.get(tree, {})
        return [known.get(key) for key in keys]

    def lasts(self, keys: Collection[str]) -> float | None:
        """Return how many seconds checks took when green last; None where one never was."""
        found: dict[str, float] = {}
        for said in reversed(self.checked.values()):
            for key in keys:
                if key in said and said[key].result.green:
                    found.setdefault(key, said[key].result.seconds)
        return sum(found.values()) if len(found) == len(set(keys)) else None

    def tree_at(self, tip: Commit) -> str:
        """Return the tree of a target that stands at `tip`, empty where nobody knows it."""
        return next((train.onto_tree for train in self.trains if train.onto == tip), "")

    def red(self) -> tuple[str, ...]:
        """Return the trees on which a check is red."""
        said = ((tree, known.values()) for tree, known in self.checked.items())
        return tuple(tree for tree, ran in said if not all(it.result.green for it in ran))

    def ages(self) -> dict[str, datetime]:
        """Return when each tree was checked, by the oldest of what is known of it."""
        said = ((tree, [ran.at for ran in known.values()]) for tree, known in self.checked.items())
        return {tree: min(filter(None, at)) for tree, at in said if any(at)}

    @property
    def streak(self) -> int:
        """How many changes in a row failed at the head."""
        return next(
            (n for n, failed in enumerate(reversed(self.heads)) if not failed), len(self.heads)
        )

    # What becomes known ---------------------------------------------------------------------

    def with_train(self, train: Train) -> "Line":
        others = tuple(
            it
            for it in self.trains
            if (it.onto, it.method) != (train.onto, train.method)
            or it.cars != train.cars[: len(it.cars)]
        )
        return replace(self, trains=(*others, train)[-_KEPT_TRAINS:])

    def with_clash(self, clash: Clash) -> "Line":
        return replace(self, clashes=(*self.clashes, clash)[-_KEPT_TRAINS:])

    def with_results(self, tree: str, results: dict[str, CheckResult], at: datetime) -> "Line":
        """Return the line that knows what checks said of `tree`, beside what they said before.

        What is told once more, as it was green already, is as old as before.
        """
        known = dict(self.checked.get(tree, {}))
        for key, result in results.items():
            before = known.get(key, _NEVER)
            again = before.result == result and result.green
            failures = before.failures + (not result.green)
            known[key] = Ran(result, failures, before.at if again else at)
        others = {name: ran for name, ran in self.checked.items() if name != tree}
        newest = list((others | {tree: known}).items())[-_KEPT_TREES:]
        return replace(self, checked=dict(newest))

    def without(self, trees: Container[str]) -> "Line":
        """Return the line that knows nothing of what checks said of `trees`."""
        left = {tree: said for tree, said in self.checked.items() if tree not in trees}
        return replace(self, checked=left)

    def with_head(self, *, failed: bool) -> "Line":
        return replace(self, heads=(*self.heads, failed)[-_KEPT_HEADS:])

    def with_tip(self, tip: Tip) -> "Line":
        """Return the line of a target that stands at `tip`; trains that led there go on."""
        if self.tips and self.tips[-1].commit == tip.commit:
            return self
        tips = (*self.tips, tip)[-_KEPT_TIPS:]
        known = {tip.commit for tip in tips}
        gone_on = (_from(train, tip.commit) for train in self.trains)
        trains = tuple(train for train in gone_on if train is not None and train.onto in known)
        old = tuple(clash for clash in self.clashes if clash.onto in known)
        return replace(self, trains=trains, clashes=old, tips=tips)


def _from(train: Train, tip: Commit) -> Train | None:
    """Return what is left of a train once the target has its first cars; None if it has not.

    One that stands on a commit which the target had before is kept as well: who is to blame for
    what fails together is found out there.
    """
    if tip not in train.commits:
        return train
    gone = train.commits.index(tip) + 1
    if gone == len(train.cars):
        return None
    return Train(
        onto=tip,
        method=train.method,
        cars=train.cars[gone:],
        commits=train.commits[gone:],
        trees=train.trees[gone:],
        onto_tree=train.trees[gone - 1],
    )


@lru_cache(maxsize=4096)
def check_key(check: Check, environment: str) -> str:
    """Return by what the results of a check are known beside the tree: definition, environment."""
    definition = msgspec.json.encode((check, environment))
    return hashlib.sha256(definition).hexdigest()[:32]
