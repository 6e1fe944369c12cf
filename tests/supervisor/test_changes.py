"""What an agent made becomes a change at one commit, and is checked where it was made."""

import os
import threading

import pytest
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.causes import NoChange, Unsealable
from fleet.core.ids import TaskId
from fleet.core.policy import Check
from fleet.supervisor.perform.judging import judge
from fleet.supervisor.perform.workspaces import enter

A = TaskId("a")


def sealing(house: House) -> None:
    """Bring the task to where its work is to be sealed."""
    task = house.begin("true")
    enter(house.tools, task, house.fleet, threading.Event())
    house.record(e.DoneDeclared(task=A, attempt=1, by="me"))


def seal(house: House) -> e.AnyEvent:
    [event] = house.perform(f.Seal(A, house.task("a").revision + 1))
    return event


class TestSealing:
    async def test_no_change_is_told(self, house: House) -> None:
        sealing(house)
        assert seal(house) == e.SealFailed(task=A, cause=NoChange())

    async def test_another_branch_in_the_workspace_is_told(self, house: House) -> None:
        sealing(house)
        git(house.home.slot(house.repo_id, 1), "switch", "-qc", "elsewhere")

        failed = seal(house)

        assert isinstance(failed, e.SealFailed)
        assert isinstance(failed.cause, Unsealable)

    async def test_a_workspace_that_is_gone_is_told(self, house: House) -> None:
        sealing(house)
        path = house.home.slot(house.repo_id, 1)
        path.rename(path.with_name("gone"))

        failed = seal(house)

        assert isinstance(failed, e.SealFailed)
        assert isinstance(failed.cause, Unsealable)

    async def test_a_task_without_a_workspace_cannot_be_sealed(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        house.attempt()
        failed = house.perform(f.Seal(A, 1))
        assert failed == [e.SealFailed(task=A, cause=Unsealable("its workspace is gone"))]

    async def test_the_same_work_again_is_no_new_revision(self, house: House) -> None:
        async with house.watching():
            house.spawn(f"echo hi > new.txt; {COMMIT}")
            await house.until_word("a", "review")
            await house.settled()
            house.quiet()
        assert seal(house) == e.SealUnchanged(task=A, revision=1)


class TestAcceptance:
    async def test_all_checks_are_run_and_each_says_how_it_went(self, house: House) -> None:
        async with house.watching():
            house.spawn(
                f"echo hi > new.txt; {COMMIT}",
                checks=("test -f new.txt", "echo $FLEET_TASK; exit 7"),
                attempts=1,
            )
            task = await house.until_word("a", "failed")

        assert task.change
        assert [(one.state, one.code) for one in task.change.acceptance] == [
            ("passed", 0),
            ("failed", 7),
        ]
        assert house.home.check_log("a", "1-check-2").read_text().strip() == "a"

    async def test_a_branch_made_by_hand_is_checked_by_its_gates_alone(self, house: House) -> None:
        git(house.repo, "switch", "-qc", "mine")
        (house.repo / "new.txt").write_text("hi\n")
        git(house.repo, "add", "-A")
        git(house.repo, "commit", "-qm", "mine")
        git(house.repo, "switch", "-q", "main")
        house.submit(
            c.Submit(
                cwd=str(house.repo),
                branch="mine",
                environment={"PATH": os.environ["PATH"]},
                target="main",
                checks=("test -f new.txt && pwd > where.log",),
            )
        )
        await house.until_word("mine", "review", "returned", "failed", "waiting")

        assert house.word("mine") == "review"
        assert list(house.home.root.glob("where.log")) == []

    async def test_checks_that_cannot_be_run_are_red(self, house: House) -> None:
        task = house.begin("true", checks=("true",))
        house.home.environment("a").write_bytes(b"{")

        [failed] = house.perform(f.RunChecks(task.id, 1))

        assert isinstance(failed, e.ChecksFailed)
        [result] = failed.results
        assert result.state == "unstartable"
        assert "environment.json" in house.home.check_log("a", "1-check-1").read_text()

    async def test_a_check_that_is_not_wanted_any_more_is_broken_off(self, house: House) -> None:
        async with house.watching():
            house.spawn(f"echo hi > new.txt; {COMMIT}", checks=("touch $HOME/began; sleep 1000",))
            await house.until_word("a", "checking")
            await house.until(lambda _: any("check" in lane for lane in _lanes(house)))
            house.submit(c.Stop(task="a"))
            await house.settled()

        assert house.word("a") == "stopped"
        assert house.events(e.ChecksFailed) == []


def _lanes(house: House) -> list[str]:
    return [f"{work.effect}".lower() for work in house.supervisor._lanes.values()]


class TestJudging:
    """A verdict is green only where a command ran to its end and said so."""

    def judge(self, house: House, command: str, *, again: bool) -> tuple[str, int | None]:
        house.quiet()
        result = judge(
            Check("it", command, 10.0),
            house.repo,
            {"PATH": os.environ["PATH"]},
            log=house.home.check_log("a", "it"),
            token=house.tools.token(A, 1, "it"),
            stop=threading.Event(),
            again=again,
        )
        assert result.green == (result.state in {"passed", "flaky"})
        return result.state, result.code

    @pytest.mark.parametrize(
        ("command", "again", "state"),
        [
            ("true", False, ("passed", 0)),
            ("exit 3", False, ("failed", 3)),
            ("exit 3", True, ("failed", 3)),
            ("test -f seen || ! touch seen", True, ("flaky", None)),
            ("test -f seen || ! touch seen", False, ("failed", 1)),
            ("kill -9 $$", False, ("killed", 9)),
            ("test -f seen || { touch seen; kill -9 $$; }", False, ("passed", 0)),
            (" ", False, ("unstartable", None)),
        ],
    )
    async def test_the_verdict(
        self, house: House, command: str, *, again: bool, state: tuple[str, int | None]
    ) -> None:
        assert self.judge(house, command, again=again) == state

    async def test_a_check_that_takes_too_long(self, house: House) -> None:
        result = judge(
            Check("it", "sleep 1000", 0.05),
            house.repo,
            {"PATH": os.environ["PATH"]},
            log=house.home.check_log("a", "it"),
            token=house.tools.token(A, 1, "it"),
            stop=threading.Event(),
        )
        assert result.state == "timeout"

    async def test_one_that_is_cancelled_is_not_tried_again(self, house: House) -> None:
        stop = threading.Event()
        stop.set()
        result = judge(
            Check("it", "sleep 1000", 10.0),
            house.repo,
            {"PATH": os.environ["PATH"]},
            log=house.home.check_log("a", "it"),
            token=house.tools.token(A, 1, "it"),
            stop=stop,
            again=True,
        )
        assert (result.state, result.green) == ("cancelled", False)
