"""A run comes up once, whatever a crash left of it, and only when nothing of its elders lives."""

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from house import COMMIT, House
from waiting import until

from fleet import paths
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.policy import AgentCommand, FleetPolicy
from fleet.core.status import ToRequeue
from fleet.errors import ToolError
from fleet.supervisor.perform import runs
from fleet.supervisor.perform.launching import Asked, write_launch
from fleet.supervisor.perform.workspaces import enter
from fleet.supervisor.probes import exits
from fleet.supervisor.rundir import Exit, Note, read_exit
from fleet.tools.processes.fence import fence
from fleet.tools.tmux.view import PaneState

FOREVER = "echo started > started.txt; exec sleep 1000"


def run_dir(house: House, attempt: int = 1) -> paths.RunDir:
    return house.home.run("a", attempt)


def panes(house: House) -> list[str]:
    prefix = f"{house.tools.home_id}:a:"
    return [pane.run for pane in house.tools.panes.all() if pane.run.startswith(prefix)]


def agent(house: House, attempt: int = 1) -> psutil.Process:
    started = run_dir(house, attempt).started
    told = until(lambda: json.loads(started.read_text()) if started.exists() else None)
    return psutil.Process(told["agent"])


def lose(house: House, attempt: int) -> None:
    """Record that the run is over, although nobody saw to that."""
    task = house.task("a")
    house.record(
        e.RunStarted(task=task.id, attempt=attempt, pane="%9", pid=1, pid_start=1),
        e.EndingBegan(task=task.id, attempt=attempt, outcome=ToRequeue(), why="lost"),
        e.RunEnded(task=task.id, attempt=attempt),
    )


class TestAdoption:
    """Each crash between the first file and the first record leads to one and the same run."""

    async def test_a_run_whose_launch_was_written_is_started_by_it(self, house: House) -> None:
        task = house.begin(FOREVER)
        worktree = enter(house.tools, task, house.fleet, threading.Event())
        asked = Asked(task, 1, worktree, house.the_repo)
        token = write_launch(house.tools, asked, house.tools.target_policy(task.repo, task.target))

        started = house.start()

        assert isinstance(started, e.RunStarted)
        assert panes(house) == [token]

    async def test_a_run_whose_pane_was_opened_is_not_opened_again(self, house: House) -> None:
        house.begin(FOREVER)
        first = house.start()
        agent(house)

        second = house.start()

        assert isinstance(first, e.RunStarted)
        assert isinstance(second, e.RunStarted)
        assert (second.pid, second.pane) == (first.pid, first.pane)
        assert len(panes(house)) == 1

    async def test_a_run_that_is_over_before_it_was_recorded_counts(self, house: House) -> None:
        house.begin(f"echo hi > new.txt; {COMMIT}")
        first = house.start()
        until(run_dir(house).exit.exists)

        second = house.start()
        assert isinstance(first, e.RunStarted)
        assert isinstance(second, e.RunStarted)
        assert second.pid == first.pid

        house.supervisor.closing = False
        async with house.watching():
            house.record(second)
            await house.until_word("a", "review")

    async def test_one_that_failed_before_it_was_recorded_has_failed(self, house: House) -> None:
        house.begin("exit 3")
        house.start()
        until(run_dir(house).exit.exists)

        house.supervisor.closing = False
        async with house.watching():
            house.record(house.start())
            task = await house.until_word("a", "failed")

        assert house.events(e.RunExited)[0].code == 3
        assert task.losses == 0

    async def test_a_run_whose_tmux_is_gone_is_adopted_and_then_lost(self, house: House) -> None:
        house.begin(FOREVER)
        house.start()
        agent(house)
        house.tools.panes.server.stop()

        adopted = house.start()

        assert isinstance(adopted, e.RunStarted)
        assert adopted.pane == ""


class TestFencing:
    """No two runs of a task ever live at once."""

    async def test_a_new_attempt_ends_what_lives_of_the_one_before(self, house: House) -> None:
        house.begin(FOREVER)
        house.start()
        elder = agent(house)
        lose(house, 1)
        house.attempt()

        assert isinstance(house.start(), e.RunStarted)

        assert not elder.is_running()
        assert [token.split(":")[2] for token in panes(house)] == ["2"]

    async def test_each_elder_is_fenced_and_not_only_the_last(self, house: House) -> None:
        house.begin(FOREVER)
        house.start()
        eldest = agent(house)
        lose(house, 1)
        house.attempt()
        lose(house, 2)
        house.attempt()

        assert isinstance(house.start(), e.RunStarted)

        assert not eldest.is_running()

    async def test_a_run_that_was_fenced_and_kept_its_pane_loses_it(self, house: House) -> None:
        house.begin(FOREVER)
        house.start()
        agent(house)
        prefix = house.tools.attempt_prefix(house.task("a").id, 1)
        fence(prefix, rundirs=[run_dir(house)], grace_s=1.0)  # and here fleet was killed
        lose(house, 1)
        house.attempt()

        assert isinstance(house.start(), e.RunStarted)

        assert [token.split(":")[2] for token in panes(house)] == ["2"]

    async def test_a_run_that_its_shim_saw_end_is_not_fenced_again(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.begin("true")
        house.start()
        until(run_dir(house).exit.exists)
        lose(house, 1)
        house.attempt()
        monkeypatch.setattr(runs, "fence", None)

        assert isinstance(house.start(), e.RunStarted)

    async def test_the_end_of_a_run_takes_everything_and_keeps_its_last_words(
        self, house: House
    ) -> None:
        house.begin("echo last words; setsid sleep 1000 & exec sleep 1000")
        house.start()
        alive = agent(house)
        until(
            lambda: (
                "last words" in "".join(house.tools.panes.capture_many(pane_ids(house)).values())
            )
        )

        [ended] = house.perform(f.EndRun(house.task("a").id, 1))

        assert isinstance(ended, e.RunEnded)
        assert not alive.is_running()
        assert "last words" in run_dir(house).screen.read_text()
        assert run_dir(house).exit.exists()
        assert panes(house) == []

    async def test_the_end_of_a_run_that_never_was_is_no_trouble(self, house: House) -> None:
        house.begin(FOREVER)

        assert house.perform(f.EndRun(house.task("a").id, 1)) == [
            e.RunEnded(task=house.task("a").id, attempt=1)
        ]

    async def test_the_end_of_a_run_without_tmux_works(self, house: House) -> None:
        house.begin(FOREVER)
        house.start()
        alive = agent(house)
        house.tools.panes.server.stop()

        house.perform(f.EndRun(house.task("a").id, 1))

        until(lambda: not alive.is_running())
        assert not run_dir(house).screen.exists()


def pane_ids(house: House) -> list[str]:
    return [pane.pane_id for pane in house.tools.panes.all() if pane.run]


def write_garbage(file: Path, kind: str) -> None:
    if file.is_file():
        file.unlink()
    match kind:
        case "directory":
            file.mkdir(parents=True)
        case "link":
            planted = file.with_name("planted")
            planted.write_text('{"token": "x", "pid": 1, "start": 1, "code": 0}')
            file.symlink_to(planted)
        case "pipe":
            os.mkfifo(file)
        case "huge":
            ours = b'{"token": "x", "pid": 1, "start": 1, "code": 0}'
            file.write_bytes(ours + b" " * 2_000_000)
        case "deep":
            file.write_bytes(b'{"x":' + b"[" * 500_000)
        case _:
            file.write_bytes(b"\xff{not json")


KINDS = ("text", "directory", "link", "pipe", "huge", "deep")


class TestGarbage:
    """What lies in a run's directory and is not ours stops nothing, and is told."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_as_the_end_of_a_run(self, house: House, kind: str) -> None:
        house.begin(FOREVER)
        house.start()
        alive = agent(house)
        write_garbage(run_dir(house).exit, kind)

        house.perform(f.EndRun(house.task("a").id, 1))

        assert not alive.is_running()
        assert any("exit.json" in told for told in house.degraded)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", ["launch.json", "started.json"])
    async def test_as_its_beginning(self, house: House, name: str, kind: str) -> None:
        house.begin(FOREVER)
        house.start()
        alive = agent(house)
        write_garbage(run_dir(house).root / name, kind)

        house.perform(f.EndRun(house.task("a").id, 1))

        assert not alive.is_running()
        assert panes(house) == []
        assert any(name in told for told in house.degraded)

    async def test_is_told_once(self, house: House) -> None:
        for _ in range(3):
            house.host.vitals.note_garbage("the same")
        assert house.degraded == ["the same"]


class TestStartFailures:
    """A start that fails is a fact; what trying again cannot mend is told apart."""

    async def test_a_set_up_command_that_fails_is_final(self, house: House) -> None:
        house.begin(FOREVER)
        house.govern(setup=("echo no; false",))

        failed = house.start()

        assert isinstance(failed, e.StartFailed)
        assert failed.fatal
        assert "setting up its workspace failed" in failed.reason
        assert "no" in house.home.check_log("a", "setup-1").read_text()

    async def test_agents_that_contradict_each_other_are_final(self, house: House) -> None:
        house.begin(FOREVER)
        mine = AgentCommand(name="mine", command=("true",))
        yours = AgentCommand(name="mine", command=("false",))
        house.tools.policies.fleet = FleetPolicy(agents=(mine,), pool=0)
        house.govern(agents=(yours,))

        failed = house.start()

        assert isinstance(failed, e.StartFailed)
        assert failed.fatal

    async def test_a_session_of_somebody_else_is_not_final(self, house: House) -> None:
        house.begin(FOREVER)
        house.tools.panes.server.ensure()
        house.tools.panes.open(session="a", run="x", cwd=Path("/"), argv=["sleep", "1000"])

        failed = house.start()

        assert isinstance(failed, e.StartFailed)
        assert not failed.fatal
        assert failed.not_before is not None

    async def test_a_home_that_cannot_be_written_is_not_final(self, house: House) -> None:
        house.begin(FOREVER)
        (house.home.task("a") / "runs").write_text("in the way")

        failed = house.start()

        assert isinstance(failed, e.StartFailed)
        assert not failed.fatal

    async def test_a_repository_that_is_gone_is_told(self, house: House) -> None:
        house.begin(FOREVER)
        house.tools._places.clear()
        house.repo.rename(house.repo.with_name("elsewhere"))

        assert isinstance(house.start(), e.StartFailed)


class TestEnvironment:
    """Secrets are in files that only the user can read, and nowhere else."""

    async def test_an_agent_has_what_its_client_sent_and_not_what_we_have(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OURS", "1")
        sent = {"TOKEN": "s3cret", "CLAUDECODE": "1"}
        house.begin("env > seen.env; exec sleep 1000", environment=sent)
        house.start()
        agent(house)
        worktree = house.home.slot(house.repo_id, 1)
        seen = until(lambda: read_env(worktree / "seen.env"))

        assert seen["TOKEN"] == "s3cret"
        assert "OURS" not in seen
        assert "CLAUDECODE" not in seen
        assert seen["FLEET_TASK"] == "a"
        assert seen["FLEET_HOME"] == str(house.home.root)
        assert seen["FLEET_NOTES"] == str(house.home.notes("a"))
        assert seen["FLEET_RUN"].startswith(f"{house.tools.home_id}:a:1:")
        assert int(seen["FLEET_PORT"]) >= 20000

    async def test_secrets_are_private_and_neither_in_the_ledger_nor_in_argv(
        self, house: House
    ) -> None:
        house.begin(FOREVER, environment={"TOKEN": "s3cret"})
        house.start()
        shim = psutil.Process(agent(house).ppid())

        private = [house.home.environment("a"), run_dir(house).launch]
        assert [file.stat().st_mode & 0o777 for file in private] == [0o600, 0o600]
        assert "s3cret" not in " ".join(shim.cmdline())
        others = [file for file in house.home.root.rglob("*") if file.is_file()]
        assert [file for file in others if b"s3cret" in file.read_bytes()] == sorted(
            private, key=others.index
        )


def read_env(file: Path) -> dict[str, str] | None:
    if not file.exists() or "FLEET_RUN=" not in (text := file.read_text()):
        return None
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


class TestWholeRuns:
    """From the pane to the ledger, with everything real."""

    async def test_the_death_of_tmux_consumes_no_attempt(self, house: House) -> None:
        async with house.watching():
            house.spawn(f"if test -f again; then {COMMIT}; else touch again; exec sleep 1000; fi")
            await house.until_word("a", "working")
            worktree = house.home.slot(house.repo_id, 1)
            until((worktree / "again").exists)
            server = house.tools.panes.server.pid()
            assert server
            os.kill(server, signal.SIGKILL)

            task = await house.until_word("a", "review")

        assert (task.attempt, task.spent, task.losses) == (2, 0, 0)
        assert len(house.events(e.RunLost)) == 1

    async def test_a_shim_that_was_killed_is_a_loss(self, house: House) -> None:
        async with house.watching():
            house.spawn(FOREVER)
            task = await house.until_word("a", "working")
            assert task.run
            agent(house)
            os.kill(task.run.pid, signal.SIGKILL)

            await house.until(lambda fleet: bool(house.events(e.RunLost)))
            house.quiet()

        assert house.task("a").spent == 0

    async def test_it_is_a_loss_although_tmux_learns_of_it_late(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, panes = [], house.tools.panes.all

        def late() -> list[PaneState]:
            asked.append(1)
            if len(asked) > 3:
                return panes()
            return [replace(pane, dead=False, signal=None) for pane in panes() if pane.run]

        def read_late(rundir: paths.RunDir, note: Note) -> Exit | None:
            until(rundir.exit.exists)
            return read_exit(rundir, note)

        async with house.watching():
            house.spawn(FOREVER)
            task = await house.until_word("a", "working")
            assert task.run
            agent(house)
            monkeypatch.setattr(exits, "read_exit", read_late)
            monkeypatch.setattr(house.tools.panes, "all", late)
            monkeypatch.setattr(house.tools.panes, "find", lambda _: late()[0])
            os.kill(task.run.pid, signal.SIGKILL)

            await house.until(
                lambda fleet: bool(house.events(e.RunLost) or house.events(e.RunExited))
            )
            house.quiet()

        assert house.events(e.RunExited) == []

    async def test_a_pane_that_somebody_closed_is_a_loss(self, house: House) -> None:
        async with house.watching():
            house.spawn(FOREVER)
            task = await house.until_word("a", "working")
            assert task.run
            agent(house)
            pane = house.tools.panes.find(task.run.pane)
            assert pane
            house.tools.panes.close(pane.pane_id, run=pane.run)

            await house.until(lambda fleet: bool(house.events(e.RunLost)))
            house.quiet()

        assert house.task("a").spent == 0

    async def test_an_agent_that_ends_badly_has_failed(self, house: House) -> None:
        async with house.watching():
            house.spawn("kill -KILL $$", attempts=1)
            task = await house.until_word("a", "failed")

        assert "signal 9" in str(task.status)
        assert house.events(e.RunLost) == []

    async def test_words_for_the_next_attempt_are_in_its_notes(self, house: House) -> None:
        async with house.watching():
            house.spawn(f"cat $FLEET_NOTES > got.txt && {COMMIT}")
            house.quiet()
            house.record(e.MessageQueued(task=house.task("a").id, text="mind the step", by="me"))
            house.supervisor.closing = False
            house.supervisor.reconcile_soon()
            await house.until_word("a", "review")

        worktree = house.home.slot(house.repo_id, 1)
        assert "mind the step" in (worktree / "got.txt").read_text()


async def test_a_process_that_cannot_be_ended_is_told_and_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(*_: object, **__: object) -> None:
        raise ToolError("cannot end process 7", hint="stuck in the kernel")

    house.begin(FOREVER)
    house.start()
    agent(house)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "fence", stuck)
        [told] = house.perform(f.EndRun(house.task("a").id, 1))

    assert isinstance(told, e.RunNotEnded)
    assert told.reason == "cannot end process 7 (stuck in the kernel)"
    assert house.perform(f.EndRun(house.task("a").id, 1)) == [
        e.RunEnded(task=house.task("a").id, attempt=1)
    ]
