"""What voids an approval and what it outlives: every line of the table, and nothing else."""

from typing import Any

import histories as h
import pytest
from histories import REPO, A, B, C, history
from msgspec.structs import replace

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.approving import may_land, terms
from fleet.core.assessment import Risk
from fleet.core.carrying import NO_CHANGE, NO_CODE_CHANGE, TRIVIAL_REBASE, Revision, carried
from fleet.core.causes import Conflict, GateRed
from fleet.core.change import BY_POLICY, Approval, Change, Member
from fleet.core.gating import rules
from fleet.core.model import Fleet
from fleet.core.policy import Check, RepoPolicy, Rule
from fleet.core.views import needs
from fleet.core.voiding import OTHER_CHECKS, OTHER_POLICY, moved_inside, voided_by

STRICT = replace(h.CHECKED, rules=(Rule("core", ("**",), strict=True),))
ADDED_CHECK = replace(h.CHECKED, checks=(h.CHECK, Check("lint", "make lint")))
ADDED_RULE = replace(h.CHECKED, rules=(Rule("core", ("src/",), land="review"),))


def approved(under: RepoPolicy = h.CHECKED, **said: Any) -> e.Approved:
    plain: dict[str, Any] = {"policy": terms(under), "rules": rules(under.checks), "onto": h.BASE}
    plain |= {"task": A, "revision": 1, "sealed": h.commit("a-1"), "by": "person"}
    return e.Approved(**(plain | said))


def change_of(fleet: Fleet) -> Change:
    change = fleet.tasks[A].change
    assert change is not None
    return change


def settled(*events: e.AnyEvent, policy: RepoPolicy = h.CHECKED) -> tuple[Fleet, list[e.AnyEvent]]:
    """What follows at once from these events."""
    fleet = history(*h.submitted(A), h.gated(A), *events)
    fleet, _, facts = h.settle(fleet, h.circumstances(replace(policy, digest="d1")))
    return fleet, facts


def voids(facts: list[e.AnyEvent]) -> list[str]:
    return [fact.reason for fact in facts if isinstance(fact, e.ApprovalVoided)]


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (h.CHECKED, None),
        (replace(h.CHECKED, ports=3, park_s=1.0), None),
        (ADDED_RULE, OTHER_POLICY),
        (ADDED_CHECK, OTHER_POLICY),
        (replace(h.CHECKED, land="auto"), OTHER_POLICY),
    ],
)
def test_other_terms_on_the_target_void_it(policy: RepoPolicy, why: str | None) -> None:
    fleet, facts = settled(approved(), policy=policy)

    assert voids(facts) == ([why] if why else [])
    assert (change_of(fleet).approval is None) is (why is not None)
    if why is not None:
        assert change_of(fleet).voided == why
        assert needs(fleet, fleet.tasks[A], policy) in {None, f"review: {why}"}
        assert not any(isinstance(fact, e.LandingBegan) for fact in facts)


def test_other_checks_of_its_own_void_it() -> None:
    fleet, facts = settled(approved(policy=""), policy=ADDED_CHECK)

    assert voids(facts) == [OTHER_CHECKS]
    assert change_of(fleet).voided == OTHER_CHECKS


def test_what_an_old_ledger_does_not_say_voids_nothing() -> None:
    _, facts = settled(approved(policy="", rules="", onto=None), policy=ADDED_CHECK)
    assert voids(facts) == []


def test_a_policy_that_was_not_read_yet_voids_nothing() -> None:
    fleet = history(*h.submitted(A), h.gated(A), approved())
    given = replace(h.GIVEN, targets={})
    assert not h.settle(fleet, given)[2]


def test_the_policy_of_the_very_target_counts() -> None:
    fleet = history(*h.submitted(A), h.gated(A), approved())
    given = h.circumstances(ADDED_RULE, targets={(REPO, "main"): h.CHECKED})
    assert voids(h.settle(fleet, given)[2]) == []
    given = h.circumstances(h.CHECKED, targets={(REPO, "main"): ADDED_RULE})
    assert voids(h.settle(fleet, given)[2]) == [OTHER_POLICY]


def test_what_is_being_landed_is_landed() -> None:
    _, facts = settled(approved(), h.landing(A), policy=ADDED_RULE)
    assert voids(facts) == []


def test_a_parent_with_another_revision_voids_it() -> None:
    task = history(*h.submitted(A)).tasks[A]
    change = change_of(history(*h.submitted(A)))
    approval = Approval("ann", change.sealed, h.NOON, parents=(Member(B, 2),))

    def why(*parents: Member) -> str | None:
        return voided_by(approval, task, change, h.CHECKED, parents=parents)

    assert why(Member(B, 2)) is None
    assert why() == "it no longer stands on b, as it did when it was approved"
    assert why(Member(B, 2), Member(C, 1)) == "it stands on c now, and did not when it was approved"
    assert why(Member(B, 3)) == "b, on which it stands, has a new revision since it was approved"
    other = replace(approval, sealed=h.commit("other"))
    assert voided_by(other, task, change, h.CHECKED) == "it was approved at another commit"


# The target moves ----------------------------------------------------------------------------

MOVED = e.TargetSeen(repo=REPO, target="main", tip=h.MOVED)
REGATED = h.gated(A, onto=h.MOVED)


def test_a_strict_approval_is_looked_at_again_before_it_lands() -> None:
    given = h.circumstances(replace(STRICT, digest="d1"))
    look = f.LookAgain(A, 1, h.MOVED)
    fleet = history(*h.submitted(A), h.gated(A), approved(STRICT), MOVED)

    fleet, planned, facts = h.settle(fleet, given)
    assert facts == [e.ApprovalDoubted(task=A, revision=1, onto=h.MOVED)]
    assert look in planned.effects
    fleet = h.fold(fleet, [REGATED])
    assert look in h.effects(fleet, given)
    assert not h.settle(fleet, given)[2]  # it does not begin to land
    late = h.fold(fleet, [e.ApprovalHeld(task=A, revision=1, onto=h.commit("between"))])
    assert look in h.effects(late, given)

    held = h.fold(fleet, [e.ApprovalHeld(task=A, revision=1, onto=h.MOVED)])
    assert may_land(held.tasks[A], change_of(held), STRICT)
    assert look not in h.effects(held, given)

    voided = h.fold(fleet, [e.ApprovalVoided(task=A, revision=1, reason="main moved in x.py")])
    assert not h.settle(voided, given)[2]
    assert needs(voided, voided.tasks[A], STRICT) == "review: main moved in x.py"


def test_any_other_approval_outlives_a_target_that_moved() -> None:
    fleet = history(*h.submitted(A), h.gated(A), approved(), MOVED)
    assert not any(isinstance(it, f.LookAgain) for it in h.effects(fleet))
    fleet = h.fold(fleet, [REGATED])
    assert may_land(fleet.tasks[A], change_of(fleet), h.CHECKED)


def test_each_of_several_strict_approvals_is_held() -> None:
    policy = replace(h.CHECKED, rules=(Rule("core", ("**",), strict=True, approvals=2),))
    said = (approved(policy, by="ann", short=True), approved(policy, by="bob", onto=h.MOVED))
    fleet = history(*h.submitted(A), h.gated(A), *said, MOVED, REGATED)
    assert f.LookAgain(A, 1, h.MOVED) in h.effects(fleet, h.circumstances(policy))
    held = h.fold(fleet, [e.ApprovalHeld(task=A, revision=1, onto=h.MOVED)])
    task = held.tasks[A]
    assert may_land(task, change_of(held), policy)


def test_it_is_said_where_the_target_moved() -> None:
    change = replace(change_of(history(*h.submitted(A))), files=tuple("abcde"))
    moved = moved_inside(change, frozenset("bz"), "main")
    assert moved == "main moved in b since it was approved"
    assert moved_inside(change, frozenset("z"), "main") is None
    many = moved_inside(change, frozenset("abcd"), "main")
    assert many == "main moved in a, b, c and 1 more since it was approved"


# A new revision ------------------------------------------------------------------------------

OLD = Revision(base="b1", tree="t1", words="add x")


@pytest.mark.parametrize(
    ("now", "replayed", "strict", "why"),
    [
        (OLD, None, True, NO_CHANGE),
        (replace(OLD, words="add y"), None, True, NO_CODE_CHANGE),
        (replace(OLD, tree="t2"), "t2", False, None),  # rework on the same base
        (Revision("b2", "t2", "add x"), "t2", False, TRIVIAL_REBASE),
        (Revision("b2", "t2", "add x"), "t2", True, None),
        (Revision("b2", "t2", "add x"), "t3", False, None),
        (Revision("b2", "t2", "add x"), None, False, None),  # its conflict was resolved by somebody
        (Revision("b2", "t1", "add x"), None, False, None),
    ],
)
def test_approvals_are_carried_over_where_nothing_is_new(
    now: Revision, replayed: str | None, *, strict: bool, why: str | None
) -> None:
    assert carried(OLD, now, replayed=replayed, strict=strict) == why


RESEALED = (e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2))


def test_a_new_revision_is_not_approved_by_itself() -> None:
    fleet = history(*h.by_hand(A), approved(), *RESEALED)
    assert change_of(fleet).approval is None
    meanwhile = history(*h.by_hand(A), approved(), e.Resubmitted(task=A))
    assert [it.by for it in change_of(meanwhile).lapsed] == ["person"]
    twice = h.fold(meanwhile, [e.Resubmitted(task=A)])
    assert [it.by for it in change_of(twice).lapsed] == ["person"]


@pytest.mark.parametrize(
    "verdict",
    [
        e.Returned(task=A, revision=1, note="no", by="p"),
        e.ChangeWithdrawn(task=A, by="p"),
        e.ApprovalVoided(task=A, revision=1, reason="taken back by p", by="p"),
    ],
)
def test_what_a_person_took_back_is_never_carried_over(verdict: e.AnyEvent) -> None:
    fleet = history(*h.by_hand(A), approved(), verdict, e.Resubmitted(task=A))
    assert change_of(fleet).lapsed == ()


@pytest.mark.parametrize(
    "found",
    [
        e.GateRejected(task=A, revision=1, cause=GateRed((h.RED,), h.BASE)),
        e.ConflictFound(task=A, revision=1, cause=Conflict(("x.py",), h.BASE)),
    ],
)
def test_a_red_gate_and_a_conflict_end_it(found: e.AnyEvent) -> None:
    fleet = history(*h.by_hand(A), approved(), found)
    assert change_of(fleet).approvals == ()


# One of several ------------------------------------------------------------------------------


def test_verdicts_of_different_people_stand_beside_each_other() -> None:
    fleet = history(
        *h.submitted(A), approved(by="ann", short=True), approved(by="bob"), approved(by="ann")
    )
    assert [it.by for it in change_of(fleet).approvals] == ["bob", "ann"]
    assert all(not it.beside for it in change_of(fleet).approvals[:-1])

    left = h.fold(fleet, [e.ApprovalVoided(task=A, revision=1, reason="x", of="ann", by="ann")])
    assert [(it.by, it.short) for it in change_of(left).approvals] == [("bob", True)]
    none = h.fold(left, [e.ApprovalVoided(task=A, revision=1, reason="x", of="bob", by="bob")])
    assert change_of(none).approvals == ()
    late = h.fold(fleet, [e.ApprovalVoided(task=A, revision=0, reason="x")])
    assert len(change_of(late).approvals) == 2


def test_the_policys_own_verdict_stands_alone() -> None:
    fleet = history(*h.submitted(A), approved(by=BY_POLICY), approved(by="bob"))
    assert [it.by for it in change_of(fleet).approvals] == ["bob"]


# Its risk rises ------------------------------------------------------------------------------

LIMITED = replace(h.CHECKED, rules=(Rule("core", ("**",), risk="medium"),))


@pytest.mark.parametrize(
    ("policy", "shown", "points", "why"),
    [
        (LIMITED, "low", 0, None),
        (LIMITED, "low", 3, None),
        (LIMITED, "low", 6, "its risk is high, and it was low when it was approved: it is large"),
        (LIMITED, "high", 6, None),
        (LIMITED, None, 3, None),
        (
            LIMITED,
            None,
            6,
            "its risk is high, and nobody knew it when it was approved: it is large",
        ),
        (h.CHECKED, "low", 6, None),
    ],
)
def test_a_risk_above_what_was_approved_and_what_a_rule_allows_voids_it(
    policy: RepoPolicy, shown: Risk | None, points: int, why: str | None
) -> None:
    _, facts = settled(h.assessed(points=points), approved(policy, risk=shown), policy=policy)

    assert voids(facts) == ([why] if why else [])
    assert any(isinstance(it, e.LandingBegan) for it in facts) is False
