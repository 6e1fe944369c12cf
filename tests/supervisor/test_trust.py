"""A repository's file counts for nothing before a person has trusted exactly that content."""

import threading
from pathlib import Path

import pytest
from house import House, git

from fleet import paths
from fleet.client.environment import permitted
from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import Commit
from fleet.errors import ConfigError, RefusedError
from fleet.supervisor.perform.workspaces import enter
from fleet.supervisor.probes.targets import Targets
from fleet.supervisor.server import Server


def commit_file(repo: Path, text: str) -> None:
    (repo / "fleet.yaml").write_text(text)
    git(repo, "add", "fleet.yaml")
    git(repo, "commit", "-qm", "settings")


async def test_a_file_that_changed_since_the_spawn_runs_nothing(house: House) -> None:
    house.begin("true")
    proof = house.home.root / "proof"
    commit_file(house.repo, f"setup: touch {proof}\n")
    await Targets(house.host).look()

    refused = house.start()

    assert isinstance(refused, e.StartFailed)
    assert "fleet trust" in refused.reason
    assert not refused.fatal
    assert not proof.exists()
    house.submit(c.Trust(cwd=str(house.repo)))
    assert isinstance(house.start(), e.RunStarted)
    assert proof.exists()


async def test_one_that_changed_while_a_workspace_was_set_up_starts_nothing(
    house: House,
) -> None:
    task = house.begin("true")
    enter(house.tools, task, house.fleet, threading.Event())
    commit_file(house.repo, "agents:\n  shell2: {command: ['true']}\n")
    await Targets(house.host).look()

    refused = house.start()

    assert isinstance(refused, e.StartFailed)
    assert not house.home.run("a", 1).launch.exists()


async def test_nor_does_it_say_what_an_agent_is(house: House) -> None:
    good = "agents:\n  bot: {command: [sleep, '1000']}\n"
    commit_file(house.repo, good)
    house.submit(c.Trust(cwd=str(house.repo)))
    house.begin("x", agent="bot")
    commit_file(house.repo, good.replace("sleep", "touch"))
    await Targets(house.host).look()

    refused = house.start()

    assert isinstance(refused, e.StartFailed)
    assert not house.home.run("a", 1).launch.exists()


async def test_nor_which_gates_there_are(house: House) -> None:
    house.quiet()
    git(house.repo, "branch", "mine")
    task = house.submit(c.Submit(cwd=str(house.repo), branch="mine", environment={}))["task"]
    tip = Commit(git(house.repo, "rev-parse", "main"))
    sealed = e.Sealed(
        task=task, revision=1, sealed=tip, head=tip, base=tip, added=1, removed=0, files=()
    )
    house.record(sealed, e.ChecksPassed(task=task, revision=1, results=()))
    commit_file(house.repo, "checks: 'true'\n")
    await Targets(house.host).look()

    effect = f.Gate(house.repo_id, "main", task, 1, tip, "", ())

    assert [type(event) for event in house.perform(effect)] == [e.ChangeBlocked]


@pytest.mark.parametrize("text", ["env: [DATABASE_URL]\n", "push: true\n"])
def test_a_file_without_commands_may_need_trust_too(house: House, text: str) -> None:
    commit_file(house.repo, text)
    with pytest.raises(RefusedError, match="trust"):
        house.spawn("true")


async def test_only_what_a_trusted_file_names_is_kept_of_what_a_client_sent(house: House) -> None:
    house.quiet()
    commit_file(house.repo, "env: [DATABASE_URL]\n")
    house.submit(c.Trust(cwd=str(house.repo)))
    sent = {"PATH": "/bin:/usr/bin", "DATABASE_URL": "db", "OTHER": "s3cret", "TMUX": "/x,1,0"}
    server = Server(house.host, on_down=lambda: None, on_restart=lambda: None)

    await server._command(
        c.Spawn(cwd=str(house.repo), prompt="true", name="a", environment=sent), "person"
    )

    stored = house.home.environment("a").read_bytes()
    assert b"DATABASE_URL" in stored
    assert b"s3cret" not in stored
    assert b"TMUX" not in stored
    assert permitted(sent, ["OTHER"]).keys() == {"PATH", "OTHER"}


async def test_options_of_an_agent_that_is_not_there_are_refused_with_their_line(
    house: House,
) -> None:
    file = house.repo / "fleet.yaml"
    file.write_text("agents:\n  bot: {command: ['true']}\nagent_options:\n  bto: {model: m}\n")

    with pytest.raises(ConfigError) as caught:
        house.spawn("true")
    assert caught.value.message == (
        'fleet.yaml:4: agent_options: no agent is called "bto" (did you mean "bot"?)'
    )
    assert "bot, claude, " in (caught.value.hint or "")
    file.write_text("agents:\n  bot: {command: ['true']}\nagent_options:\n  bot: {model: m}\n")
    house.submit(c.Trust(cwd=str(house.repo)))
    house.spawn("true")


async def test_the_users_own_options_too_and_what_was_in_force_stays(house: House) -> None:
    house.configure("slots: 3\nagent_options:\n  shell: {model: m}\n")
    with pytest.raises(ConfigError) as caught:
        house.configure("slots: 4\nagent_options:\n  shel: {model: m}\n")

    assert caught.value.message.startswith(str(paths.user_config()) + ":4: agent_options: ")
    assert '(did you mean "shell"?)' in caught.value.message
    assert house.tools.policies.fleet.slots == 3


async def test_the_users_own_agents_may_have_options_in_a_repository(house: House) -> None:
    house.configure("agents:\n  mine: {command: ['true']}\n")
    (house.repo / "fleet.yaml").write_text("agent_options:\n  mine: {model: m}\n")
    house.submit(c.Trust(cwd=str(house.repo)))
    house.spawn("true")
