"""Whose word a change needs: of all rules about its files the strictest counts, in each point."""

from functools import cache
from typing import Any

import histories as h
import pytest
from histories import A, history
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fleet.core.approving import (
    UNASSESSED,
    Requirement,
    approved_by,
    by_policy,
    lacking,
    lacks,
    may_land,
    requirement,
    terms,
)
from fleet.core.assessment import Assessment, Reason, Risk
from fleet.core.change import BY_POLICY, Approval, Change
from fleet.core.definitions import definitions
from fleet.core.model import Task
from fleet.core.policy import Check, Limits, RepoPolicy, Rule

LOW, MEDIUM, HIGH = (Assessment(reasons=(Reason(n, "x"),)) for n in (0, 3, 6))
EVERY = ("**",)


def case(
    *files: str, land: Any = "auto", size: int = 1, assessed: Assessment | None = None
) -> tuple[Task, Change]:
    """A change of these files that is green, and its task."""
    task = _green(land)
    assert task.change is not None
    change = replace(task.change, files=files or ("x.py",), added=size, removed=0)
    change = replace(change, assessment=assessed)
    return replace(task, change=change), change


@cache
def _green(land: Any) -> Task:
    return history(*h.submitted(A, h.spec(land=land)), h.gated(A)).tasks[A]


def ruled(*rules: Rule, **said: Any) -> RepoPolicy:
    return RepoPolicy(checks=(h.CHECK,), rules=rules, **said)


def rule(name: str = "core", paths: tuple[str, ...] = EVERY, **said: Any) -> Rule:
    return Rule(name, paths, **said)


def approve(change: Change, *names: str, **said: Any) -> Change:
    approval: Approval | None = None
    for name in names:
        beside = () if approval is None else (*approval.beside, replace(approval, beside=()))
        approval = Approval(by=name, sealed=change.sealed, at=h.NOON, beside=beside, **said)
    return replace(change, approval=approval)


@pytest.mark.parametrize(
    ("rules", "files", "reason"),
    [
        ((), ("x.py",), None),
        ((rule(paths=("docs/",), land="review"),), ("x.py",), None),
        ((rule(land="auto"),), ("x.py",), None),
        ((rule(land="review"),), ("x.py",), "rule core: x.py is changed: a person has to look"),
        ((rule(land="auto"), rule("two", land="review")), ("x.py",), "rule two: x.py"),
        ((rule(paths=("a/",), land="review"),), ("x", "a/b"), "rule core: a/b"),
        ((rule(approvals=1),), ("x.py",), "which takes an approval"),
        ((rule(approvals=2),), ("x.py",), "which takes 2 approvals"),
        ((rule(reviewers=("ann", "bob")),), ("x.py",), "an approval by ann or bob"),
        ((rule(lines=9),), ("x.py",), None),
        ((rule(lines=3),), ("x.py",), "4 lines are changed, and 3 at most land by themselves"),
        ((rule(files=1),), ("x", "y"), "2 files are changed, and 1 at most land by themselves"),
    ],
)
def test_a_rule_asks_for_a_person(
    rules: tuple[Rule, ...], files: tuple[str, ...], reason: str | None
) -> None:
    task, change = case(*files, size=4)
    required = requirement(task, change, ruled(*rules))

    assert by_policy(task, change, ruled(*rules)) is (reason is None)
    assert required.land == ("auto" if reason is None else "review")
    assert (reason or "") in "; ".join(required.reasons)


@pytest.mark.parametrize(
    ("limit", "assessed", "lands", "lack"),
    [
        ("low", None, False, UNASSESSED),
        ("low", LOW, True, None),
        ("low", MEDIUM, False, "a review"),
        ("medium", MEDIUM, True, None),
        ("medium", HIGH, False, "a review"),
        ("high", HIGH, True, None),
        ("high", None, False, UNASSESSED),
        (None, None, False, UNASSESSED),
        (None, HIGH, True, None),
    ],
)
def test_nothing_lands_by_itself_unassessed_or_above_a_limit_of_risk(
    limit: Risk | None, assessed: Assessment | None, *, lands: bool, lack: str | None
) -> None:
    task, change = case(assessed=assessed)
    policy = ruled(rule(risk=limit), rule("more", risk="high" if limit else None))

    assert may_land(task, change, policy) is lands
    assert by_policy(task, change, policy) is (lack != "a review")
    assert lacks(task, change, policy) == lack
    assert may_land(task, approve(change, "person"), policy)


@pytest.mark.parametrize("land", ["auto", "review"])
@pytest.mark.parametrize(
    "path",
    [
        "fleet.yaml",
        ".github/workflows/ci.yml",
        "a/.gitattributes",
        ".lfsconfig",
        "t/conftest.py",
        "Makefile",
    ],
)
def test_what_decides_about_checks_always_needs_a_person(path: str, land: str) -> None:
    task, change = case("x.py", path, land=land, assessed=LOW)
    policy = ruled(rule(land="auto", risk="high"))
    required = requirement(task, change, policy)

    assert f"{path} is changed: a person has to look" in required.reasons
    assert required.alone
    assert not by_policy(task, change, policy)
    assert may_land(task, approve(change, "person"), policy)
    assert not may_land(task, approve(change, BY_POLICY), policy)


def test_few_of_many_are_named_and_no_name_obeys_the_terminal() -> None:
    task, change = case(*(f".github/{n}" for n in "abcd"), ".github/\x1b[2J")
    reasons = requirement(task, change, ruled()).reasons

    assert len(reasons) == 4
    assert reasons[3] == "so are 2 more files that decide what checks say"
    task, change = case(".github/\x1b[2J")
    assert "\x1b" not in requirement(task, change, ruled()).reasons[0]


@pytest.mark.parametrize(
    ("command", "files", "decide"),
    [
        ("make test", ["Makefile", "sub/Makefile", "a.mk", "x.py"], 3),
        ("true", ["Makefile", "package.json"], 0),
        ("cd web && npm run test", ["web/package.json", "web/index.js"], 1),
        ("uv run pytest -q tests", ["pyproject.toml", "tests/test_a.py", "pytest.ini"], 2),
        ("./scripts/check.sh --fast", ["scripts/check.sh", "scripts/other.sh"], 1),
        ("cd sub; sh ./check.sh", ["sub/check.sh"], 1),
        ("sh -c 'python ci/run.py'", ["ci/run.py", "run.py"], 1),
        ("pytest tests/test_a.py", ["tests/test_a.py", "tests/test_b.py"], 1),
        ("ruff check .", ["x.py", ".x"], 0),
        ("run-tests", ["run-tests", "src/run-tests"], 1),
        ("", ["x.py"], 0),
        ("test -s a.txt && ! grep -q TODO a.txt", ["a.txt"], 0),
        ("test -x ci/run.sh && ci/run.sh a.txt", ["ci/run.sh", "b.txt"], 1),
        ("cd sub\n./check.sh", ["sub/check.sh"], 1),
    ],
)
def test_what_a_command_runs_decides_what_it_says(
    command: str, files: list[str], decide: int
) -> None:
    assert len(definitions(tuple(files), (Check("c", command),))) == decide


def test_what_a_task_is_to_make_decides_nothing() -> None:
    own = (Check("c", "test -f new.txt && make"),)
    assert definitions(("new.txt", "Makefile"), (), own) == ("Makefile",)
    script = (Check("c", "./new.sh && make"),)
    assert definitions(("new.sh", "Makefile"), (), script) == ("Makefile",)
    assert definitions(("new.sh", "Makefile"), script) == ("new.sh", "Makefile")


@pytest.mark.parametrize(
    ("rules", "names", "lack"),
    [
        ((), [], "a review"),
        ((), ["ann"], None),
        ((rule(approvals=2),), ["ann"], "one more approval"),
        ((rule(approvals=3),), ["ann"], "2 more approvals"),
        ((rule(approvals=2),), ["ann", "bob"], None),
        ((rule(reviewers=("ann", "bob")),), ["eve"], "a review by ann or bob"),
        ((rule(reviewers=("ann", "bob")),), ["bob"], None),
        ((rule(approvals=2, reviewers=("ann", "bob", "eve")),), ["ann", "joe"],
         "one more approval by ann, bob or eve"),
        ((rule(reviewers=("ann",)), rule("two", reviewers=("bob",))), ["ann"], "a review by bob"),
        ((rule(reviewers=("ann",)), rule("two", reviewers=("bob",))), ["ann", "bob"], None),
        ((rule(reviewers=("ann",)), rule("two", approvals=2)), ["ann"], "one more approval"),
        ((rule(approvals=1), rule("two", paths=("no/",), approvals=5)), ["ann"], None),
    ],
)  # fmt: skip
def test_each_rule_has_to_get_its_own_approvals(
    rules: tuple[Rule, ...], names: list[str], lack: str | None
) -> None:
    task, change = case(land="review")
    policy, change = ruled(*rules), approve(change, *names)

    assert lacks(task, change, policy) == lack
    assert may_land(task, change, policy) is (lack is None)


def test_only_verdicts_of_people_on_this_very_commit_count() -> None:
    task, change = case(land="review")
    policy = ruled(rule(approvals=2))
    other = replace(approve(change, "ann", "bob"), sealed=h.commit("other"))

    assert may_land(task, approve(change, "ann", "bob"), policy)
    assert not may_land(task, other, policy)
    assert not may_land(task, approve(change, BY_POLICY, "bob"), policy)
    assert not may_land(task, approve(change, "ann", "bob", short=True), policy)
    assert approved_by(approve(change, "ann", "bob")) == "ann, bob"
    assert approved_by(approve(change, "ann", short=True)) is None
    assert approved_by(approve(change, BY_POLICY)) == BY_POLICY


def test_a_strict_approval_in_doubt_lets_nothing_land() -> None:
    task, change = case(land="review")
    strict, usual = ruled(rule(strict=True)), ruled(rule(land="review"))
    doubted = approve(change, "ann", doubted=True)

    assert may_land(task, approve(change, "ann"), strict)
    assert not may_land(task, doubted, strict)
    assert lacks(task, doubted, strict) == "a look at how its target moved"
    assert may_land(task, doubted, usual)
    assert requirement(task, change, strict).alone


def test_the_digest_is_of_what_decides_about_landing() -> None:
    base = ruled(rule())
    assert terms(base) == terms(replace(base, ports=3, digest="x", park_s=1.0))
    others = (
        {"checks": ()}, {"rules": ()}, {"land": "auto"}, {"merge": "squash"}, {"push": True},
        {"remote": "x"}, {"proofs": False}, {"limits": Limits(lines=3)},
    )  # fmt: skip
    assert len({terms(base), *(terms(replace(base, **other)) for other in others)}) == 9


# Adding a rule never makes landing easier -----------------------------------------------------

PATHS = st.sampled_from([EVERY, ("src/",), ("docs/",), ("*.py",), ("**", "!docs/")])
NAMES = ("ann", "bob", "eve")
RULES = st.builds(
    Rule,
    name=st.just("r"),
    paths=PATHS,
    land=st.sampled_from([None, "auto", "review"]),
    approvals=st.none() | st.integers(1, 3),
    reviewers=st.lists(st.sampled_from(NAMES), unique=True, max_size=2).map(tuple),
    lines=st.none() | st.integers(1, 9),
    files=st.none() | st.integers(1, 3),
    risk=st.sampled_from([None, "low", "medium", "high"]),
    strict=st.booleans(),
    alone=st.booleans(),
)
FILES = st.lists(
    st.sampled_from(["src/a.py", "docs/a.md", "b.py", "fleet.yaml"]), unique=True, min_size=1
).map(tuple)
STANDINGS = st.tuples(
    FILES,
    st.sampled_from(["auto", "review"]),
    st.integers(0, 9),
    st.sampled_from([None, LOW, MEDIUM, HIGH]),
    st.lists(st.sampled_from([*NAMES, BY_POLICY]), unique=True),
    st.booleans(),
)


def _rank(required: Requirement) -> tuple[bool, ...]:
    return (required.land == "review", required.strict, required.alone)


@given(st.lists(RULES, max_size=3), RULES, STANDINGS)
def test_adding_a_rule_never_makes_landing_easier(
    rules: list[Rule], more: Rule, standing: tuple[Any, ...]
) -> None:
    files, land, size, assessed, names, doubted = standing
    task, change = case(*files, land=land, size=size, assessed=assessed)
    change = approve(change, *names, doubted=doubted)
    before, after = ruled(*rules), ruled(*rules, more)

    assert may_land(task, change, before) >= may_land(task, change, after)
    assert by_policy(task, change, before) >= by_policy(task, change, after)
    first, second = (requirement(task, change, it) for it in (before, after))
    assert all(one <= two for one, two in zip(_rank(first), _rank(second), strict=True))
    assert first.approvals <= second.approvals
    if lacking(names, first):
        assert lacking(names, second)
    assert may_land(task, change, after) == (lacks(task, change, after) is None)


@given(st.permutations([*(rule(str(n), risk="low", lines=n, approvals=n) for n in (1, 2, 3))]))
def test_the_order_of_rules_means_nothing(rules: list[Rule]) -> None:
    task, change = case(assessed=MEDIUM, size=2)
    one, other = (requirement(task, change, ruled(*it)) for it in (rules, sorted(rules, key=str)))
    assert set(one.reasons) == set(other.reasons)
    assert (one.land, one.approvals, one.limit) == (other.land, other.approvals, other.limit)
