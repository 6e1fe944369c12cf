"""The demonstration can be played with at a terminal, and leaves nothing of itself behind."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from desk import Desk, room
from place import FLEET, Place, marked
from waiting import until

pytestmark = pytest.mark.slow


def others(place: Place) -> list[str]:
    """What runs for the demonstration, besides this test and what it started."""
    return [line for line in marked([str(place.root)]) if "-m\\x00fleet\\x00" not in line]


def test_an_interrupt_while_its_supervisor_starts_leaves_nothing(empty: Place) -> None:
    demo = subprocess.Popen(
        [*FLEET, "demo"], env=empty.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: [line for line in others(empty) if "keeper" in line], what="its keeper")
    demo.send_signal(signal.SIGINT)

    assert demo.wait() == 130
    assert [line for line in others(empty) if not line.startswith(f"{os.getpid()} ")] == []
    assert [path for path in empty.root.rglob("*") if path.parent.name in ("tmp", "run")] == []


@pytest.fixture
def show(place: Place) -> Iterator[Desk]:
    """The demonstration on the terminal of a person."""
    with room(place) as theirs:
        yield theirs.run("show", "env", "-u", "CI", "-u", "TMUX", *FLEET, "demo")


def nothing_is_left(place: Place) -> None:
    """Nothing of the stage lives; the person's own terminal does."""
    until(lambda: not [line for line in others(place) if "fleet-demo-" in line], timeout=60)
    assert [path for path in (place.root / "tmp").iterdir() if path.name.startswith("fleet")] == []
    assert list((place.root / "run").iterdir()) == []


def select(show: Desk, task: str) -> None:
    """Show only this task; what stands in a list of many changes its place."""
    show.press("/")
    show.sees("⏎ keep")
    show.press("C-a", "C-k")
    show.type(task)
    show.press("Enter")
    show.sees(f"── {task} ", without=["⏎ keep"])


@pytest.mark.timeout(300)
def test_a_person_plays_with_it(place: Place, show: Desk) -> None:
    show.sees("try notes asks for a permission: w goes to it", "letter", "wants to run Shell")
    select(show, "notes")
    show.sees("make publish", "y allow")
    show.press("y")
    show.sees("letter asks a question: w goes to it", without=["make publish NOTES"])
    select(show, "letter")
    show.sees("Whom is the letter to?", "1 the cats", "1-2 answer")
    show.press("1")
    show.sees("waits for a review: d reads it", "working on: dear the cats", "d review")
    show.press("d")
    show.sees("a approve", "letter.txt")
    show.press("a")
    show.sees("letter is approved")
    show.press("q")
    assert show.ended() == 0
    assert "its agents and files are being removed" in show.text()
    nothing_is_left(place)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_leaves_nothing_and_the_terminal_in_order(
    place: Place, show: Desk, number: signal.Signals
) -> None:
    show.sees("try notes asks for a permission")
    os.kill(show.pid(), number)
    assert show.ended() == 128 + number
    nothing_is_left(place)


@pytest.mark.timeout(300)
def test_a_kill_ends_it_even_while_a_person_is_in_a_pane(place: Place, show: Desk) -> None:
    show.sees("try notes asks for a permission")
    select(show, "letter")
    show.sees("⏎ attach")
    show.press("Enter")
    show.sees("back to fleet")
    os.kill(show.pid(), signal.SIGTERM)
    assert show.ended() == 128 + signal.SIGTERM
    nothing_is_left(place)


@pytest.mark.timeout(300)
def test_ctrl_c_leaves_nothing(place: Place, show: Desk) -> None:
    show.sees("try notes asks for a permission")
    show.press("C-c")
    assert show.ended() == 0
    nothing_is_left(place)
