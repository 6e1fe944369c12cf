"""Who gets a worker: what may land, and what nobody has approved makes room for it."""

from datetime import timedelta

import histories as h
import pytest
from histories import NOON, A
from track import Track, approved

from fleet.core import events as e
from fleet.core.change import Gating
from fleet.core.effects import Gate, gate_lane
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances
from fleet.core.policy import FleetPolicy
from fleet.core.steps import PROOF, Want
from fleet.core.workers import share


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def looked_at(*before: e.AnyEvent, workers: int = 1) -> Track:
    """The check of a change runs that nobody has approved; one takes a second as a rule."""
    track = Track(*approved("z"), *before, workers=workers)
    track.finish("z")
    track.add(*h.by_hand(A))
    return track


def test_what_nobody_approved_makes_room_and_is_checked_later() -> None:
    track = looked_at()
    assert track.checking == [("a",)]

    track.add(*approved("b"))
    assert track.checking == [("b",)]
    assert [track.names(gate) for gate in track.stopped] == [("a",)]
    change = track.fleet.tasks[A].change
    assert change is not None
    assert isinstance(change.state, Gating)

    track.finish("b")
    assert track.checking == [("a",)]
    assert track.told(e.GateRejected) == []


def test_where_a_worker_is_free_nobody_makes_room() -> None:
    track = looked_at(workers=2)
    track.add(*approved("b"))
    assert sorted(track.checking) == [("a",), ("b",)]
    track.add(*approved("c"))
    assert ("a",) not in track.checking


def test_what_may_land_makes_no_room() -> None:
    track = Track(*approved("b"))
    track.add(*approved("c"))
    assert track.checking == [("b",)]
    assert track.stopped == []


@pytest.mark.parametrize(
    ("passed", "makes_room"), [(0.0, True), (0.7, True), (0.8, False), (1.2, False), (1.3, True)]
)
def test_what_has_nearly_ended_is_let_end(passed: float, *, makes_room: bool) -> None:
    track = looked_at()
    track.now = NOON + seconds(passed)
    track.add(*approved("b"))

    assert track.checking == ([("b",)] if makes_room else [("a",)])


def test_what_takes_longer_than_it_should_makes_room_then() -> None:
    track = looked_at()
    track.now = NOON + seconds(0.9)
    track.add(*approved("b"))
    assert track.wake_at == NOON + seconds(1.25)

    track.now = NOON + seconds(1.25)
    track.settle()

    assert track.checking == [("b",)]


def test_what_is_approved_while_it_is_checked_goes_on() -> None:
    track = looked_at()
    track.add(h.approved())
    assert track.checking == [("a",)]
    assert track.stopped == []


def test_what_is_wanted_and_not_chosen_does_not_go_on_beside_what_is() -> None:
    gates = [
        Gate(h.REPO, "main", name, 1, h.commit(name), f"tree of {name}", (), 0) for name in (A, h.B)
    ]
    running, may_land = Want(PROOF + 1, gates[0]), Want(PROOF - 1, gates[1])
    merging = gate_lane(h.REPO, "main", "a tree that is merged anew")
    keep = frozenset({running.gate.lane, merging})
    given = Circumstances(policy=FleetPolicy(workers=2))

    found = share(Fleet(), given, [running, may_land], keep, NOON)

    assert found.chosen == (may_land,)
    assert found.keep == {merging}
