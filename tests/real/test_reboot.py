"""After the power was lost, real agents are taken up again in their conversations."""

import pytest
from power import lose_power
from real.bench import Bench

pytestmark = pytest.mark.needs("talk")


def test_agents_go_on_in_their_conversations_after_a_reboot(bench: Bench) -> None:
    rests = bench.spawn("[[run git status]]")
    bench.shows(rests, "idle")
    works = bench.spawn("[[run git status]] [[slow 600]]")
    bench.heard(works, "nothing to commit")
    begins = bench.spawn("[[hang]]")
    bench.first_request(begins)
    tasks = (rests, works, begins)
    known = {task: bench.conversation(task) for task in tasks}

    lose_power(bench.place)
    bench.place.fleet("up")

    for task in (rests, works):
        assert bench.heard(task, "Go on where you stopped.").conversation in ("", known[task])
    bench.until(lambda: len(bench.place.events("run.started", task=begins)) > 1, "another run")
    bench.shows(begins, "working", "idle")
    assert {bench.place.show(task)["spent"] for task in tasks} == {0}
    assert bench.conversation(rests) == known[rests]
    assert bench.conversation(works) == known[works]
