"""The merge queue, without git: what must hold of it holds after thousands of steps."""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from queue_machine import QueueMachine

TIMES = int(os.environ.get("FLEET_EXAMPLES", "1"))


def settings_for(examples: int, *, steps: int = 40, shrink: bool = True) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def test_what_must_hold_of_a_queue_holds() -> None:
    run_state_machine_as_test(QueueMachine, settings=settings_for(100 * TIMES))
