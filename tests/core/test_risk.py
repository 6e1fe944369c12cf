"""What a change is charged for, and how much: the table, the sentences, and what is usual."""

from typing import Any

import histories as h
import pytest
from histories import NOON, A, B, history

from fleet.core import events as e
from fleet.core.assessment import Assessment, Complexity, Finding, Found, Reason, Report, Risk
from fleet.core.criteria import criteria, scope
from fleet.core.effects import Assess
from fleet.core.ids import TaskId
from fleet.core.model import Fleet
from fleet.core.plan import plan
from fleet.core.policy import Check
from fleet.core.risk import POINTS, assess, charged, usual


def one(kind: str, text: str = "it") -> Found:
    return Found(1, (Finding(kind, text),))


def judged(fleet: Fleet | None = None, **found: Any) -> Assessment:
    fleet = fleet or history(*h.by_hand(A))
    task = fleet.tasks[A]
    assert task.change is not None
    return assess(fleet, task, task.change, Report(**found))


@pytest.mark.parametrize(
    ("found", "points", "risk"),
    [
        ({}, 0, "low"),
        ({"lines": 200, "files": 10}, 0, "low"),
        ({"lines": 201}, 1, "low"),
        ({"lines": 501}, 3, "medium"),
        ({"lines": 1001}, 5, "medium"),
        ({"lines": 201, "files": 11}, 2, "low"),
        ({"files": 31}, 3, "medium"),
        ({"test_lines": 9000, "generated_lines": 9000}, 0, "low"),
        ({"weakened": one("lost")}, 5, "medium"),
        ({"weakened": one("skipped")}, 3, "medium"),
        ({"weakened": Found(3, (*one("skipped").first * 2, *one("vacuous").first))}, 6, "high"),
        ({"gates": one("gate")}, 5, "medium"),
        ({"sensitive": one("auth")}, 3, "medium"),
        ({"unusual": one("binary")}, 2, "low"),
        ({"duplicates": one("copy")}, 1, "low"),
        ({"outside": one("outside")}, 3, "medium"),
        ({"unknown": ("names: not enough time", "claims: not enough time")}, 3, "medium"),
        ({"weakened": one("lost"), "duplicates": one("copy")}, 6, "high"),
        ({"dependencies": one("dependency"), "settings": one("key"), "names": one("name")}, 0,
         "low"),
    ],
)  # fmt: skip
def test_what_is_charged(found: dict[str, Any], points: int, risk: Risk) -> None:
    assessment = judged(**found)

    assert (assessment.points, assessment.risk) == (points, risk)
    assert all(reason.points for reason in assessment.reasons)


def test_the_heaviest_reason_comes_first_and_names_what_it_is_for() -> None:
    found = Found(3, (Finding("gate", "fleet.yaml"), Finding("gate", "Makefile")))

    assert judged(lines=300, gates=found).reasons == (
        Reason(5, "decides what may land: fleet.yaml, and 2 more"),
        Reason(1, "300 changed lines beside tests"),
    )


def test_a_revision_after_one_that_did_not_get_through() -> None:
    events = (h.added(A, h.spec(agent=None)), h.sealed(A, 2), h.passed(A, 2))
    resubmitted = history(*h.by_hand(A), e.Resubmitted(task=A), *events[1:])

    assert judged(resubmitted).reasons == (Reason(1, "a revision before it did not get through"),)


@pytest.mark.parametrize(
    ("expected", "lines", "points"), [(None, 250, 1), (100, 250, 1), (100, 251, 3), (400, 999, 3)]
)
def test_more_than_was_expected(expected: int | None, lines: int, points: int) -> None:
    fleet = history(*h.by_hand(A, expect_lines=expected))

    assert judged(fleet, lines=lines).points == points


def landed(lines: int, number: int, **more: Any) -> tuple[e.AnyEvent, ...]:
    task = TaskId(f"t{number}")
    measured = e.ChangeAssessed(task=task, revision=1, assessment=Assessment(lines=lines, **more))
    return (*h.by_hand(task), h.gated(task), measured, h.landed(task))


def test_what_is_usual_is_the_median_of_what_landed() -> None:
    sizes = (10, 20, 30, 40, 1000)
    events = [it for number, lines in enumerate(sizes) for it in landed(lines, number)]

    assert usual(history(*events[:-4]), h.REPO) is None
    assert usual(history(*events), h.REPO) == 30
    fleet = history(*events, *h.by_hand(A))
    assert judged(fleet, lines=75).reasons == ()
    assert judged(fleet, lines=80).reasons == (
        Reason(2, "80 lines a criterion, 30 are usual here"),
    )


def test_what_landed_without_being_measured_counts_with_its_size() -> None:
    unmeasured = [
        it for number in range(5)
        for it in (*h.by_hand(TaskId(f"t{number}")), h.landed(TaskId(f"t{number}")))
    ]  # fmt: skip

    assert usual(history(*unmeasured), h.REPO) == 4  # 3 added, 1 removed
    assert usual(history(*landed(9, 1, unknown=("x",)) * 5), h.REPO) is None


def test_later_reasons_are_added() -> None:
    late = charged(judged(lines=201), [Reason(POINTS["old tests fail"], "old tests fail")])

    assert [reason.points for reason in late.reasons] == [5, 1]
    assert late.risk == "high"


PROMPT = """Import the bank's CSV.

- reject a bad header
* keep blank lines
  1. round to cents
- [ ] say which row is wrong

scope: src/importer/** `tests/**`

```
- not a criterion
scope: nowhere
```
"""


def test_criteria_are_checks_and_items_of_the_prompt() -> None:
    spec = h.spec(prompt=PROMPT, checks=(Check("check-1", "make test"),))

    assert [it.text for it in criteria(spec)] == [
        "make test",
        "reject a bad header",
        "keep blank lines",
        "round to cents",
        "say which row is wrong",
    ]
    assert scope(spec) == ("src/importer/**", "tests/**")
    assert judged(history(*h.by_hand(A, prompt=PROMPT)), lines=100).per_criterion == 25
    assert (criteria(h.spec()), scope(h.spec())) == ((), ())


def measured(task: TaskId = A, revision: int = 1, **found: Any) -> e.ChangeAssessed:
    return e.ChangeAssessed(task=task, revision=revision, assessment=Assessment(**found))


def asked(fleet: Fleet) -> list[Assess]:
    given = h.circumstances(fleet=h.NO_SLOTS)
    return [it for it in plan(fleet, given, NOON).effects if isinstance(it, Assess)]


def test_each_revision_is_measured_once() -> None:
    hand = h.by_hand(A)

    assert asked(history(*hand, *h.by_hand(B))) == [Assess(A, 1), Assess(B, 1)]
    assert asked(history(*hand, measured(unknown=("all of it",)))) == []
    assert asked(history(*hand, h.gated(), h.approved(), h.landing())) == []
    assert asked(history(*h.checking())) == []
    again = (e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2))
    assert asked(history(*hand, measured(), *again)) == [Assess(A, 2)]
    assert Assess(A, 1).lane != Assess(B, 1).lane


def test_a_measurement_of_an_older_revision_comes_too_late() -> None:
    again = (e.Resubmitted(task=A), h.sealed(A, 2), h.passed(A, 2))

    change = history(*h.by_hand(A), *again, measured(revision=1)).tasks[A].change

    assert change is not None
    assert change.assessment is None


def test_a_measurement_is_kept_and_is_no_news() -> None:
    before = history(*h.by_hand(A))
    after = h.fold(
        before, [measured(lines=7, complexity=Complexity(1, 2, 1))], at=NOON + h.minutes(5)
    )

    change = after.tasks[A].change
    assert change is not None
    assert change.assessment == Assessment(lines=7, complexity=Complexity(1, 2, 1))
    assert after.tasks[A].updated_at == before.tasks[A].updated_at
