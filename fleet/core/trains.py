"""How a line goes on: which changes are merged behind which, and which trees are checked next.

All in front of a change are taken to be good until checks say otherwise. Several changes are
checked as one group; a group that is red is halved, until it is a single change. Only a change at
the head, with nothing before it but what has landed, is ever judged.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from fleet.core.causes import CheckResult
from fleet.core.change import Change
from fleet.core.effects import Gate, Merge
from fleet.core.gating import gates_of
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.line import Car, Line, Ran, Train, check_key
from fleet.core.model import Fleet, Task
from fleet.core.policy import Check, RepoPolicy
from fleet.core.status import Landed

_PRIOR, _PRIOR_WEIGHT = 0.05, 10  # failures at the head, as long as few have been seen
_RARE, _USUAL, _OFTEN = 0.02, 0.08, 0.15  # shares of heads that fail
_LARGEST = 16  # changes in a group where hardly any fails


class Place(Struct, frozen=True):
    """The line of one target: all that planning it has to look at."""

    fleet: Fleet
    repo: RepoId
    target: str
    tip: Commit
    line: Line
    policy: RepoPolicy
    workers: int
    under_way: frozenset[str]

    def train(self, cars: tuple[Car, ...], onto: Commit | None = None) -> Train | None:
        return self.line.train(onto or self.tip, self.policy.merge, cars)

    def merge(self, cars: tuple[Car, ...], onto: Commit | None = None) -> Merge:
        last = cars[-1]
        where = (self.repo, self.target, last.task, last.revision)
        return Merge(*where, onto or self.tip, self.policy.merge, cars)

    def along(self, train: Train, length: int) -> "Trial":
        """Return what is known of the tree that the first `length` cars of a train lead to."""
        cars, at = train.cars[:length], length - 1
        return self.trial(train.trees[at], train.commits[at], cars, head=cars[at])

    def trial(self, tree: str, commit: Commit, cars: tuple[Car, ...], head: Car) -> "Trial":
        """Return what is known of `tree`; `head` is whose environment counts without any car."""
        checks = gates_of([self.fleet.tasks[car.task].spec for car in cars], self.policy)
        environment = self.fleet.tasks[(cars or (head,))[-1].task].environment
        ran = tuple(self.line.said(tree, [check_key(check, environment) for check in checks]))
        red = [it.failures for it in ran if it is not None and not it.result.green]
        failures = max(red, default=0)
        gate = Gate(self.repo, self.target, head.task, head.revision, commit, tree, cars, failures)
        return Trial(checks, ran, gate)


class Trial(Struct, frozen=True):
    """The checks that one tree needs, what each said so far, and how to hear more."""

    checks: tuple[Check, ...]
    ran: tuple[Ran | None, ...]
    gate: Gate

    @property
    def green(self) -> bool:
        return all(it is not None and it.result.green for it in self.ran)

    @property
    def red(self) -> bool:
        return any(it is not None and not it.result.green for it in self.ran)

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """What those that ran said, in the order of the checks."""
        return tuple(it.result for it in self.ran if it is not None)

    def of(self, checks: Iterable[Check]) -> tuple[CheckResult, ...]:
        """Return what these checks said, where the tree needed others as well."""
        wanted = {check.run for check in checks}
        pairs = zip(self.checks, self.ran, strict=True)
        return tuple(ran.result for check, ran in pairs if ran and check.run in wanted)


class Entry(Struct, frozen=True):
    """A change in the line, and how it is merged.

    It `lands` as soon as its gates are green, or `waits` for that only until it is assessed.
    """

    task: Task
    change: Change
    car: Car
    lands: bool
    waits: bool = False


class Chain(Struct, frozen=True):
    """Cars that merge one after the other, and what that leads to; `rest` is not merged yet."""

    cars: tuple[Car, ...]
    train: Train | None
    rest: tuple[Car, ...] = ()

    def trial(self, place: Place, length: int) -> Trial:
        """Return what is known of the tree that the first `length` cars lead to."""
        if self.train is None:
            raise ValueError("a chain without cars leads to no tree")
        return place.along(self.train, length)


def couple(place: Place, cars: Sequence[Car]) -> Chain:
    """Return as long a chain of `cars` as is known to merge.

    Those that clash are left out, and with them what builds on them.
    """
    chain: tuple[Car, ...] = ()
    out: set[TaskId] = set()
    for number, car in enumerate(cars):
        longer = (*chain, car)
        clash = place.line.clash(place.tip, place.policy.merge, longer)
        if clash is not None or not out.isdisjoint(place.fleet.tasks[car.task].spec.after):
            out.add(car.task)
            continue
        if place.train(longer) is None:
            return Chain(chain, place.train(chain) if chain else None, tuple(cars[number:]))
        chain = longer
    return Chain(chain, place.train(chain) if chain else None)


class Walk(Struct, frozen=True):
    """What a walk along a chain came to: trees to check, and the first change that is red.

    `green` is how many cars land as one, once their own conditions are met.
    """

    green: int
    wants: tuple[Gate, ...]
    red: int | None = None


def walk(
    place: Place,
    chain: Chain,
    alone: Sequence[bool],
    backlog: int,
    stops: Collection[int],
    *,
    held: int | None = None,
) -> Walk:
    """Walk along `chain` from the newest green tree on.

    `alone` says who is in no group. Nothing lands past the first `held` cars. After as many cars as
    `stops` say somebody was left out: a group ends there, and nothing lands past him, or he would
    have to be judged anew.
    """
    trials = [chain.trial(place, length) for length in range(1, len(chain.cars) + 1)]
    most, ahead = size(place, backlog), groups(place)
    most_lands = min((*stops, len(trials) if held is None else held))
    green = _green(place, trials, alone, most_lands)
    wants: list[Gate] = []
    at = green
    while at < len(trials) and len(wants) < ahead:
        longest = min(at + most, len(trials), *(n for n in stops if n > at))
        end = _end(place, trials, alone, at, longest)
        if trials[end - 1].red:
            return Walk(green, tuple(wants), red=at)
        if not trials[end - 1].green:
            wants.append(trials[end - 1].gate)
        at = end
    return Walk(green, tuple(wants))


def _green(place: Place, trials: Sequence[Trial], alone: Sequence[bool], most: int) -> int:
    """Return how many cars are proven by the last green tree; who is alone proves itself.

    What is checked already in front of them is waited for: to land past it would waste its run.
    """

    def proven(number: int) -> bool:
        before = number == 0 or trials[number - 1].green
        return not alone[number] or (trials[number].green and before)

    runs = (n for n, trial in enumerate(trials) if trial.gate.lane in place.under_way)
    most = next((n for n in runs if n < most and not trials[n].green), most)
    lengths = (n for n in range(most, 0, -1) if trials[n - 1].green)
    return next((n for n in lengths if all(map(proven, range(n)))), 0)


def _end(place: Place, trials: Sequence[Trial], alone: Sequence[bool], at: int, end: int) -> int:
    """Return where the group that begins after `at` cars ends, at `end` or before.

    A group that is red is halved. What is being checked already is not begun anew for a change
    that came behind it.
    """
    end = next((n + (n == at) for n in range(at, end) if alone[n]), end)
    while end > at + 1:
        proven = [n for n in range(at + 1, end + 1) if trials[n - 1].green]
        if proven:
            return proven[-1]
        red = next((n for n in range(at + 1, end + 1) if trials[n - 1].red), None)
        if red is None:
            lanes = ((n, trials[n - 1].gate.lane) for n in range(at + 1, end + 1))
            return next((n for n, lane in lanes if lane in place.under_way), end)
        if red == at + 1:
            return red
        end = at + (red - at) // 2
    return end


def size(place: Place, backlog: int) -> int:
    """Return how many changes are checked as one, by how often a head fails."""
    share, workers = failing(place.line), place.workers
    if share <= _RARE:
        wanted = min(_LARGEST, -(-backlog // workers))
    elif share <= _USUAL:
        wanted = 8 if workers == 1 else 2
    else:
        wanted = 2 if share <= _OFTEN else 1
    return max(1, min(wanted, place.policy.batch))


def failing(line: Line) -> float:
    """Return the share of heads that fail, as far as is known."""
    failures = sum(line.heads) + _PRIOR * _PRIOR_WEIGHT
    return failures / (len(line.heads) + _PRIOR_WEIGHT)


def groups(place: Place) -> int:
    """Return how many groups are speculated on: fewer where heads fail so often that it is wasted.

    Where they do, a failure halves it and a success adds one, as TCP does with its window.
    """
    window = place.workers
    if failing(place.line) > _OFTEN:
        for failed in place.line.heads:
            window = max(1, window // 2) if failed else min(place.workers, window + 1)
    return window


def room(place: Place, backlog: int) -> int:
    """Return how many changes are merged ahead."""
    wanted = size(place, backlog) * groups(place)
    return wanted if place.policy.window is None else max(1, min(wanted, place.policy.window))


def candidates(
    place: Place, entries: Sequence[Entry], left_out: Collection[str], number: int
) -> list[Car]:
    """Return the next `number` cars in order, each behind all that it builds on."""
    return list(islice(_ready(place, entries, left_out), number))


def _ready(place: Place, entries: Sequence[Entry], left_out: Collection[str]) -> Iterator[Car]:
    coupled: set[str] = set()
    for entry in entries:
        task = entry.task
        if task.id not in left_out and coupled.issuperset(builds_on(place.fleet, task)):
            coupled.add(task.id)
            yield entry.car


def builds_on(fleet: Fleet, task: Task) -> list[TaskId]:
    """Return the tasks that have to land before this one, and have not."""
    found = ((name, fleet.tasks.get(name)) for name in task.spec.after)
    return [name for name, it in found if it is None or not isinstance(it.status, Landed)]
