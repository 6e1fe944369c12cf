"""A change that moves a submodule waits until others could check out what it moves it to."""

from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.core.views import needs

ALLOW = ("-c", "protocol.file.allow=always")
WHY = "nobody else could check out lib: push the submodule first"


def blocked(house: House) -> str | None:
    change = house.task("a").change if "a" in house.fleet.tasks else None
    return change.blocked if change else None


async def test_it_lands_once_the_submodule_is_pushed(house: House) -> None:
    origin = house.repo.with_name("lib.git")
    git(house.repo.parent, "clone", "-q", "--bare", str(house.repo), str(origin))
    git(house.repo, *ALLOW, "submodule", "--quiet", "add", str(origin), "lib")
    git(house.repo, "commit", "-qm", "submodule")
    before = git(house.repo, "rev-parse", "main")
    async with house.watching():
        house.spawn(f"(cd lib && echo new > new.txt && {COMMIT}); {COMMIT}")
        await house.until(lambda _: blocked(house) == WHY)
        policy = house.tools.target_policy(house.repo_id, "main")
        assert needs(house.fleet, house.task("a"), policy) == WHY
        house.submit(c.Approve(task="a"))
        await house.settled()
        assert git(house.repo, "rev-parse", "main") == before

        worktree = house.tools.worktree(house.task("a"))
        assert worktree
        git(worktree / "lib", "push", "-q", "origin", "HEAD:refs/heads/new")
        house.record(e.ChangeUnblocked(task=TaskId("a"), revision=1))  # as the pulse does
        await house.until_word("a", "landed")
        await house.settled()

    assert git(house.repo, "rev-parse", "main:lib") == git(origin, "rev-parse", "new")
