"""A real agent that is at work is ended, however that is done, with all that it has started."""

import json

import pytest
from place import marked
from real.bench import Bench

from fleet import protocol as p


def marks(bench: Bench, task: str) -> list[str]:
    """Return what the processes of the present run of a task are known by."""
    runs = sorted((bench.place.home.root / "tasks" / task / "runs").iterdir())
    launch = runs[-1] / "launch.json"
    return [f"FLEET_RUN={json.loads(launch.read_text())['token']}", str(launch.parent)]


@pytest.mark.parametrize("how", ["stop", "kill-window"])
def test_nothing_of_it_goes_on(bench: Bench, how: str) -> None:
    """It may be taken up again by itself, but not beside what was left of it."""
    task = bench.spawn("[[hang]]")
    bench.first_request(task)
    known = marks(bench, task)
    assert len(marked(known)) > 1

    if how == "stop":
        bench.place.fleet("stop", task)
    else:
        socket, pane = bench.place.ask(p.Status())["tmux_socket"], bench.row(task)["pane"]
        bench.place.run("tmux", "-N", "-S", socket, "kill-window", "-t", pane)
    bench.until(lambda: not marked(known), f"the end of {task}'s processes")
