"""A conflict that is returned says what git says, what both sides were for, and what to run."""

from branches import commit, numbered
from histories import sealed
from house import House

from fleet.core.change import Change
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Task
from fleet.core.policy import Check
from fleet.supervisor.perform.conflicting import conflict
from fleet.tools.git.merging import Conflicted, merge_trees
from fleet.tools.git.repository import locate

A = TaskId("a")


def change(task: Task, tip: str) -> Change:
    said = sealed(A, sealed=tip, head=tip, base=task.base)
    return Change(
        revision=1,
        sealed=Commit(tip),
        head=Commit(tip),
        base=task.base,
        added=said.added,
        removed=said.removed,
        files=said.files,
        since=task.created_at,
    )


async def test_the_cause_has_both_sides_and_the_checks(house: House) -> None:
    house.quiet()
    house.spawn("import the files\nof the shop", "a", title="Import")
    house.spawn("raise all prices", "b", title="Prices")
    task = house.task("a")
    mine = commit(house.repo, "fleet/a", {"lines.txt": numbered(n1="a")}, start="main")
    landing = "Merge fleet/b: Prices\n\nFleet-Task: b\nFleet-Revision: 1"
    commit(house.repo, "main", {"lines.txt": numbered(n1="b")}, message=landing)
    tip = commit(house.repo, "main", {"lines.txt": None}, message="by hand\n\nFleet-Task: gone")
    place = locate(house.repo)
    found = merge_trees(place, into=tip, change=mine)
    assert isinstance(found, Conflicted)

    cause = conflict(
        *(place, house.fleet, task, change(task, mine)),
        onto=Commit(tip),
        found=found,
        checks=(Check("test", "make test"),),
    )

    assert cause.files == ("lines.txt",)
    assert [line.split(" ", 1)[1] for line in cause.others] == ["by hand", "Merge fleet/b: Prices"]
    said = "CONFLICT (modify/delete): lines.txt deleted in main and modified in fleet/a."
    assert cause.kinds[0].startswith(said)
    assert cause.own
    assert (cause.own.title, cause.own.summary) == ("Import", "import the files\nof the shop")
    assert [(it.task, it.title) for it in cause.landed] == [("b", "Prices")]
    assert cause.checks == ("make test",)
