"""Merge queues that are wrong, each as a real one has been: the machine has to notice all of them.

Each puts something wrong in the place of a real function, for as long as it lasts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core import going_on
from fleet.core.causes import GateRed
from fleet.core.line import Car
from fleet.core.model import Task
from fleet.core.reducer import table
from fleet.core.status import Failed, Held, Rejected, Withdrawn
from fleet.core.trains import Entry, Place, Trial, candidates, couple, room, walk
from fleet.supervisor.perform import queue
from fleet.tools.git import landing
from fleet.tools.git.building import Built, build
from fleet.tools.git.intent import Intent
from fleet.tools.git.intent import Landed as Moved
from fleet.tools.git.merging import Conflicted
from fleet.tools.git.repository import branch_tip
from fleet.tools.git.run import git


@contextmanager
def stale_approval() -> Iterator[None]:
    """What was approved once stays approved, and is said of whatever is sealed after it."""

    def keeping(kind: type[e.Event]) -> Any:
        real = table.TASK[kind]

        def fold(task: Task, event: Any, at: datetime) -> Task:
            after = real(task, event, at)
            old = task.change.approval if task.change else None
            if after.change is None or old is None:
                return after
            kept = replace(old, sealed=after.change.sealed)
            return replace(after, change=replace(after.change, approval=kept))

        return patch.dict(table.TASK, {kind: fold})

    with keeping(e.Sealed), keeping(e.Resubmitted):
        yield


def _instead(front: Any) -> Any:
    """Let `front` decide what becomes of those in front, and the real one where it does not."""
    real = going_on._front

    def decide(place: Place, entries: Sequence[Entry], draft: Any) -> None:
        if (fact := front(place, entries)) is not None:
            draft.facts.append(fact)
        else:
            real(place, entries, draft)

    return patch.object(going_on, "_front", decide)


def _evicted(place: Place, car: Car, trial: Trial) -> e.AnyEvent:
    cause = GateRed(results=trial.results, basis=place.tip)
    return e.GateRejected(task=car.task, revision=car.revision, cause=cause)


@contextmanager
def blame_while_speculating() -> Iterator[None]:
    """What fails behind others that have not landed is thrown out there and then."""

    def front(place: Place, entries: Sequence[Entry]) -> e.AnyEvent | None:
        cars = candidates(place, entries, frozenset(), room(place, len(entries)))
        chain = couple(place, cars)
        found = walk(place, chain, [False] * len(chain.cars), len(entries), ())
        if not found.red:
            return None
        trial = chain.trial(place, found.red + 1)
        return _evicted(place, chain.cars[found.red], trial)

    with _instead(front):
        yield


@contextmanager
def evicted_on_a_doomed_basis() -> Iterator[None]:
    """What failed behind a change that was thrown out since is not tried without that one."""

    def front(place: Place, entries: Sequence[Entry]) -> e.AnyEvent | None:
        for car in (entry.car for entry in entries[:1]):
            for train in place.line.trains:
                number = train.cars.index(car) + 1 if car in train.cars else 0
                if not any(_thrown_out(place, it) for it in train.cars[: max(number - 1, 0)]):
                    continue
                trial = place.along(train, number)
                if trial.red:
                    return _evicted(place, car, trial)
        return None

    with _instead(front):
        yield


def _thrown_out(place: Place, car: Car) -> bool:
    status = place.fleet.tasks[car.task].status
    return isinstance(status, Rejected | Held | Withdrawn | Failed)


@contextmanager
def blind_update() -> Iterator[None]:
    """The target is moved to what was tested, wherever it is."""

    def land(intent: Intent) -> Moved:
        checked_out = vars(landing)["checkouts"]  # what is patched there counts
        checked_out(intent.place)
        git(intent.place.git_dir, "update-ref", "-m", intent.title, intent.branch, intent.commit)
        return Moved(intent.commit)

    with patch.object(landing, "land", land):
        yield


@contextmanager
def landing_by_branch_name() -> Iterator[None]:
    """What lands is what the branch is at, and not what was sealed."""

    def merge(case: Any) -> Built | Conflicted:
        tip = branch_tip(case.place, case.task.branch) or case.car.sealed
        when = int(case.change.since.timestamp())
        named: dict[str, Any] = {"method": case.method, "message": "merge", "when": when}
        return build(case.place, target=case.onto, sealed=tip, **named)

    with (
        patch.object(queue, "_build", merge),
        patch.object(queue, "_strays", lambda case, commit: ()),
    ):
        yield
