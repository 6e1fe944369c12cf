"""Who lands first: by when it came, some a little earlier and some a little later."""

import histories as h
from histories import NOON, REPO, A, B, C

from fleet.core.ids import TaskId
from fleet.core.merge_queue import entries
from fleet.core.model import Fleet


def line(fleet: Fleet) -> list[TaskId]:
    return [task.id for task, _ in entries(fleet, REPO, "main")]


def test_what_is_urgent_goes_first_and_what_is_low_last() -> None:
    fleet = h.history(*h.by_hand(A, priority="low"), *h.by_hand(B))
    fleet = h.fold(fleet, h.by_hand(C, priority="urgent"), NOON + h.minutes(5))

    assert line(fleet) == [C, B, A]


def test_nothing_waits_for_ever_behind_what_is_more_urgent() -> None:
    low = h.history(*h.by_hand(A, priority="low"), *h.by_hand(B))
    later = h.fold(low, h.by_hand(C), NOON + h.minutes(241))
    urgent = h.fold(later, h.by_hand(TaskId("d"), priority="urgent"), NOON + h.minutes(25 * 60))

    assert line(later) == [B, A, C]
    assert line(urgent) == [B, "d", A, C]


def test_a_verdict_counts_from_when_it_was_given() -> None:
    fleet = h.history(*h.by_hand(A), *h.by_hand(B, priority="urgent"))
    fleet = h.fold(fleet, [h.approved(A)], NOON + h.minutes(1))

    assert line(fleet) == [A, B]  # what nobody decided yet waits behind
