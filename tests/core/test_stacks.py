"""Stacks as values: who may begin, who is told, what is checked where, in what order it lands."""

import histories as h
import pytest
from histories import A, B, C, history
from msgspec.structs import replace
from track import Track

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core import radar, turns
from fleet.core.activity import Idle, Working
from fleet.core.change import Change, Gating, Member, Ready
from fleet.core.decide import decide
from fleet.core.ids import TaskId
from fleet.core.merge_queue import entries, waits_for
from fleet.core.model import Fleet, Spec, Task
from fleet.core.schedule import starts
from fleet.core.stacks import above, below, expected, goes_alone, grounds, stack
from fleet.core.views import needs, status_word
from fleet.core.warnings import restacks
from fleet.errors import RefusedError, UsageError

UPON = Member(A, 1)
D = TaskId("d")


def on(parent: TaskId = A, **said: object) -> Spec:
    return h.spec(after=(parent,), stacked=True, **said)


def made_on(task: TaskId, parent: TaskId, revision: int = 1, **said: object) -> h.Events:
    """A change by hand that was made on another's first revision."""
    upon = Member(parent, 1)
    lower = (upon,) if parent == A else (upon, UPON)
    sealed = h.sealed(task, revision, base=h.commit(f"{parent}-1"), below=lower, upon=upon)
    spec = replace(on(parent, **said), agent=None)
    return (h.added(task, spec), sealed, h.passed(task, revision))


def change(fleet: Fleet, name: TaskId) -> Change:
    found = fleet.tasks[name].change
    assert found is not None
    return found


def again(task: TaskId = A, revision: int = 2) -> h.Events:
    """Another revision of a branch made by hand."""
    return (e.Resubmitted(task=task), h.sealed(task, revision), h.passed(task, revision))


# Who begins -----------------------------------------------------------------------------------


def waiting(*events: e.AnyEvent) -> Task:
    return history(*events, h.added(B, on())).tasks[B]


@pytest.mark.parametrize(
    ("events", "word", "why"),
    [
        ((h.added(A),), "blocked", "a to be put up for review"),
        (h.checking(A), "blocked", "a, whose agent works on its next revision"),
        (h.submitted(A), "queued", "a to land"),
        ((*h.submitted(A), h.landing(), h.landed()), "queued", "a to land"),
        (
            (*h.submitted(A), e.ChangeWithdrawn(task=A, by="x")),
            "blocked",
            "a, which will not land (fleet edit b --alone lets it go on)",
        ),
        (
            (*h.running(A), e.TaskPaused(task=A, by="x")),
            "blocked",
            "a, which is paused",
        ),
    ],
)
def test_it_waits_until_its_parent_is_in_review(events: h.Events, word: str, why: str) -> None:
    fleet = history(*events, h.added(B, on()))

    assert status_word(fleet, fleet.tasks[B]) == word
    if word == "blocked":
        assert expected(fleet, fleet.tasks[B], A) == why


def test_it_begins_at_the_sealed_commit_and_a_later_attempt_stays_there() -> None:
    slot = (e.SlotPlanned(repo=h.REPO, slot=2), e.SlotReady(repo=h.REPO, slot=2))
    fleet = history(*h.submitted(A), *slot, h.added(B, on()))
    (_, began) = starts(fleet, h.GIVEN, h.NOON).facts

    assert began == e.AttemptBegan(task=B, attempt=1, base=h.commit("a-1"), upon=UPON)
    fleet = h.fold(fleet, [e.WorkspaceAssigned(task=B, slot=2), began])
    assert fleet.tasks[B].upon == UPON


def test_it_needs_a_person_only_where_its_parent_never_can_land() -> None:
    held = history(*h.by_hand(A), *made_on(B, A), e.Returned(task=A, revision=1, note="", by="x"))
    gone = h.fold(held, [e.TaskStopped(task=A, by="x")])

    assert needs(held, held.tasks[B], h.CHECKED) is None
    assert needs(gone, gone.tasks[B], h.CHECKED) == "waits for a, which will not land"
    assert waits_for(gone, gone.tasks[B], h.CHECKED) == (
        "a, which will not land (fleet edit b --alone lets it go on)"
    )


# Who is told ----------------------------------------------------------------------------------


def talking(*events: e.AnyEvent) -> Fleet:
    """A child whose agent is at work since its parent's first revision."""
    spec = replace(h.talker(), after=(A,), stacked=True)
    began = e.AttemptBegan(task=B, attempt=1, base=h.commit("a-1"), upon=UPON)
    return history(*h.by_hand(A), h.added(B, spec), began, h.started(B), *events)


def test_its_agent_is_told_once_of_each_new_revision_below_it() -> None:
    fleet = talking()
    assert restacks(fleet).facts == ()

    (told,) = restacks(h.fold(fleet, again())).facts
    assert isinstance(told, e.StackTold)
    assert told.upon == Member(A, 2)
    assert f"git rebase --onto {h.commit('a-2')} {h.commit('a-1')}" in told.text
    fleet = h.fold(fleet, [*again(), told])
    assert restacks(fleet).facts == ()

    fleet = h.fold(fleet, again(revision=3))
    (newer,) = restacks(fleet).facts
    assert isinstance(newer, e.StackTold)
    fleet = h.fold(fleet, [newer])
    assert [message.text for message in fleet.tasks[B].messages] == [newer.text]


def test_it_is_told_at_the_end_of_its_turn() -> None:
    works = e.ActivityChanged(task=B, attempt=1, activity=Working(), source="hook")
    idle = replace(works, activity=Idle())
    for activity, heard in ((works, False), (idle, True)):
        fleet = talking(*again(), activity)
        task = h.fold(fleet, restacks(fleet).facts).tasks[B]
        assert task.run is not None
        assert (turns.next_message(task, task.run) is not None) is heard


def test_what_stands_on_its_target_by_now_is_told_nothing() -> None:
    sealed = h.sealed(B, below=(UPON,), upon=None)
    fleet = talking(h.done(B), sealed, h.passed(B), *again())
    fleet = h.fold(fleet, [e.ToldAgain(task=B, text="", by="fleet")])

    assert restacks(fleet).facts == ()


# What is checked, and in what order it lands --------------------------------------------------


def test_a_child_is_checked_on_its_parents_merged_tree_while_both_wait_for_a_person() -> None:
    track = Track(*h.by_hand(A), *made_on(B, A), *made_on(C, B))
    assert track.checking == [("a",)]
    track.finish("a")
    assert track.checking == [("a", "b")]
    track.finish("a", "b")
    track.finish("a", "b", "c")

    states = [change(track.fleet, name).state for name in (A, B, C)]
    assert all(isinstance(state, Ready) for state in states)
    assert needs(track.fleet, track.fleet.tasks[C], h.CHECKED) == "review"


def test_what_is_red_on_what_has_not_landed_is_nobodys_fault_yet() -> None:
    track = Track(*h.by_hand(A), *made_on(B, A))
    track.finish("a")
    track.finish("a", "b", red=True)

    assert track.told(e.GateRejected) == []
    assert track.checking == []
    assert isinstance(change(track.fleet, B).state, Gating)


def test_what_was_approved_first_still_stands_behind_its_parent() -> None:
    fleet = history(*h.by_hand(A), *made_on(B, A, priority="urgent"), *h.by_hand(C))
    fleet = h.fold(fleet, [h.approved(B)], h.NOON + h.minutes(1))
    fleet = h.fold(fleet, [h.approved(C), h.approved(A)], h.NOON + h.minutes(2))

    assert [task.id for task, _ in entries(fleet, h.REPO, "main")] == [A, B, C]


def test_an_approved_stack_lands_in_one_move_behind_its_parent() -> None:
    verdict = e.Approved(task=B, revision=1, sealed=h.commit("b-1"), by="x", parents=(UPON,))
    track = Track(*h.by_hand(A), *made_on(B, A), verdict, h.approved(A))
    assert track.checking == [("a", "b")]
    track.finish("a", "b")

    assert track.told(e.LandingBegan) == ["a", "b"]


def test_what_builds_on_what_cannot_be_coupled_is_left_out_with_it() -> None:
    first = TaskId("1")
    clashing = (*h.by_hand(first), h.approved(first), *h.by_hand(A), h.approved(A))
    child = (*h.by_hand(B, after=(A,)), h.approved(B))
    track = Track(*clashing, *child, conflicts=[("1", "a")])

    assert track.checking == [("1",)]
    track.finish("1")
    assert track.told(e.LandingBegan) == ["1"]


def test_another_revision_below_is_checked_anew() -> None:
    track = Track(*h.by_hand(A), *made_on(B, A))
    track.finish("a")
    track.finish("a", "b")
    track.add(*again())

    assert isinstance(change(track.fleet, B).state, Gating)
    assert change(track.fleet, B).below == (Member(A, 2),)
    track.finish("a")
    track.finish("a", "b")
    assert isinstance(change(track.fleet, B).state, Ready)


def test_an_approval_lapses_until_it_is_known_whether_it_holds() -> None:
    verdict = e.Approved(task=B, revision=1, sealed=h.commit("b-1"), by="x", parents=(UPON,))
    fleet = history(*h.by_hand(A), *made_on(B, A), verdict, *again())
    fleet, planned, facts = h.settle(fleet)

    assert [fact for fact in facts if isinstance(fact, e.StackMoved)]
    assert f.Reconsider(B, 1) in planned.effects
    assert change(fleet, B).approval is None
    assert [it.by for it in change(fleet, B).lapsed] == ["x"]


# What a stack is ------------------------------------------------------------------------------


def test_a_stack_is_named_from_below() -> None:
    fleet = history(*h.by_hand(A), *made_on(B, A), *made_on(C, B), h.added(D, on(A)))

    assert [stack(fleet, fleet.tasks[name]) for name in (A, B, C, D)] == [
        ("a", "b", "d", "c"), ("a", "b", "c"), ("a", "b", "c"), ("a", "d"),
    ]  # fmt: skip
    assert above(fleet) == {A: [B, D], B: [C]}
    assert below(fleet, fleet.tasks[C]) == (Member(B, 1), Member(A, 1))
    assert list(grounds(fleet, fleet.tasks[C]).values()) == [Member(B, 1), Member(A, 1)]


def test_what_goes_on_alone_still_knows_what_it_was_made_on() -> None:
    fleet = history(*h.by_hand(A), *made_on(B, A))
    decision = decide(fleet, c.Edit(task="b", alone=True))
    fleet, _, _ = h.settle(h.fold(fleet, decision.events))
    task = fleet.tasks[B]

    assert (task.spec.after, task.spec.stacked, change(fleet, B).below) == ((), False, ())
    assert list(grounds(fleet, task).values()) == [UPON]
    assert goes_alone(fleet, task, change(fleet, B))


def test_the_conflict_map_knows_stacks() -> None:
    fleet = history(*h.by_hand(A), *made_on(B, A), *h.by_hand(C))
    landed = h.fold(fleet, [h.approved(A), h.landing(A), h.landed(A)])

    def sought(of: Fleet) -> radar.Sought:
        return next(it for about in radar.wanted(of).values() for it in about.tasks if it.task == B)

    assert (sought(fleet).below, sought(fleet).beyond) == ((A,), None)
    assert sought(landed).beyond == h.commit("a-1")
    touch = radar.Touch.of(["x.py"])
    known = {
        name: radar.Normal(h.BASE, h.BASE, touch, below=below)
        for name, below in ((A, ()), (B, (A,)), (C, ()))
    }
    assert radar.untried({}, known) == [(A, C), (B, C)]


# Its place, changed later ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [(h.added(A),), h.running(A), h.submitted(A), (*h.submitted(A), h.approved(A))],
)
def test_a_priority_may_be_changed_until_it_lands(events: h.Events) -> None:
    fleet = history(*events)
    (edited,) = decide(fleet, c.Edit(task="a", priority="urgent")).events

    assert h.fold(fleet, [edited]).tasks[A].spec == replace(fleet.tasks[A].spec, priority="urgent")


@pytest.mark.parametrize(
    ("events", "command", "why"),
    [
        ((*h.submitted(A), h.landing()), c.Edit(task="a", priority="low"), "is being landed"),
        (
            (*h.submitted(A), h.landing(), h.landed()),
            c.Edit(task="a", priority="low"),
            "has ended",
        ),
        (h.running(A), c.Edit(task="a", priority="low", title="x"), "has started already"),
        (h.running(A), c.Edit(task="a"), "has started already"),
        (h.submitted(A), c.Edit(task="a", after=("a",)), "a comes after a itself"),
    ],
)
def test_a_place_that_cannot_be_changed_is_refused(
    events: h.Events, command: c.Edit, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        decide(history(*events), command)


def test_only_persons_say_in_which_order_tasks_land() -> None:
    fleet = history(h.added(A), h.added(B))
    for command in (
        c.Edit(task="a", priority="urgent"),
        c.Edit(task="a", alone=True),
        c.Edit(task="a", after=("b",)),
    ):
        with pytest.raises(RefusedError, match="may not say in which order"):
            decide(fleet, command, actor="b")
    assert decide(fleet, c.Edit(task="a", title="x"), actor="b").events


def test_alone_and_after_somebody_is_no_place() -> None:
    with pytest.raises(UsageError, match="--alone or --after"):
        decide(history(h.added(A), h.added(B)), c.Edit(task="a", alone=True, after=("b",)))
