"""Who is still in a workspace when its task is over loses nothing, and spoils nothing."""

from pathlib import Path

from house import House, git

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import TaskId
from fleet.core.status import ToStop

A, B = TaskId("a"), TaskId("b")


def over(house: House) -> Path:
    """Have a task that has been removed, with a workspace that waits to be recycled."""
    task = house.begin("true")
    house.record(house.start())
    house.record(e.EndingBegan(task=A, attempt=1, outcome=ToStop("me"), why="x"))
    house.record(*house.perform(f.EndRun(A, 1)))
    path = house.home.slot(task.repo, 1)
    (path / "untracked.txt").write_text("before\n")
    house.record(e.TaskRemoved(task=A, by="me"), *house.perform(f.FreeWorkspace(A)))
    return path


def kept(house: House, name: str) -> str:
    return git(house.repo, "show", f"refs/fleet/trash/a:{name}")


async def test_what_is_archived_already_is_not_kept_twice(house: House) -> None:
    path = over(house)
    archive = git(house.repo, "rev-parse", "refs/fleet/trash/a")
    house.record(*house.perform(f.RecycleSlot(house.repo_id, 1)))
    assert not (path / "untracked.txt").exists()
    assert git(house.repo, "rev-parse", "refs/fleet/trash/a") == archive
    assert house.degraded == []


async def test_what_came_later_is_kept_when_the_slot_is_recycled(house: House) -> None:
    path = over(house)
    (path / "later.txt").write_text("hours of work\n")
    house.record(*house.perform(f.RecycleSlot(house.repo_id, 1)))
    assert not (path / "later.txt").exists()
    assert (kept(house, "later.txt"), kept(house, "untracked.txt")) == ("hours of work", "before")
    assert "refs/fleet/trash/a" in house.degraded[0]


async def test_and_when_it_is_given_to_the_next_task(house: House) -> None:
    path = over(house)
    house.record(*house.perform(f.RecycleSlot(house.repo_id, 1)))
    (path / "later.txt").write_text("hours of work\n")
    (path / "README.md").write_text("edited\n")
    house.spawn("true", "b")
    house.record(e.WorkspaceAssigned(task=B, slot=1))
    house.attempt("b")

    assert isinstance(house.start("b"), e.RunStarted)

    assert git(path, "status", "--porcelain") == ""
    assert (kept(house, "later.txt"), kept(house, "README.md")) == ("hours of work", "edited")


async def test_a_commit_on_no_branch_is_kept_before_the_slot_is_dropped(house: House) -> None:
    path = over(house)
    house.record(*house.perform(f.RecycleSlot(house.repo_id, 1)))
    git(path, "commit", "-q", "--allow-empty", "-m", "on no branch")
    made = git(path, "rev-parse", "HEAD")
    house.perform(f.DropSlot(house.repo_id, 1))
    git(house.repo, "merge-base", "--is-ancestor", made, "refs/fleet/trash/a")
    again = house.perform(f.DropSlot(house.repo_id, 1))  # as after a crash
    assert again == [e.SlotDropped(repo=house.repo_id, slot=1)]


async def test_a_branch_left_in_a_workspace_does_not_fail_the_next_task(house: House) -> None:
    path = over(house)
    house.record(*house.perform(f.RecycleSlot(house.repo_id, 1)))
    git(path, "switch", "-qc", "theirs")
    house.spawn("true", "b")
    house.record(e.WorkspaceAssigned(task=B, slot=1))
    house.attempt("b")
    assert isinstance(house.start("b"), e.RunStarted)
    assert git(path, "symbolic-ref", "--short", "HEAD") == "fleet/b"
