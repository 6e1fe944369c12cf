"""The merge queue over real git: what must hold of it holds of a real repository, too."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from queue_git import GitQueue
from queue_machine import QueueMachine

TIMES = int(os.environ.get("FLEET_EXAMPLES", "1"))
MEMORY = Path("/dev/shm")


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
        git_queue = self.queue
        assert isinstance(git_queue, GitQueue)
        git_queue.between = git_queue.world.person_commits

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            shutil.rmtree(self.root)


def test_what_must_hold_of_a_queue_holds_over_git() -> None:
    run_state_machine_as_test(
        GitMachine,
        settings=settings(
            max_examples=10 * TIMES,
            stateful_step_count=15,
            deadline=None,
            derandomize=TIMES == 1,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
