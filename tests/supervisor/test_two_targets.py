"""Two targets with files of their own: each change is landed as the file of its target says."""

from pathlib import Path

import pytest
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.errors import ToolError
from fleet.supervisor import running
from fleet.supervisor.probes.targets import Targets


def branch(house: House, name: str, text: str) -> None:
    """Make a branch whose fleet.yaml says `text`, and trust that."""
    if name != "main":
        git(house.repo, "switch", "-q", "-c", name)
    (house.repo / "fleet.yaml").write_text(text)
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", f"policy of {name}")
    house.submit(c.Trust(cwd=str(house.repo)))


@pytest.fixture
async def remote(house: House) -> Path:
    """`main` is pushed to a remote of another name, `next` is not."""
    branch(house, "main", "push: true\nremote: shared\nkeep: [cache]\n")
    branch(house, "next", "land: review\nports: 3\nkeep: [store]\n")
    git(house.repo, "switch", "-q", "main")
    bare = house.repo.with_name("shared.git")
    git(house.repo, "clone", "-q", "--bare", ".", str(bare))
    git(house.repo, "remote", "add", "shared", str(bare))
    return bare


@pytest.mark.parametrize("order", [("main", "next"), ("next", "main")])
async def test_only_what_lands_where_the_file_says_so_is_pushed(
    house: House, remote: Path, order: tuple[str, str]
) -> None:
    before = {name: git(remote, "rev-parse", name) for name in order}
    async with house.watching():
        for target in order:  # the file of the second is read last
            house.spawn(f"echo hi > {target}.txt; {COMMIT}", f"to-{target}", target=target)
        for target in order:
            await house.until_word(f"to-{target}", "review")
            house.submit(c.Approve(task=f"to-{target}"))
        for target in order:
            await house.until_word(f"to-{target}", "landed")
        await house.settled()

    assert git(remote, "rev-parse", "main") == git(house.repo, "rev-parse", "main")
    assert git(remote, "rev-parse", "main") != before["main"]
    assert git(house.repo, "rev-parse", "next") != before["next"]
    assert git(remote, "rev-parse", "next") == before["next"]


async def test_a_file_that_is_broken_is_told_until_it_is_mended_on_its_own_target(
    house: House, remote: Path
) -> None:
    house.quiet()
    house.spawn("true", "b", target="next")
    house.spawn("true", "a")
    (house.repo / "fleet.yaml").write_text("psuh: true\n")
    git(house.repo, "commit", "-qam", "broken")

    await Targets(house.host).look()

    [(about, why)] = house.tools.policies.complaints.items()
    assert about == (house.repo_id, "main")
    assert "psuh" in why
    assert house.tools.target_policy(house.repo_id, "main").push


async def test_a_start_reads_each_target_and_does_nothing_by_one_that_is_broken(
    house: House, remote: Path
) -> None:
    house.quiet()
    house.spawn("true", "a")
    house.spawn("true", "b", target="next")
    (house.repo / "fleet.yaml").write_text("psuh: true\n")
    git(house.repo, "commit", "-qam", "broken")
    house.tools.policies.targets.clear()

    running._read_policies(house.host)

    assert house.tools.target_policy(house.repo_id, "next").ports == 3
    assert list(house.tools.policies.complaints) == [(house.repo_id, "main")]
    with pytest.raises(ToolError, match="main cannot be read"):
        house.tools.trusted_policy(house.fleet, house.repo_id, "main")


async def test_what_any_target_keeps_stays_in_a_workspace_that_is_recycled(
    house: House, remote: Path
) -> None:
    house.quiet()
    house.spawn("true", "a")
    house.spawn("true", "b", target="next")

    assert house.tools.kept_paths(house.repo_id) == ("cache", "store")


async def test_undoing_asks_the_file_of_the_target_as_it_is_now(house: House, remote: Path) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}", target="next")
        await house.until_word("a", "review")
        house.submit(c.Approve(task="a"))
        await house.until_word("a", "landed")
        await house.settled()
        house.quiet()
    house.tools.policies.targets.clear()  # nobody has asked for it since the start

    house.submit(c.Revert(task="a"))

    assert house.tools.target_policy(house.repo_id, "next").ports == 3
