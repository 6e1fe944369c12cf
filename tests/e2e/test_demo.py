"""The demonstration, interrupted where that is hardest, leaves nothing of itself behind."""

import os
import signal
import subprocess

import pytest
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
