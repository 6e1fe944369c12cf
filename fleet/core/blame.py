"""Whose fault it is that a gate is red: the change's own, the target's, or that of a pair.

A change is only judged behind nothing but what has landed. One retry on the same tree tells flaky
from red. Where something landed since the change was cut, it is then tried on the target of then:
red there, too, it is its own fault; green there, it fails together with something that landed,
which is found by halving.
"""

from msgspec import Struct
from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.causes import GateRed
from fleet.core.change import Change
from fleet.core.effects import Gate, Merge
from fleet.core.intents import intent
from fleet.core.line import Car, Tip
from fleet.core.model import Task
from fleet.core.trains import Place, Trial

_STREAK = 2  # heads failed in a row: the target itself is tried before the next one is blamed
TRIES = 2  # of one tree, before what is red there is red


class Finding(Struct, frozen=True):
    """What is known by now of a red change: a verdict, or what has to be found out for one.

    `target_red` says that the target fails as well: then nobody is blamed.
    """

    fact: e.AnyEvent | None = None
    merge: Merge | None = None
    gate: Gate | None = None
    target_red: bool = False


def examine(place: Place, change: Change, car: Car, trial: Trial) -> Finding:
    """Return what follows for a change that is red behind nothing but what has landed."""
    if place.line.streak >= _STREAK and (doubt := _doubted(place, car)):
        return doubt
    if trial.gate.failures < TRIES:
        return Finding(gate=trial.gate)
    history = _history(place, change)
    if not history[1:]:  # nothing landed since it was cut
        return Finding(fact=_rejected(place, car, trial))
    then = _tried(place, car, history[0])
    if then is not None and (first := _open(then)):
        return first
    if not isinstance(then, Trial) or then.red:
        return Finding(fact=_rejected(place, car, trial))
    cause = GateRed(trial.results, place.tip)
    return Finding(fact=e.Suspected(task=car.task, revision=car.revision, cause=cause))


def diagnose(place: Place, change: Change, car: Car, cause: GateRed) -> Finding:
    """Return what follows for a suspect: it passes alone, and fails with something that landed."""
    history = _history(place, change, until=cause.basis)
    first, last = 0, len(history) - 1
    while last - first > 1:
        middle = (first + last) // 2
        tried = _tried(place, car, history[middle])
        if tried is not None and (before := _open(tried)):
            return before
        if isinstance(tried, Trial) and tried.green:
            first = middle
        else:
            last = middle
    found = history[last].task if last > 0 else None
    if found is not None:
        alone = _without(place, car, history[last])
        if before := _open(alone):
            return before
        if isinstance(alone, Trial) and alone.red:
            found = None  # it fails by itself: that makes no pair
    other = None if found is None else place.fleet.tasks.get(found)
    red = cause if other is None else _pair(place.fleet.tasks[car.task], other, cause)
    return Finding(fact=e.GateRejected(task=car.task, revision=car.revision, cause=red))


def _pair(task: Task, other: Task, cause: GateRed) -> GateRed:
    """Return the cause with all that whoever has to fit the two together has to know."""
    return replace(
        cause,
        beside=(other.id,),
        own=intent(task),
        others=(intent(other),),
        files=other.change.files if other.change else (),
    )


def _doubted(place: Place, car: Car) -> Finding | None:
    """Return what follows from what is known of the target by itself; None where it is green."""
    target = _without(place, car, Tip(place.tip))
    if isinstance(target, Trial) and target.red:
        settled = target.gate.failures >= TRIES
        return Finding(target_red=True) if settled else Finding(gate=target.gate)
    return _open(target)


def _open(known: Trial | Merge) -> Finding | None:
    """Return what has to be done before anything is known; None where checks have spoken."""
    if isinstance(known, Merge):
        return Finding(merge=known)
    return None if known.red or known.green else Finding(gate=known.gate)


def _history(place: Place, change: Change, until: str | None = None) -> tuple[Tip, ...]:
    """Return where the target stood from when the change was cut, as far as that is known."""
    tips = place.line.tips
    begins = [number for number, tip in enumerate(tips) if tip.commit == change.base]
    ends = [number for number, tip in enumerate(tips) if tip.commit == (until or place.tip)]
    return tips[begins[-1] : ends[-1] + 1] if begins and ends else ()


def _tried(place: Place, car: Car, tip: Tip) -> Trial | Merge | None:
    """Return what is known of the change alone on an earlier target; None where it clashes."""
    if place.line.clash(tip.commit, place.policy.merge, (car,)) is not None:
        return None
    train = place.train((car,), onto=tip.commit)
    if train is None:
        return place.merge((car,), onto=tip.commit)
    return place.along(train, 1)


def _without(place: Place, car: Car, tip: Tip) -> Trial | Merge:
    """Return what is known of the target by itself, as it is or was."""
    train = place.train((car,), onto=tip.commit)
    if train is None:
        return place.merge((car,), onto=tip.commit)
    return place.trial(train.onto_tree, tip.commit, (), head=car)


def _rejected(place: Place, car: Car, trial: Trial) -> e.GateRejected:
    cause = GateRed(results=trial.results, basis=place.tip)
    return e.GateRejected(task=car.task, revision=car.revision, cause=cause)
