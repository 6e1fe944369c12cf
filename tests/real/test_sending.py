"""What stands in a real agent's input line is never sent along with a message."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from person import Person
from place import FLEET
from real.bench import Bench
from waiting import until

pytestmark = pytest.mark.needs("talk")


@contextmanager
def attached(bench: Bench, task: str) -> Iterator[Person]:
    person = Person([*FLEET, "attach", task], bench.place.env)
    try:
        until(lambda: person.sees(bench.cli.prompt))
        yield person
    finally:
        person.leave()


def submits(bench: Bench, task: str, person: Person) -> bool:
    """Press Enter, which right behind a text may count as a part of that."""
    person.types(b"\r")
    try:
        until(lambda: bench.input_line(task) == "", timeout=3)
    except AssertionError:
        return False
    return True


@pytest.mark.needs("put-back")
def test_a_prompt_that_was_put_back_is_taken_out_first(bench: Bench) -> None:
    task = bench.spawn("[[hang]] early")
    bench.first_request(task)
    bench.press(task, "Escape")  # it has shown nothing yet, so its prompt is put back
    bench.until(lambda: "early" in bench.input_line(task), "its prompt in the input line")

    sent = bench.place.fleet("send", task, f"[[run git status]] later ({task})")
    request = bench.heard(task, "nothing to commit")

    assert sent.err == (
        f"{task}: delivered: taken out of its input line before: [[hang]] early ({task})\n"
    )
    assert "[[hang]]" not in str(request.talk)


def test_a_person_who_types_is_waited_for(bench: Bench) -> None:
    task = bench.spawn("begin")
    bench.first_request(task)
    bench.shows(task, "idle")

    with attached(bench, task) as person:
        empty = bench.place.fleet("send", task, f"while one looks on ({task})")
        bench.heard(task, "while one looks on")
        bench.shows(task, "idle")
        person.types(b"half a thought")
        bench.until(lambda: bench.input_line(task) == "half a thought", "what was typed")
        queued = bench.place.fleet("send", task, f"when there is room ({task})")
        assert bench.input_line(task) == "half a thought"
        person.types(b", and the rest")
        whole = "half a thought, and the rest"
        bench.until(lambda: bench.input_line(task) == whole, "the rest of it")
        until(lambda: submits(bench, task, person))
        request = bench.heard(task, "when there is room")

    assert empty.err == f"{task}: delivered\n"
    why = "someone is attached, and its input line is not empty"
    assert queued.err == f"{task}: queued: {why}\n"
    bench.heard_once(task, whole)
    assert "rest" not in str(request.talk[-1])


def test_copy_mode_swallows_nothing(bench: Bench) -> None:
    task = bench.spawn("begin")
    bench.first_request(task)
    bench.shows(task, "idle")
    bench.tmux(task, "copy-mode")

    sent = bench.place.fleet("send", task, f"in copy mode ({task})")

    bench.heard(task, "in copy mode")
    assert sent.err == f"{task}: delivered\n"


@pytest.mark.needs("answers")
def test_at_a_dialog_a_message_waits(bench: Bench) -> None:
    task = bench.spawn("[[run make it]] begin")
    ask = bench.asks(task)
    assert ask["kind"] == "permission"

    queued = bench.place.fleet("send", task, f"and then this ({task})")
    assert f"{task}: queued: it waits for" in queued.err
    bench.place.fleet("answer", task, "deny", "not now")

    bench.heard(task, "and then this")
    bench.until(lambda: not bench.place.show(task)["messages"], "the end of the wait")
