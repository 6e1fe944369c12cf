"""At a terminal the demonstration is the dashboard with a tip; elsewhere it plays by itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from screens import QUESTION, asking, live, picture

from fleet.cli import demo, demo_open
from fleet.cli.demo_cast import CAST
from fleet.cli.demo_guests import GUESTS, SCRIPTS, configuration
from fleet.cli.demo_tips import FAREWELL, tip
from fleet.config import read_user_policy
from fleet.core.rows import LiveRow
from fleet.tui.model import EMPTY, fold


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was played: nothing is, in truth."""
    seen: list[str] = []

    def dashboard(**_: Any) -> int:
        seen.append("dashboard")
        return 0

    def play(*_: Any, **__: Any) -> int:
        seen.append("play")
        return 0

    monkeypatch.setattr(demo_open, "main", dashboard)
    monkeypatch.setattr(demo, "main", play)
    monkeypatch.delenv("CI", raising=False)
    return seen


def test_a_terminal_gets_the_dashboard(
    run: Run, opened: list[str], on_terminal: Callable[[int], None]
) -> None:
    on_terminal(80)
    run("demo")
    assert opened == ["dashboard"]


def test_a_pipe_ci_and_plain_get_the_play(
    run: Run,
    opened: list[str],
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("demo")
    on_terminal(80)
    run("demo", "--plain")
    monkeypatch.setenv("CI", "true")
    run("demo")
    assert opened == ["play"] * 3


def test_guests_are_agents_of_the_configuration_and_the_cast_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(configuration("/scripts"))
    known = {agent.name for agent in read_user_policy(file).agents}
    assert known == SCRIPTS.keys()
    assert {part.agent for part in GUESTS} - {"shell"} == known
    assert GUESTS[-len(CAST) :] == CAST


@pytest.mark.parametrize(
    ("lives", "said"),
    [
        ((asking("b", QUESTION), asking("a")), "a asks for a permission"),
        ((live("c", of={"status": "review"}), asking("b", QUESTION)), "b asks a question"),
        ((live("d"), live("c", of={"status": "review"})), "c waits for a review"),
        ((live("e", of={"status": "failed"}), live("d")), "d is at work"),
        ((live("f", of={"status": "conflict"}),), "f conflicts"),
        ((live("e", of={"status": "failed"}),), "e has failed"),
        ((live("g", of={"status": "landed"}),), FAREWELL),
        ((), FAREWELL),
    ],
)
def test_the_tip_is_about_what_is_there(lives: tuple[LiveRow, ...], said: str) -> None:
    assert tip(fold(EMPTY, picture(*lives))).startswith(said)


def test_before_the_first_picture_there_is_little_to_say() -> None:
    assert tip(EMPTY) == "agents are about to begin"
