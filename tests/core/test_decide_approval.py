"""An approval says all that it rests on; who may give it, and take it back, is judged first."""

from typing import Any

import histories as h
import pytest
from decisions import STATES, only, refused
from histories import A, B, history
from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.approving import may_land, terms
from fleet.core.assessment import Assessment, Reason, Risk
from fleet.core.change import Change
from fleet.core.decide import Decision, decide
from fleet.core.facts import ChangeFacts, VerdictFacts
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.core.policy import RepoPolicy, Rule
from fleet.errors import UsageError

TWO = replace(h.CHECKED, rules=(Rule("core", ("**",), approvals=2),))
NAMED = replace(h.CHECKED, rules=(Rule("core", ("**",), reviewers=("ann", "bob")),))


def change(fleet: Fleet, task: TaskId = A) -> Change:
    found = fleet.tasks[task].change
    assert found is not None
    return found


def facts(fleet: Fleet, policy: RepoPolicy = h.CHECKED) -> VerdictFacts:
    return VerdictFacts(
        tuple(
            ChangeFacts(task=task.id, sealed=task.change.sealed, diff="d" * 64, policy=policy)
            for task in fleet.tasks.values()
            if task.change is not None
        )
    )


def approve(fleet: Fleet, policy: RepoPolicy = h.CHECKED, **said: Any) -> Decision:
    plain: dict[str, Any] = {"task": "a"}
    return decide(fleet, c.Approve(**(plain | said)), facts(fleet, policy))


def verdict(decision: Decision) -> e.Approved:
    found = only(decision)
    assert isinstance(found, e.Approved)
    return found


def voided(decision: Decision) -> e.ApprovalVoided:
    found = only(decision)
    assert isinstance(found, e.ApprovalVoided)
    return found


def assess(fleet: Fleet, *tasks: TaskId, points: int = 0) -> Fleet:
    found = Assessment(reasons=(Reason(points, "x"),))
    known = dict(fleet.tasks)
    for task in tasks or known:
        known[task] = replace(known[task], change=replace(change(fleet, task), assessment=found))
    return replace(fleet, tasks=known)


def test_an_approval_binds_all_that_it_rests_on() -> None:
    fleet = assess(history(*h.submitted(A), h.gated(A)))
    evidence = h.evidence(A)

    assert only(approve(fleet)) == e.Approved(
        task=A,
        revision=1,
        sealed=h.commit("a-1"),
        by="person",
        rules=evidence.rules,
        base=h.BASE,
        diff="d" * 64,
        policy=terms(h.CHECKED),
        tree=evidence.tree,
        onto=h.BASE,
        risk="low",
    )


def test_before_its_gates_it_binds_the_checks_that_it_will_have() -> None:
    approved = only(approve(history(*h.submitted(A))))
    assert isinstance(approved, e.Approved)
    assert (approved.rules, approved.tree) == (h.evidence(A).rules, "")


def test_what_moved_on_while_it_was_looked_at_is_not_approved() -> None:
    before, after = history(*h.submitted(A)), history(*h.by_hand(A), *SECOND)
    for seen in (facts(before), VerdictFacts()):
        assert "a has just moved on | read it again: fleet diff a" in refused(
            lambda seen=seen: decide(after, c.Approve(task="a"), seen)
        )


SECOND = (e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2))


@pytest.mark.parametrize(
    ("by", "error"),
    [
        ("a", "a is the author of a"),
        ("shell", "shell is the author of a"),
        ("policy", "policy is no person"),
        ("fleet", "fleet is no person"),
        ("helper", "helper is the author of a"),
    ],
)
def test_no_author_and_no_program_approves(by: str, error: str) -> None:
    added = h.added(A, owner="helper")
    fleet = history(added, *h.submitted(A)[1:])
    assert error in refused(lambda: approve(fleet, by=by))
    assert verdict(approve(fleet, by="ann")).by == "ann"


@pytest.mark.parametrize("by", ["", "-x", "a b", "a\x1b[2J", "x" * 61])
def test_a_name_is_a_name(by: str) -> None:
    fleet = history(*h.submitted(A))
    assert "this is not the name of a person" in refused(lambda: approve(fleet, by=by), UsageError)


def test_only_who_reviews_it_approves_it() -> None:
    fleet = history(*h.submitted(A))

    said = refused(lambda: approve(fleet, NAMED))
    assert "person is none of those who review a (rule core: x.py is changed" in said
    assert said.endswith("| fleet approve a --as ann")
    assert verdict(approve(fleet, NAMED, by="bob")).by == "bob"
    open_to_all = replace(NAMED, rules=(*NAMED.rules, *TWO.rules))
    assert approve(fleet, open_to_all).answer["lacks"] == "a review by ann or bob"


def test_it_is_short_until_enough_people_approved() -> None:
    fleet = history(*h.submitted(A), h.gated(A))
    first = approve(fleet, TWO, by="ann")
    assert first.answer["lacks"] == "one more approval"
    fleet = h.fold(fleet, first.events)
    again = approve(fleet, TWO, by="ann")
    assert again.answer["lacks"] == "one more approval"
    second = approve(fleet, TWO, by="bob")
    assert "lacks" not in second.answer
    given = h.circumstances(TWO)
    assert not h.settle(fleet, given)[2]
    fleet = h.fold(fleet, second.events)
    assert may_land(fleet.tasks[A], change(fleet), TWO)


# Several together ----------------------------------------------------------------------------


def both(*, ready: bool = True) -> Fleet:
    gated = (h.gated(A), h.gated(B)) if ready else ()
    return history(*h.submitted(A), *h.submitted(B, slot=2), *gated)


def test_several_are_approved_together_and_each_by_itself() -> None:
    fleet = assess(both())
    decided = approve(fleet, more=("b", "a"))

    assert [event.task for event in decided.events if isinstance(event, e.Approved)] == [A, B]
    batches = {event.batch for event in decided.events if isinstance(event, e.Approved)}
    assert batches == {decided.answer["batch"]} == {f"batch-{fleet.seq + 1}"}
    assert [one["task"] for one in decided.answer["approved"]] == [A, B]

    fleet = h.fold(fleet, decided.events)
    revoked = decide(fleet, c.Revoke(task="a"), facts(fleet))
    fleet = h.fold(fleet, revoked.events)
    assert not change(fleet).approvals
    assert change(fleet, B).approvals


@pytest.mark.parametrize(("points", "risk"), [(3, "medium"), (6, "high")])
def test_what_is_risky_is_not_approved_together_with_others(points: int, risk: Risk) -> None:
    fleet = assess(assess(both()), B, points=points)
    said = refused(lambda: approve(fleet, more=("b",)))
    assert said.startswith(f"the risk of b is {risk} | read it")
    assert "how risky a is" in refused(lambda: approve(both(), more=("b",)))


def test_what_decides_about_checks_is_not_approved_together_with_others() -> None:
    alone = replace(h.CHECKED, rules=(Rule("core", ("**",), alone=True),))
    fleet = assess(both())
    assert "a is never approved together" in refused(lambda: approve(fleet, alone, more=("b",)))


def test_one_commit_is_not_that_of_several() -> None:
    fleet = assess(both())
    said = refused(lambda: approve(fleet, more=("b",), head="c0ffee"), UsageError)
    assert "--head names the commit of one task" in said


# Taking it back ------------------------------------------------------------------------------


def revoke(fleet: Fleet, policy: RepoPolicy = h.CHECKED, by: str | None = None) -> Decision:
    return decide(fleet, c.Revoke(task="a", by=by), facts(fleet, policy))


def test_an_approval_is_taken_back_before_it_lands() -> None:
    fleet = history(*h.submitted(A), h.approved(A))
    decided = revoke(fleet)
    assert decided.answer == {"task": A, "head": h.commit("a-1")}
    fleet = h.fold(fleet, decided.events)
    assert change(fleet).approval is None
    assert change(fleet).voided == "taken back by person"
    assert "a is not approved" in refused(lambda: revoke(fleet))
    assert approve(fleet).events


def test_each_takes_back_its_own() -> None:
    fleet = history(*h.submitted(A))
    for by in ("ann", "bob", "eve"):
        fleet = h.fold(fleet, approve(fleet, TWO, by=by).events)
    assert "a is not approved by joe" in refused(lambda: revoke(fleet, TWO, "joe"))
    one = revoke(fleet, TWO, "bob")
    assert voided(one).short is False  # two are left, and enough
    fleet = h.fold(fleet, one.events)
    assert [it.by for it in change(fleet).approvals] == ["ann", "eve"]
    assert voided(revoke(fleet, TWO, "ann")).short is True
    fleet = h.fold(fleet, revoke(fleet, TWO).events)
    assert change(fleet).approvals == ()


@pytest.mark.parametrize(
    ("state", "sentence"), [("landed", "has landed already"), ("landing", "is being landed")]
)
def test_what_has_landed_stays_approved(state: str, sentence: str) -> None:
    fleet = history(*STATES[state])
    assert sentence in refused(lambda: revoke(fleet))


def test_the_policys_verdict_is_not_a_persons_to_take_back() -> None:
    fleet = history(*h.submitted(A), h.approved(A, by="policy"))
    assert "a is not approved" in refused(lambda: revoke(fleet))


def test_an_agent_neither_approves_nor_takes_back() -> None:
    fleet = history(*h.submitted(A), h.approved(A))
    for command in (c.Approve(task="a", by="ann"), c.Revoke(task="a", by="person")):
        said = refused(lambda it=command: decide(fleet, it, facts(fleet), actor="a"))
        assert "the agent of a may not do this" in said
