"""Workspaces are set up once, archived before they are freed, and come back as they were."""

import asyncio
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from house import COMMIT, House, git
from waiting import until

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.model import Task
from fleet.core.policy import FleetPolicy, RepoPolicy
from fleet.errors import ToolError
from fleet.supervisor.perform import surroundings, workspaces
from fleet.supervisor.perform.workspaces import SetupFailedError, enter
from fleet.tools.git import archive as archives
from fleet.tools.git.repository import Place

A = TaskId("a")


def go_in(house: House) -> Path:
    return enter(house.tools, house.task("a"), house.fleet, threading.Event())


def work_in(house: House) -> Path:
    """Leave a commit, and uncommitted and untracked files, as an agent might."""
    path = go_in(house)
    (path / "committed.txt").write_text("1\n")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "work")
    (path / "README.md").write_text("edited\n")
    (path / "untracked.txt").write_text("2\n")
    return path


def free(house: House) -> list[e.AnyEvent]:
    return list(house.perform(f.FreeWorkspace(A)))


def remove(house: House) -> None:
    house.record(e.TaskStopped(task=A, by="me"), e.TaskRemoved(task=A, by="me"))


class TestSetUp:
    async def test_a_workspace_is_on_the_branch_and_set_up_once(self, house: House) -> None:
        task = house.begin("true")
        (house.repo / ".env").write_text("KEY=1\n")
        house.govern(copy=(".env",), setup=('echo "$FLEET_TASK" >> set-up.log',))
        path = go_in(house)
        go_in(house)

        assert git(path, "symbolic-ref", "--short", "HEAD") == "fleet/a"
        assert (path / "set-up.log").read_text() == "a\n"
        assert (path / ".env").read_text() == "KEY=1\n"
        assert surroundings.prepared(house.tools, task) == surroundings.Prepared(1, (".env",))

    async def test_set_up_that_takes_too_long_has_failed(self, house: House) -> None:
        task = house.begin("true")
        house.govern(setup=("sleep 1000",), setup_timeout_s=0.05)
        with pytest.raises(SetupFailedError, match="sleep 1000"):
            go_in(house)
        assert surroundings.prepared(house.tools, task) is None

    async def test_what_was_prepared_in_another_slot_does_not_count(self, house: House) -> None:
        task = house.begin("true")
        surroundings.note_prepared(house.tools, task, surroundings.Prepared(slot=7))
        assert surroundings.prepared(house.tools, task) is None

    async def test_a_task_without_a_workspace_cannot_enter_one(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        with pytest.raises(ToolError):
            go_in(house)

    async def test_copied_and_linked_files_are_no_part_of_the_change(self, house: House) -> None:
        (house.repo / "secret.env").write_text("KEY=1\n")
        (house.repo / "cache").mkdir()
        policy = RepoPolicy(copy=("secret.env",), link=("cache",))
        async with house.watching():
            house.spawn("echo hi > new.txt; test -d cache && test -f secret.env")
            house.tools.policies.targets[house.repo_id, "main"] = policy
            task = await house.until_word("a", "review", "failed")

        assert task.change
        assert task.change.files == ("new.txt",)
        assert task.change.auto_commit


class TestFreeing:
    """Nothing that was in a workspace is lost with it, however often freeing is interrupted."""

    async def test_everything_is_archived_before_it_is_freed(self, house: House) -> None:
        house.begin("true")
        path = work_in(house)
        remove(house)

        [freed] = free(house)

        assert isinstance(freed, e.WorkspaceFreed)
        assert freed.ref == "refs/fleet/trash/a"
        assert git(house.repo, "show", f"{freed.ref}:untracked.txt") == "2"
        assert git(house.repo, "show", f"{freed.ref}^1:committed.txt") == "1"
        assert git(house.repo, "branch", "--list", "fleet/a") == ""
        house.record(freed)
        assert house.the_repo.slots[1].state == "dirty"
        house.perform(f.RecycleSlot(house.repo_id, 1))
        assert not (path / "untracked.txt").exists()

    async def test_secrets_and_ports_go_with_the_workspace(self, house: House) -> None:
        house.begin("true", environment={"TOKEN": "s3cret"})
        house.start()
        until(house.home.run("a", 1).exit.exists)
        house.perform(f.EndRun(A, 1))
        assert house.home.run("a", 1).launch.exists()
        assert (house.home.task("a") / "port").exists()
        remove(house)

        free(house)

        left = [file for file in house.home.task("a").rglob("*") if file.is_file()]
        assert [file for file in left if b"s3cret" in file.read_bytes()] == []
        assert not (house.home.task("a") / "port").exists()

    async def test_freeing_again_after_a_crash_loses_nothing(self, house: House) -> None:
        house.begin("true")
        path = work_in(house)
        head = git(path, "rev-parse", "HEAD")
        remove(house)
        free(house)  # and here fleet was killed, before it was recorded

        house.record(*free(house))
        self._restore(house)

        assert git(path, "rev-parse", "HEAD") == head
        assert (path / "untracked.txt").read_text() == "2\n"
        assert (path / "README.md").read_text() == "edited\n"

    async def test_a_crash_before_the_branch_was_deleted_loses_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.begin("true")
        path = work_in(house)
        head = git(path, "rev-parse", "HEAD")
        (house.repo / "moved.txt").write_text("moved\n")
        git(house.repo, "add", "-A")
        git(house.repo, "commit", "-qm", "main moved on")
        tip = Commit(git(house.repo, "rev-parse", "HEAD"))
        house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=tip))
        remove(house)

        class KilledError(Exception):
            pass

        def killed(*_: object, **__: object) -> None:
            raise KilledError

        with monkeypatch.context() as patch:
            patch.setattr(archives, "delete_branch", killed)
            with pytest.raises(KilledError):
                free(house)
        house.record(*free(house))
        self._restore(house)

        assert git(path, "rev-parse", "HEAD") == head
        assert (path / "untracked.txt").exists()
        assert not (path / "moved.txt").exists()

    def _restore(self, house: House) -> None:
        task = house.task("a")
        house.record(*house.perform(f.RecycleSlot(task.repo, 1)))
        house.record(e.TaskRestored(task=A, by="me"), e.WorkspaceAssigned(task=A, slot=1))
        assert house.task("a").restoring
        [restored] = house.perform(f.RestoreWorkspace(A))
        assert isinstance(restored, e.WorkspaceRestored), (task, restored)

    async def test_a_commit_made_meanwhile_keeps_its_branch(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.begin("true")
        work_in(house)
        remove(house)
        archive_it = archives.archive

        def meddle(place: Place, *, task: str, path: Path | None, branch: str) -> str | None:
            kept = archive_it(place, task=task, path=path, branch=branch)
            git(house.repo, "update-ref", "refs/heads/fleet/a", "main")
            return kept

        monkeypatch.setattr(archives, "archive", meddle)
        [failed] = free(house)

        assert isinstance(failed, e.FreeingFailed)
        assert git(house.repo, "branch", "--list", "fleet/a") != ""

    async def test_what_cannot_be_freed_is_tried_again_later(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workspaces, "_PAUSE", timedelta(milliseconds=50))
        lock = house.repo / ".git" / "refs" / "fleet" / "trash" / "a.lock"
        async with house.watching():
            house.spawn("echo hi > new.txt")
            await house.until_word("a", "review")
            await house.settled()
            lock.parent.mkdir(parents=True, exist_ok=True)
            lock.touch()
            house.submit(c.Withdraw(task="a"))
            house.submit(c.Remove(task="a"))
            await house.until(lambda _: bool(house.task("a").trouble))
            lock.unlink()
            await house.until(lambda _: house.task("a").slot is None)

        assert len(house.events(e.FreeingFailed)) >= 1
        assert house.task("a").archived

    async def test_a_workspace_that_somebody_deleted_is_freed_all_the_same(
        self, house: House
    ) -> None:
        house.begin("true")
        path = work_in(house)
        head = git(path, "rev-parse", "HEAD")
        path.rename(path.with_name("gone"))
        remove(house)

        [freed] = free(house)

        assert isinstance(freed, e.WorkspaceFreed)
        assert git(house.repo, "rev-parse", f"{freed.ref}^1") == head

    async def test_restoring_what_cannot_be_restored_says_why(self, house: House) -> None:
        house.begin("true")
        work_in(house)
        remove(house)
        house.record(*free(house))
        git(house.repo, "branch", "fleet/a", "main")
        house.record(e.TaskRestored(task=A, by="me"), e.WorkspaceAssigned(task=A, slot=1))

        [failed] = house.perform(f.RestoreWorkspace(A))

        assert isinstance(failed, e.RestoreFailed)
        assert "fleet/a" in failed.reason


class TestForgetting:
    async def test_what_a_task_left_is_deleted_in_the_repository_and_the_home(
        self, house: House
    ) -> None:
        house.begin("true")
        work_in(house)
        house.record(*house.perform(f.Seal(A, 1)))
        remove(house)
        house.record(*free(house), e.TaskForgotten(task=A, by="me"))
        assert house.home.task("a").is_dir()
        assert {"refs/fleet/cand/a/1", "refs/fleet/trash/a"} <= refs(house)

        for _ in range(2):  # a supervisor that was killed in between does it again
            assert house.perform(f.Forget(A)) == [e.LeftoversDeleted(task=A)]

        assert not house.home.task("a").exists()
        assert not {name for name in refs(house) if "/a" in name.removeprefix("refs/fleet/")}

    async def test_where_the_repository_is_gone_the_files_in_the_home_go_too(
        self, house: House
    ) -> None:
        house.begin("true")
        work_in(house)
        remove(house)
        house.record(*free(house), e.TaskForgotten(task=A, by="me"))
        house.repo.rename(house.repo.with_name("away"))

        assert house.perform(f.Forget(A)) == [e.LeftoversDeleted(task=A)]
        assert not house.home.task("a").exists()

    async def test_where_it_cannot_be_it_stays_and_says_why(self, house: House) -> None:
        house.begin("true")
        work_in(house)
        remove(house)
        house.record(*free(house), e.TaskForgotten(task=A, by="me"))
        kept = refs(house)
        lock = Path(git(house.repo, "rev-parse", "--absolute-git-dir")) / "packed-refs.lock"
        lock.touch()

        [failed] = house.perform(f.Forget(A))

        assert isinstance(failed, e.ForgettingFailed)
        assert "packed-refs.lock" in failed.reason
        assert house.home.task("a").is_dir()
        lock.unlink()
        assert refs(house) == kept


def refs(house: House) -> set[str]:
    return set(git(house.repo, "for-each-ref", "--format=%(refname)", "refs/fleet").split())


class TestPool:
    async def test_slots_are_made_recycled_and_dropped(self, house: House) -> None:
        task = house.begin("true")
        path = house.home.slot(task.repo, 1)
        (path / "left.txt").write_text("x")

        assert house.perform(f.MakeSlot(task.repo, 1)) == [e.SlotReady(repo=task.repo, slot=1)]
        assert house.perform(f.RecycleSlot(task.repo, 1)) == [e.SlotReady(repo=task.repo, slot=1)]
        assert not (path / "left.txt").exists()
        assert house.perform(f.DropSlot(task.repo, 1)) == [e.SlotDropped(repo=task.repo, slot=1)]
        assert not path.exists()

    @pytest.mark.parametrize("kind", [f.MakeSlot, f.RecycleSlot, f.DropSlot])
    async def test_what_git_cannot_do_breaks_the_slot_and_nothing_else(
        self, house: House, kind: type[f.MakeSlot | f.RecycleSlot | f.DropSlot]
    ) -> None:
        task = house.begin("true")
        house.tools._places.clear()
        house.repo.rename(house.repo.with_name("elsewhere"))

        [broken] = house.perform(kind(task.repo, 1))

        assert isinstance(broken, e.SlotBroken)
        assert broken.not_before > datetime.now(UTC)

    async def test_freeing_in_a_repository_that_is_gone_is_told(self, house: House) -> None:
        house.begin("true")
        work_in(house)
        remove(house)
        house.tools._places.clear()
        house.repo.rename(house.repo.with_name("elsewhere"))

        [failed] = free(house)

        assert isinstance(failed, e.FreeingFailed)

    async def test_a_slot_in_which_files_lie_is_broken(self, house: House) -> None:
        task = house.begin("true")
        path = house.home.slot(task.repo, 2)
        path.mkdir(parents=True)
        (path / "precious.txt").write_text("x")

        [broken] = house.perform(f.MakeSlot(task.repo, 2))

        assert isinstance(broken, e.SlotBroken)
        assert (path / "precious.txt").exists()


class TestSurroundings:
    def _ports(self, house: House, name: str, size: int = 10) -> range:
        start = surroundings.port_block(house.tools, TaskId(name), size=size)
        return range(start, start + size)

    async def test_port_blocks_are_disjoint_and_stay(self, house: House) -> None:
        blocks = [self._ports(house, name, size) for name, size in (("a", 10), ("b", 3), ("c", 25))]

        ports = [port for block in blocks for port in block]
        assert len(ports) == len(set(ports))
        assert self._ports(house, "b", 3) == blocks[1]

    async def test_a_block_stays_as_large_as_it_was_made(self, house: House) -> None:
        large = self._ports(house, "a", 50)
        house.tools.policies.targets[RepoId("r"), "main"] = RepoPolicy(ports=1)

        assert not set(large) & set(self._ports(house, "b", 1))

    async def test_a_port_in_use_is_not_given_away(self, house: House) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            house.tools.policies.fleet = FleetPolicy(first_port=min(port, 59_000))
            assert port not in self._ports(house, "a")

    async def test_no_room_for_ports_is_said(self, house: House) -> None:
        house.tools.policies.fleet = FleetPolicy(first_port=59_999)
        self._ports(house, "a", 1)
        with pytest.raises(ToolError, match="port"):
            self._ports(house, "b", 10)

    async def test_a_port_file_that_is_garbage_is_made_anew(self, house: House) -> None:
        surroundings.write_private(house.home.task("a") / "port", b"\xff?")
        assert self._ports(house, "a").start >= 20_000
        assert not set(self._ports(house, "a")) & set(self._ports(house, "b"))

    async def test_many_threads_get_different_ports(self, house: House) -> None:
        names = [f"t{number}" for number in range(12)]
        starts = await asyncio.gather(
            *(asyncio.to_thread(self._ports, house, name) for name in names)
        )
        assert len({block.start for block in starts}) == len(names)

    async def test_without_a_stored_environment_there_is_a_bare_one(self, house: House) -> None:
        found = surroundings.base_environment(house.tools, TaskId("nobody"))
        assert found["PATH"] == os.environ["PATH"]
        assert "XDG_RUNTIME_DIR" not in found

    @pytest.mark.parametrize("text", [b"{", b"\xff", b"[1]", b"[" * 100_000])
    async def test_a_stored_environment_that_is_garbage_is_a_known_failure(
        self, house: House, text: bytes
    ) -> None:
        surroundings.write_private(house.home.environment("a"), text)
        with pytest.raises(ToolError, match=r"environment\.json"):
            surroundings.base_environment(house.tools, A)

    async def test_what_was_prepared_is_made_again_where_the_note_is_garbage(
        self, house: House
    ) -> None:
        task: Task = house.begin("true")
        surroundings.write_private(house.home.task("a") / "prepared.json", b"{")
        assert surroundings.prepared(house.tools, task) is None


async def test_work_without_commits_is_restored_as_it_was(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo 1 > one.txt; {COMMIT}; echo 2 > two.txt")
        await house.until_word("a", "review")
        house.submit(c.Withdraw(task="a"))
        house.submit(c.Remove(task="a"))
        await house.until(lambda _: house.task("a").slot is None)
        house.submit(c.Restore(task="a"))
        await house.until(lambda _: house.task("a").archived is None)

    restored = house.task("a")
    assert restored.slot is not None
    back = house.home.slot(restored.repo, restored.slot)
    assert (back / "one.txt").read_text() == "1\n"
    assert (back / "two.txt").read_text() == "2\n"
    assert git(back, "status", "--porcelain") == "?? two.txt"
