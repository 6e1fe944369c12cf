"""What an adapter is told before a start, and what is done to the user's own files for it."""

import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from house import House
from msgspec.structs import replace

from fleet.agents.adapter import Launch, Request, Seed
from fleet.agents.shell import ShellAdapter
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.policy import AgentOptions, FleetPolicy
from fleet.errors import RefusedError


@dataclass
class Curious(ShellAdapter):
    """Wants to see `files`, and seeds each of them by `seed`."""

    files: tuple[str, ...] = ()
    seed: Callable[[Request], tuple[Seed, ...]] = lambda request: ()
    version: tuple[str, ...] | None = None
    asked: list[Request] = field(default_factory=list)

    def version_argv(self) -> tuple[str, ...] | None:
        return self.version

    def config_files(self, request: Request) -> tuple[str, ...]:
        return self.files

    def launch(self, request: Request) -> Launch:
        self.asked.append(request)
        return replace(super().launch(request), seeds=self.seed(request))


@pytest.fixture
def start(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Request]:
    def begin(adapter: Curious, prompt: str = "true", **options: Any) -> Request:
        monkeypatch.setattr(house.tools, "adapter", lambda task, policy=None: adapter)
        if "a" not in house.fleet.tasks:
            house.begin(prompt, **options)
        else:
            house.attempt()
        started = house.start()
        assert isinstance(started, e.RunStarted), started
        return adapter.asked[-1]

    return begin


Start = Callable[..., Request]


async def test_an_adapter_is_told_what_it_may_need(house: House, start: Start) -> None:
    first = start(Curious(), environment={"LANG": "C.UTF-8", "CLAUDECODE": "1"})
    second = start(Curious())

    assert first.repo == str(house.repo)
    assert first.environment["LANG"] == "C.UTF-8"
    assert first.environment["FLEET_TASK"] == "a"
    assert "CLAUDECODE" not in first.environment
    assert (first.version, first.permission, first.allow, first.consents) == (
        *(None, None, ()),
        frozenset(),
    )
    assert len(first.fresh) == 36
    assert first.fresh != second.fresh


async def test_options_are_the_tasks_then_the_users_then_the_repositorys(
    house: House, start: Start
) -> None:
    policies = house.tools.policies
    mine = AgentOptions("shell", permission="mine", allow=("Read", "Bash"))
    theirs = AgentOptions("shell", "theirs", ("Bash", "Edit"), model="m", effort="low")
    start(Curious(), effort="high")
    policies.fleet = FleetPolicy(agent_options=(mine, AgentOptions("other", "x")))
    policy = house.tools.target_policy(house.repo_id, "main")
    policies.keep(house.repo_id, "main", replace(policy, agent_options=(theirs,), digest="d9"))
    house.record(e.PolicyTrusted(repo=house.repo_id, digest="d9"))
    request = start(Curious())

    assert request.permission == "mine"
    assert request.allow == ("Bash", "Edit", "Read")
    assert (request.model, request.effort) == ("m", "high")


async def test_consent_is_told_from_then_on(house: House, start: Start) -> None:
    assert start(Curious()).consents == frozenset()
    house.submit(c.TrustAgents(cwd=str(house.repo)))
    assert start(Curious()).consents == {"trust"}
    house.submit(c.TrustAgents(cwd=str(house.repo), revoke=True))
    assert start(Curious()).consents == frozenset()
    with pytest.raises(RefusedError, match="may not"):
        house.submit(c.TrustAgents(cwd=str(house.repo)), actor="a")


async def test_a_program_is_asked_for_its_version_once_until_it_is_another(
    house: House, start: Start, tmp_path: Path
) -> None:
    program, count = tmp_path / "agent", tmp_path / "count"
    program.write_text(f"#!/bin/sh\necho x >>{count}; echo 'agent 2.1.330 ('$LANG')'\n")
    program.chmod(0o755)
    adapter = Curious(version=(str(program), "--version"))

    assert [start(adapter).version for _ in range(2)] == ["2.1.330"] * 2
    assert count.read_text() == "x\n"
    program.write_text("#!/bin/sh\necho unknown; exit 1\n")
    assert start(adapter).version is None
    program.unlink()
    assert start(adapter).version is None


def seeds(text: str) -> Callable[[Request], tuple[Seed, ...]]:
    return lambda request: tuple(Seed(path, text) for path in request.config)


async def test_a_file_is_shown_and_replaced_with_its_mode(
    house: House, start: Start, tmp_path: Path
) -> None:
    real, link, new = tmp_path / "real", tmp_path / "link", tmp_path / "new"
    real.write_text("before ä")
    real.chmod(0o666)  # whatever the umask lets new files have
    link.symlink_to(real)
    request = start(Curious(files=(str(link), str(new)), seed=seeds("after ä")))

    assert request.config == {str(link): "before ä", str(new): None}
    assert (real.read_text(), link.is_symlink()) == ("after ä", True)
    assert stat.S_IMODE(real.stat().st_mode) == 0o666
    assert (new.read_text(), stat.S_IMODE(new.stat().st_mode)) == ("after ä", 0o600)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == [
        *("link", "new", "real")
    ]


async def test_a_file_that_changed_meanwhile_is_left_alone(
    house: House, start: Start, tmp_path: Path
) -> None:
    changed, appeared = tmp_path / "changed", tmp_path / "appeared"
    changed.write_text("before")

    def seed(request: Request) -> tuple[Seed, ...]:
        changed.write_text("theirs")
        appeared.write_text("theirs")
        return seeds("ours")(request)

    start(Curious(files=(str(changed), str(appeared)), seed=seed))

    assert (changed.read_text(), appeared.read_text()) == ("theirs", "theirs")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (4 * 1024 * 1024 + 1)])
async def test_a_file_that_cannot_be_shown_is_not_replaced(
    house: House, start: Start, tmp_path: Path, content: bytes
) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_bytes(content)
    request = start(
        Curious(
            files=(str(file),),
            seed=lambda _: (Seed(str(file), "ours"), Seed(str(other), "ours")),
        )
    )

    assert request.config == {}
    assert file.read_bytes() == content
    assert not other.exists()


async def test_a_file_that_cannot_be_written_is_said(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "none" / "file")
    adapter = Curious(files=(path,), seed=seeds("ours"))
    monkeypatch.setattr(house.tools, "adapter", lambda task, policy=None: adapter)
    house.begin("true")
    failed = house.start()

    assert isinstance(failed, e.StartFailed)
    assert f"cannot write {path}" in failed.reason


async def test_what_an_adapter_unsets_is_unset(house: House, start: Start) -> None:
    start(Curious(), environment={"GIT_DIR": "/x", "PATH": "/usr/bin:/bin"})
    written = msgspec.json.decode(house.home.run("a", 1).launch.read_bytes())

    assert "GIT_DIR" not in written["env"]
    assert written["env"]["FLEET_RUN"] == written["token"]


@pytest.mark.parametrize("reports", [False, True])
async def test_an_agent_that_reports_gets_a_terminal_that_hears_it(
    house: House, start: Start, *, reports: bool
) -> None:
    adapter = Curious()
    adapter.reports = reports
    start(adapter)

    assert msgspec.json.decode(house.home.run("a", 1).launch.read_bytes())["reports"] is reports
