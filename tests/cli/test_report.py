"""A report says what came of the work, why the rest did not, and what is wanted of a person."""

import json
from collections.abc import Callable
from typing import Any

from command_line import Run
from fake_supervisor import FakeSupervisor
from wire_samples import task_row

from fleet.cli.text import width


def told(**said: Any) -> dict[str, Any]:
    report: dict[str, Any] = {
        "since": None,
        "landed": [task_row("a", status="landed")],
        "failed": [task_row("b", status="failed", needs="check test failed", attempt=3)],
        "waiting": [task_row("c", status="review", needs="review")],
        "cost_usd": 1.5,
        "tokens": 3000,
        "attempts": 5,
        "flaky": [{"task": "a", "check": "test"}, {"task": "b", "check": "test"}],
    }
    return report | said


def test_a_report_tells_outcomes_reasons_and_cost(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["report"] = told()
    lines = run("report").out.splitlines()
    assert lines[0] == "1 landed, 1 failed, 1 waits for you; 5 attempts, $1.50, 3000 tokens"
    assert lines[1] == "since the beginning"
    rows = [line.split("\t") for line in lines[3:6]]
    assert [(row[0], row[1], row[3], row[6]) for row in rows] == [
        ("landed", "a", "1", ""),
        ("failed", "b", "3", "check test failed"),
        ("waiting", "c", "1", "review"),
    ]
    assert lines[6:] == ["test was flaky 2 times"]


def test_nothing_has_happened(run: Run, fake: FakeSupervisor) -> None:
    nothing: list[Any] = []
    fake.answers["report"] = told(
        landed=nothing, failed=nothing, waiting=nothing, flaky=nothing, tokens=0, attempts=0
    )
    lines = run("report", "--since", "2h").out.splitlines()
    assert lines[0] == "0 landed, 0 failed, 0 wait for you; 0 attempts, $1.50"
    assert lines[1].startswith("since 2")
    assert len(lines) == 2
    assert fake.calls("report")[0]["since"]


def test_it_fits_the_terminal(
    run: Run, fake: FakeSupervisor, on_terminal: Callable[[int], None]
) -> None:
    on_terminal(80)
    fake.answers["report"] = told(failed=[task_row("b" * 40, needs="x" * 200, title="t" * 90)])
    lines = run("--color", "never", "report").out.splitlines()
    assert max(map(width, lines)) <= 80


def test_json_is_what_the_supervisor_says(run: Run, fake: FakeSupervisor) -> None:
    fake.answers["report"] = told()
    assert json.loads(run("report", "--json").out) == told()


def test_a_time_that_makes_no_sense_is_refused(run: Run, fake: FakeSupervisor) -> None:
    assert run("report", "--since", "whenever").code == 2
