"""Who starts when: slots, dependencies, pauses, the breaker, and what is given up."""

import histories as h
import pytest
from histories import NOON, REPO, A, B, C, effects, history, settle

from fleet.core import events as e
from fleet.core.causes import Died, Exhausted
from fleet.core.effects import (
    DropSlot,
    EndRun,
    Forget,
    FreeWorkspace,
    MakeSlot,
    RecycleSlot,
    RestoreWorkspace,
    StartRun,
)
from fleet.core.ids import TaskId
from fleet.core.pauses import pause
from fleet.core.planned import Circumstances
from fleet.core.policy import FleetPolicy
from fleet.core.schedule import MAX_LOSSES, occupied
from fleet.core.status import Ending, Failed, Held, Queued, ToReject

READY = tuple(
    event
    for slot in range(11, 16)
    for event in (e.SlotPlanned(repo=REPO, slot=slot), e.SlotReady(repo=REPO, slot=slot))
)


def given(slots: int = 8, pool: int = 0, *, runs: int = 600) -> Circumstances:
    policy = FleetPolicy(slots=slots, pool=pool, max_runs_per_hour=runs, notify=())
    return h.circumstances(fleet=policy)


def started(*events: e.AnyEvent, slots: int = 8) -> list[TaskId]:
    return [
        effect.task
        for effect in effects(history(*READY, *events), given(slots))
        if isinstance(effect, StartRun)
    ]


def named(number: int) -> TaskId:
    return TaskId(f"t{number}")


# Slots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [0, 1, 3])
def test_never_more_than_the_slots(slots: int) -> None:
    tasks = [named(number) for number in range(5)]
    fleet = settle(history(*READY, *map(h.added, tasks)), given(slots))[0]

    assert occupied(fleet) == slots


@pytest.mark.parametrize(
    "events",
    [
        h.starting(A),
        h.running(A),
        (*h.running(A), e.RunExited(task=A, attempt=1, code=1)),
        h.submitted(A),  # until it is parked
    ],
)
def test_a_run_holds_its_slot_until_no_process_of_it_is_left(events: h.Events) -> None:
    assert B not in started(*events, h.added(B), slots=1)
    assert B in started(*events, h.added(B), slots=2)


def test_the_oldest_starts_first_in_a_workspace_of_its_own() -> None:
    fleet = h.fold(history(*READY, h.added(B)), [h.added(A)], NOON + h.minutes(1))
    facts = settle(fleet, given(2), NOON + h.minutes(1))[2]

    assert facts == [
        e.WorkspaceAssigned(task=B, slot=11),
        e.AttemptBegan(task=B, attempt=1, base=h.BASE),
        e.WorkspaceAssigned(task=A, slot=12),
        e.AttemptBegan(task=A, attempt=1, base=h.BASE),
    ]


def test_the_first_attempt_begins_where_the_target_is_now_unless_it_is_pinned() -> None:
    moved = e.TargetSeen(repo=REPO, target="main", tip=h.MOVED)

    def base(*events: e.AnyEvent) -> str:
        return settle(history(*READY, *events), given())[0].tasks[A].base

    assert base(h.added(A), moved) == h.MOVED
    assert base(h.added(A, base_pinned=True), moved) == h.BASE
    again = e.RetryScheduled(task=A, note="", consumes=True)
    assert base(*h.running(A), h.ended(), again, moved) == h.BASE


def test_a_retry_keeps_its_workspace() -> None:
    again = (*h.running(A), h.ended(), e.RetryScheduled(task=A, note="", consumes=False))

    assert [type(fact) for fact in settle(history(*again), given())[2]] == [e.AttemptBegan]


# What a start waits for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "starts"),
    [
        ((h.landed(A),), True),
        ((h.passed(A),), False),
        ((h.landed(A), e.TaskRemoved(task=A, by="person")), True),
        ((e.TaskFailed(task=A, reason="x"),), False),
        ((e.TaskStopped(task=A, by="person"),), False),
    ],
)
def test_a_task_starts_when_those_before_it_have_landed(end: h.Events, *, starts: bool) -> None:
    events = (*h.checking(A), h.ended(), h.added(B, h.spec(after=(A,))), *end)

    assert (B in started(*events)) is starts


def test_nothing_that_is_put_aside_starts() -> None:
    assert started(h.added(A), e.TaskPaused(task=A, by="person")) == []
    assert started(h.added(A), e.TaskRemoved(task=A, by="person")) == []


def test_a_pause_ends_exactly_when_it_ends() -> None:
    later = NOON + h.minutes(1)
    waits = e.RetryScheduled(task=A, note="", consumes=True, not_before=later)
    fleet = history(*READY, h.added(A), waits)

    early, late = (settle(fleet, given(), at)[1] for at in (later - h.minutes(0.01), later))
    assert (early.effects, early.wake_at) == ((), later)
    assert late.effects == (StartRun(A, 1),)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 2), (1, 2), (2, 4), (5, 32), (9, 300), (10**6, 300)]
)
def test_a_pause_doubles_up_to_five_minutes(failures: int, seconds: float) -> None:
    assert pause(failures).total_seconds() == seconds


def test_the_breaker_opens_at_the_limit_and_closes_as_starts_grow_old() -> None:
    tasks = [h.added(named(number)) for number in range(4)]
    one = settle(history(*READY, *tasks), given(runs=1))[0]
    late = NOON + h.minutes(30)
    two, planned, _ = settle(one, given(runs=2), late)

    assert len(two.starts) == 2
    assert planned.wake_at == NOON + h.minutes(60)  # when the first is an hour old
    three = settle(two, given(runs=2), NOON + h.minutes(60))[0]
    assert three.starts == (late, NOON + h.minutes(60))


# Attempts ------------------------------------------------------------------------------------


def test_lost_runs_consume_no_attempt_and_numbers_never_repeat() -> None:
    fleet = history(*h.running(A, h.spec(limits={"attempts": 1})))
    for attempt in range(1, 5):
        lost = e.RunLost(task=A, attempt=attempt, reason="tmux died")
        fleet = settle(h.fold(fleet, [lost, h.ended(A, attempt)]))[0]
        fleet = h.fold(fleet, [h.started(A, attempt + 1)])

    assert (fleet.tasks[A].attempt, fleet.tasks[A].spent) == (5, 0)


def test_every_attempt_is_used_and_none_more() -> None:
    fleet = history(*h.running(A, h.spec(limits={"attempts": 3})))
    now = NOON
    for attempt in (1, 2, 3):
        died = e.RunExited(task=A, attempt=attempt, code=1)
        fleet = settle(h.fold(fleet, [died, h.ended(A, attempt)], now), now=now)[0]
        now += h.minutes(10)
        fleet = settle(fleet, now=now)[0]
        fleet = h.fold(fleet, [h.started(A, attempt + 1)], now)

    assert (fleet.tasks[A].attempt, fleet.tasks[A].spent) == (3, 2)
    assert fleet.tasks[A].status == Failed("the agent ended with exit code 1")


# Given up ------------------------------------------------------------------------------------


def test_a_run_that_keeps_vanishing_is_given_up() -> None:
    failed = e.StartFailed(task=A, attempt=1, reason="no pane")
    waits = (failed, e.AttemptBegan(task=A, attempt=1, base=h.BASE))
    events = (*h.starting(A), *waits * (MAX_LOSSES - 1))

    assert not isinstance(settle(history(*events))[0].tasks[A].status, Failed)
    given_up = settle(history(*events, failed))[0].tasks[A]
    assert given_up.status == Failed("its run was lost 20 times")


CRASH = e.CrashNoted(task=A, error="KeyError")
INTERNAL = "internal error: see fleet log"


@pytest.mark.parametrize(
    "events",
    [
        (h.added(A),),
        h.running(A),
        h.checking(A),
        h.submitted(A),
        (*h.submitted(A), h.gated(A), h.approved(A), h.landing(A)),
        (*h.running(A), h.done(), e.SealFailed(task=A, cause=Died("x")), e.TaskHeld(task=A)),
    ],
)
def test_a_task_that_two_internal_errors_name_is_given_up(events: h.Events) -> None:
    assert history(*events, CRASH).tasks[A].status == history(*events).tasks[A].status
    fleet = settle(history(*events, CRASH, CRASH))[0]

    assert fleet.tasks[A].status == Failed(INTERNAL)


def test_what_may_be_up_already_is_ended_before_it_is_given_up() -> None:
    fleet, planned, _ = settle(history(*h.starting(A), CRASH, CRASH))

    assert fleet.tasks[A].status == Ending(1, ToReject(Exhausted(INTERNAL)))
    assert planned.effects == (EndRun(A, 1),)
    assert settle(h.fold(fleet, [h.ended()]))[0].tasks[A].status == Failed(INTERNAL)


def test_a_task_that_cannot_even_be_tidied_away_stops_nobody() -> None:
    ending = (*h.running(A), e.RunExited(task=A, attempt=1, code=0))
    fleet, planned, _ = settle(history(*ending, *[CRASH] * 3))
    assert EndRun(A, 1) in planned.effects
    fleet, planned, _ = settle(h.fold(fleet, [CRASH]))

    assert planned.effects == ()
    assert fleet.tasks[A].status == Failed(INTERNAL)
    landed = (*h.submitted(A), h.ended(), h.landed(A))
    assert effects(history(*landed, *[CRASH] * 3)) == (FreeWorkspace(A),)
    assert effects(history(*landed, *[CRASH] * 4)) == ()


def test_what_a_person_takes_up_again_is_given_another_chance() -> None:
    failed = settle(history(*h.submitted(A), h.ended(), CRASH, CRASH))[0]
    returned = e.Returned(task=A, revision=1, note="again", by="person")
    retried = e.TaskResumed(task=A, by="person", fresh=True)

    for event in (returned, retried):
        assert StartRun(A, 2) in effects(h.fold(failed, [event]))
    assert not isinstance(failed.tasks[A].status, Held | Queued)


# The pool ------------------------------------------------------------------------------------


def test_pooling_begins_with_the_first_task() -> None:
    assert effects(history(), given(pool=2)) == ()
    assert MakeSlot(REPO, 1) in effects(history(h.added(A)), given(pool=2))


def test_the_pool_is_as_large_as_what_could_start_needs() -> None:
    def made(tasks: int, slots: int) -> int:
        names = [named(number) for number in range(tasks)]
        return len(effects(history(*map(h.added, names)), given(slots)))

    assert (made(5, 8), made(5, 3), made(0, 8)) == (5, 3, 0)


def test_a_crowded_disk_holds_no_more_than_what_is_needed() -> None:
    fleet = history(*READY, h.added(A), e.TaskPaused(task=A, by="person"))
    crowded = h.circumstances(fleet=FleetPolicy(pool=2, notify=()), crowded=frozenset({REPO}))

    assert effects(fleet, given(pool=2)) == ()
    assert set(effects(fleet, crowded)) == {DropSlot(REPO, slot) for slot in range(11, 16)}


def test_what_broke_a_slot_breaks_no_other_until_its_pause_is_over() -> None:
    later = NOON + h.minutes(5)
    broken = e.SlotBroken(repo=REPO, slot=1, reason="disk full", not_before=later)
    fleet = settle(history(h.added(A), e.SlotPlanned(repo=REPO, slot=1), broken), given())[0]

    assert settle(fleet, given())[1].effects == ()
    assert settle(fleet, given())[1].wake_at == later
    assert effects(fleet, given(), later) == (MakeSlot(REPO, 1),)


@pytest.mark.parametrize(
    ("events", "effect"),
    [
        ((*h.submitted(A), h.ended(), h.landed(A)), FreeWorkspace(A)),
        (
            (
                *(*h.submitted(A), h.ended(), e.TaskStopped(task=A, by="p")),
                e.TaskRemoved(task=A, by="p"),
            ),
            FreeWorkspace(A),
        ),
        ((*h.submitted(A), h.ended(), e.TaskStopped(task=A, by="p")), None),
        ((*h.submitted(A), h.ended(), e.TaskFailed(task=A, reason="x")), None),
        ((*h.submitted(A), h.ended(), e.ChangeWithdrawn(task=A, by="p")), None),
        ((*h.submitted(A), h.landed(A)), EndRun(A, 1)),  # the run goes first
    ],
)
def test_a_workspace_is_freed_only_when_its_work_is_landed_or_removed(
    events: h.Events, effect: object
) -> None:
    assert effects(history(*events)) == (() if effect is None else (effect,))


def test_a_workspace_that_could_not_be_archived_stays_and_is_tried_again_later() -> None:
    later = NOON + h.minutes(5)
    stuck = e.FreeingFailed(task=A, reason="disk full", not_before=later)
    fleet = history(*h.submitted(A), h.ended(), h.landed(A), stuck)

    assert settle(fleet)[1].effects == ()
    assert settle(fleet)[1].wake_at == later
    assert effects(fleet, now=later) == (FreeWorkspace(A),)


def test_a_freed_workspace_is_made_clean_for_the_next() -> None:
    freed = e.WorkspaceFreed(task=A, ref=None)

    assert effects(history(*h.submitted(A), h.ended(), h.landed(A), freed)) == (
        RecycleSlot(REPO, 1),
    )


def test_what_landed_lets_what_is_under_way_go_first() -> None:
    landed = (*h.submitted(A), h.ended(), h.landed(A))
    fleet = history(*landed, *h.starting(B, slot=2))
    planned = settle(fleet)[1]

    assert planned.effects == (StartRun(B, 1),)
    assert planned.wake_at is not None
    assert FreeWorkspace(A) in effects(fleet, now=planned.wake_at)


def test_what_landed_is_freed_at_once_for_who_has_no_workspace() -> None:
    landed = (*h.submitted(A), h.ended(), h.landed(A))

    fleet = history(*landed, *h.starting(B, slot=2), h.added(C))
    assert FreeWorkspace(A) in effects(fleet, given())


def test_what_landed_is_freed_and_not_replaced() -> None:
    landed = (*h.submitted(A), h.ended(), h.landed(A))

    assert effects(history(*landed), given(pool=1)) == (FreeWorkspace(A),)


def test_a_clock_that_was_set_back_hangs_no_retry() -> None:
    later = NOON + h.minutes(1)
    retry = e.RetryScheduled(task=A, note="n", consumes=True, not_before=later)
    broken = e.SlotBroken(repo=REPO, slot=1, reason="full", not_before=later)
    landed = (*h.submitted(B, slot=12), h.ended(B), h.landed(B))
    stuck = e.FreeingFailed(task=B, reason="disk full", not_before=later)
    waiting = history(*READY, *h.checking(A, slot=11), retry)
    hours_ago = NOON - h.minutes(180)

    assert StartRun(A, 2) in effects(h.fold(waiting, [h.ended(A)]), given(), hours_ago)
    assert effects(history(*READY, *landed, stuck), now=hours_ago) == (FreeWorkspace(B),)
    fleet = history(h.added(A), e.SlotPlanned(repo=REPO, slot=1), broken)
    assert effects(fleet, given(), hours_ago) == (MakeSlot(REPO, 1),)


def test_what_a_person_wants_forgotten_is_deleted_until_it_is_gone_or_cannot_be() -> None:
    gone = (
        *(*h.submitted(A), h.ended(), e.TaskStopped(task=A, by="p")),
        *(e.TaskRemoved(task=A, by="p"), e.WorkspaceFreed(task=A, ref="refs/x")),
    )
    asked = history(*gone, e.TaskForgotten(task=A, by="p"))
    failed = e.ForgettingFailed(task=A, reason="disk full")

    assert Forget(A) not in effects(history(*gone), given())
    assert Forget(A) in effects(asked, given())
    assert Forget(A) not in effects(h.fold(asked, [e.LeftoversDeleted(task=A)]), given())
    assert Forget(A) not in effects(h.fold(asked, [failed]), given())
    assert h.fold(asked, [failed]).tasks[A].trouble == "disk full"


def test_what_is_restored_does_not_start_before_its_work_is_back() -> None:
    archived = (
        *(*h.submitted(A), h.ended(), e.TaskStopped(task=A, by="p")),
        *(e.TaskRemoved(task=A, by="p"), e.WorkspaceFreed(task=A, ref="refs/x")),
        *(e.TaskRestored(task=A, by="p"), e.TaskResumed(task=A, by="p")),
    )
    fleet, planned, _ = settle(history(*READY, *archived), given())

    assert planned.effects == (RestoreWorkspace(A), RecycleSlot(REPO, 1))
    assert StartRun(A, 2) in effects(h.fold(fleet, [e.WorkspaceRestored(task=A)]), given())


def test_a_restored_task_gets_a_slot_made_where_none_is_ready() -> None:
    archived = (
        *(*h.submitted(C), h.ended(C), e.TaskStopped(task=C, by="p")),
        *(e.TaskRemoved(task=C, by="p"), e.WorkspaceFreed(task=C, ref="refs/x")),
        *(e.SlotDropped(repo=REPO, slot=1), e.TaskRestored(task=C, by="p")),
    )

    assert effects(history(*archived), given()) == (MakeSlot(REPO, 1),)
