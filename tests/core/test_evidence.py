"""What lands without a person waits for all that is to be known of it, and for nothing else."""

import histories as h
import pytest
from histories import A, B, history
from msgspec.structs import replace
from outcomes import proved
from track import Track, approved

from fleet.core import events as e
from fleet.core.approving import UNASSESSED, UNPROVEN, awaited, lacks, requirement
from fleet.core.assessment import Assessment
from fleet.core.change import Change
from fleet.core.effects import Assess, Gate, Prove
from fleet.core.merge_queue import waits_for
from fleet.core.model import Fleet
from fleet.core.policy import Check, RepoPolicy, Rule
from fleet.core.proof import KINDS, Kind, State
from fleet.core.queue_rows import queue_rows
from fleet.core.risk import assessed
from fleet.core.verdicts import policy_row, reasons, review_phrase, sentence

BOTH = ("x.py", "tests/test_x.py")
NO_PROOFS = replace(h.CHECKED, proofs=False)
LATE = Assessment(unknown=("the whole change: it took too long",))


def auto(*files: str, gated: bool = True) -> h.Events:
    """A change that is to land by itself."""
    events = (h.added(A, h.spec(agent=None, land="auto")), h.sealed(A, files=files or ("x.py",)))
    return (*events, h.passed(A), *((h.gated(A),) if gated else ()))


def proof(kind: Kind, state: State = "proven", why: str = "") -> e.ChangeProved:
    effect = Prove(A, 1, kind, h.BASE)
    told = proved(effect, history(*auto(*BOTH)).tasks[A], h.GIVEN, state)
    return replace(told, proof=replace(told.proof, why=why))


def change_of(fleet: Fleet) -> Change:
    change = fleet.tasks[A].change
    assert change is not None
    return change


def effects(fleet: Fleet, policy: RepoPolicy = h.CHECKED, workers: int = 1) -> list[type]:
    given = h.circumstances(policy, fleet=replace(h.NO_SLOTS, workers=workers))
    return [type(it) for it in h.settle(fleet, given)[1].effects]


def lands(*events: e.AnyEvent, policy: RepoPolicy = h.CHECKED) -> bool:
    fleet = history(*events)
    return lacks(fleet.tasks[A], change_of(fleet), policy) is None


def lack(*events: e.AnyEvent, policy: RepoPolicy = h.CHECKED) -> str | None:
    fleet = history(*events)
    return lacks(fleet.tasks[A], change_of(fleet), policy)


PROVEN = tuple(proof(kind) for kind in KINDS)


@pytest.mark.parametrize(
    ("events", "policy", "wants"),
    [
        pytest.param(auto(), h.CHECKED, UNASSESSED, id="not measured yet"),
        pytest.param((*auto(), h.assessed()), h.CHECKED, None, id="no tests to prove"),
        pytest.param(
            (*auto("tests/test_x.py"), h.assessed()), h.CHECKED, None, id="nothing but tests"
        ),
        pytest.param((*auto(*BOTH), h.assessed()), h.CHECKED, UNPROVEN, id="not tried"),
        pytest.param(auto(*BOTH), h.CHECKED, UNPROVEN, id="neither"),
        pytest.param((*auto(*BOTH), *PROVEN), h.CHECKED, UNASSESSED, id="proven, not measured"),
        pytest.param(
            (*auto(*BOTH), h.assessed(), PROVEN[0]), h.CHECKED, UNPROVEN, id="one is missing"
        ),
        pytest.param((*auto(*BOTH), h.assessed(), *PROVEN), h.CHECKED, None, id="all is known"),
        pytest.param(
            (*auto(*BOTH), h.assessed(), *PROVEN),
            replace(h.CHECKED, checks=(Check("test", "make check"),)),
            UNPROVEN,
            id="proven by other rules",
        ),
        pytest.param((*auto(*BOTH), h.assessed()), NO_PROOFS, None, id="proofs are off"),
        pytest.param(
            (*auto(*BOTH), h.assessed()),
            replace(h.CHECKED, checks=(replace(h.CHECK, proof=False),)),
            None,
            id="no check is for proofs",
        ),
    ],
)
def test_what_is_awaited(events: h.Events, policy: RepoPolicy, wants: str | None) -> None:
    fleet = history(*events)
    task, change = fleet.tasks[A], change_of(fleet)

    assert awaited(task, change, policy) == wants
    assert lacks(task, change, policy) == wants
    assert lands(*events, h.approved(), policy=policy)  # what a person has approved awaits nothing
    assert review_phrase(task, change, policy) is None


@pytest.mark.parametrize(
    ("kind", "state", "why"),
    [
        ("old-tests", "refuted", "the target's own tests fail on the new code: test failed"),
        ("new-tests", "refuted", "the new tests pass without the change: they prove nothing"),
        ("old-tests", "unbuildable", "could not be tried, test failed"),
        ("new-tests", "unbuildable", "could not be tried, test failed"),
    ],
)
def test_what_is_refuted_or_could_not_be_tried_needs_a_person(
    kind: Kind, state: State, why: str
) -> None:
    others = [it for it in PROVEN if it.proof.kind != kind]
    fleet = history(*auto(*BOTH), h.assessed(), *others, proof(kind, state, "test failed"))
    task, change = fleet.tasks[A], change_of(fleet)

    assert lacks(task, change, h.CHECKED) == "a review"
    assert why in requirement(task, change, h.CHECKED).reasons[0]
    assert why in sentence(policy_row(task, change, h.CHECKED))
    assert why in reasons(task, change, h.CHECKED)[0]
    assert review_phrase(task, change, h.CHECKED) == "review"
    assert not any(isinstance(it, e.LandingBegan) for it in h.settle(fleet)[2])


def test_what_could_not_be_assessed_needs_a_person() -> None:
    told = e.ChangeAssessed(task=A, revision=1, assessment=LATE)
    fleet = history(*auto(), told)

    assert lack(*auto(), told) == "a review"
    assert reasons(fleet.tasks[A], change_of(fleet), h.CHECKED) == (
        "it could not be assessed, the whole change: it took too long: a person has to look",
    )
    assert lands(*auto(), told, h.approved())


def test_the_gates_of_what_is_not_measured_run_beside_that() -> None:
    track = Track(*auto(gated=False), measures=False)
    assert track.checking == [("a",)]
    assert Assess in effects(track.fleet)


def test_nothing_lands_in_front_of_its_assessment_and_all_does_with_it() -> None:
    track = Track(measures=False)
    track.add(*auto(gated=False), *approved("b"))
    track.finish("a", "b")
    assert (track.landed("a"), track.landed("b")) == (False, False)

    track.add(h.assessed())

    assert (track.landed("a"), track.landed("b")) == (True, True)
    assert track.runs == 1
    assert all(it.risk == "low" for it in track.facts if isinstance(it, e.Approved))


def test_what_turns_out_to_be_risky_makes_room() -> None:
    rule = Rule("core", ("x.py",), risk="low")
    track = Track(measures=False, policy=replace(h.CHECKED, rules=(rule,)))
    track.add(*auto(gated=False), *approved("b"))
    assert track.checking == [("a", "b")]

    track.add(h.assessed(points=6))

    assert track.checking == [("b",)]
    track.finish("b")
    assert (track.landed("a"), track.landed("b")) == (False, True)


def test_what_is_to_be_proven_is_checked_by_itself_then_proven_then_lands() -> None:
    track = Track(measures=True)
    track.add(*auto(*BOTH, gated=False))
    assert track.checking == [("a",)]
    track.finish("a")
    assert not track.landed("a")
    assert waits_for(track.fleet, track.fleet.tasks[A], h.CHECKED) == UNPROVEN

    track.add(PROVEN[0])
    assert not track.landed("a")
    track.add(PROVEN[1])

    assert track.landed("a")
    assert track.runs == 1


def test_proofs_that_keep_a_change_from_landing_come_before_what_nobody_saw() -> None:
    track = Track(*h.by_hand(B))
    fleet = h.fold(track.fleet, (*auto(*BOTH), h.assessed()))

    assert track.checking == [("b",)]
    assert Prove in effects(fleet)
    assert Gate not in effects(fleet)
    assert {Prove, Gate} <= {*effects(fleet, workers=2)}


class TestTheSum:
    """What is shown, decided by, and told of in a row is one sum."""

    @pytest.mark.parametrize(
        ("files", "proofs", "points"),
        [
            (("x.py",), (), 2),
            (("README.md",), (), 0),
            (("tests/test_x.py",), (), 0),
            (BOTH, (), 0),
            (BOTH, PROVEN, 0),
            (BOTH, (proof("old-tests", "refuted"), PROVEN[1]), 5),
            (BOTH, (PROVEN[0], proof("new-tests", "refuted")), 2),
            (BOTH, (PROVEN[0], proof("new-tests", "unbuildable")), 2),
            (BOTH, (proof("old-tests", "unbuildable"), PROVEN[1]), 3),
            (BOTH, (PROVEN[0], proof("new-tests", "nothing-to-prove", "it only removes tests")), 2),
            (BOTH, (proof("old-tests", "refuted"), proof("new-tests", "refuted")), 7),
        ],
    )
    def test_proofs_are_charged(
        self, files: tuple[str, ...], proofs: h.Events, points: int
    ) -> None:
        fleet = history(*auto(*files), h.assessed(lines=4), *proofs)
        known = assessed(fleet.tasks[A], change_of(fleet), h.CHECKED)
        [row] = queue_rows(fleet, h.GIVEN)

        assert known is not None
        assert (known.points, known.risk) == (row.points, row.risk)
        assert row.points == points
        assert sum(reason.points for reason in known.reasons) == points

    def test_where_nothing_is_ever_proven_nothing_is_charged(self) -> None:
        fleet = history(*auto(), h.assessed(lines=4))
        known = assessed(fleet.tasks[A], change_of(fleet), NO_PROOFS)
        assert known is not None
        assert known.points == 0

    def test_rules_go_by_it(self) -> None:
        policy = replace(h.CHECKED, rules=(Rule("core", ("x.py",), risk="low"),))
        events = (*auto(*BOTH), h.assessed(lines=4), *PROVEN)
        assert lands(*events, policy=policy)
        refuted = proof("old-tests", "refuted")
        said = history(*events, refuted)
        why = requirement(said.tasks[A], change_of(said), policy).reasons
        assert "rule core: its risk is medium, and what lands by itself has low at most" in why
