"""A real agent that is not conversed with: it works on its prompt, and ends."""

from pathlib import Path

import pytest
from real.bench import PATIENCE_S, Bench
from waiting import until

EDIT = "[[edit /readme.txt | begin | go on]]"


@pytest.fixture(autouse=True)
def _ends(bench: Bench) -> None:
    if bench.can("talk"):
        pytest.skip("it is conversed with")


def test_it_ends_with_a_change_in_the_users_name_and_leaves_nothing_else(bench: Bench) -> None:
    place = bench.place
    config = (place.repo / ".git" / "config").read_text()
    task = bench.spawn(EDIT)
    bench.shows(task, "review")
    tree = place.git("log", "-1", "--format=%an %ae %cn %b", f"fleet/{task}")
    changed = place.git("diff", "--name-only", f"main...fleet/{task}").split()

    left = place.git("status", "--short", cwd=Path(bench.row(task)["worktree"]))

    assert left == ""
    assert tree.strip() == "Test Person test@example.invalid Test Person"
    assert changed == ["readme.txt"]
    assert (place.repo / ".git" / "config").read_text() == config


def test_a_service_that_refuses_it_for_a_moment_is_asked_again(bench: Bench) -> None:
    bench.api.troubles.add("limit")
    task = bench.spawn(f"[[fail 429 retry-after=1 while=limit]] {EDIT}")
    until(lambda: len(bench.requests(task)) > 1, timeout=PATIENCE_S)
    bench.shows(task, "working")
    bench.api.troubles.remove("limit")
    bench.shows(task, "review")


@pytest.mark.parametrize("marker", ["fail 401", "fail 400 prompt is too long"])
def test_one_that_is_refused_ends_without_a_change_and_says_so(bench: Bench, marker: str) -> None:
    task = bench.spawn(f"[[{marker}]]")
    row = bench.shows(task, "failed")

    assert "change" in row["needs"]


def test_one_that_is_killed_has_failed_and_tries_again_when_told(bench: Bench) -> None:
    bench.api.troubles.add("stuck")
    task = bench.spawn(f"[[hang while=stuck]] {EDIT}")
    until(lambda: bench.requests(task), timeout=PATIENCE_S)
    bench.kill(task)
    bench.shows(task, "failed")
    bench.api.troubles.remove("stuck")
    bench.place.fleet("retry", task)
    bench.shows(task, "review")
