import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

from fleet.cli import entry, main
from fleet.client import Client
from fleet.errors import NoSupervisorError


class _Connected:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, request: object) -> list[object]:
        return [{"task": repr(request)}]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The calls that went the long way, through click."""
    calls: list[object] = []

    def through_click(argv: object) -> int:
        calls.append(argv)
        return 7

    monkeypatch.setattr(main, "main", through_click)
    return calls


def test_what_scripts_poll_is_answered_without_click(
    monkeypatch: pytest.MonkeyPatch, loaded: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Client, "connect", lambda home, start: _Connected())

    assert entry.main(["ls", "--json"]) == 0
    assert "all=False" in capsys.readouterr().out
    assert entry.main(["ls", "--all", "--json"]) == 0
    assert "all=True" in capsys.readouterr().out
    assert not loaded


def test_whatever_is_out_of_the_ordinary_goes_the_long_way(
    monkeypatch: pytest.MonkeyPatch, loaded: list[object]
) -> None:
    def nobody(home: object, *, start: bool) -> _Connected:
        raise NoSupervisorError("no supervisor runs")

    monkeypatch.setattr(Client, "connect", nobody)
    monkeypatch.setattr(sys, "argv", ["fleet", "status"])

    assert entry.main(["ls", "--json"]) == 7
    assert entry.main(["ls", "--json", "--here"]) == 7
    assert entry.main(["ls"]) == 7
    assert entry.main() == 7
    assert loaded == [["ls", "--json"], ["ls", "--json", "--here"], ["ls"], None]


def test_the_program_of_the_package_begins_here() -> None:
    text = (Path(entry.__file__).parents[2] / "pyproject.toml").read_text()
    assert 'fleet = "fleet.cli.entry:main"' in text


def test_what_scripts_poll_loads_only_what_it_needs() -> None:
    program = (
        "import sys; from fleet.cli import entry; entry._answered(every=False); print(*sys.modules)"
    )
    env = {"FLEET_HOME": "/nowhere/home", "PATH": os.environ["PATH"]}
    asked = [sys.executable, "-c", program]
    ran = subprocess.run(asked, capture_output=True, text=True, check=True, env=env)

    assert "msgspec" in ran.stdout.split()
    heavy = {"asyncio", "click", "inspect", "rich", "textual", "typing_extensions"}
    assert not heavy & set(ran.stdout.split())
