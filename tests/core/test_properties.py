"""What holds whatever happens, in whatever order: shown on random histories."""

import os

import moves
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.core.plan import plan
from fleet.core.reducer import replay

TIMES = int(os.environ.get("FLEET_EXAMPLES", "1"))
STEPS = st.lists(
    st.tuples(*(st.integers(0, len(moves.MOVES) - 1), st.integers(0, 7), st.integers(0, 29))),
    min_size=5,
    max_size=100,
)


def examples(number: int) -> settings:
    return settings(
        max_examples=number * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@examples(200)
@given(STEPS)
def test_what_must_hold_holds_after_every_move(steps: list[tuple[int, int, int]]) -> None:
    it = moves.play(steps)

    assert replay(it.entries) == it.fleet
    assert plan(it.fleet, it.given, it.now) == it.planned


@examples(200)
@given(STEPS)
def test_every_task_comes_to_an_end_or_to_a_person(steps: list[tuple[int, int, int]]) -> None:
    it = moves.play(steps)
    moves.drain(it)

    assert [task.id for task in it.fleet.tasks.values() if not moves.rests(it, task)] == []
