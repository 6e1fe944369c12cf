"""What is to land is there when it lands, whatever becomes of branches, worktrees and garbage."""

import shutil

from house import COMMIT, House, git

from fleet.core import commands as c


def collect(house: House) -> None:
    """Throw away every object that no reference holds, as a user may at any time."""
    git(house.repo, "reflog", "expire", "--expire=now", "--all")
    git(house.repo, "gc", "-q", "--prune=now")


async def test_garbage_collection_takes_nothing_that_waits_for_a_review(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        await house.until_word("a", "review")
        await house.settled()

        collect(house)
        house.submit(c.Approve(task="a"))

        await house.until_word("a", "landed")
        await house.settled()
    assert git(house.repo, "show", "main:new.txt") == "hi"
    git(house.repo, "fsck", "--strict", "--no-dangling")


async def test_a_change_outlives_its_branch_and_its_worktree(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        task = await house.until_word("a", "review")
        await house.settled()

        worktree = house.tools.worktree(task)
        assert worktree
        shutil.rmtree(worktree)
        git(house.repo, "worktree", "unlock", str(worktree))
        git(house.repo, "worktree", "prune")
        git(house.repo, "branch", "-qD", "fleet/a")
        collect(house)
        house.submit(c.Approve(task="a"))

        await house.until_word("a", "landed")
        await house.settled()
    assert git(house.repo, "show", "main:new.txt") == "hi"
