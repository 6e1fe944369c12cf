"""Nothing but the dashboard itself loads what draws screens: it takes a quarter of a second."""

import os
import subprocess
import sys

import pytest
from fake_supervisor import FakeSupervisor

SCREENS = {"fleet.tui", "rich", "textual"}


@pytest.mark.parametrize(
    "words",
    [[], ["ls"], ["queue"], ["next"], ["spawn", "--help"], ["diff", "--help"], ["nonsense"]],
)
def test_no_command_loads_a_screen(words: list[str], fake: FakeSupervisor) -> None:
    fake.answers |= {"ls": [], "queue": [], "status": {"home": "h", "degraded": []}, "next": None}
    program = (
        "import contextlib, sys\nfrom fleet.cli.main import main\n"
        f"with contextlib.suppress(SystemExit): main({words!r})\n"
        "print('loaded:', *sys.modules, file=sys.stderr)"
    )
    environment = {name: it for name, it in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    loaded = done.stderr.partition("loaded:")[2].split()

    assert "click" in loaded
    assert not SCREENS & set(loaded)
