"""Proofs are tried once, for what waits longest, and never in the way of a gate."""

import histories as h
import pytest
from histories import BASE, CHECKED, MOVED, A, B
from msgspec.structs import replace
from outcomes import proved

from fleet.core import events as e
from fleet.core import proofs
from fleet.core.causes import CheckResult
from fleet.core.effects import Gate, Merge, Prove
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances
from fleet.core.policy import TESTS, Check, RepoPolicy
from fleet.core.proof import KINDS, Kind, Proof, State

BOTH = ("x.py", "tests/test_x.py")


def review(task: TaskId = A, files: tuple[str, ...] = BOTH, **fields: object) -> h.Events:
    """Waiting for a review, its gates passed."""
    made = h.added(task, h.spec(agent=None, **fields))
    return made, h.sealed(task, files=files), h.passed(task), h.gated(task)


def wanted(fleet: Fleet, given: Circumstances = h.GIVEN) -> list[tuple[TaskId, Kind]]:
    return [(it.task, it.kind) for it in proofs.wanted(fleet, given)]


def tried(kind: Kind, state: State, onto: Commit = BASE, task: TaskId = A) -> e.ChangeProved:
    effect = Prove(task, 1, kind, onto)
    return proved(effect, h.history(*review(task)).tasks[task], h.GIVEN, state)


class TestWanted:
    def test_each_kind_once_one_after_the_other(self) -> None:
        fleet = h.history(*review())
        assert proofs.wanted(fleet, h.GIVEN) == [Prove(A, 1, "old-tests", BASE)]
        fleet = h.fold(fleet, [tried("old-tests", "refuted")])
        assert proofs.wanted(fleet, h.GIVEN) == [Prove(A, 1, "new-tests", BASE)]
        fleet = h.fold(fleet, [tried("new-tests", "proven")])
        assert proofs.wanted(fleet, h.GIVEN) == []

    def test_what_waits_longest_comes_first(self) -> None:
        fleet = h.fold(h.history(*review(B)), review(A), h.NOON + h.minutes(1))
        assert wanted(fleet) == [(B, "old-tests"), (A, "old-tests")]

    @pytest.mark.parametrize(
        "events",
        [
            pytest.param(review()[:3], id="not gated yet"),
            pytest.param((*review(), h.approved()), id="approved"),
            pytest.param((*review(), h.landing()), id="landing"),
            pytest.param((*review(), h.landing(), h.landed()), id="landed"),
            pytest.param((*review(), e.ChangeWithdrawn(task=A, by="person")), id="withdrawn"),
            pytest.param((*review(), e.TaskRemoved(task=A, by="person")), id="removed"),
            pytest.param(review(files=("x.py",)), id="touches no tests"),
            pytest.param(review(files=("tests/test_x.py", "conftest.py")), id="only tests"),
            pytest.param((*review()[:3], h.gated(checks=())), id="gated by other rules"),
        ],
    )
    def test_nothing_is_run_where_it_would_say_nothing(self, events: h.Events) -> None:
        assert wanted(h.history(*events)) == []

    @pytest.mark.parametrize(
        "policy",
        [
            pytest.param(replace(CHECKED, proofs=False), id="switched off"),
            pytest.param(replace(CHECKED, digest="d2"), id="nobody trusts the file"),
            pytest.param(replace(CHECKED, tests=("spec/",)), id="its tests are no tests"),
        ],
    )
    def test_the_policy_decides(self, policy: RepoPolicy) -> None:
        assert wanted(h.history(*review()), h.circumstances(policy)) == []

    def test_a_check_may_be_left_out(self) -> None:
        lint = Check("lint", "ruff check", proof=False)
        test = replace(h.CHECK, allow_empty=True)
        policy = replace(CHECKED, checks=(lint, test))
        assert proofs.checks(h.spec(), policy) == (test,)
        gated = h.gated(checks=(lint,))
        only_lint = h.circumstances(replace(CHECKED, checks=(lint,)))
        assert wanted(h.history(*review()[:3], gated), only_lint) == []

    def test_other_rules_ask_again(self) -> None:
        fleet = h.history(*review(), *(tried(kind, "proven") for kind in KINDS))
        more_tests = h.circumstances(replace(CHECKED, tests=(*TESTS, "qa/")))
        assert wanted(fleet) == []
        assert wanted(fleet, more_tests) == [(A, "old-tests")]

    def test_what_could_not_be_tried_is_tried_again_on_another_target_only(self) -> None:
        fleet = h.history(*review(), tried("old-tests", "unbuildable"))
        assert wanted(fleet) == [(A, "new-tests")]
        fleet = h.fold(fleet, [h.gated(onto=MOVED)])
        assert wanted(fleet) == [(A, "old-tests")]

    def test_what_was_tried_stays_tried_when_the_target_moves(self) -> None:
        fleet = h.history(*review(), *(tried(kind, "refuted") for kind in KINDS))
        fleet = h.fold(fleet, [h.gated(onto=MOVED)])
        assert wanted(fleet) == []

    def test_a_new_revision_asks_again(self) -> None:
        fleet = h.history(*review(), *(tried(kind, "refuted") for kind in KINDS))
        again = (h.sealed(revision=2, files=BOTH), h.passed(revision=2), h.gated(revision=2))
        fleet = h.fold(fleet, (e.Resubmitted(task=A), *again))
        assert fleet.tasks[A].revision == 2
        assert wanted(fleet) == [(A, "old-tests")]


class TestPlan:
    def test_one_at_a_time_and_only_while_no_gate_waits(self) -> None:
        fleet = h.history(*review(A), *review(B))
        proving = [it for it in h.effects(fleet) if isinstance(it, Prove)]
        assert proving == [Prove(A, 1, "old-tests", BASE)]

        fleet = h.fold(fleet, review(TaskId("c"))[:3])
        kinds = {type(it) for it in h.effects(fleet)}
        assert kinds & {Merge, Gate}
        assert Prove not in kinds

    def test_one_on_which_fleet_fails_is_in_nobodys_way(self) -> None:
        crashes = [e.CrashNoted(task=A, error="KeyError: 'x'")] * 2
        fleet = h.fold(h.history(*review(A), *review(B)), crashes)
        proving = [it for it in h.effects(fleet) if isinstance(it, Prove)]
        assert proving == [Prove(B, 1, "old-tests", BASE)]


def result(state: str, code: int | None = None) -> CheckResult:
    return CheckResult("test", state, 1800.0, "/log/test", code)


@pytest.mark.parametrize(
    ("red", "old", "new"),
    [
        (None, "proven", "refuted"),
        (result("failed", 1), "refuted", "proven"),
        (result("failed", 127), "unbuildable", "unbuildable"),
        (result("timeout"), "refuted", "unbuildable"),
        (result("empty", 5), "nothing-to-prove", "nothing-to-prove"),
        (result("killed", 9), "unbuildable", "unbuildable"),
        (result("unstartable"), "unbuildable", "unbuildable"),
    ],
)
def test_what_checks_come_to(red: CheckResult | None, old: State, new: State) -> None:
    results = (result("flaky"), *([red] if red else []))
    assert proofs.verdict("old-tests", results)[0] == old
    assert proofs.verdict("new-tests", results)[0] == new


@pytest.mark.parametrize(
    ("kind", "stays", "why"),
    [
        ("old-tests", {"x.py": True}, "it touches no tests"),
        ("new-tests", {"tests/x.py": True}, "it touches nothing but tests"),
        ("new-tests", {"x.py": True, "tests/x.py": False}, "it only removes tests"),
        ("old-tests", {"x.py": True, "tests/x.py": False}, ""),
        ("new-tests", {"x.py": True, "tests/x.py": False, "tests/y.py": True}, ""),
    ],
)
def test_what_has_nothing_to_prove(kind: Kind, stays: dict[str, bool], why: str) -> None:
    assert proofs.nothing_to_prove(kind, stays, CHECKED) == why


def said(*events: e.AnyEvent, policy: RepoPolicy = CHECKED) -> list[tuple[str, str, str]]:
    rows = proofs.proof_rows(h.history(*events).tasks[A], policy)
    return [(row.kind, row.state, row.says) for row in rows]


class TestWords:
    def test_what_was_tried(self) -> None:
        def told(kind: Kind, state: State, why: str = "") -> str:
            return proofs.phrase(Proof(kind, state, BASE, "", why=why))

        why = "test failed with exit code 1"
        assert told("old-tests", "proven") == "the target's own tests pass on the new code"
        assert told("old-tests", "refuted", why) == (
            "the target's own tests fail on the new code: test failed with exit code 1"
        )
        assert told("new-tests", "proven") == "the new tests fail without the change: proven"
        assert told("new-tests", "refuted") == (
            "the new tests pass without the change: they prove nothing"
        )
        assert told("new-tests", "unbuildable", "test was killed by signal 9") == (
            "the new tests without the change: could not be tried, test was killed by signal 9"
        )

    def test_what_need_not_be_tried_is_said_as_well(self) -> None:
        rows = said(*review(files=("x.py",)))
        assert [(kind, state) for kind, state, _ in rows] == [
            (kind, "nothing-to-prove") for kind in KINDS
        ]
        assert rows[0][2] == (
            "the target's own tests on the new code: nothing to prove, it touches no tests"
        )

    @pytest.mark.parametrize(
        "policy", [replace(CHECKED, proofs=False), replace(CHECKED, checks=())]
    )
    def test_nothing_is_said_where_nothing_is_ever_tried(self, policy: RepoPolicy) -> None:
        assert said(*review(files=("x.py",)), policy=policy) == []

    def test_the_queue_has_what_was_tried_with_its_checks(self) -> None:
        red = replace(tried("old-tests", "refuted").proof, results=(h.RED,))
        proven = e.ChangeProved(task=A, revision=1, proof=red)
        rows = said(*review(), proven)
        assert [row[:2] for row in rows] == [("old-tests", "refuted")]
        [row] = proofs.proof_rows(h.history(*review(), proven).tasks[A], CHECKED)
        assert [(it.name, it.state, it.log) for it in row.checks] == [
            ("test", "failed", "/log/test")
        ]


def test_a_proof_of_another_revision_is_passed_over() -> None:
    late = e.ChangeProved(task=A, revision=2, proof=tried("old-tests", "proven").proof)
    change = h.history(*review(), late).tasks[A].change
    assert change
    assert change.proofs == ()
