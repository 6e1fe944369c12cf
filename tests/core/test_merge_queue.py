"""The merge queue: what is gated, approved and landed, in which order, and what it waits for."""

import histories as h
import outcomes
import pytest
from histories import MOVED, NOON, REPO, A, B, C, history, settle
from track import Track, queue

from fleet.core import events as e
from fleet.core.causes import Conflict, GateRed
from fleet.core.change import BY_POLICY
from fleet.core.effects import Land, OnQueue, Remerge
from fleet.core.ids import Commit, TaskId
from fleet.core.line import check_key
from fleet.core.merge_queue import entries, waits_for
from fleet.core.model import Fleet
from fleet.core.policy import Check, RepoPolicy
from fleet.core.status import Held, Landed, Submitted

AUTO, HAND = {"land": "auto"}, h.by_hand(A)
MOVES = e.TargetSeen(repo=REPO, target="main", tip=MOVED)
FREEZES = e.QueueFrozen(repo=REPO, target="main", reason="main was rewound")
BLOCKED = e.ChangeBlocked(task=A, revision=1, reason="main has local edits", onto=h.BASE)
UNBLOCKED = e.ChangeUnblocked(task=A, revision=1)
GONE = e.TargetSeen(repo=REPO, target="main", tip=None)
NO_CHECKS = RepoPolicy()
NEW_RULES = RepoPolicy(checks=(Check("test", "make check"),), digest="d1")


def green(
    task: TaskId = A, onto: Commit = h.BASE, checks: tuple[Check, ...] = (h.CHECK,)
) -> e.TreeChecked:
    """The checks passed on what `task` merged onto `onto` comes to."""
    tree = outcomes.gate_of(task, onto=onto).tree
    results = {check_key(check, ""): h.GREEN for check in checks}
    return e.TreeChecked(repo=REPO, target="main", tree=tree, results=results)


def unchecked(task: TaskId = A) -> e.GatePassed:
    return h.gated(task, results=(), checks=())


@pytest.mark.parametrize(
    ("events", "checking", "landed"),
    [
        pytest.param(HAND, True, False, id="gated while nobody has looked"),
        pytest.param((*HAND, green()), False, False, id="waits for a review"),
        pytest.param((*HAND, h.approved()), True, False, id="approved before its gates"),
        pytest.param((*HAND, green(), h.approved()), False, True, id="gated and approved"),
        pytest.param((*HAND, h.approved(), green()), False, True, id="approved and gated"),
        pytest.param((*h.by_hand(A, **AUTO), green()), False, True, id="auto"),
        pytest.param((*h.by_hand(A, **AUTO), unchecked()), True, False, id="auto, other rules"),
        pytest.param((*HAND, h.approved(), MOVES, green()), True, False, id="gated anew"),
        pytest.param((*HAND, h.approved(), MOVES, green(onto=MOVED)), False, True, id="stands"),
        pytest.param((*HAND, green(), FREEZES, h.approved()), False, False, id="frozen"),
        pytest.param((*HAND, FREEZES), False, False, id="frozen, not gated"),
        pytest.param((*HAND, green(), BLOCKED, h.approved()), False, False, id="blocked"),
        pytest.param((*HAND, BLOCKED), False, False, id="gating blocked"),
        pytest.param((*HAND, green(), BLOCKED, h.approved(), MOVES), True, False, id="moved on"),
        pytest.param(
            (*HAND, green(), BLOCKED, h.approved(), UNBLOCKED), False, True, id="unblocked"
        ),
        pytest.param((*HAND, GONE), False, False, id="target gone"),
    ],
)
def test_the_next_step_of_one_change(events: h.Events, *, checking: bool, landed: bool) -> None:
    track = Track(*events)

    assert track.checking == ([("a",)] if checking else [])
    assert track.landed("a") == landed


def test_what_waits_for_a_person_is_only_merged_again_when_the_target_moves() -> None:
    fleet = Track(*HAND, green()).fleet

    effects = settle(h.fold(fleet, [MOVES]))[1].effects

    assert [it for it in effects if isinstance(it, OnQueue)] == [Remerge(REPO, "main", A, 1, MOVED)]


def test_an_intent_is_carried_through_whatever_else_happened() -> None:
    fleet = history(*HAND, h.gated(), h.approved(), h.landing(), FREEZES, MOVES)

    assert settle(fleet)[1].effects == (Land(REPO, "main", A, 1),)


@pytest.mark.parametrize(("policy", "checking"), [(NO_CHECKS, False), (h.CHECKED, True)])
def test_auto_never_lands_without_a_gate(policy: RepoPolicy, *, checking: bool) -> None:
    track = Track(*h.by_hand(A, **AUTO), policy=policy)

    assert not track.landed("a")
    assert track.checking == ([("a",)] if checking else [])


def test_auto_never_lands_on_a_verdict_that_was_about_other_checks() -> None:
    events = (*h.by_hand(A, **AUTO), green(), h.approved(by=BY_POLICY))
    track = Track(*events, policy=NO_CHECKS)

    assert not track.landed("a")


def test_a_person_may_land_what_has_no_checks() -> None:
    assert not Track(*HAND, policy=NO_CHECKS).landed("a")
    assert Track(*HAND, h.approved(), policy=NO_CHECKS).landed("a")


def test_what_was_gated_by_other_rules_is_gated_again() -> None:
    assert Track(*HAND, green(), h.approved(), policy=NEW_RULES).checking == [("a",)]


def test_what_was_checked_elsewhere_is_checked_again() -> None:
    """Evidence is of a tree, of a check as it is defined, and of the environment it ran in."""
    tree = outcomes.gate_of(A).tree
    results = {check_key(h.CHECK, "another shell"): h.GREEN}
    other = e.TreeChecked(repo=REPO, target="main", tree=tree, results=results)

    assert Track(*HAND, other, h.approved()).checking == [("a",)]


def test_the_checks_of_a_task_are_gates_of_its_change() -> None:
    own = Check("check-1", "make docs")
    events = (*h.by_hand(A, checks=(own,)), h.approved())

    assert Track(*events, green()).checking == [("a",)]
    assert Track(*events, green(checks=(h.CHECK, own))).landed("a")


def test_commands_that_nobody_trusted_are_not_run() -> None:
    untrusted = RepoPolicy(checks=(h.CHECK,), digest="d2")
    events = (*HAND, green(), h.approved())
    trust = e.PolicyTrusted(repo=REPO, digest="d2")

    assert not Track(*events, policy=untrusted).landed("a")
    assert Track(*events, trust, policy=untrusted).landed("a")


def test_the_intent_is_on_record_before_the_target_moves() -> None:
    track = Track(*h.by_hand(A, **AUTO))
    track.finish("a")
    passed, approved, began = track.facts

    assert isinstance(passed, e.GatePassed)
    assert isinstance(approved, e.Approved)
    assert (approved.by, approved.sealed) == (BY_POLICY, h.commit("a-1"))
    assert began == e.LandingBegan(task=A, revision=1, evidence=passed.evidence)


def test_a_change_that_landed_is_in_no_queue() -> None:
    landed = history(*HAND, h.gated(), h.approved(), h.landing(), h.landed())

    assert entries(landed, REPO, "main") == []
    late = h.fold(landed, [h.approved(), h.gated(), h.landing()])
    assert settle(late)[1].effects == ()
    assert isinstance(late.tasks[A].status, Landed)


def test_an_approval_of_another_commit_is_none() -> None:
    other = e.Approved(task=A, revision=1, sealed=h.commit("other"), by="person")

    assert not Track(*HAND, green(), other).landed("a")


def test_a_new_revision_waits_for_a_new_approval() -> None:
    newer = (e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2))
    track = Track(*HAND, h.approved(), *newer)

    track.finish("a")

    assert not track.landed("a")


@pytest.mark.parametrize(
    "verdict",
    [
        e.GateRejected(task=A, revision=1, cause=GateRed((h.RED,), h.BASE)),
        e.ConflictFound(task=A, revision=1, cause=Conflict(("x.py",), h.BASE)),
    ],
)
def test_what_does_not_get_through_goes_back_and_stops_nobody(verdict: e.AnyEvent) -> None:
    track = Track(*HAND, *h.by_hand(B), h.approved(), verdict)

    assert isinstance(track.fleet.tasks[A].status, Held)
    assert track.checking == [("b",)]


# The order -------------------------------------------------------------------------------------


def line(fleet: Fleet) -> list[TaskId]:
    return [task.id for task, _ in entries(fleet, REPO, "main")]


def test_landing_then_decided_then_undecided_each_by_age() -> None:
    fleet = history(*h.by_hand(A), *h.by_hand(B), *h.by_hand(C))
    later = h.fold(fleet, [h.approved(C)], NOON + h.minutes(1))
    both = h.fold(later, [h.approved(B)], NOON + h.minutes(2))
    last = h.fold(both, [h.gated(B), h.landing(B)], NOON + h.minutes(3))

    assert line(fleet) == [A, B, C]
    assert line(later) == [C, A, B]
    assert line(both) == [C, B, A]
    assert line(last) == [B, C, A]


def test_what_lands_by_policy_stands_where_its_age_puts_it() -> None:
    fleet = h.fold(history(*h.by_hand(B)), h.by_hand(A, **AUTO), NOON + h.minutes(1))
    approved = h.fold(fleet, [h.approved(B)], NOON + h.minutes(2))

    assert line(fleet) == [A, B]
    assert line(approved) == [A, B]
    by_policy = h.fold(approved, [h.gated(A), h.approved(A, by=BY_POLICY)], NOON + h.minutes(3))
    assert line(by_policy) == [A, B]


def test_each_target_has_a_line_of_its_own() -> None:
    other = (h.added(B, h.spec(agent=None), target="next"), h.sealed(B), h.passed(B))
    seen = e.TargetSeen(repo=REPO, target="next", tip=MOVED)

    assert Track(*queue(A, C), *other, seen, workers=2).checking == [("a", "c"), ("b",)]


def test_a_blocked_change_lets_others_pass() -> None:
    track = Track(*HAND, BLOCKED, h.approved(), *queue(B), green(B))

    assert (track.landed("a"), track.landed("b")) == (False, True)


def test_the_decided_are_gated_before_the_undecided() -> None:
    assert Track(
        *h.by_hand(A), FREEZES, *queue(B), e.QueueThawed(repo=REPO, target="main")
    ).checking == [("b",)]


# What it waits for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "policy", "phrase"),
    [
        (HAND, h.CHECKED, "its gates"),
        ((*HAND, h.gated()), h.CHECKED, "a review"),
        ((*HAND, unchecked()), NO_CHECKS, "a review"),
        ((*h.by_hand(A, **AUTO), unchecked()), NO_CHECKS, "a review"),
        ((*h.by_hand(A, **AUTO), h.gated()), h.CHECKED, "its assessment"),
        ((*h.by_hand(A, **AUTO), h.gated(), h.assessed()), h.CHECKED, "its gates"),
        ((*HAND, h.gated(), h.approved(), MOVES), h.CHECKED, "its gates"),
        ((*HAND, BLOCKED), h.CHECKED, "main has local edits"),
        ((*HAND, FREEZES), h.CHECKED, "the queue of main is frozen: main was rewound (fleet thaw)"),
        (
            HAND,
            RepoPolicy(checks=(h.CHECK,), digest="d2"),
            "fleet.yaml has commands that nobody trusted: fleet trust",
        ),
        (
            (*HAND, e.TargetSeen(repo=REPO, target="main", tip=None)),
            h.CHECKED,
            "the branch main is gone",
        ),
        ((*HAND, h.gated(), h.approved(), h.landing()), h.CHECKED, None),
        (h.running(A), h.CHECKED, None),
    ],
)
def test_what_a_change_waits_for(events: h.Events, policy: RepoPolicy, phrase: str | None) -> None:
    fleet = history(*events)

    assert waits_for(fleet, fleet.tasks[A], policy) == phrase


@pytest.mark.parametrize("fields", [{}, AUTO])
def test_what_is_ready_waits_for_what_is_in_front(fields: dict[str, str]) -> None:
    front = h.fold(history(), [*h.by_hand(B), h.approved(B)], NOON)
    behind = (*h.by_hand(A, **fields), h.gated(), h.assessed() if fields else h.approved())
    fleet = h.fold(front, behind, NOON + h.minutes(1))

    assert waits_for(fleet, fleet.tasks[A], h.CHECKED) == "b to land"
    assert isinstance(fleet.tasks[A].status, Submitted)
