"""Turns that broke off: taken up again by fleet where it can, and else by a person who is told."""

from datetime import datetime, timedelta
from typing import Any

import histories as h
import pytest
from histories import NOON, A, history
from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core import turns
from fleet.core.activity import Activity, Idle, Run, Waiting, Working
from fleet.core.decide import decide
from fleet.core.model import Fleet, Spec
from fleet.core.plan import plan
from fleet.core.rows import Ask
from fleet.core.turns import AGAIN, GO_ON
from fleet.core.views import needs, needs_since

ERROR = Waiting("the server failed", "error")
TALKS = h.talker(done="manual")


def does(activity: Activity, source: str = "hook") -> e.ActivityChanged:
    return e.ActivityChanged(task=A, attempt=1, activity=activity, source=source)


def running(*more: e.AnyEvent, spec: Spec = TALKS) -> Fleet:
    return history(*h.running(A, spec), *more)


def facts(fleet: Fleet, minutes: float, **given: Any) -> list[e.AnyEvent]:
    now = NOON + h.minutes(minutes)
    return h.settle(fleet, h.circumstances(**given), now)[2]


def told() -> e.GoOnTold:
    return e.GoOnTold(task=A, attempt=1, text=GO_ON)


def again(fleet: Fleet, activity: Activity, at: datetime = NOON) -> Fleet:
    """It was told to go on, and this became of it."""
    fleet = h.fold(fleet, [told()], at)
    number = fleet.tasks[A].messages[0].id
    heard = e.MessageSettled(task=A, message=number, outcome="delivered")
    return h.fold(fleet, [heard, does(Working()), does(activity)], at)


def wanted(fleet: Fleet) -> str | None:
    return needs(fleet, fleet.tasks[A], h.CHECKED)


def run_of(fleet: Fleet) -> Run:
    run = fleet.tasks[A].run
    assert run is not None
    return run


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("error", [10, 20, 40, 80]), ("overloaded", [30, 60, 120, 240, *[300] * 16])],
)
def test_what_passes_is_tried_again_with_growing_pauses_and_then_needs_a_person(
    kind: str, expected: list[float]
) -> None:
    failed = replace(ERROR, kind=kind)
    fleet, at, pauses = running(does(failed)), NOON, []
    for _ in range(AGAIN[kind].times):
        assert wanted(fleet) is None
        planned = h.settle(fleet, h.GIVEN, at)[1]
        assert planned.wake_at is not None
        pauses.append((planned.wake_at - at).total_seconds())
        at = planned.wake_at
        assert h.settle(fleet, h.GIVEN, at)[2] == [told()]
        fleet = again(fleet, failed, at)

    assert pauses == expected
    assert wanted(fleet) == "the server failed"
    assert facts(fleet, 1e6) == []


def test_a_turn_that_ended_well_forgets_the_errors_before_it() -> None:
    fleet = again(again(running(does(ERROR)), ERROR), Idle())
    fleet = h.fold(fleet, [does(ERROR)])

    assert run_of(fleet).nudges == 0
    assert facts(fleet, 10 / 60) == [told()]


@pytest.mark.parametrize(
    "kind", ["login", "budget", "context", "question", "permission", "undelivered"]
)
def test_what_going_on_cannot_mend_needs_a_person(kind: str) -> None:
    fleet = running(does(Waiting("it", kind, NOON)))

    assert facts(fleet, 1e6) == []
    assert wanted(fleet) == "it"


def test_who_cannot_be_told_needs_a_person() -> None:
    fleet = running(does(ERROR), spec=h.spec(done="manual"))

    assert facts(fleet, 1e6) == []
    assert wanted(fleet) == "the server failed"


def test_a_person_in_the_pane_is_not_talked_over() -> None:
    assert facts(running(does(ERROR)), 60, attached=frozenset({A})) == []


def test_of_an_agent_that_is_gone_nothing_is_told() -> None:
    fleet = history(*h.running(A), h.ended(A))

    assert h.fold(fleet, [told()]).tasks == fleet.tasks


# Interruptions ---------------------------------------------------------------------------------


def test_a_turn_that_a_person_broke_off_hands_nothing_in() -> None:
    fleet = running(does(Idle(), "presence"), spec=h.talker())

    assert facts(fleet, 1) == []
    assert wanted(fleet) == "its turn was interrupted"
    ended = h.fold(fleet, [does(Idle())])
    assert facts(ended, 1)[:1] == [e.DoneDeclared(task=A, attempt=1, by="the end of its turn")]


# Dialogs ---------------------------------------------------------------------------------------

ASKS = Waiting("may it deploy", "permission", None, Ask(id="1.1"))


def queued(by: str) -> e.MessageQueued:
    return e.MessageQueued(task=A, text="go ahead", by=by)


@pytest.mark.parametrize("by", ["person", "fleet"])
def test_nobody_types_into_a_dialog(by: str) -> None:
    asks = running(queued(by), does(ASKS))

    assert facts(asks, 0) == []
    assert h.effects(asks) == ()
    assert turns.kept(asks.tasks[A], 1) == "it waits for may it deploy, and is told after that"
    assert h.effects(h.fold(asks, [does(Working())])) == (f.Tell(A, 1, 1),)
    assert turns.kept(h.fold(asks, [does(Working())]).tasks[A], 1) == ""
    assert decide(running(does(ASKS)), c.Send(task="a", text="x")).events


# Agents that drop what they are told while they work -------------------------------------------


def test_one_that_cannot_queue_is_told_when_its_turn_has_ended() -> None:
    fleet = running(queued("person"), queued("person"), spec=h.talker(queues=False, done="turn"))
    works = turns.kept(fleet.tasks[A], 2)

    assert h.effects(fleet) == ()
    assert works == "it works, and is told when its turn has ended"
    idle = h.fold(fleet, [does(Idle())])
    assert facts(idle, 1) == []  # its turn does not end its run before it was told
    assert h.effects(idle) == (f.Tell(A, 1, 1),)
    told = e.MessageSettled(task=A, message=1, outcome="delivered")
    again = h.fold(idle, [does(Working()), told])
    assert h.effects(again) == ()
    assert turns.kept(again.tasks[A], 2) == works
    assert h.effects(h.fold(again, [does(Idle())])) == (f.Tell(A, 1, 2),)


def test_one_that_queues_is_told_at_once() -> None:
    assert h.effects(running(queued("person"))) == (f.Tell(A, 1, 1),)


# A person at the keyboard ----------------------------------------------------------------------


def test_a_message_that_could_not_be_typed_is_tried_again_later() -> None:
    later = NOON + h.minutes(1)
    held = e.MessageHeld(task=A, message=1, reason="someone types", not_before=later)
    fleet = running(queued("person"), held, held)

    waiting = plan(fleet, h.GIVEN, NOON)
    assert (waiting.effects, waiting.wake_at) == ((), later)
    assert turns.kept(fleet.tasks[A], 1) == "someone types"
    assert fleet.tasks[A].messages[0].holds == 2
    assert plan(fleet, h.GIVEN, later).effects == (f.Tell(A, 1, 1),)


def test_a_question_that_is_read_as_a_line_is_answered_by_one() -> None:
    fleet = running(does(Waiting("a verdict on its plan", "plan")), queued("person"))

    assert h.effects(fleet) == (f.Tell(A, 1, 1),)


# Since when ------------------------------------------------------------------------------------


def test_a_need_is_as_old_as_what_it_is_about() -> None:
    asks = h.fold(running(), [does(ASKS)], NOON + h.minutes(1))
    later = [e.UsageReported(task=A, cost_usd=1.0, tokens=1)]
    spent = h.fold(asks, later, NOON + h.minutes(2))

    assert spent.tasks[A].updated_at == NOON + h.minutes(2)
    assert needs_since(spent.tasks[A]) == NOON + h.minutes(1)
    review = h.fold(history(*h.submitted(A)), [h.gated(A)], NOON + timedelta(hours=1))
    assert needs_since(review.tasks[A]) == NOON
    blocked = e.ChangeBlocked(task=A, revision=1, reason="x", onto=h.BASE)
    stuck = h.fold(review, [blocked], NOON + timedelta(hours=2))
    assert needs_since(stuck.tasks[A]) == NOON + timedelta(hours=2)
