"""Signs of life: who is watched, what is stuck, how large the work is; and the end of each run."""

import asyncio
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from house import COMMIT, House, git
from waiting import until

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.activity import Idle, Stalled, Working
from fleet.core.ids import TaskId
from fleet.core.policy import FleetPolicy
from fleet.supervisor.probes import exits as exits_module
from fleet.supervisor.probes import vitals as vitals_module
from fleet.supervisor.probes.exits import Exits
from fleet.supervisor.probes.vitals import Vitals
from fleet.tools.git.files import usage_bytes
from fleet.tools.git.gates import check_out

A = TaskId("a")
CAT = "agents:\n  cat:\n    command: [cat]\n    converses: true\n"


def at_work(house: House, prompt: str = "exec sleep 1000", **options: Any) -> Vitals:
    """Have an agent at work that nobody listens to."""
    house.begin(prompt, **options)
    house.record(house.start())
    return Vitals(house.host)


class TestSilence:
    async def test_silence_is_a_fact_where_it_is_limited_and_ends(self, house: House) -> None:
        vitals = at_work(house)
        task = house.task("a")
        limits = type(task.spec.limits)(silence_s=60.0)
        spec = type(task.spec)(prompt="x", title="x", agent="shell", limits=limits)
        house.record(e.TaskEdited(task=A, spec=spec))
        await vitals.beat()
        assert house.events(e.ActivityChanged) == []

        run = house.task("a").run
        assert run
        moment = run.started_at + timedelta(seconds=61)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vitals_module, "now", lambda: moment)
            await vitals.beat()
            await vitals.beat()
            told = house.events(e.ActivityChanged)
            assert len(told) == 1
            assert isinstance(told[0].activity, Stalled)

            house.host.vitals.last_output[A] = moment
            await vitals.beat()
            assert isinstance(house.events(e.ActivityChanged)[-1].activity, Working)

    async def test_without_a_limit_silence_is_only_shown(self, house: House) -> None:
        vitals = at_work(house)
        with pytest.MonkeyPatch.context() as patch:
            later = datetime.now(UTC) + timedelta(days=1)
            patch.setattr(vitals_module, "now", lambda: later)
            await vitals.beat()
        assert house.events(e.ActivityChanged) == []
        assert A in house.host.vitals.last_output

    async def test_what_is_drawn_where_it_stood_before_is_printed_too(self, house: House) -> None:
        vitals = at_work(house, "while :; do printf '\\r50 %% done'; sleep .1; done")
        await vitals.beat()
        life = house.host.vitals
        first, deadline = life.printed(A), time.monotonic() + 20
        assert first is not None
        while life.last_drawn[A] <= first and time.monotonic() < deadline:
            await vitals.beat()
        told = life.printed(A)
        assert told is not None
        assert told > first


class TestPanes:
    async def test_a_person_in_the_pane_is_noticed(self, house: House) -> None:
        vitals = at_work(house)
        await vitals.beat()
        assert house.host.vitals.attached == frozenset()

        with Sit(house.tools.panes.server.attach_argv("a")):
            until(lambda: any(p.attached for p in house.tools.panes.all() if p.session == "a"))
            await vitals.beat()
            assert house.host.vitals.attached == {A}

        until(lambda: not any(p.attached for p in house.tools.panes.all() if p.session == "a"))
        await vitals.beat()
        assert house.host.vitals.attached == frozenset()

    async def test_tmux_that_died_is_no_trouble(self, house: House) -> None:
        vitals = at_work(house)
        house.tools.panes.server.stop()
        await vitals.beat()
        assert house.host.vitals.attached == frozenset()


class Sit:
    """Attaches to a terminal of its own."""

    def __init__(self, argv: list[str]) -> None:
        self._argv = argv

    def __enter__(self) -> Self:
        self._master, slave = os.openpty()
        env = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self._program = subprocess.Popen(
            self._argv, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        return self

    def __exit__(self, *_: object) -> None:
        self._program.terminate()
        self._program.wait()
        os.close(self._master)


class TestBlocked:
    async def test_what_is_blocked_tries_again_less_and_less_often(self, house: House) -> None:
        async with house.watching():
            house.spawn(f"echo hi > new.txt; {COMMIT}")
            await house.until_word("a", "review")
            await house.settled()
            house.quiet()
        vitals = Vitals(house.host)
        tip = house.the_repo.tips["main"]
        waited = []
        for _ in range(7):
            house.record(e.ChangeBlocked(task=A, revision=1, reason="x", onto=tip))
            since = house.task("a").updated_at
            waited.append(await self._until_unblocked(house, vitals, since))
        assert waited == [2, 4, 8, 16, 30, 30, 30]

    async def _until_unblocked(self, house: House, vitals: Vitals, since: datetime) -> int:
        before = len(house.events(e.ChangeUnblocked))
        for second in range(60):
            with pytest.MonkeyPatch.context() as patch:
                moment = since + timedelta(seconds=second, microseconds=1)
                patch.setattr(vitals_module, "now", lambda moment=moment: moment)
                await vitals._unblock()
            if len(house.events(e.ChangeUnblocked)) > before:
                return second
        raise AssertionError


class TestWork:
    async def test_work_in_progress_is_counted_when_it_moves(self, house: House) -> None:
        vitals = at_work(house)
        path = house.home.slot(house.repo_id, 1)
        await vitals._count()
        assert house.events(e.WorkCounted) == []
        (path / "new.txt").write_text("1\n2\n3\n")
        git(path, "add", "-A")
        git(path, "commit", "-qm", "some")

        await vitals._count()
        await vitals._count()

        [counted] = house.events(e.WorkCounted)
        assert (counted.added, counted.removed) == (3, 0)
        assert counted.head == git(path, "rev-parse", "HEAD")

    async def test_a_branch_that_is_gone_and_a_repository_that_is_gone_are_no_trouble(
        self, house: House
    ) -> None:
        vitals = at_work(house)
        git(house.repo, "update-ref", "-d", "refs/heads/fleet/a")
        await vitals._count()
        house.tools._places.clear()
        house.repo.rename(house.repo.with_name("elsewhere"))
        await vitals._count()
        assert house.events(e.WorkCounted) == []

    async def test_what_is_over_the_disk_limit_is_crowded(self, house: House) -> None:
        vitals = at_work(house)
        await vitals.beat()
        assert house.host.vitals.crowded == frozenset()
        house.tools.policies.fleet = FleetPolicy(disk_limit_gb=1e-9)
        await vitals._disk()
        assert house.host.vitals.crowded == {house.repo_id}
        assert house.host.circumstances().crowded == {house.repo_id}

    async def test_gates_count_and_make_room(self, house: House) -> None:
        vitals = at_work(house)
        place, tip = house.tools.place(house.the_repo), git(house.repo, "rev-parse", "main")
        lock = house.tools.lock(house.repo_id)
        for number in range(3):
            check_out(place, house.home.gate(house.repo_id, str(number)), tip, lock=lock)
        slots = usage_bytes(house.home.slot(house.repo_id, 1).parent)
        house.tools.policies.fleet = FleetPolicy(disk_limit_gb=(slots + 100) / 2**30)
        await vitals._disk()
        assert house.host.vitals.crowded == {house.repo_id}
        assert len(list(house.home.gate(house.repo_id, "0").parent.iterdir())) == 1


class TestExits:
    """Each run's end is noticed once, whoever tells of it."""

    async def test_a_run_that_ended_while_nobody_looked(self, house: House) -> None:
        at_work(house, "exit 5")
        until(house.home.run("a", 1).exit.exists)
        async with house.watching():
            await house.until(lambda _: bool(house.events(e.RunExited)))
        assert [event.code for event in house.events(e.RunExited)] == [5]

    async def test_a_number_that_is_another_process_by_now(self, house: House) -> None:
        house.begin("true")
        house.record(e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1))
        async with house.watching():
            await house.until(lambda _: bool(house.events(e.RunLost)))

    async def test_without_a_pidfd_it_is_looked_at(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exits_module, "_LOOK_EVERY_S", 0.02)
        go = house.home.root / "go"
        at_work(house, f"until test -e {go}; do sleep 0.01; done; exit 6")
        with monkeypatch.context() as patch:  # not when the house is left: tmux's end would be slow
            patch.delattr(os, "pidfd_open")
            async with house.watching():
                await asyncio.sleep(0)
                go.touch()
                await house.until(lambda _: bool(house.events(e.RunExited)))
        assert [event.code for event in house.events(e.RunExited)] == [6]

    async def test_a_run_that_is_being_ended_is_not_noticed(self, house: House) -> None:
        at_work(house)
        exits = Exits(house.host)
        exits.sync()
        assert len(exits._watched) == 1
        house.record(e.LeaveBegan(task=A, attempt=1, why="parked"))
        exits.sync()
        assert exits._watched == {}
        exits._ended((A, 1))
        assert exits._asked == set()

    @pytest.mark.parametrize("text", ["{}", '{"error": "fleet-pane was killed", "code": 0}'])
    async def test_an_end_that_says_nothing_is_a_loss(self, house: House, text: str) -> None:
        house.begin("true")
        folder = house.home.run("a", 1)
        folder.root.mkdir(parents=True)
        folder.exit.write_text(text)
        house.record(e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1))
        async with house.watching():
            await house.until(lambda _: bool(house.events(e.RunLost)))

    async def test_many_losses_wait_ever_longer(self, house: House) -> None:
        house.begin("true")
        exits = Exits(house.host)
        for losses, at_least in ((0, 0.0), (2, 0.0), (3, 0.4), (6, 3.0)):
            task = type(house.task("a"))(
                **{
                    name: getattr(house.task("a"), name)
                    for name in house.task("a").__struct_fields__
                }
                | {"losses": losses}
            )
            lost = exits._lost(task, 1, "x")
            assert isinstance(lost, e.RunLost)
            assert lost.not_before
            assert (lost.not_before - datetime.now(UTC)).total_seconds() >= at_least - 0.1


class TestHooks:
    """What agents report reaches the ledger, once and under their name."""

    def hook(self, house: House, name: str, payload: str = "", attempt: int = 1) -> None:
        token = house.tools.token(A, attempt, "n")
        env = {"FLEET_HOME": str(house.home.root), "FLEET_RUN": token, "PATH": os.environ["PATH"]}
        subprocess.run([house.home.hook, name], input=payload, text=True, env=env, check=True)

    async def hear(self, house: House) -> None:
        async with house.watching():
            pass

    async def test_waiting_and_working_are_told_when_they_are_news(self, house: House) -> None:
        at_work(house)
        self.hook(house, "waiting", '{"need": "a verdict"}')
        self.hook(house, "waiting", '{"need": "a verdict"}')
        self.hook(house, "working")
        await self.hear(house)
        told = house.events(e.ActivityChanged)
        assert [type(event.activity).__name__ for event in told] == ["Waiting", "Working"]
        assert list(house.home.spool.iterdir()) == []

    async def test_each_end_of_a_turn_counts(self, house: House) -> None:
        at_work(house)
        self.hook(house, "idle")
        self.hook(house, "idle")
        self.hook(house, "idle", '{"background": true}')
        await self.hear(house)
        told = [type(event.activity).__name__ for event in house.events(e.ActivityChanged)]
        assert told == ["Idle", "Idle", "Working"]

    async def test_a_conversation_is_told_once(self, house: House) -> None:
        at_work(house)
        self.hook(house, "conversation", '{"id": "c-1"}')
        self.hook(house, "conversation", '{"id": "c-1"}')
        await self.hear(house)
        assert [event.conversation for event in house.events(e.ConversationKnown)] == ["c-1"]

    async def test_usage_adds_up_over_attempts(self, house: House) -> None:
        at_work(house)
        self.hook(house, "usage", '{"cost_usd": 1.0}')
        self.hook(house, "usage", '{"cost_usd": 2.0, "tokens": 10}')
        await self.hear(house)
        assert (house.task("a").cost_usd, house.task("a").tokens) == (2.0, 10)
        house.perform(f.EndRun(A, 1))
        house.record(e.RunEnded(task=A, attempt=1))
        house.attempt()
        house.record(house.start())
        self.hook(house, "usage", '{"cost_usd": 0.5, "tokens": 5}', attempt=2)
        await self.hear(house)
        assert (house.task("a").cost_usd, house.task("a").tokens) == (2.5, 15)

    async def test_done_is_taken_from_a_run_at_work_and_under_its_name(self, house: House) -> None:
        at_work(house)
        self.hook(house, "done")
        self.hook(house, "done")
        await self.hear(house)
        assert len(house.events(e.DoneDeclared)) == 1
        actors = {
            entry.actor
            for entry in house.supervisor.entries(0)
            if entry.event.__class__ is e.DoneDeclared
        }
        assert actors == {"a"}

    async def test_what_nobody_understands_is_garbage_and_told(self, house: House) -> None:
        at_work(house)
        self.hook(house, "sing")
        (house.home.spool / "1.1").write_text("nonsense")
        await self.hear(house)
        assert any("sing" in told for told in house.degraded)
        assert any("1.1" in told for told in house.degraded)

    async def test_words_of_other_runs_are_dropped(self, house: House) -> None:
        at_work(house)
        self.hook(house, "waiting", attempt=7)
        (house.home.spool / "2.2").write_text("elsewhere:a:1:n\nwaiting\n1\n")
        (house.home.spool / "2.3").write_text(f"{house.tools.home_id}:b:1:n\nwaiting\n1\n")
        (house.home.spool / "2.4").write_text("x\nwaiting\n1\n")
        await self.hear(house)
        assert house.events(e.ActivityChanged) == []
        assert list(house.home.spool.iterdir()) == []

    async def test_an_agent_that_is_not_known_any_more_is_told(self, house: House) -> None:
        house.configure(CAT)
        at_work(house, agent="cat")
        house.configure()
        self.hook(house, "working")
        await self.hear(house)
        assert any("cat" in told for told in house.degraded)


class TestTelling:
    def told(self, house: House, text: str) -> e.MessageSettled:
        house.record(e.MessageQueued(task=A, text=text, by="me"))
        number = house.task("a").messages[-1].id
        [settled] = house.perform(f.Tell(A, 1, number))
        assert isinstance(settled, e.MessageSettled)
        house.record(settled)
        return settled

    def cat(self, house: House) -> None:
        house.configure(CAT)
        at_work(house, agent="cat")
        until(house.home.run("a", 1).started.exists)

    def screen(self, house: House) -> str:
        run = house.task("a").run
        assert run
        return house.tools.panes.capture(run.pane)

    async def test_a_line_is_typed_and_nobody_confirms_it(self, house: House) -> None:
        self.cat(house)
        assert self.told(house, "hello you").outcome == "unconfirmed"
        until(lambda: "hello you" in self.screen(house))

    async def test_a_long_text_goes_into_a_file_that_a_line_names(self, house: House) -> None:
        self.cat(house)
        assert self.told(house, "one\ntwo").outcome == "unconfirmed"
        file = house.home.run("a", 1).root / "messages" / "1.txt"
        assert file.read_text() == "one\ntwo"
        assert file.stat().st_mode & 0o777 == 0o600
        until(lambda: "messages/1.txt" in self.screen(house).replace("\n", ""))

    async def test_an_agent_that_reports_confirms(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.cat(house)
        house.record(e.ActivityChanged(task=A, attempt=1, activity=Idle(), source="hook"))
        wait = house.tools.reports.wait_heard

        def speak(task: TaskId, message: int, **options: Any) -> bool:
            house.tools.reports.begins(task)
            return wait(task, message, **options)

        monkeypatch.setattr(house.tools.reports, "wait_heard", speak)
        assert self.told(house, "hello").outcome == "delivered"

    async def test_a_run_that_is_over_is_told_nothing(self, house: House) -> None:
        self.cat(house)
        house.record(e.MessageQueued(task=A, text="x", by="me"))
        house.record(e.RunEnded(task=A, attempt=1))
        [settled] = house.perform(f.Tell(A, 1, 1))
        assert isinstance(settled, e.MessageSettled)
        assert settled.outcome == "refused"

    async def test_a_pane_that_is_gone_refuses(self, house: House) -> None:
        self.cat(house)
        run = house.task("a").run
        assert run
        pane = house.tools.panes.find(run.pane)
        assert pane
        house.tools.panes.close(run.pane, run=pane.run)
        assert self.told(house, "x").outcome == "refused"

    async def test_tmux_that_died_leaves_it_unconfirmed(self, house: House) -> None:
        self.cat(house)
        house.tools.panes.server.stop()
        assert self.told(house, "x").outcome == "unconfirmed"
