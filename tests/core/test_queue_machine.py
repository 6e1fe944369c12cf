"""The merge queue, without git: what must hold of it holds after thousands of steps.

Queues that are wrong in a known way are noticed: so much is asked of the machine itself.
"""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import queue_mutants as mutants
from hypothesis.stateful import run_state_machine_as_test
from queue_machine import EvidenceMachine, QueueMachine, settings_for

from fleet.core import events as e

TIMES = int(os.environ.get("FLEET_EXAMPLES", "1"))
SEEN: Counter[type[e.Event]] = Counter()


class Counted(EvidenceMachine):
    """The machine, and how often it got anywhere."""

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "queue"):
            SEEN.update(type(entry.event) for entry in self.queue.entries)


@pytest.mark.timeout(120 * max(TIMES, 1))
def test_what_must_hold_of_a_queue_holds() -> None:
    SEEN.clear()
    run_state_machine_as_test(Counted, settings=settings_for(40, 150 * TIMES))

    wanted: tuple[type[e.Event], ...] = (
        *(e.ChangeLanded, e.GateRejected, e.ConflictFound, e.TrainClashed, e.Suspected),
        *(e.LandingMissed, e.ChangeBlocked, e.QueueFrozen, e.Approved, e.StillMerges),
        *(e.ChangeProved, e.EvidenceForgotten),
        *(e.StackMoved, e.TaskEdited),
    )
    assert [kind.__name__ for kind in wanted if not SEEN[kind]] == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("wrong", "numbers"),
    [
        (mutants.stale_approval, ("I4", "I16")),
        (mutants.blame_while_speculating, ("I6",)),
        (mutants.evicted_on_a_doomed_basis, ("I6",)),
        (mutants.unrun_is_green, ("I1", "I17")),
        (mutants.authors_approve, ("I4",)),
        (mutants.stacks_forgotten, ("I9",)),
        (mutants.nothing_goes_on, ("I10",)),
        (mutants.too_many_checks, ("I11",)),
        (mutants.judged_by_the_first_check, ("I14", "I17")),
        (mutants.proven_for_ever, ("I1", "I14", "I15")),
        (mutants.never_proven, ("I15",)),
        (mutants.nobody_asked, ("I1", "I16")),  # half of a group has its intents when it is noticed
        (mutants.nothing_ran_is_green, ("I17",)),
        (mutants.no_checks_are_enough, ("I17",)),
    ],
)
def test_a_queue_that_is_wrong_is_noticed(
    wrong: Callable[[], AbstractContextManager[None]], numbers: tuple[str, ...]
) -> None:
    with wrong(), pytest.raises(AssertionError) as noticed:
        run_state_machine_as_test(QueueMachine, settings=settings_for(40, 1000, known=True))

    assert str(noticed.value).startswith(numbers)


def a_stack_whose_parent_changes() -> None:
    machine = QueueMachine()
    machine.begin(1)
    machine._submit("b0", "review")
    machine.work(steps=12, longest=True)
    machine.one_stands_on_another("b0", "s0", "review")
    machine.work(steps=12, longest=True)
    machine.what_is_below_changes("s0", "review")
    machine.holds()


def test_an_approval_that_outlives_what_is_below_is_noticed() -> None:
    a_stack_whose_parent_changes()
    noticed = pytest.raises(AssertionError, match=r"^I(9|18)")
    with mutants.approval_outlives_its_parent(), noticed:
        a_stack_whose_parent_changes()
