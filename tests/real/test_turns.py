"""A conversation with a real agent: told more, interrupted, cleared, compacted, taken up again."""

import pytest
from real.bench import Bench

pytestmark = pytest.mark.needs("talk")


def test_it_is_told_more_when_idle_and_when_busy(bench: Bench) -> None:
    task = bench.spawn("[[slow 3]] begin")
    bench.shows(task, "working")
    bench.heard(task, "begin")

    busy = bench.place.fleet("send", task, "mind the tests")
    bench.heard(task, "mind the tests")
    bench.shows(task, "idle")
    idle = bench.place.fleet("send", task, "mind the docs, too;")
    bench.heard(task, "mind the docs, too;")
    bench.shows(task, "idle")
    assert busy.err == f"{task}: delivered\n"
    assert idle.err == f"{task}: delivered\n"


def test_it_reads_a_long_message_from_its_file(bench: Bench) -> None:
    task = bench.spawn("begin")
    bench.shows(task, "idle")
    message = "\n".join(f"line {number} of what is to be done" for number in range(40))

    sent = bench.place.fleet("send", task, message)
    request = bench.heard(task, "it holds a message for you")
    (file,) = bench.place.home.root.glob(f"tasks/{task}/runs/1/messages/*.txt")
    bench.place.fleet("send", task, f"[[read {file}]]")
    bench.heard(task, "line 39 of what is to be done")
    bench.shows(task, "idle")
    assert sent.err == f"{task}: delivered\n"
    assert str(file) in request.news


@pytest.mark.needs("clear")
def test_a_new_conversation_in_the_same_process_is_followed(bench: Bench) -> None:
    task = bench.spawn("begin")
    bench.first_request(task)
    bench.shows(task, "idle")
    bench.until(lambda: bench.conversation(task), "the name of its conversation")
    first = bench.conversation(task)
    cost = bench.tells_cost(task) if bench.can("cost") else 0.0

    bench.place.fleet("send", task, "/clear")
    if bench.can("clear-told"):
        bench.until(lambda: bench.conversation(task) != first, "another conversation")
    bench.place.fleet("send", task, f"begin anew ({task})")
    request = bench.heard(task, "begin anew")
    if request.conversation:
        bench.until(lambda: bench.conversation(task) == request.conversation, "its new name")
    bench.until(lambda: bench.conversation(task) != first, "another name")
    if bench.can("cost"):
        bench.until(lambda: bench.row(task)["cost_usd"] > cost, "a cost beside the first one's")
    assert bench.row(task)["attempt"] == 1


@pytest.mark.needs("compaction")
def test_compaction_is_no_new_task(bench: Bench) -> None:
    task = bench.spawn("[[full 980000]] begin")
    bench.first_request(task)
    bench.shows(task, "idle")
    first = bench.conversation(task)

    bench.place.fleet("send", task, f"[[run git status]] go on ({task})")
    bench.heard(task, "nothing to commit")
    bench.shows(task, "idle")
    assert bench.conversation(task) == first
    assert bench.row(task)["attempt"] == 1


def test_a_killed_agent_is_taken_up_again_in_its_conversation(bench: Bench) -> None:
    task = bench.spawn("[[run git status]] begin")
    bench.heard(task, "nothing to commit")
    bench.shows(task, "idle")
    bench.api.troubles.add("stuck")
    bench.place.fleet("send", task, f"[[hang while=stuck]] more ({task})")
    bench.heard(task, "more")
    first = bench.conversation(task)

    bench.kill(task)
    bench.api.troubles.remove("stuck")
    bench.shows(task, "failed")
    bench.place.fleet("resume", task)
    request = bench.heard(task, "Go on where you stopped.")
    bench.shows(task, "idle")
    assert request.conversation in ("", first)
    assert bench.conversation(task) == first
    assert "nothing to commit" in str(request.body)
