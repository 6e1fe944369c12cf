"""What goes on of our environment, and programs that no directory can mislead."""

from pathlib import Path

import pytest

from fleet import __version__
from fleet.client import agent_environment
from fleet.client.environment import keeper_environment, without_tmux
from fleet.client.programs import fleet_module, program
from fleet.errors import ToolError
from fleet.paths import Home


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "LC_TIME",
        "VIRTUAL_ENV",
        "SOME_API_KEY",
        "SOME_BASE_URL",
        "https_proxy",
        "GIT_SSH_COMMAND",
        "GIT_AUTHOR_NAME",
        "SSH_AUTH_SOCK",
        "XDG_DATA_HOME",
        "JAVA_HOME",
    ],
)
def test_agents_get(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    assert agent_environment([])[name] == "x"


@pytest.mark.parametrize(
    "name",
    ["FLEET_RUN", "FLEET_HOME", "TMUX", "TMUX_PANE", "GIT_DIR", "GIT_INDEX_FILE"],
)
def test_agents_never_get(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    assert name not in agent_environment([name])


def test_agents_get_other_variables_only_where_they_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "x")
    assert "DATABASE_PASSWORD" not in agent_environment()
    assert agent_environment(["DATABASE_PASSWORD"])["DATABASE_PASSWORD"] == "x"


def test_a_tmux_client_is_not_told_of_another_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "x")
    monkeypatch.setenv("TERM", "xterm")
    assert without_tmux().keys() & {"TMUX", "TERM"} == {"TERM"}


def test_a_module_of_ours_is_not_taken_from_the_directory_we_are_in(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fleet").mkdir(exist_ok=True)
    (tmp_path / "fleet" / "__init__.py").write_text("raise SystemExit('taken in')")
    monkeypatch.chdir(tmp_path)
    code, out, _ = fleet_module("fleet", "--version", home=home)
    assert (code, out) == (0, f"fleet {__version__}\n")


def test_a_program_that_fails_or_is_missing_is_said(tmp_path: Path) -> None:
    environment = keeper_environment(tmp_path)
    assert program("echo", "hi", cwd=tmp_path, environment=environment) == "hi\n"
    with pytest.raises(ToolError, match="sh failed: oh no"):
        program("sh", "-c", "echo oh no >&2; exit 3", cwd=tmp_path, environment=environment)
    with pytest.raises(ToolError, match="cannot run no-such-program"):
        program("no-such-program", cwd=tmp_path, environment=environment)
