"""A real agent whose service fails: what fleet shows, and what it does about it."""

import pytest
from real.bench import Bench

pytestmark = pytest.mark.needs("talk")


@pytest.mark.needs("retries")
def test_a_short_rate_limit_passes_by_itself(bench: Bench) -> None:
    bench.api.troubles.add("limit")
    task = bench.spawn("[[fail 429 retry-after=1 while=limit]]")
    bench.until(lambda: len(bench.requests(task)) > 1, "a second attempt")
    bench.shows(task, "working")
    bench.api.troubles.remove("limit")
    bench.shows(task, "idle")
    assert bench.activities(task) <= {"working", "idle"}


def test_a_long_rate_limit_is_waited_for_and_goes_on_when_told(bench: Bench) -> None:
    task = bench.spawn("[[fail 429 retry-after=3600]]")
    bench.shows(task, "waiting")
    bench.leave_limit(task)
    bench.until(lambda: bench.waits_for(task) == "rate-limit", "what it waits for")
    bench.until(lambda: "goes on at" in (bench.row(task)["waits"] or ""), "when it goes on")
    assert bench.row(task)["needs"] is None

    bench.place.fleet("send", task, f"[[run git status]] try again ({task})")
    bench.heard(task, "try again")
    bench.shows(task, "idle")


@pytest.mark.needs("failing")
def test_a_service_that_fails_for_a_while_is_asked_again_by_fleet(bench: Bench) -> None:
    bench.api.troubles.add("broken")
    task = bench.spawn("[[fail 500 retry-after=1 while=broken]]")
    row = bench.shows(task, "waiting")
    assert row["needs"] is None
    assert bench.waits_for(task) == "error"

    bench.api.troubles.remove("broken")
    bench.heard(task, "Go on where you stopped.")
    bench.shows(task, "idle")


@pytest.mark.needs("overflow")
def test_a_prompt_that_is_too_long_says_so(bench: Bench) -> None:
    task = bench.spawn("[[fail 400 prompt is too long: 210000 tokens > 200000 maximum]]")
    bench.shows(task, "waiting")
    assert bench.waits_for(task) == "context"


def test_a_request_that_hangs_is_ended_by_the_limit_of_time(bench: Bench) -> None:
    task = bench.spawn("[[hang]]", "--timeout", bench.cli.hangs)
    bench.first_request(task)
    row = bench.shows(task, "failed")
    assert "time limit" in row["needs"]


@pytest.mark.needs("silence")
def test_a_request_that_hangs_is_ended_by_the_limit_of_silence(bench: Bench) -> None:
    """It draws its spinner all the time, which is no sign that it gets anywhere."""
    repo = bench.place.make_repo("silent", {"fleet.yaml": "silence: 20s\n"})
    bench.place.fleet("trust", "--agents", cwd=repo)
    task = bench.spawn("[[hang]]", cwd=repo)
    bench.first_request(task)
    row = bench.shows(task, "failed")
    assert row["needs"] == "stopped after 20 s of silence"


@pytest.mark.needs("failing")
def test_an_overloaded_service_is_waited_for(bench: Bench) -> None:
    task = bench.spawn("[[fail 529 retry-after=1 Overloaded]]")
    row = bench.shows(task, "waiting")
    assert row["needs"] is None
    kinds = [it["activity"].get("kind") for it in bench.place.events("run.activity", task=task)]
    assert "overloaded" in kinds
