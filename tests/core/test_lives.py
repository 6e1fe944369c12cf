"""What a run and its revision need next: told, sealed, checked, ended, parked; and exactly when."""

from datetime import datetime

import histories as h
import pytest
from histories import NOON, A, effects, history, settle

from fleet.core import events as e
from fleet.core.activity import Activity, Idle, Stalled, Unknown, Waiting, Working
from fleet.core.causes import (
    Cause,
    ChecksRed,
    Conflict,
    Died,
    Exhausted,
    GateRed,
    NoChange,
    SentBack,
    Unsealable,
)
from fleet.core.effects import EndRun, RunChecks, Seal, StartRun, Tell
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances, Plan
from fleet.core.policy import Check
from fleet.core.status import (
    Ending,
    Failed,
    Held,
    Queued,
    Running,
    Sealing,
    Status,
    Submitted,
    ToReject,
    ToSeal,
)

CHECKS = (Check("check-1", "make test"),)
RED = e.ChecksFailed(task=A, revision=1, results=(h.RED,))


def activity(does: Activity, attempt: int = 1) -> e.ActivityChanged:
    return e.ActivityChanged(task=A, attempt=attempt, activity=does, source="hook")


def then(*events: e.AnyEvent, at: datetime = NOON, attached: bool = False) -> tuple[Status, Plan]:
    fleet, planned, _ = settle(history(*events), _given(attached=attached), at)
    return fleet.tasks[A].status, planned


def _given(*, attached: bool) -> Circumstances:
    return h.circumstances(attached=frozenset({A} if attached else ()))


# One effect for each status ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "effect"),
    [
        (h.starting(A), StartRun(A, 1)),
        ((*h.running(A), e.RunExited(task=A, attempt=1, code=0)), EndRun(A, 1)),
        ((*h.running(A), h.done(A)), Seal(A, 1)),
        (h.checking(A, h.spec(checks=CHECKS)), RunChecks(A, 1)),
        ((*h.submitted(A), e.LeaveBegan(task=A, attempt=1, why="parked")), EndRun(A, 1)),
    ],
)
def test_what_each_status_asks_for(events: h.Events, effect: object) -> None:
    assert effects(history(*events))[0] == effect


@pytest.mark.parametrize(
    "events", [(*h.running(A), h.done(A)), h.checking(A, h.spec(checks=CHECKS))]
)
def test_an_agent_that_ends_does_not_break_off_what_is_judged(events: h.Events) -> None:
    before = effects(history(*events))
    after = effects(history(*events, e.RunExited(task=A, attempt=1, code=0)))

    assert before == after


def test_a_task_without_checks_of_its_own_enters_the_queue_at_once() -> None:
    assert then(*h.checking(A))[0] == Submitted(1)


def test_a_change_that_is_too_large_is_refused_before_any_check() -> None:
    spec = h.spec(checks=CHECKS, limits={"lines": 3})
    status, planned = then(*h.checking(A, spec))

    assert planned.effects == (EndRun(A, 1),)
    assert status == Ending(1, ToReject(Exhausted("it changes 4 lines and may change 3")))
    ended, _ = then(*h.checking(A, spec), *settle(history(*h.checking(A, spec)))[2], h.ended())
    assert ended == Failed("it changes 4 lines and may change 3")
    assert then(*h.checking(A, h.spec(limits={"lines": 4})))[0] == Submitted(1)


# Done ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "does", "attached", "sealing"),
    [
        ("turn", Idle(), False, True),
        ("turn", Idle(), True, False),  # a person may be about to say more
        ("turn", Working(), False, False),
        ("turn", Waiting("a question"), False, False),
        ("turn", Unknown(), False, False),
        ("manual", Idle(), False, False),
        ("exit", Idle(), False, False),
    ],
)
def test_the_end_of_a_turn_hands_in_where_that_is_what_counts(
    done: str, does: Activity, *, attached: bool, sealing: bool
) -> None:
    events = (*h.running(A, h.talker(done=done)), activity(does))

    assert isinstance(then(*events, attached=attached)[0], Sealing) is sealing


def test_what_is_still_to_be_said_goes_before_the_end_of_the_turn() -> None:
    message = e.MessageQueued(task=A, text="mind the tests", by="person")
    _, planned = then(*h.running(A, h.talker()), activity(Idle()), message)

    assert planned.effects == (Tell(A, 1, 1),)
    assert then(*h.running(A), message)[1].effects == ()  # it reads no messages


def test_an_agent_that_goes_on_hands_in_again_and_once_only() -> None:
    later = NOON + h.minutes(1)
    fleet = history(*h.submitted(A, h.talker()))
    idle = h.fold(fleet, [activity(Idle())], later)
    handed_in = settle(idle, now=later)[0]

    assert settle(fleet)[0].tasks[A].status == Submitted(1)
    assert handed_in.tasks[A].status == Sealing(1, 2)
    gated = h.fold(handed_in, [e.SealUnchanged(task=A, revision=1), h.passed(A), h.gated(A)], later)
    assert settle(gated, now=later)[0].tasks[A].status == Submitted(1)
    attached = settle(idle, _given(attached=True), later)[0]
    assert attached.tasks[A].status == Submitted(1)


def test_what_is_being_landed_is_not_handed_in_again() -> None:
    begun = (*h.submitted(A, h.talker()), h.gated(), h.approved(), h.landing())
    fleet = h.fold(history(*begun), [activity(Idle())], NOON + h.minutes(1))
    after, _, facts = settle(fleet, now=NOON + h.minutes(1))

    assert (after.tasks[A].landing, facts) == (True, [])


def test_what_cannot_be_sealed_is_not_tried_for_ever() -> None:
    stuck = e.SealFailed(task=A, cause=Unsealable("a merge is half done"))
    fleet = h.fold(history(*h.submitted(A, h.talker())), [activity(Idle())], NOON + h.minutes(1))
    sealing, planned, _ = settle(fleet, now=NOON + h.minutes(1))
    assert planned.effects == (Seal(A, 2),)
    held, planned, _ = settle(
        h.fold(sealing, [stuck], NOON + h.minutes(2)), now=NOON + h.minutes(2)
    )

    assert held.tasks[A].status == Held(Unsealable("a merge is half done"))
    assert planned.effects == ()


# Guardrails --------------------------------------------------------------------------------------


def test_a_time_limit_is_looked_at_exactly_when_it_is_reached() -> None:
    events = h.running(A, h.spec(limits={"timeout_s": 90.0}))
    end = NOON + h.minutes(1.5)
    early, planned = then(*events, at=end - h.minutes(0.01))
    late, _ = then(*events, at=end)

    assert (early, planned.wake_at) == (Running(1), end)
    assert late == Ending(1, ToReject(Died("stopped by its time limit of 90 s")))


def test_the_earliest_of_several_limits_counts() -> None:
    limits = {"timeout_s": 3600.0, "silence_s": 600.0}
    silent = activity(Stalled(NOON - h.minutes(5)))
    events = (*h.running(A, h.spec(limits=limits)), silent)

    assert then(*events)[1].wake_at == NOON + h.minutes(5)
    assert then(*events, at=NOON + h.minutes(5))[0] == Ending(
        1, ToReject(Died("stopped after 600 s of silence"))
    )
    assert then(*h.running(A, h.spec(limits=limits)))[1].wake_at == NOON + h.minutes(60)


@pytest.mark.parametrize("seconds", [1e15, float("inf")])
def test_a_limit_beyond_all_time_is_none(seconds: float) -> None:
    assert then(*h.running(A, h.spec(limits={"timeout_s": seconds})))[0] == Running(1)


@pytest.mark.parametrize(
    ("limits", "cost", "tokens", "why"),
    [
        ({"budget_usd": 2.5}, 2.5, 0, "its budget of 2.5 USD is spent"),
        ({"tokens": 1000}, 0.0, 1000, "its 1000 tokens are spent"),
        ({"budget_usd": 2.5, "tokens": 1000}, 2.4, 999, None),
    ],
)
def test_money_and_tokens(
    limits: dict[str, float], cost: float, tokens: int, why: str | None
) -> None:
    usage = e.UsageReported(task=A, cost_usd=cost, tokens=tokens)
    events = (*h.running(A, h.spec(limits=limits | {"attempts": 5})), usage)
    expected = Running(1) if why is None else Ending(1, ToReject(Exhausted(why)))

    assert then(*events)[0] == expected
    if why is not None:  # and no further attempt is paid for
        facts = settle(history(*events))[2]
        assert then(*events, *facts, h.ended())[0] == Failed(why)


def test_a_task_that_has_nothing_left_to_spend_is_not_started() -> None:
    usage = e.UsageReported(task=A, cost_usd=3.0, tokens=0)
    retried = e.RetryScheduled(task=A, note="", consumes=False)
    events = (*h.running(A, h.spec(limits={"budget_usd": 3.0})), usage, h.ended(), retried)

    assert then(*events)[0] == Failed("its budget of 3 USD is spent")


# What comes after work that did not get through -----------------------------------------------

CONFLICT, GATE_RED = Conflict(("x.py",), h.BASE), GateRed((h.RED,), h.BASE)
SENT_BACK = SentBack("say more", "person")


def rejected(cause: Cause, *, alive: bool, **spec: object) -> Fleet:
    limits = {"attempts": 2, "retries": 1}
    sealed = (*h.running(A, h.talker(**({"limits": limits} | spec))), h.done())
    failed = e.SealFailed(task=A, cause=cause)
    return history(*sealed, failed) if alive else history(*sealed, h.ended(), failed)


@pytest.mark.parametrize(
    ("cause", "alive", "status"),
    [
        (ChecksRed((h.RED,)), True, Running(1)),
        (GATE_RED, True, Running(1)),
        (CONFLICT, True, Running(1)),
        (SENT_BACK, True, Running(1)),
        (NoChange(), True, Held(NoChange())),
        (Unsealable("x"), True, Held(Unsealable("x"))),
        (Unsealable("x"), False, Held(Unsealable("x"))),
        (Exhausted("x"), True, Ending(1, ToReject(Exhausted("x")))),
        (Died("x"), True, Ending(1, ToReject(Died("x")))),
        (Exhausted("x"), False, Failed("x")),
        (ChecksRed((h.RED,)), False, Queued(NOON)),
        (SENT_BACK, False, Queued(NOON)),
        (Died("x"), False, Queued(NOON, NOON + h.minutes(2 / 60))),
        (NoChange(), False, Queued(NOON, NOON + h.minutes(2 / 60))),
    ],
)
def test_what_comes_next(cause: Cause, status: Status, *, alive: bool) -> None:
    fleet = rejected(cause, alive=alive)
    facts = settle(fleet, h.circumstances(fleet=h.NO_SLOTS))[2]

    assert h.fold(fleet, facts).tasks[A].status == status


@pytest.mark.parametrize(
    ("cause", "spent", "status"),
    [
        (ChecksRed((h.RED,)), 1, Failed("check test failed with exit code 1")),
        (GATE_RED, 1, Failed("gate test failed with exit code 1")),
        (CONFLICT, 1, Held(CONFLICT)),  # a person can resolve it
        (SENT_BACK, 1, Queued(NOON)),
        (Died("x"), 1, Failed("x")),
    ],
)
def test_what_comes_after_the_last_attempt(cause: Cause, spent: int, status: Status) -> None:
    fleet = rejected(cause, alive=False, limits={"attempts": 1})
    facts = settle(fleet, h.circumstances(fleet=h.NO_SLOTS))[2]

    assert h.fold(fleet, facts).tasks[A].status == status


def test_a_live_agent_is_told_in_the_same_context_until_its_retries_are_used_up() -> None:
    fleet = history(*h.checking(A, h.talker(checks=CHECKS, limits={"attempts": 2, "retries": 1})))
    told, planned, facts = settle(h.fold(fleet, [RED]))

    assert [type(fact) for fact in facts] == [e.ToldAgain]
    assert planned.effects == (Tell(A, 1, 1),)
    assert "- test: failed with exit code 1; output: /log/test" in told.tasks[A].messages[0].text
    delivered = e.MessageSettled(task=A, message=1, outcome="delivered")
    again = (delivered, h.done(), h.sealed(A, 2), e.ChecksFailed(task=A, revision=2, results=()))
    ending, planned, _ = settle(h.fold(told, again))
    assert planned.effects == (EndRun(A, 1),)
    fresh, _, facts = settle(h.fold(ending, [h.ended()]))
    assert [type(fact) for fact in facts] == [e.RetryScheduled, e.AttemptBegan]
    assert (fresh.tasks[A].attempt, fresh.tasks[A].spent, fresh.tasks[A].retries) == (2, 1, 0)
    assert fresh.tasks[A].conversation is None


def test_one_that_cannot_be_told_gets_a_fresh_attempt_at_once() -> None:
    fleet = history(*h.checking(A, h.spec(checks=CHECKS, limits={"attempts": 2})), RED)

    assert isinstance(settle(fleet)[0].tasks[A].status, Ending)


def test_a_change_made_by_hand_that_does_not_get_through_waits_for_its_maker() -> None:
    conflict = e.ConflictFound(task=A, revision=1, cause=CONFLICT)

    assert then(*h.by_hand(A), conflict)[0] == Held(CONFLICT)


def test_a_return_reaches_the_agent_in_its_words() -> None:
    returned = e.Returned(task=A, revision=1, note="say more", by="person")
    told = settle(history(*h.submitted(A, h.talker()), returned))[0].tasks[A]

    assert told.status == Running(1)
    assert [message.by for message in told.messages] == ["person"]
    assert told.messages[0].text.endswith("say more")
    resumed = settle(history(*h.submitted(A, h.talker()), h.ended(), returned))[0].tasks[A]
    assert (resumed.attempt, resumed.spent) == (2, 0)  # a person's wish is no failure


# Parking ---------------------------------------------------------------------------------------

PARK = NOON + h.minutes(10)


@pytest.mark.parametrize("held", [False, True])
def test_an_agent_that_waits_for_a_person_keeps_its_slot_for_a_while(*, held: bool) -> None:
    stuck = e.SealFailed(task=A, cause=Unsealable("x"))
    events = (*h.running(A), h.done(), stuck, e.TaskHeld(task=A)) if held else h.submitted(A)
    _, early = then(*events, at=PARK - h.minutes(0.01))
    _, late = then(*events, at=PARK)

    assert early.wake_at == PARK
    assert EndRun(A, 1) not in early.effects
    assert EndRun(A, 1) in late.effects
    assert EndRun(A, 1) not in then(*events, at=PARK, attached=True)[1].effects


def test_what_happens_to_its_change_does_not_keep_it() -> None:
    gated = h.fold(history(*h.submitted(A)), [h.gated(A)], PARK - h.minutes(1))

    assert EndRun(A, 1) in settle(gated, now=PARK)[1].effects


@pytest.mark.parametrize(
    ("does", "parked"), [(Working(), False), (Waiting("x"), True), (Unknown(), True)]
)
def test_one_that_was_given_more_to_do_is_not_parked(does: Activity, *, parked: bool) -> None:
    later = NOON + h.minutes(5)
    fleet = h.fold(history(*h.submitted(A, h.talker())), [activity(does)], later)

    assert (EndRun(A, 1) in effects(fleet, now=later + h.minutes(10))) is parked


def test_one_that_waits_for_review_can_be_told_something() -> None:
    message = e.MessageQueued(task=A, text="well done", by="person")

    assert Tell(A, 1, 1) in then(*h.submitted(A, h.talker()), message)[1].effects


@pytest.mark.parametrize(
    "end",
    [
        e.ChangeWithdrawn(task=A, by="person"),
        e.TaskFailed(task=A, reason="x"),
        h.landed(A),
    ],
    ids=lambda event: type(event).__name__,
)
def test_the_agent_of_a_task_that_has_ended_goes(end: e.AnyEvent) -> None:
    assert EndRun(A, 1) in then(*h.submitted(A), end)[1].effects


def test_done_by_exit_is_sealed_once_no_process_is_left() -> None:
    exited = (*h.running(A), e.RunExited(task=A, attempt=1, code=0))

    assert then(*exited)[0] == Ending(1, ToSeal())
    assert then(*exited, h.ended())[1].effects == (Seal(A, 1),)


def test_a_run_that_could_not_be_ended_is_ended_after_its_pause() -> None:
    later = NOON + h.minutes(1)
    stuck = e.RunNotEnded(task=A, attempt=1, reason="cannot end process 7", not_before=later)
    fleet = h.history(*h.running(A), e.RunExited(task=A, attempt=1, code=1), stuck)

    assert h.effects(fleet) == ()
    assert h.settle(fleet)[1].wake_at == later
    assert h.effects(fleet, now=later) == (EndRun(A, 1),)
