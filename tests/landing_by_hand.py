"""Landing by hand, one effect at a time: a change whose intent to land is on record."""

from pathlib import Path

from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.change import Landing, Ready
from fleet.core.ids import TaskId

A = TaskId("a")


async def about_to_land(house: House, prompt: str = "echo hi > new.txt") -> None:
    """Bring the task to where the intent to land it is on record, and nothing has moved."""
    async with house.watching():
        house.spawn(f"{prompt}; {COMMIT}")
        task = await house.until_word("a", "review")
        await house.settled()
        house.quiet()
    house.submit(c.Approve(task="a"))
    began(house)
    assert task.change


def began(house: House, name: str = "a") -> None:
    change = house.task(name).change
    assert change
    assert isinstance(change.state, Ready)
    evidence = change.state.evidence
    house.record(e.LandingBegan(task=TaskId(name), revision=change.revision, evidence=evidence))


def land(house: House, name: str = "a") -> list[e.AnyEvent]:
    task = house.task(name)
    return list(house.perform(f.Land(house.repo_id, "main", task.id, task.revision)))


def main(repo: Path) -> str:
    return git(repo, "rev-parse", "main")


def detach(house: House) -> None:
    """Have nobody sit on main."""
    git(house.repo, "switch", "-q", "--detach")


def evidence_commit(house: House) -> str:
    change = house.task("a").change
    assert change
    assert isinstance(change.state, Landing)
    return change.state.evidence.commit
