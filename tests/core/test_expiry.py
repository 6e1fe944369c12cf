"""Evidence that has grown old is no proof any more, and a person may have it tried again."""

from datetime import timedelta

import histories as h
import pytest
from histories import NOON, REPO, A, B
from msgspec.structs import replace
from track import Track, queue, red_target

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.change import Gating, Ready
from fleet.core.decide import decide
from fleet.core.facts import RepoFacts, TrustFacts
from fleet.core.ids import TaskId
from fleet.core.line import Line
from fleet.core.model import Fleet
from fleet.core.policy import RepoPolicy
from fleet.errors import RefusedError

DAY = timedelta(days=1)
WEEK = replace(h.CHECKED, evidence_s=7 * DAY.total_seconds())
OLD = "what its checks said is older than 7d"
BLOCKED = e.ChangeBlocked(task=A, revision=1, reason="main has local edits", onto=h.BASE)


def checked(*events: e.AnyEvent, policy: RepoPolicy = WEEK) -> Track:
    """One change whose checks passed at noon."""
    track = Track(*h.by_hand(A), *events, policy=policy)
    track.finish("a")
    return track


def facts(fleet: Fleet, after: timedelta, policy: RepoPolicy = WEEK) -> list[e.AnyEvent]:
    return h.settle(fleet, h.circumstances(policy, fleet=h.NO_SLOTS), NOON + after)[2]


def test_what_checks_said_is_proof_for_so_long_and_no_longer() -> None:
    fleet = checked().fleet
    tree = next(iter(fleet.repos[REPO].lines["main"].checked))

    assert facts(fleet, 7 * DAY - h.minutes(1)) == []
    assert facts(fleet, 7 * DAY) == [
        e.EvidenceForgotten(repo=REPO, target="main", trees=(tree,), reason=OLD)
    ]
    assert facts(fleet, 29 * DAY, h.CHECKED) == []
    assert facts(fleet, 30 * DAY, h.CHECKED) != []


def test_it_is_noticed_when_the_time_has_come() -> None:
    given = h.circumstances(WEEK, fleet=h.NO_SLOTS)
    assert h.settle(checked().fleet, given)[1].wake_at == NOON + 7 * DAY


def test_what_nobody_waits_for_is_left_alone() -> None:
    track = checked(h.approved())
    assert track.landed("a")
    assert facts(track.fleet, 365 * DAY) == []


def test_it_is_run_anew() -> None:
    track = checked()
    assert isinstance(state(track), Ready)
    track.now = NOON + 7 * DAY
    track.settle()

    assert isinstance(state(track), Gating)
    assert track.checking == [("a",)]
    track.finish("a")
    assert isinstance(state(track), Ready)
    track.now += DAY
    track.settle()
    assert isinstance(state(track), Ready)
    assert track.runs == 2


def state(track: Track) -> object:
    change = track.fleet.tasks[A].change
    assert change is not None
    return change.state


def test_an_approval_that_rests_on_it_is_void_with_the_reason() -> None:
    track = checked()
    track.add(BLOCKED, h.approved())
    track.now = NOON + 7 * DAY
    track.add(e.ChangeUnblocked(task=A, revision=1))

    assert [it.reason for it in track.facts if isinstance(it, e.ApprovalVoided)] == [OLD]
    track.finish("a")
    assert not track.landed("a")
    track.add(h.approved())
    assert track.landed("a")


def test_what_is_landing_goes_on() -> None:
    fleet = h.fold(checked().fleet, [h.gated(), h.approved(), h.landing()])
    told = [it for it in facts(fleet, 8 * DAY) if isinstance(it, e.ApprovalVoided)]
    assert told == []


def test_evidence_that_is_told_again_with_something_new_is_no_younger() -> None:
    line = Line().with_results("t", {"one": h.GREEN, "two": h.RED}, NOON)
    later = line.with_results("t", {"one": h.GREEN, "two": h.RED}, NOON + DAY)

    assert later.checked["t"]["one"].at == NOON
    assert later.checked["t"]["two"].at == NOON + DAY  # which was run again
    assert later.ages() == {"t": NOON}
    assert later.without(("t",)).ages() == {}


# Tried again ---------------------------------------------------------------------------------


def thaw(fleet: Fleet) -> tuple[e.AnyEvent, ...]:
    tip = fleet.repos[REPO].tips["main"]
    repo = RepoFacts(
        id=REPO, root="/srv/shop", git_dir="", target="main", tip=tip, policy=h.CHECKED
    )
    return decide(fleet, c.Thaw(cwd="/srv/shop"), TrustFacts(repo=repo)).events


def test_a_person_may_have_a_red_target_tried_again() -> None:
    track = red_target()
    assert track.checking == []
    [forgotten] = thaw(track.fleet)
    assert isinstance(forgotten, e.EvidenceForgotten)
    assert (forgotten.by, forgotten.reason) == ("person", "main is tried again")

    track.add(forgotten)
    while not track.landed("c"):  # what broke it is gone, and the change is tried as well
        [names] = track.checking
        track.finish(*names)

    assert track.told(e.GateRejected) == ["a", "b"]


def test_a_target_that_is_not_red_is_not_tried_again() -> None:
    with pytest.raises(RefusedError, match="not frozen"):
        thaw(checked().fleet)
    track = Track(*queue("a"))
    track.finish("a", red=True)  # its own fault, or nobody's so far
    with pytest.raises(RefusedError, match="not frozen"):
        thaw(track.fleet)


def test_one_that_is_frozen_and_red_does_both() -> None:
    track = red_target()
    frozen = h.fold(track.fleet, [e.QueueFrozen(repo=REPO, target="main", reason="rewound")])
    kinds = [type(it) for it in thaw(frozen)]
    assert kinds == [e.EvidenceForgotten, e.TargetSeen, e.QueueThawed]
    assert h.fold(frozen, thaw(frozen)).tasks[TaskId("c")].change is not None
    assert B in frozen.tasks
