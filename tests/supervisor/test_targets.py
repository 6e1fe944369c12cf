"""Whatever moves a target without us is seen; what rewrites or smuggles stops its queue."""

from pathlib import Path

import pytest
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.change import Ready
from fleet.core.ids import Commit, TaskId
from fleet.errors import ConfigError
from fleet.supervisor import running
from fleet.supervisor.probes.targets import Targets
from fleet.tools.git.repository import locate

A = TaskId("a")


def waiting(house: House) -> Targets:
    """Have one task that waits, and a probe that has looked once."""
    house.quiet()
    house.spawn("true")
    return Targets(house.host)


def commit_outside(repo: Path, text: str = "theirs\n") -> str:
    (repo / "other.txt").write_text(text)
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "theirs")
    return git(repo, "rev-parse", "HEAD")


def seen(house: House) -> list[Commit | None]:
    return [event.tip for event in house.events(e.TargetSeen)][1:]  # the first is from the spawn


async def test_work_from_outside_is_seen_and_freezes_nothing(house: House) -> None:
    targets = waiting(house)
    await targets.look()
    tip = commit_outside(house.repo)

    await targets.look()
    await targets.look()

    assert seen(house) == [tip]
    assert house.the_repo.frozen == {}


async def test_nothing_new_is_not_looked_at_with_git(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = waiting(house)
    await targets.look()
    monkeypatch.setattr(targets, "_facts", None)
    await targets.look()
    assert seen(house) == []


async def test_a_target_taken_back_freezes_its_queue(house: House) -> None:
    commit_outside(house.repo)
    targets = waiting(house)
    await targets.look()
    git(house.repo, "reset", "-q", "--hard", "HEAD^")

    await targets.look()

    assert "was taken back" in house.the_repo.frozen["main"]
    assert house.the_repo.tips["main"] == git(house.repo, "rev-parse", "main")


async def test_one_that_is_frozen_is_not_frozen_again(house: House) -> None:
    first = commit_outside(house.repo)
    targets = waiting(house)
    await targets.look()
    git(house.repo, "reset", "-q", "--hard", "HEAD^")
    await targets.look()
    git(house.repo, "reset", "-q", "--hard", first)
    await targets.look()
    git(house.repo, "reset", "-q", "--hard", "HEAD^")
    await targets.look()

    assert len(house.events(e.QueueFrozen)) == 1
    house.submit(c.Thaw(cwd=str(house.repo)))
    assert house.the_repo.frozen == {}


async def test_commits_that_slipped_past_the_queue_freeze_it(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        await house.until_word("a", "review")
        await house.settled()
        house.quiet()
    targets = Targets(house.host)
    await targets.look()
    git(house.repo, "merge", "-q", "--ff-only", "fleet/a")

    await targets.look()

    assert "the commits of a are on main" in house.the_repo.frozen["main"]


async def test_what_we_land_ourselves_freezes_nothing(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        await house.until_word("a", "review")
        await house.settled()
        house.quiet()
        targets = Targets(house.host)
        await targets.look()
        house.submit(c.Approve(task="a"))
        change = house.task("a").change
        assert change
        assert isinstance(change.state, Ready)
        evidence = change.state.evidence
        house.record(e.LandingBegan(task=A, revision=1, evidence=evidence))
        git(house.repo, "merge", "-q", "--ff-only", evidence.commit)

        await targets.look()

    assert house.the_repo.frozen == {}
    assert seen(house) == []


async def test_a_branch_that_goes_and_comes_back_is_followed(house: House) -> None:
    targets = waiting(house)
    await targets.look()
    tip = git(house.repo, "rev-parse", "main")
    git(house.repo, "switch", "-q", "--detach")
    git(house.repo, "branch", "-qD", "main")
    await targets.look()
    assert house.the_repo.tips == {}

    git(house.repo, "branch", "main", tip)
    await targets.look()

    assert seen(house) == [None, tip]
    assert house.the_repo.frozen == {}


async def test_a_branch_that_comes_back_without_what_landed_freezes_its_queue(
    house: House,
) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        await house.until_word("a", "review")
        house.submit(c.Approve(task="a"))
        await house.until_word("a", "landed")
        await house.settled()
    targets = waiting_too(house)
    await targets.look()
    git(house.repo, "switch", "-q", "--detach")
    git(house.repo, "branch", "-qD", "main")
    await targets.look()

    git(house.repo, "branch", "main", "HEAD^1")
    await targets.look()

    assert "was taken back" in house.the_repo.frozen["main"]


def waiting_too(house: House) -> Targets:
    house.quiet()
    house.spawn("true", "b")
    return Targets(house.host)


async def test_a_repository_that_goes_away_is_told_and_stops_nobody(house: House) -> None:
    targets = waiting(house)
    house.tools._places.clear()
    house.repo.rename(house.repo.with_name("elsewhere"))

    await targets.look()

    assert "is not a directory" in house.tools.policies.complaints[house.repo_id, "main"]


async def test_a_local_branch_behind_its_remote_was_not_taken_back(house: House) -> None:
    (house.repo / "fleet.yaml").write_text("push: true\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "policy")
    house.submit(c.Trust(cwd=str(house.repo)))
    targets = waiting(house)
    ahead = commit_outside(house.repo)
    git(house.repo, "update-ref", "refs/fleet/remote/origin/main", ahead)
    house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=Commit(ahead)))
    git(house.repo, "reset", "-q", "--hard", "HEAD^")

    await targets.look()

    assert house.the_repo.frozen == {}
    assert house.the_repo.tips["main"] == ahead


class TestPolicyFile:
    async def test_a_new_file_at_the_tip_is_in_force(self, house: House) -> None:
        targets = waiting(house)
        await targets.look()
        (house.repo / "fleet.yaml").write_text("ports: 3\n")
        commit_outside(house.repo)
        await targets.look()
        assert house.tools.target_policy(house.repo_id, "main").ports == 3

    async def test_one_that_broke_leaves_the_last_good_one_and_complains(
        self, house: House
    ) -> None:
        targets = waiting(house)
        (house.repo / "fleet.yaml").write_text("ports: 3\n")
        commit_outside(house.repo)
        await targets.look()
        (house.repo / "fleet.yaml").write_text("prots: 4\n")
        commit_outside(house.repo, "more\n")
        await targets.look()

        assert house.tools.target_policy(house.repo_id, "main").ports == 3
        assert "fleet.yaml:1" in house.tools.policies.complaints[house.repo_id, "main"]

        (house.repo / "fleet.yaml").write_text("ports: 5\n")
        commit_outside(house.repo, "yet more\n")
        await targets.look()
        assert house.tools.policies.complaints == {}

    async def test_the_checkout_counts_while_the_target_has_none(self, house: House) -> None:
        targets = waiting(house)
        await targets.look()
        (house.repo / "fleet.yaml").write_text("ports: 7\n")
        await targets.look()
        policy = house.tools.target_policy(house.repo_id, "main")
        assert (policy.ports, policy.source) == (7, "uncommitted")

    async def test_one_that_cannot_be_read_is_a_complaint(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        (house.repo / "fleet.yaml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigError):
            house.tools.policies.read(locate(house.repo), "main")

    async def test_what_is_read_at_the_start(self, house: House) -> None:
        (house.repo / "fleet.yaml").write_text("ports: 9\n")
        house.quiet()
        house.spawn("true")
        house.tools.policies.targets.clear()
        running._read_policies(house.host)
        assert house.tools.target_policy(house.repo_id, "main").ports == 9

        (house.repo / "fleet.yaml").write_text("prots: 9\n")
        running._read_policies(house.host)
        assert "prots" in house.tools.policies.complaints[house.repo_id, "main"]

    async def test_a_user_file_that_is_not_understood_leaves_what_was(self, house: House) -> None:
        before = house.tools.policies.fleet
        with pytest.raises(ConfigError):
            house.configure("slots: many\n")
        assert house.tools.policies.fleet is before
        house.configure("slots: 3\n")
        assert house.tools.policies.fleet.slots == 3


async def test_a_repository_that_is_gone_is_said_until_it_is_back(house: House) -> None:
    targets = waiting(house)
    await targets.look()
    house.repo.rename(house.repo.with_name("elsewhere"))
    await targets.look()
    assert "is gone" in house.tools.policies.complaints[house.repo_id, "main"]

    house.repo.with_name("elsewhere").rename(house.repo)
    await targets.look()
    assert house.tools.policies.complaints == {}
    assert house.the_repo.tips["main"] == git(house.repo, "rev-parse", "main")
