"""`fleet` alone opens the dashboard where a person sits before a screen, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Run
from fake_supervisor import FakeSupervisor

from fleet import paths
from fleet.cli import dashboard
from fleet.errors import ConfigError
from fleet.paths import Home
from fleet.tui.app import Settings


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Home, Settings]]:
    seen: list[tuple[Home, Settings]] = []

    def run(home: Home, settings: Settings) -> int:
        seen.append((home, settings))
        return 3

    monkeypatch.setattr(dashboard, "run", run)
    return seen


OVERVIEW = {"ls": [], "queue": [], "status": {"home": "h", "degraded": []}}


def test_a_terminal_shows_the_dashboard(
    run: Run, on_terminal: Callable[[int], None], opened: list[tuple[Home, Settings]]
) -> None:
    on_terminal(80)
    assert run().code == 3
    assert opened == [(paths.home(), Settings())]


def test_it_is_as_a_persons_configuration_wants_it(
    run: Run,
    on_terminal: Callable[[int], None],
    opened: list[tuple[Home, Settings]],
) -> None:
    on_terminal(80)
    file = paths.user_config()
    file.parent.mkdir(parents=True)
    Path(file).write_text("theme: nord\nmouse: false\nkeys: {attach: a}\n")
    run()
    assert opened[0][1] == Settings(theme="nord", mouse=False, keys={"attach": ("a",)})


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (("keys", "zzz"), ":3: not understood"),
        (("theme",), ":1: not understood"),
        (("keys", "nowhere"), "fleet: not understood"),
        ((), "fleet: not understood"),
    ],
)
def test_what_the_dashboard_does_not_understand_is_said_with_its_line(
    run: Run,
    on_terminal: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    key: tuple[str, ...],
    said: str,
) -> None:
    def refuse(home: Home, settings: Settings) -> int:
        raise ConfigError("not understood", hint="look", key=key)

    monkeypatch.setattr(dashboard, "run", refuse)
    on_terminal(80)
    file = paths.user_config()
    file.parent.mkdir(parents=True)
    file.write_text("theme: nord\nkeys:\n  zzz: a\n")
    answer = run()
    assert answer.code == 1
    assert said in answer.err
    assert "look" in answer.err


@pytest.mark.parametrize("arguments", [("--color", "never"), ("--color", "always")])
def test_with_color_it_prints(
    arguments: tuple[str, ...],
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    opened: list[tuple[Home, Settings]],
) -> None:
    on_terminal(80)
    fake.answers |= OVERVIEW
    assert "0 tasks" in run(*arguments).out
    assert opened == []


def test_a_pipe_and_a_terminal_that_can_do_nothing_get_the_overview(
    run: Run,
    fake: FakeSupervisor,
    on_terminal: Callable[[int], None],
    opened: list[tuple[Home, Settings]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake.answers |= OVERVIEW
    assert "0 tasks" in run().out
    on_terminal(80)
    monkeypatch.setenv("TERM", "dumb")
    assert "0 tasks" in run().out
    assert opened == []
