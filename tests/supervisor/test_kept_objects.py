"""What is to land is there when it lands, whatever becomes of branches, worktrees and garbage."""

import asyncio
import shutil
from pathlib import Path

from house import COMMIT, SOON_S, House, git

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.supervisor.probes.targets import Targets


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


async def test_what_its_agent_commits_after_the_approval_does_not_land_with_it(
    house: House,
) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}")
        task = await house.until_word("a", "review")
        await house.settled()
        house.quiet()
        house.submit(c.Approve(task="a"))
        worktree = house.tools.worktree(task)
        assert worktree
        (worktree / "new.txt").write_text("late\n")
        git(worktree, "commit", "-qam", "late")
        late = git(worktree, "rev-parse", "HEAD")

        house.supervisor.closing = False
        house.supervisor.reconcile_soon()
        await house.until_word("a", "landed")
        await house.settled()

    assert git(house.repo, "show", "main:new.txt") == "hi"
    assert git(house.repo, "cat-file", "-t", late) == "commit"  # and it is not lost
    assert git(house.repo, "for-each-ref", "--count=1", f"--contains={late}")


async def test_two_homes_that_land_in_one_repository_lose_nothing(
    house: House, short: Path, repo: Path
) -> None:
    other = House(short / "h2", repo)
    try:
        async with house.watching(), other.watching():
            pairs = ((house, "a"), (other, "b"))
            for home, name in pairs:
                home.spawn(f"echo {name} > {name}.txt; {COMMIT}", name)
            for home, name in pairs:
                await home.until_word(name, "review")
                await home.settled()
            collect(house)
            for home, name in pairs:
                home.submit(c.Approve(task=name))
            await asyncio.gather(*(landed(home, name) for home, name in pairs))
    finally:
        await other.close()
        other.tools.panes.server.stop()

    for name in ("a", "b"):
        assert git(repo, "show", f"main:{name}.txt") == name
        said = git(repo, "log", "--format=%(trailers:key=Fleet-Task,valueonly)", "main").split()
        assert said.count(name) == 1
    git(repo, "fsck", "--strict", "--no-dangling")


async def landed(home: House, name: str) -> None:
    """Wait until it has landed: look for moves of its target, and try what was blocked again."""
    targets, task = Targets(home.host), TaskId(name)
    async with asyncio.timeout(SOON_S):
        while home.word(name) != "landed":
            await targets.look()
            change = home.task(name).change
            if change and change.blocked:
                home.record(e.ChangeUnblocked(task=task, revision=change.revision))
            await asyncio.sleep(0.01)
    await home.settled()
