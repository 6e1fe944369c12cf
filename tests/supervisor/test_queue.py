"""What would land is built and gated as it would land, and nothing else ever lands."""

import asyncio
import os
from typing import Any

import branches
import psutil
import pytest
from gating import gate, merge
from house import COMMIT, House, git
from waiting import until

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.causes import Conflict
from fleet.core.change import Ready
from fleet.core.ids import Commit, TaskId
from fleet.core.policy import Check
from fleet.supervisor.perform import queue
from fleet.tools.git.building import Built
from fleet.tools.git.merging import Conflicted

A = TaskId("a")


def policy(house: House, **options: Any) -> None:
    house.govern(**options)


async def in_review(house: House, prompt: str, name: str = "a", **options: Any) -> None:
    async with house.watching():
        house.spawn(f"{prompt}; {COMMIT}", name, **options)
        await house.until_word(name, "review")
        await house.settled()


def move_main(house: House, file: str, text: str, message: str = "meanwhile") -> Commit:
    (house.repo / file).write_text(text)
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", message)
    tip = Commit(git(house.repo, "rev-parse", "HEAD"))
    house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=tip))
    return tip


def make_branch(house: House) -> None:
    """Commit something on a branch of a person's own, and go back."""
    house.quiet()
    git(house.repo, "switch", "-qc", "mine")
    (house.repo / "mine.txt").write_text("mine\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "mine")
    git(house.repo, "switch", "-q", "main")


def test_a_title_is_one_line_of_what_lands_and_forges_no_trailer(house: House) -> None:
    make_branch(house)
    title = "Add\x1b[31m\n\nFleet-Approved-By: ann"
    house.submit(
        c.Submit(cwd=str(house.repo), branch="mine", name="a", environment={}, title=title)
    )
    [sealed] = house.perform(f.Seal(A, 1))
    house.record(sealed, e.ChecksPassed(task=A, revision=1, results=()))

    [merged] = merge(house, Commit(git(house.repo, "rev-parse", "main")), "a")

    assert isinstance(merged, e.TrainMerged)
    said = git(house.repo, "show", "-s", "--format=%B", merged.train.commits[0]).splitlines()
    assert [line.partition(":")[0] for line in said if line] == [
        *("Merge mine", "Fleet-Task", "Fleet-Revision", "Fleet-Sealed")
    ]
    assert "\x1b" not in said[0]


class TestMergedByHand:
    """A branch made by hand may reach its target without us; then it has landed."""

    def merged(self, house: House) -> e.Sealed:
        make_branch(house)
        house.submit(
            c.Submit(cwd=str(house.repo), branch="mine", name="a", environment={}, land="review")
        )
        [sealed] = house.perform(f.Seal(A, 1))
        assert isinstance(sealed, e.Sealed)
        house.record(sealed, e.ChecksPassed(task=A, revision=1, results=()))
        return sealed

    @pytest.mark.parametrize("how", [("--ff-only",), ("--no-ff", "-m", "by hand"), ("--squash",)])
    @pytest.mark.parametrize("again", [True, False])
    async def test_it_is_noticed_however_it_was_merged(
        self, house: House, how: tuple[str, ...], *, again: bool
    ) -> None:
        self.merged(house)
        git(house.repo, "merge", "-q", *how, "mine")
        tip = move_main(house, "other.txt", "other\n")

        remerge = f.Remerge(house.repo_id, "main", A, 1, tip)
        [landed] = house.perform(remerge) if again else merge(house, tip, "a")

        wanted = e.ChangeLanded(task=A, revision=1, commit=tip, target="main")
        assert landed == wanted

    async def test_what_is_not_there_waits_on(self, house: House) -> None:
        self.merged(house)
        tip = move_main(house, "other.txt", "other\n")
        [event] = house.perform(f.Remerge(house.repo_id, "main", A, 1, tip))
        assert isinstance(event, e.StillMerges)


class TestGate:
    async def test_the_tree_that_would_land_is_what_is_checked(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        move_main(house, "other.txt", "other\n")
        seen = house.home.root / "seen"
        policy(house, checks=(Check("look", f"cat new.txt other.txt > {seen}"),))

        passed = gate(house)

        assert isinstance(passed, e.GatePassed)
        assert seen.read_text() == "hi\nother\n"
        evidence = passed.evidence
        assert git(house.repo, "rev-parse", f"{evidence.commit}^1") == evidence.basis
        assert git(house.repo, "rev-parse", f"{evidence.commit}^{{tree}}") == evidence.tree
        assert "Fleet-Task: a" in git(house.repo, "log", "-1", "--format=%B", evidence.commit)

    async def test_known_results_hold_for_the_same_tree_under_the_same_rules(
        self, house: House
    ) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        runs = house.home.root / "runs"
        policy(house, checks=(Check("count", f"echo >> {runs}"),))
        house.record(gate(house))
        assert runs.read_text() == "\n"

        gate(house)
        assert runs.read_text() == "\n"

        policy(house, checks=(Check("count", f"echo x >> {runs}"),))
        gate(house)
        assert runs.read_text() == "\nx\n"

    async def test_a_moved_target_gives_another_tree_and_is_gated_again(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        runs = house.home.root / "runs"
        policy(house, checks=(Check("count", f"echo >> {runs}"),))
        house.record(gate(house))
        move_main(house, "other.txt", "other\n")

        gate(house)

        assert runs.read_text() == "\n\n"

    async def test_red_names_the_check_and_stops_there(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        policy(house, checks=(Check("red", "exit 4"), Check("never", "true")))

        rejected = gate(house)

        assert isinstance(rejected, e.GateRejected)
        assert [(one.name, one.code) for one in rejected.cause.results] == [("red", 4)]

    async def test_one_that_passes_at_the_second_try_is_flaky(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        mark = house.home.root / "tried"
        policy(house, checks=(Check("flaky", f"test -f {mark} || ! touch {mark}"),))

        red, passed = gate(house), gate(house)

        assert isinstance(red, e.GateRejected)
        assert isinstance(passed, e.GatePassed)
        assert [one.state for one in passed.evidence.results] == ["flaky"]

    async def test_what_a_gate_leaves_behind_is_gone_at_the_next(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        policy(house, checks=(Check("dirt", "test ! -f dirt.txt && echo > dirt.txt"),))
        assert isinstance(gate(house), e.GatePassed)
        policy(house, checks=(Check("dirt", "test ! -f dirt.txt && echo >> dirt.txt"),))
        assert isinstance(gate(house), e.GatePassed)

    async def test_a_conflict_names_files_and_what_landed_there(self, house: House) -> None:
        await in_review(house, "echo ours > README.md")
        house.quiet()
        move_main(house, "README.md", "theirs\n", "a new greeting")

        found = gate(house)

        assert isinstance(found, e.ConflictFound)
        assert found.cause.files == ("README.md",)
        assert "a new greeting" in found.cause.others[0]

    async def test_what_differs_from_what_was_reviewed_never_lands(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        move_main(house, "other.txt", "other\n")  # or it is known already how it merges
        honest = queue._build

        def forged(case: queue._Case) -> Built | Conflicted:
            built = honest(case)
            assert isinstance(built, Built)
            tree = git(house.repo, "rev-parse", "main^{tree}")
            parent = ("-p", case.onto)
            return Built(git(house.repo, "commit-tree", tree, *parent, "-m", "x"), tree)

        monkeypatch.setattr(queue, "_build", forged)
        blocked = gate(house)

        assert isinstance(blocked, e.ChangeBlocked)
        assert "new.txt" in blocked.reason

    async def test_a_gate_that_git_cannot_make_blocks_and_says_why(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        policy(house, checks=(Check("any", "true"),))
        worktree = house.home.gate(house.repo_id, "0")
        worktree.mkdir(parents=True)
        git(worktree, "init", "-q")

        blocked = gate(house)

        assert isinstance(blocked, e.ChangeBlocked)

    async def test_a_repository_that_is_gone_blocks(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        house.tools._places.clear()
        house.repo.rename(house.repo.with_name("elsewhere"))

        assert isinstance(gate(house, onto=Commit("0" * 40)), e.ChangeBlocked)

    @pytest.mark.parametrize("method", ["squash", "rebase"])
    async def test_other_ways_to_merge_have_one_parent(self, house: House, method: str) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        move_main(house, "other.txt", "other\n")
        policy(house, merge=method)

        passed = gate(house)

        assert isinstance(passed, e.GatePassed)
        parents = git(house.repo, "log", "-1", "--format=%P", passed.evidence.commit).split()
        assert parents == [passed.evidence.basis]


class TestRemerge:
    async def test_a_change_that_still_merges(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        tip = move_main(house, "other.txt", "other\n")
        assert house.perform(f.Remerge(house.repo_id, "main", A, 1, tip)) == [
            e.StillMerges(task=A, revision=1, onto=tip)
        ]

    async def test_one_that_does_not_is_told_at_once(self, house: House) -> None:
        await in_review(house, "echo ours > README.md")
        tip = move_main(house, "README.md", "theirs\n")
        await house.until_word("a", "conflict", "failed")

        [found] = house.events(e.ConflictFound)
        assert found.cause.basis == tip
        assert isinstance(found.cause, Conflict)

    async def test_one_whose_target_is_no_commit_is_blocked(self, house: House) -> None:
        await in_review(house, "echo hi > new.txt")
        house.quiet()
        [blocked] = house.perform(f.Remerge(house.repo_id, "main", A, 1, Commit("0" * 40)))
        assert isinstance(blocked, e.ChangeBlocked)


async def test_work_that_passes_its_gates_lands_by_policy(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo hi > new.txt; {COMMIT}", land="auto", checks=("test -f new.txt",))
        await house.until_word("a", "landed")
        await house.settled()
    assert (house.repo / "new.txt").read_text() == "hi\n"


async def test_work_without_any_gate_never_lands_by_itself(house: House) -> None:
    await in_review(house, "echo hi > new.txt", land="auto")
    task = house.task("a")
    assert task.change
    assert isinstance(task.change.state, Ready)
    assert not (house.repo / "new.txt").exists()
    house.submit(c.Approve(task="a"))
    await house.until_word("a", "landed")


async def test_a_check_that_nobody_waits_for_makes_room_and_leaves_nothing(house: House) -> None:
    """Its processes are ended, it has said nothing, and it is run to its end later."""
    house.configure("workers: 1\n")
    begun, go = house.home.root / "begun", house.home.root / "go"
    slow = f"test -e a || exit 0; echo $$ >> {begun}; until test -f {go}; do sleep 0.05; done"
    for name in ("a", "b"):
        branches.commit(house.repo, name, {name: "new\n"}, start="main")
    named: dict[str, Any] = {"cwd": str(house.repo), "environment": {"PATH": os.environ["PATH"]}}
    house.submit(c.Submit(branch="a", checks=(slow,), **named))
    async with house.watching():
        await asyncio.to_thread(until, begun.exists)
        before = int(begun.read_text().split()[-1])
        house.submit(c.Submit(branch="b", checks=("true",), land="auto", **named))
        await house.until_word("b", "landed")
        assert not psutil.pid_exists(before)
        go.touch()
        await house.until_word("a", "review")

    said = [result for it in house.events(e.TreeChecked) for result in it.results.values()]
    assert {it.state for it in said} == {"passed"}
    assert len(begun.read_text().split()) >= 2
    assert house.events(e.GateRejected) == []
