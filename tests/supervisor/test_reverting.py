"""What has landed is undone by a change of its own, which takes away that and nothing else."""

from pathlib import Path

import pytest
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core.change import Evidence, Landing
from fleet.core.policy import MergeMethod
from fleet.core.status import Landed
from fleet.errors import RefusedError


def main(repo: Path) -> str:
    return git(repo, "rev-parse", "main")


def trailers(repo: Path, commit: str) -> dict[str, str]:
    said = git(repo, "log", "-1", "--format=%(trailers:only,unfold)", commit)
    return dict(line.split(": ", 1) for line in said.splitlines())


async def landed(house: House, *prompts: str) -> None:
    """Land a task for each prompt: a, b, and so on."""
    for name, prompt in zip("abc", prompts, strict=False):
        house.spawn(f"{prompt}; {COMMIT}", name)
        await house.until_word(name, "review")
        house.submit(c.Approve(task=name))
        await house.until_word(name, "landed")


async def undone(house: House, name: str = "a") -> str:
    answer = house.submit(c.Revert(task=name))
    await house.until_word(answer["task"], "review")
    house.submit(c.Approve(task=answer["task"], head=answer["head"]))
    await house.until_word(answer["task"], "landed")
    return str(answer["task"])


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_only_what_landed_for_it_is_undone(house: House, method: MergeMethod) -> None:
    (house.repo / "fleet.yaml").write_text(f"merge: {method}\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "policy")
    two = "echo one > one.txt; git add -A; git commit -qm one; echo two > two.txt"
    async with house.watching():
        await landed(house, two, "echo other > other.txt")
        name = await undone(house)
        await house.settled()

    assert name == "revert-a"
    assert not (house.repo / "one.txt").exists()
    assert not (house.repo / "two.txt").exists()
    assert (house.repo / "other.txt").exists()
    status = house.task("a").status
    assert isinstance(status, Landed)
    assert trailers(house.repo, main(house.repo)) == {
        "Fleet-Task": "revert-a",
        "Fleet-Revision": "1",
        "Fleet-Sealed": git(house.repo, "rev-parse", "fleet/revert-a"),
        "Fleet-Reverts": status.commit,
        "Fleet-Approved-By": "person",
    }
    assert trailers(house.repo, "fleet/revert-a") == {"Fleet-Reverts": status.commit}
    task = house.task(name)
    assert (task.spec.title, task.spec.priority) == (
        f"Revert: {house.task('a').spec.title}",
        "urgent",
    )


async def test_what_landed_can_be_found_without_the_ledger(house: House) -> None:
    async with house.watching():
        await landed(house, "echo one > one.txt")
    change = house.task("a").change
    assert change
    assert trailers(house.repo, main(house.repo)) == {
        "Fleet-Task": "a",
        "Fleet-Revision": "1",
        "Fleet-Sealed": change.sealed,
        "Fleet-Approved-By": "person",
    }
    state = change.state
    assert isinstance(state, Landing)
    assert isinstance(state.evidence, Evidence)


async def test_what_was_built_on_it_conflicts_and_nothing_is_made(house: House) -> None:
    async with house.watching():
        await landed(house, "echo one > one.txt", "echo more >> one.txt")
        with pytest.raises(RefusedError, match=r"meets a in one\.txt") as caught:
            house.submit(c.Revert(task="a"))
    assert git(house.repo, "branch", "--list", "fleet/revert*") == ""
    assert caught.value.hint
    _, _, by_hand = caught.value.hint.partition("by hand: ")
    commands, _, _ = by_hand.partition("; ")
    assert commands.startswith("git switch -c fleet/revert-a main && git diff --binary ")


async def test_what_cannot_be_undone_is_refused(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo one > one.txt; {COMMIT}")
        await house.until_word("a", "review")
        with pytest.raises(RefusedError, match="a has not landed"):
            house.submit(c.Revert(task="a"))
        house.submit(c.Approve(task="a"))
        await house.until_word("a", "landed")
        with pytest.raises(RefusedError, match="may not do this"):
            house.submit(c.Revert(task="a"), actor="a")
        house.submit(c.Revert(task="a"))
        with pytest.raises(RefusedError, match="revert-a is there to undo a already"):
            house.submit(c.Revert(task="a"))
        await house.until_word("revert-a", "review")
        house.submit(c.Approve(task="revert-a"))
        await house.until_word("revert-a", "landed")
        with pytest.raises(RefusedError, match="nothing of a is left on main"):
            house.submit(c.Revert(task="a"))
        git(house.repo, "reset", "-q", "--hard", "HEAD~2")
        with pytest.raises(RefusedError, match="main no longer has"):
            house.submit(c.Revert(task="a"))


async def test_a_revert_can_be_undone_too(house: House) -> None:
    async with house.watching():
        await landed(house, "echo one > one.txt")
        assert await undone(house) == "revert-a"
        assert await undone(house, "revert-a") == "revert-revert-a"
        await house.settled()
        assert (house.repo / "one.txt").read_text() == "one\n"
