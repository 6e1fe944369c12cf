"""What one line needs next: what is merged, checked, approved by policy, landed or sent back."""

from collections.abc import Iterator, Sequence

from fleet.core import events as e
from fleet.core.approving import UNASSESSED, approved, approved_by, lacks, requirement
from fleet.core.blame import diagnose, examine
from fleet.core.change import BY_POLICY, Change, Evidence, Gating, Proposed, Ready, Suspect
from fleet.core.effects import Remerge, gate_lane
from fleet.core.gating import gates, rules
from fleet.core.ids import Commit, TaskId
from fleet.core.line import Car
from fleet.core.model import Task
from fleet.core.pulling import began
from fleet.core.risk import risk_of
from fleet.core.stacks import lower
from fleet.core.status import Submitted
from fleet.core.steps import BEHIND, FIRST, FRONT, Draft, Steps
from fleet.core.trains import (
    Chain,
    Entry,
    Place,
    Trial,
    Walk,
    builds_on,
    candidates,
    couple,
    room,
    walk,
)

Known = dict[TaskId, Entry]


def car_of(task: Task, change: Change, *, lands: bool) -> Car:
    """Return the change as it is merged; its word is whoever lets it land."""
    word = approved_by(change) or (BY_POLICY if lands else "")
    return Car(task.id, change.revision, change.sealed, word)


def go_on(place: Place, line: Sequence[tuple[Task, Change]]) -> Steps:
    """Return what a line needs whose target stands still, and may be moved."""
    entries = [_entry(place, task, change) for task, change in line]
    draft = Draft()
    for entry in entries:
        if isinstance(entry.change.state, Suspect):
            found = diagnose(place, entry.change, entry.car, entry.change.state.cause)
            draft.take(found, FIRST)
    draft.keep = _running(place)
    for group in _groups(place, [entry for entry in entries if _in_front(place, entry)]):
        if not draft.facts:
            _front(place, group, draft)
    for entry in entries:
        if isinstance(entry.change.state, Proposed) and entry.change.blocked is None:
            _see_that_it_merges(place, entry, entry.change.state.merged_onto, draft)
    for rank, entry in enumerate(entries, start=BEHIND):
        if not draft.facts and not (entry.lands or entry.waits):
            _behind(place, entry, rank, draft)
    return draft.steps()


def _running(place: Place) -> frozenset[str]:
    """Return the lanes of the checks of this line that run."""
    mine = gate_lane(place.repo, place.target, "")
    return frozenset(lane for lane in place.under_way if lane.startswith(mine))


def _entry(place: Place, task: Task, change: Change) -> Entry:
    lack = lacks(task, change, place.policy)
    lands, waits = lack is None, lack == UNASSESSED
    return Entry(task, change, car_of(task, change, lands=lands or waits), lands, waits)


def _groups(place: Place, entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """Return who is tried behind whom: nobody where a forge merges each by itself."""
    return [entries] if place.policy.pr == "off" else [[entry] for entry in entries]


def _in_front(place: Place, entry: Entry) -> bool:
    """Whether it lands as soon as its gates are green, and nothing keeps it from being tried.

    What is only to be assessed before is taken for harmless meanwhile: that takes no time.
    """
    change = entry.change
    stuck = change.blocked is not None and change.tried_onto == place.tip
    return (entry.lands or entry.waits) and not stuck and isinstance(change.state, Gating | Ready)


def _front(place: Place, entries: Sequence[Entry], draft: Draft) -> None:
    """Check what may land, in groups, each on all in front of it; and land what is green."""
    known = {entry.task.id: entry for entry in entries}
    left_out: set[str] = set()
    stops: set[int] = set()  # before who is left out, for he is only judged behind what has landed
    while True:
        cars = candidates(place, entries, left_out, room(place, len(entries)))
        if cars and (fact := _conflict(place, cars[0])) is not None:
            draft.facts.append(fact)
            return
        chain = couple(place, cars)
        alone, held = _alone(place, chain, known), _held(chain, known)
        found = walk(place, chain, alone, len(entries), stops, held=held)
        if found.green:
            draft.facts.extend(_land(place, chain, found.green, known))
            return
        if found.red == 0:
            head = known[chain.cars[0].task]
            finding = examine(place, head.change, head.car, chain.trial(place, 1))
            draft.take(finding, FIRST)
            if draft.facts or finding.target_red:
                return
        if found.red is None:
            break
        left_out.add(chain.cars[found.red].task)
        stops.add(found.red)
    _go_on_with(place, chain, found, draft)


def _alone(place: Place, chain: Chain, known: Known) -> list[bool]:
    entries = [known[car.task] for car in chain.cars]
    return [requirement(it.task, it.change, place.policy).alone for it in entries]


def _held(chain: Chain, known: Known) -> int:
    """Return how many cars come before the first that may not land yet."""
    waits = (n for n, car in enumerate(chain.cars) if known[car.task].waits)
    return next(waits, len(chain.cars))


def _go_on_with(place: Place, chain: Chain, found: Walk, draft: Draft) -> None:
    """Merge what is not merged yet, then check: nothing begins before what comes first is known."""
    if chain.rest:
        draft.merge = draft.merge or place.merge((*chain.cars, *chain.rest))
    for rank, gate in enumerate(found.wants, start=FRONT):
        if draft.merge is None or gate.lane in place.under_way:
            draft.want(rank, gate)


def _conflict(place: Place, car: Car) -> e.ConflictFound | None:
    """A change that does not merge with what has landed: that is its own."""
    cause = place.line.clash(place.tip, place.policy.merge, (car,))
    if cause is None:
        return None
    return e.ConflictFound(task=car.task, revision=car.revision, cause=cause)


def _land(place: Place, chain: Chain, green: int, known: Known) -> Iterator[e.AnyEvent]:
    """Yield the next facts on the way of the first `green` cars: proven, approved, landing."""
    trial = chain.trial(place, green)
    entries = [known[car.task] for car in chain.cars[:green]]
    before = [place.tip, *(chain.train.commits if chain.train else ())]
    cases = [
        (entry.task, entry.change, _evidence(place, entry, onto, commit, trial))
        for entry, onto, commit in zip(entries, before, before[1:], strict=False)
    ]
    if new := [case for case in cases if not _is_proven(case[1], case[2])]:
        for task, change, proof in new:
            yield e.GatePassed(task=task.id, revision=change.revision, evidence=proof)
        return
    if silent := [case for case in cases if not approved(case[1])]:
        for task, change, proof in silent:
            yield e.Approved(
                task=task.id,
                revision=change.revision,
                sealed=change.sealed,
                by=BY_POLICY,
                rules=proof.rules,
                risk=risk_of(task, change, place.policy),
            )
        return
    for task, change, proof in cases:
        yield _intent(place, task, change, proof)


def _intent(place: Place, task: Task, change: Change, proof: Evidence) -> e.AnyEvent:
    if place.policy.pr == "off":
        return e.LandingBegan(task=task.id, revision=change.revision, evidence=proof)
    return began(task, change, proof, remote=place.policy.remote)


def _evidence(place: Place, entry: Entry, onto: Commit, commit: Commit, trial: Trial) -> Evidence:
    """Return the proof of one car: the checks it needs, on the last tree that lands with it."""
    needed = gates(entry.task.spec, place.policy)
    return Evidence(
        basis=onto,
        commit=commit,
        tree=trial.gate.tree,
        rules=rules(needed),
        results=trial.of(needed),
    )


def _is_proven(change: Change, proof: Evidence) -> bool:
    return isinstance(change.state, Ready) and change.state.evidence == proof


def _behind(place: Place, entry: Entry, rank: int, draft: Draft) -> None:
    """A person has not decided yet: check it once, then only see that it still merges."""
    task, change = entry.task, entry.change
    if change.blocked is not None:
        return
    below = _below(place, task)
    if below is None:
        return  # without what it builds on it would fail, and not by its own fault
    if isinstance(change.state, Gating):
        _precheck(place, entry, rank, draft, below)
    elif not below and isinstance(change.state, Ready):
        # How it merges with what is below it is seen when that lands.
        _see_that_it_merges(place, entry, change.state.merged_onto, draft)


def _see_that_it_merges(place: Place, entry: Entry, onto: Commit, draft: Draft) -> None:
    if onto != place.tip:
        where = (place.repo, place.target, entry.task.id, entry.change.revision)
        draft.remerge = draft.remerge or Remerge(*where, place.tip)


def _below(place: Place, task: Task) -> tuple[Car, ...] | None:
    """Return what has to be merged before a change, lowest first; None where it cannot be tried.

    What is below it in its stack is tried by itself first.
    """
    cars: list[Car] = []
    missing = builds_on(place.fleet, task)
    for other in lower(place.fleet, task):
        if missing != [other.id]:
            break
        change = other.change
        waits = isinstance(other.status, Submitted) and other.target == place.target
        if change is None or not waits or not isinstance(change.state, Ready) or change.blocked:
            return None
        cars.append(_entry(place, other, change).car)
        missing = builds_on(place.fleet, other)
    return None if missing else tuple(reversed(cars))


def _precheck(place: Place, entry: Entry, rank: int, draft: Draft, below: tuple[Car, ...]) -> None:
    """Check a change by itself, or on what is `below` it; that makes nobody to blame for a red."""
    task, change, car = entry.task, entry.change, entry.car
    if not below and (fact := _conflict(place, car)) is not None:
        draft.facts.append(fact)
        return
    chain = couple(place, [*below, car])
    if chain.rest:
        draft.merge = draft.merge or place.merge((*chain.cars, *chain.rest))
        return
    if chain.train is None or chain.cars[-1] != car:
        return  # it does not merge with what is below it, as that stands now
    trial = chain.trial(place, len(chain.cars))
    if trial.green:
        basis = chain.train.commits[len(below) - 1] if below else place.tip
        proof = _evidence(place, entry, basis, trial.gate.commit, trial)
        draft.facts.append(e.GatePassed(task=task.id, revision=change.revision, evidence=proof))
    elif not trial.red:
        draft.want(rank, trial.gate)
    elif not below:
        draft.take(examine(place, change, car, trial), rank)
