"""The user's own file need not be there; what is there is understood, or refused."""

from pathlib import Path

import pytest

from fleet.config import read_user_policy
from fleet.core.policy import AgentCommand, AgentOptions, FleetPolicy
from fleet.errors import ConfigError

EVERYTHING = """
slots: 3
workers: 2
agent: any
agents: {any: {command: [a]}}
agent_options: {any: {permission: plan, allow: [Read, "Bash(git *)"], model: m, effort: low}}
pool: 0
disk_limit: 1.5
max_runs_per_hour: 7
first_port: 30000
notify: [bell, desktop, my-notify --loud]
env: [A, B]
theme: nord
mouse: false
keys: {attach: [enter, a], quit: ctrl+x}
"""


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert read_user_policy(tmp_path / "none" / "config.yaml") == FleetPolicy()


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("# nothing\n")
    assert read_user_policy(file) == FleetPolicy()


def test_every_key_arrives_in_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(EVERYTHING)
    assert read_user_policy(file) == FleetPolicy(
        slots=3,
        workers=2,
        agent="any",
        agents=(AgentCommand("any", ("a",)),),
        agent_options=(AgentOptions("any", "plan", ("Read", "Bash(git *)"), "m", "low"),),
        pool=0,
        disk_limit_gb=1.5,
        max_runs_per_hour=7,
        first_port=30000,
        notify=("bell", "desktop", "my-notify --loud"),
        env=("A", "B"),
        theme="nord",
        mouse=False,
        keys={"attach": ("enter", "a"), "quit": ("ctrl+x",)},
    )


def test_a_key_of_the_other_file_is_unknown_here(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("\nchecks: [a]\n")
    with pytest.raises(ConfigError) as caught:
        read_user_policy(file)
    assert caught.value.message == f'{file}:2: unknown key "checks"'


def test_a_file_that_cannot_be_read_is_no_empty_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"cannot read {tmp_path}"):
        read_user_policy(tmp_path)


@pytest.mark.parametrize(
    ("said", "ways"),
    [
        ("bell", ("bell",)),
        ("none", ()),
        ("[bell, bell]", ("bell",)),
        ("say 'come here'", ("say 'come here'",)),
    ],
)
def test_how_a_person_is_told(tmp_path: Path, said: str, ways: tuple[str, ...]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"notify: {said}\n")
    assert read_user_policy(file).notify == ways


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("[none, bell]", "none leaves no room"),
        ("[]", "empty"),
        ("''", "empty"),
        ("say 'x", "cannot be split"),
        ("true", "found true or false"),
        ("{bell: 1}", "found keys and values"),
    ],
)
def test_a_way_that_is_not_understood_is_refused(tmp_path: Path, said: str, why: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"notify: {said}\n")
    with pytest.raises(ConfigError, match=why):
        read_user_policy(file)
