"""The command line as a function: its answer, what it printed, and a supervisor that is told."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from command_line import Answer, Run
from fake_supervisor import FakeSupervisor

from fleet import paths
from fleet.cli.main import main
from fleet.client import starting
from fleet.paths import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="fc-") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        monkeypatch.setenv("FLEET_HOME", str(tmp_path / "fleet"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(starting, "_started", _refuse_to_start)
        yield paths.home()


def _refuse_to_start(home: Home, _: object) -> NoReturn:
    pytest.fail(f"this would have started a real supervisor, which outlives the test, in {home}")


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSupervisor]:
    supervisor = FakeSupervisor(home)
    yield supervisor
    supervisor.close()


@pytest.fixture
def run(home: Home, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; nothing of it is shown to a terminal."""

    def answer(*arguments: str) -> Answer:
        code = main(arguments)
        return Answer(code, *capsys.readouterr())

    return answer


@pytest.fixture
def on_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    """Let stdout and stderr be terminals of so many columns."""

    def set_width(columns: int) -> None:
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm-256color")

    return set_width


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    monkeypatch.chdir(root)
    return root
