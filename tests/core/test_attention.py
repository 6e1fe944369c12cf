"""A person is told once of each need, and of none that is over at once or that they see."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import histories as h
import pytest
from histories import NOON, A, B, fold, history

from fleet.core import events as e
from fleet.core.activity import Idle, Waiting, Working
from fleet.core.attention import MOMENT, NO_NEWS
from fleet.core.effects import Notify
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances
from fleet.core.policy import FleetPolicy

NOTIFY = FleetPolicy(pool=0, notify=("bell",))
GIVEN = h.circumstances(fleet=NOTIFY)
SOON = NOON + MOMENT
NEED = "which one?"


def does(activity: object, task: object = A) -> e.ActivityChanged:
    return e.ActivityChanged(task=task, attempt=1, activity=activity, source="hook")  # type: ignore[arg-type]  # a test's shorthand


def notified(
    fleet: Fleet, now: datetime = SOON, given: Circumstances = GIVEN
) -> tuple[Fleet, list[Notify], datetime | None]:
    """The settled state, who is to be told now, and when to look again."""
    fleet, planned, _ = h.settle(fleet, given, now)
    return fleet, [it for it in planned.effects if isinstance(it, Notify)], planned.wake_at


def told(fleet: Fleet, notices: Iterable[Notify], now: datetime = SOON) -> Fleet:
    facts = [e.NeedTold(task=it.task, need=it.need, since=it.since, by=("bell",)) for it in notices]
    return fold(fleet, facts, now)


WAITING = (*h.running(A), does(Waiting(NEED)))


def test_a_need_that_lasts_is_told_once() -> None:
    fleet, now, wake = notified(history(*WAITING), NOON)
    assert (now, wake) == ([], SOON)
    fleet, now, _ = notified(fleet)
    assert now == [Notify(A, NEED, NOON)]
    assert now[0].lane == "notify"
    fleet, now, _ = notified(told(fleet, now))
    assert now == []
    assert notified(fleet, SOON + h.minutes(60))[1] == []


def test_what_is_over_at_once_is_not_told() -> None:
    fleet = fold(history(*WAITING), [does(Working())])
    assert notified(fleet)[1:] == ([], None)


def test_the_same_need_again_is_another_one() -> None:
    fleet, now, _ = notified(history(*WAITING))
    fleet = told(fleet, now)
    fleet = fold(fleet, [does(Working())], SOON)
    fleet, now, _ = notified(fleet)
    assert (now, fleet.tasks[A].told) == ([], None)
    again = SOON + h.minutes(1)
    fleet = fold(fleet, [does(Waiting(NEED))], again)
    assert notified(fleet, again + MOMENT)[1] == [Notify(A, NEED, again)]


def test_a_need_that_follows_another_in_one_batch_is_told() -> None:
    fleet, now, _ = notified(history(*WAITING))
    later = SOON + h.minutes(1)
    fleet = fold(told(fleet, now), [does(Working()), does(Waiting(NEED))], later)
    assert notified(fleet, later + MOMENT)[1] == [Notify(A, NEED, later)]


def test_another_reason_is_another_need() -> None:
    fleet, now, _ = notified(history(*h.by_hand(A), h.gated()))
    assert [it.need for it in now] == ["review"]
    later = SOON + h.minutes(1)
    frozen = e.QueueFrozen(repo=h.REPO, target="main", reason="it moved")
    fleet = fold(told(fleet, now), [frozen], later)
    assert ["frozen" in it.need for it in notified(fleet, later + MOMENT)[1]] == [True]


def test_whoever_sees_it_is_not_told() -> None:
    given = h.circumstances(fleet=NOTIFY, attached=frozenset({A}))
    fleet, now, _ = notified(history(*WAITING), NOON, given)
    assert now == []
    assert notified(fleet)[1] == []  # nor when they have left


def test_the_gates_of_a_review_take_their_time() -> None:
    """A change is long in the queue when it begins to need somebody."""
    later = NOON + h.minutes(10)
    fleet = fold(history(*h.by_hand(A)), [h.gated()], later)
    assert notified(fleet, later)[1:] == ([], later + MOMENT)
    assert notified(fleet, later + MOMENT)[1] != []


@pytest.mark.parametrize(
    "events",
    [
        (h.added(A), e.TaskFailed(task=A, reason="no attempt is left")),
        (*h.running(A, h.spec(done="manual")), does(Idle())),
        (h.added(A, h.spec(after=(B,))),),
    ],
)
def test_needs_of_every_kind_are_told(events: h.Events) -> None:
    assert len(notified(history(*events))[1]) == 1


def test_one_after_the_other_the_oldest_first() -> None:
    failed = e.TaskFailed(task=B, reason="x")
    fleet = fold(history(h.added(B), *h.running(A)), [does(Waiting(NEED))], NOON)
    fleet = fold(fleet, [failed], NOON - timedelta(seconds=30))
    fleet, now, _ = notified(fleet, SOON)
    assert [it.task for it in now] == [B]
    assert [it.task for it in notified(told(fleet, now))[1]] == [A]


def test_what_is_old_removed_or_hopeless_is_not_told() -> None:
    assert notified(history(*WAITING), NOON + NO_NEWS)[1:] == ([], None)
    gone = (h.added(B), e.TaskFailed(task=B, reason="x"), e.TaskRemoved(task=B, by="x"))
    assert notified(history(*gone))[1] == []
    crashes: h.Events = (e.CrashNoted(task=B, error="x"),) * 4
    failed: h.Events = (h.added(B), *crashes, e.TaskFailed(task=B, reason="x"))
    fleet = history(*failed, *WAITING)
    assert [it.task for it in notified(fleet)[1]] == [A]


def test_where_nobody_wants_it_nothing_is_told() -> None:
    given = h.circumstances(fleet=FleetPolicy(pool=0, notify=()))
    assert notified(history(*WAITING), SOON, given)[1:] == ([], None)


def test_being_told_is_no_news_of_a_task() -> None:
    fleet, now, _ = notified(history(*WAITING))
    task = told(fleet, now, SOON + h.minutes(5)).tasks[A]
    assert (task.updated_at, task.told is not None) == (NOON, True)
