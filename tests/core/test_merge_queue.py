"""The merge queue: what is gated, approved and landed, in which order, and what it waits for."""

import histories as h
import pytest
from histories import MOVED, NOON, REPO, A, B, C, effects, history, settle

from fleet.core import events as e
from fleet.core.causes import Conflict, GateRed
from fleet.core.change import BY_POLICY
from fleet.core.effects import AnyEffect, Gate, Land, Remerge
from fleet.core.ids import Commit, TaskId
from fleet.core.merge_queue import entries, waits_for
from fleet.core.model import Fleet
from fleet.core.policy import Check, RepoPolicy
from fleet.core.status import Held, Landed, Submitted

AUTO, HAND = {"land": "auto"}, h.by_hand(A)
MOVES = e.TargetSeen(repo=REPO, target="main", tip=MOVED)
FREEZES = e.QueueFrozen(repo=REPO, target="main", reason="main was rewound")
BLOCKED = e.ChangeBlocked(task=A, revision=1, reason="main has local edits", onto=h.BASE)
NO_CHECKS = RepoPolicy()
NEW_RULES = RepoPolicy(checks=(Check("test", "make check"),), digest="d1")


def gate(task: TaskId = A, onto: Commit = h.BASE, revision: int = 1) -> Gate:
    return Gate(REPO, "main", task, revision, onto)


def land(task: TaskId = A) -> Land:
    return Land(REPO, "main", task, 1)


def unchecked(task: TaskId = A) -> e.GatePassed:
    return h.gated(task, results=(), checks=())


def next_(*events: e.AnyEvent, policy: RepoPolicy = h.CHECKED) -> tuple[AnyEffect, ...]:
    return effects(history(*events), h.circumstances(policy))


@pytest.mark.parametrize(
    ("events", "effect"),
    [
        pytest.param(HAND, gate(), id="gated while nobody has looked"),
        pytest.param((*HAND, h.gated()), None, id="waits for a review"),
        pytest.param((*HAND, h.approved()), gate(), id="approved before its gates"),
        pytest.param((*HAND, h.gated(), h.approved()), land(), id="gated and approved"),
        pytest.param((*HAND, h.approved(), h.gated()), land(), id="approved and gated"),
        pytest.param((*h.by_hand(A, **AUTO), h.gated()), land(), id="auto"),
        pytest.param((*h.by_hand(A, **AUTO), unchecked()), gate(), id="auto, by other rules"),
        pytest.param((*HAND, h.gated(), MOVES), Remerge(REPO, "main", A, 1, MOVED), id="moved"),
        pytest.param((*HAND, h.gated(), h.approved(), MOVES), gate(onto=MOVED), id="gated anew"),
        pytest.param(
            (*HAND, h.gated(), h.approved(), MOVES, h.gated(onto=MOVED)), land(), id="stands"
        ),
        pytest.param((*HAND, h.gated(), h.approved(), FREEZES), None, id="frozen"),
        pytest.param((*HAND, FREEZES), None, id="frozen, not gated"),
        pytest.param((*HAND, h.gated(), h.approved(), BLOCKED), None, id="blocked"),
        pytest.param((*HAND, BLOCKED), None, id="gating blocked"),
        pytest.param(
            (*HAND, h.gated(), h.approved(), BLOCKED, MOVES), gate(onto=MOVED), id="moved on"
        ),
        pytest.param(
            (*HAND, h.gated(), h.approved(), BLOCKED, e.ChangeUnblocked(task=A, revision=1)),
            land(),
            id="unblocked",
        ),
        pytest.param(
            (*HAND, e.TargetSeen(repo=REPO, target="main", tip=None)), None, id="target gone"
        ),
        pytest.param(
            (*HAND, h.gated(), h.approved(), h.landing(), FREEZES, MOVES),
            land(),
            id="an intent is carried through",
        ),
    ],
)
def test_the_next_step_of_one_change(events: h.Events, effect: object) -> None:
    assert next_(*events) == (() if effect is None else (effect,))


@pytest.mark.parametrize(
    ("policy", "effect"),
    [
        (NO_CHECKS, None),
        (RepoPolicy(checks=(h.CHECK,), digest="unknown"), None),
        (h.CHECKED, gate()),
    ],
)
def test_auto_never_lands_without_a_gate(policy: RepoPolicy, effect: object) -> None:
    found = next_(*h.by_hand(A, **AUTO), unchecked(), policy=policy)

    assert found == (() if effect is None else (effect,))


def test_auto_never_lands_on_a_verdict_that_was_about_other_checks() -> None:
    by_policy = (*h.by_hand(A, **AUTO), h.gated(), h.approved(by=BY_POLICY))
    missed = e.LandingMissed(task=A, revision=1, tip=MOVED)
    events = (*by_policy, h.landing(), missed, MOVES, h.gated(onto=MOVED, results=(), checks=()))

    assert next_(*events, policy=NO_CHECKS) == ()


def test_a_person_may_land_what_has_no_checks() -> None:
    assert next_(*HAND, unchecked(), policy=NO_CHECKS) == ()
    assert next_(*HAND, unchecked(), h.approved(), policy=NO_CHECKS) == (land(),)


@pytest.mark.parametrize("policy", [NO_CHECKS, NEW_RULES])
def test_what_was_gated_by_other_rules_is_gated_again(policy: RepoPolicy) -> None:
    assert next_(*HAND, h.gated(), h.approved(), policy=policy) == (gate(),)


def test_the_checks_of_a_task_are_gates_of_its_change() -> None:
    own = Check("check-1", "make docs")
    events = (*h.by_hand(A, checks=(own,)), h.approved())

    assert next_(*events, h.gated(checks=(h.CHECK,))) == (gate(),)
    assert next_(*events, h.gated(checks=(h.CHECK, own))) == (land(),)


def test_commands_that_nobody_trusted_are_not_run() -> None:
    untrusted = RepoPolicy(checks=(h.CHECK,), digest="d2")
    events = (*HAND, h.gated(), h.approved())

    assert next_(*events, policy=untrusted) == ()
    assert next_(*events, e.PolicyTrusted(repo=REPO, digest="d2"), policy=untrusted) == (land(),)


def test_the_intent_is_on_record_before_the_target_moves() -> None:
    fleet, planned, facts = settle(history(*h.by_hand(A, **AUTO), h.gated()))
    evidence = h.evidence()

    assert facts == [
        e.Approved(task=A, revision=1, sealed=h.commit("a-1"), by=BY_POLICY, rules=evidence.rules),
        e.LandingBegan(task=A, revision=1, evidence=evidence),
    ]
    assert planned.effects == (land(),)
    assert fleet.tasks[A].landing


def test_a_change_that_landed_is_in_no_queue() -> None:
    landed = history(*HAND, h.gated(), h.approved(), h.landing(), h.landed())

    assert entries(landed, REPO, "main") == []
    late = h.fold(landed, [h.approved(), h.gated(), h.landing()])
    assert settle(late)[1].effects == ()
    assert isinstance(late.tasks[A].status, Landed)


def test_an_approval_of_another_commit_is_none() -> None:
    other = e.Approved(task=A, revision=1, sealed=h.commit("other"), by="person")

    assert next_(*HAND, h.gated(), other) == ()


def test_a_new_revision_waits_for_a_new_approval() -> None:
    newer = (e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2), h.gated(A, 2))

    assert next_(*HAND, h.gated(), h.approved(), *newer) == ()


@pytest.mark.parametrize(
    "verdict",
    [
        e.GateRejected(task=A, revision=1, cause=GateRed((h.RED,), h.BASE)),
        e.ConflictFound(task=A, revision=1, cause=Conflict(("x.py",), h.BASE)),
    ],
)
def test_what_does_not_get_through_goes_back_and_stops_nobody(verdict: e.AnyEvent) -> None:
    fleet, _, _ = settle(history(*HAND, *h.by_hand(B), h.approved(), verdict))

    assert isinstance(fleet.tasks[A].status, Held)
    assert effects(fleet) == (gate(B),)


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


def test_one_gate_at_a_time_for_each_target() -> None:
    other = (h.added(B, h.spec(agent=None), target="next"), h.sealed(B), h.passed(B))
    seen = e.TargetSeen(repo=REPO, target="next", tip=MOVED)

    assert next_(*h.by_hand(A), *h.by_hand(C), *other, seen) == (
        gate(A),
        Gate(REPO, "next", B, 1, MOVED),
    )


def test_a_blocked_change_lets_others_pass() -> None:
    events = (*HAND, h.gated(), h.approved(), BLOCKED, *h.by_hand(B), h.gated(B), h.approved(B))

    assert next_(*events) == (land(B),)


def test_the_decided_are_gated_before_the_undecided() -> None:
    assert next_(*h.by_hand(A), *h.by_hand(B), h.approved(B)) == (gate(B),)


# What it waits for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "policy", "phrase"),
    [
        (HAND, h.CHECKED, "its gates"),
        ((*HAND, h.gated()), h.CHECKED, "a review"),
        ((*HAND, unchecked()), NO_CHECKS, "a review"),
        ((*h.by_hand(A, **AUTO), unchecked()), NO_CHECKS, "a review"),
        ((*h.by_hand(A, **AUTO), h.gated()), h.CHECKED, "its gates"),
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
    behind = (*h.by_hand(A, **fields), h.gated(), *(() if fields else (h.approved(),)))
    fleet = h.fold(front, behind, NOON + h.minutes(1))

    assert waits_for(fleet, fleet.tasks[A], h.CHECKED) == "b to land"
    assert isinstance(fleet.tasks[A].status, Submitted)
