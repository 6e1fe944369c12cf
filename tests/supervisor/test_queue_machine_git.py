"""The merge queue over real git: what must hold of it holds of a real repository, too.

Landings that are wrong in a known way are noticed: so much is asked of the machine itself.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import queue_invariants as inv
import queue_mutants as mutants
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from queue_git import GitQueue
from queue_machine import QueueMachine, settings_for

from fleet.core import events as e

TIMES = int(os.environ.get("FLEET_EXAMPLES", "1"))
MEMORY = Path("/dev/shm")  # where temporary files cost least


class GitMachine(QueueMachine):
    """What may happen to a queue, and to its repository."""

    @initialize(workers=st.sampled_from((1, 2)))
    def begin(self, workers: int) -> None:
        where = MEMORY if os.access(MEMORY, os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(prefix="fq-", dir=where))
        self.queue = GitQueue(self.root, workers)

    @rule()
    def somebody_is_faster(self) -> None:
        """A person commits after our next landing has looked, and before it moves the target."""
        assert isinstance(self.queue, GitQueue)
        self.queue.between = self.queue.world.person_commits
        self.work(steps=6, longest=True)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "root"):
                shutil.rmtree(self.root)


@pytest.mark.timeout(240 * max(TIMES, 1))
def test_what_must_hold_of_a_queue_holds_over_git() -> None:
    run_state_machine_as_test(GitMachine, settings=settings_for(10, 15 * TIMES))


MOST_TELLING = [
    (mutants.blind_update, ("I3", "I5", "I13")),
    (mutants.landing_by_branch_name, ("I4", "I5")),
    (mutants.checkouts_forgotten, ("I8",)),
]
OTHERS = [
    (mutants.landing_what_was_merged_last, ("I2", "I3")),
    (mutants.squashed_on_a_wrong_base, ("I4", "I5")),
    (mutants.landed_and_landed_again, ("I4", "I5", "I7")),
    (mutants.checkouts_overwritten, ("I8",)),
    (mutants.merging_by_anybodys_settings, ("I12",)),
    (mutants.merging_by_the_clock, ("I12",)),
    (mutants.mislabelled, ("I13",)),
    (mutants.unmarked, ("I13",)),
    (mutants.half_of_an_intent, ("I1", "I3", "I5", "I13")),
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("wrong", "numbers"),
    [*MOST_TELLING, *(pytest.param(*it, marks=pytest.mark.slow) for it in OTHERS)],
)
def test_a_landing_that_is_wrong_is_noticed(
    wrong: Callable[[], AbstractContextManager[None]], numbers: tuple[str, ...]
) -> None:
    with wrong(), pytest.raises(AssertionError) as noticed:
        run_state_machine_as_test(GitMachine, settings=settings_for(15, 100, known=True))

    assert str(noticed.value).startswith(numbers)


@contextmanager
def a_machine() -> Iterator[GitMachine]:
    machine = GitMachine()
    machine.begin(1)
    try:
        yield machine
    finally:
        shutil.rmtree(machine.root)


@pytest.mark.parametrize("number", [0, 3, 4])
@pytest.mark.parametrize("changes", [False, True])
def test_a_stack_lands_by_merge_squash_and_rebase(number: int, *, changes: bool) -> None:
    with a_machine() as machine:
        machine.a_stack_lands("b0", "s0", number, changes=changes)

        for state in inv.STATES:
            state(machine.queue)
        assert [it.task for it in machine.queue.recorded(e.ChangeLanded)] == ["b0", "s0"]
        assert len(machine.queue.world.edits(machine.queue.world.tip)) == 2


def test_a_stack_that_is_merged_by_its_history_is_noticed() -> None:
    wrong, noticed = mutants.merged_by_history(), pytest.raises(AssertionError, match=r"^I5")
    with a_machine() as machine, wrong, noticed:
        machine.a_stack_lands("b0", "s0", 3, changes=True)
