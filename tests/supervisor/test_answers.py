"""Answers that only look: what they say, and whom they refuse."""

import asyncio
import os
from pathlib import Path
from typing import Any

import histories as h
import pytest
from house import COMMIT, House, git
from waiting import until

from fleet import protocol as p
from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.activity import Waiting
from fleet.core.causes import CheckResult, GateRed, Unsealable
from fleet.core.facts import SpawnFacts
from fleet.core.ids import Commit, TaskId
from fleet.core.status import ToSeal
from fleet.errors import ConfigError, FleetError, RefusedError
from fleet.supervisor.answers import agents, diffs, look, panes, reasons
from fleet.supervisor.asking import facts_for

A, B = TaskId("a"), TaskId("b")


async def in_review(house: House, prompt: str = "echo hi > new.txt", **options: Any) -> None:
    async with house.watching():
        house.spawn(f"{prompt}; {COMMIT}", **options)
        await house.until_word("a", "review")
        await house.settled()
        house.quiet()


class TestLists:
    async def test_what_has_ended_is_shown_on_request(self, house: House, tmp_path: Path) -> None:
        house.quiet()
        house.spawn("true")
        house.spawn("true", "b")
        house.record(e.TaskFailed(task=A, reason="x"))
        shown = [row.task for row in await look.ls(house.host, p.List())]
        every = [row.task for row in await look.ls(house.host, p.List(all=True))]
        here = [row.task for row in await look.ls(house.host, p.List(cwd=str(house.repo)))]
        assert (shown, every, here) == ([B], [A, B], [B])

        other = tmp_path / "other"
        git(house.repo, "clone", "-q", ".", str(other))
        assert await look.ls(house.host, p.List(all=True, cwd=str(other))) == []
        assert await look.queue(house.host, p.Queue(cwd=str(other))) == []

    async def test_the_queue_and_what_is_next(self, house: House) -> None:
        assert await look.next_(house.host, p.Next()) is None
        await in_review(house)
        [row] = await look.queue(house.host, p.Queue(cwd=str(house.repo)))
        assert (row.task, row.state) == ("a", "ready")
        wanted = await look.next_(house.host, p.Next())
        assert wanted is not None
        assert (wanted.task, wanted.status) == ("a", "review")

    async def test_a_whole_task(self, house: House) -> None:
        await in_review(house, checks=("test -f new.txt",), timeout_s=60.0)
        house.host.tools.home.notes("a").write_text("note\n")
        shown = await look.show(house.host, p.Show(task="a"))
        assert shown.files == ("new.txt",)
        assert [result.state for result in shown.results] == ["passed", "passed"]
        assert (shown.notes, shown.limits["timeout_s"]) == ("note\n", 60.0)
        assert shown.row.worktree == str(house.home.slot(house.repo_id, 1))

    async def test_a_red_gate_is_shown_with_the_way_to_its_output(self, house: House) -> None:
        await in_review(house)
        red = CheckResult("test", "failed", 1.0, "/log/test", 1)
        cause = GateRed(results=(red,), basis=Commit("0"))
        house.record(
            e.GateRejected(task=A, revision=1, cause=cause), e.TaskFailed(task=A, reason="red")
        )
        assert red in (await look.show(house.host, p.Show(task="a"))).results
        because = (await reasons.why(house.host, p.Why(task="a"))).because
        assert because == ("red", "fleet log a --check test")

    async def test_what_was_removed_is_marked(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        house.submit(c.Remove(task="a"))
        [row] = await look.ls(house.host, p.List(all=True))
        assert row.removed_at is not None

    async def test_why_a_task_has_failed_is_shown(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        house.record(e.TaskFailed(task=A, reason="no luck"))
        assert (await look.show(house.host, p.Show(task="a"))).reason == "no luck"

    async def test_a_report_sorts_by_outcome(self, house: House) -> None:
        house.quiet()
        for name in ("a", "b", "c"):
            house.spawn("true", name)
        house.record(
            e.TaskFailed(task=A, reason="x"),
            e.UsageReported(task=A, cost_usd=1.5, tokens=10),
            e.ChangeLanded(task=B, revision=1, commit=Commit("0"), target="main"),
        )
        told = await look.report(house.host, p.Report())
        assert [row.task for row in told["failed"]] == ["a"]
        assert [row.task for row in told["landed"]] == ["b"]
        assert told["cost_usd"] == 1.5
        later = await look.report(
            house.host, p.Report(since=house.host.started_at.replace(year=2999))
        )
        assert later["landed"] == []

    async def test_a_report_tells_what_waits_however_long_it_does(self, house: House) -> None:
        house.quiet()
        flaky = CheckResult("test", "flaky", 1.0, "/log", 0)
        house.record(*h.SETTING, *h.by_hand(B), h.gated(B, results=(flaky,)))
        house.tools.policies.keep(h.REPO, "main", h.CHECKED)
        told = await look.report(house.host, p.Report())
        assert told["flaky"] == [{"task": "b", "check": "test"}]
        future = house.host.started_at.replace(year=2999)
        later = await look.report(house.host, p.Report(since=future))
        assert ([row.task for row in later["waiting"]], later["flaky"]) == (["b"], [])


class TestWhy:
    async def why(self, house: House) -> tuple[str, tuple[str, ...], str | None]:
        told = await reasons.why(house.host, p.Why(task="a"))
        return told.status, told.because, told.next

    async def test_a_task_that_waits_says_for_what(self, house: House) -> None:
        house.quiet()
        house.spawn("true", "b")
        house.spawn("true", after=("b",))
        assert (await self.why(house))[:2] == ("blocked", ("it waits for b to land",))
        house.record(e.ChangeLanded(task=B, revision=1, commit=Commit("0"), target="main"))
        assert (await self.why(house))[1] == ("it waits for a clean workspace",)
        house.configure("slots: 1\n")
        house.spawn("true", "c")
        house.record(e.AttemptBegan(task=TaskId("c"), attempt=1, base=Commit("0")))
        assert (await self.why(house))[1] == ("all 1 slots are in use",)

    async def test_one_that_pauses_before_it_tries_again(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        house.attempt()
        later = house.host.started_at.replace(year=2999)
        house.record(e.StartFailed(task=A, attempt=1, reason="no pane", not_before=later))
        _, because, _ = await self.why(house)
        assert because[0].startswith("it may start again at")
        assert "no pane" in because[1]

    async def test_what_only_a_person_can_mend_has_no_pane_to_attach_to(self, house: House) -> None:
        house.begin("true")
        house.record(
            e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1),
            e.EndingBegan(task=A, attempt=1, outcome=ToSeal(), why="done"),
            e.RunEnded(task=A, attempt=1),
            e.SealFailed(task=A, cause=Unsealable("a merge is in progress")),
            e.TaskHeld(task=A),
        )
        told = await self.why(house)
        assert told[:2] == ("waiting", ("a merge is in progress",))
        assert told[2] == "fleet done a once it is mended, or fleet retry a"

    async def test_an_agent_that_asks(self, house: House) -> None:
        house.begin("true")
        house.record(e.RunStarted(task=A, attempt=1, pane="%9", pid=os.getpid(), pid_start=1))
        told = await reasons.why(house.host, p.Why(task="a"))
        assert [(one.source, one.wins) for one in told.signals] == [("process", True)]
        asks = e.ActivityChanged(
            task=A, attempt=1, activity=Waiting(need="an answer"), source="hook"
        )
        house.record(asks)
        house.tools.reports.note(A)
        house.host.vitals.last_output[A] = house.host.started_at
        told = await reasons.why(house.host, p.Why(task="a"))
        assert told.because == ("an answer",)
        assert [one.source for one in told.signals] == ["agent's report", "process", "activity"]
        assert told.next == "fleet attach a"

    async def test_a_change_in_review(self, house: House) -> None:
        await in_review(house)
        status, because, step = await self.why(house)
        assert (status, because) == ("review", ("its change waits for a review",))
        assert step
        assert "fleet approve a" in step

    @pytest.mark.parametrize(
        ("event", "status", "step"),
        [
            (e.TaskFailed(task=A, reason="x"), "failed", "fleet retry a"),
            (e.TaskPaused(task=A, by="me"), "paused", "fleet resume a"),
            (e.TaskStopped(task=A, by="me"), "stopped", "fleet retry a"),
        ],
    )
    async def test_the_next_step(
        self, house: House, event: e.AnyEvent, status: str, step: str
    ) -> None:
        house.quiet()
        house.spawn("true")
        house.record(event)
        told = await self.why(house)
        assert told[0] == status
        assert told[2]
        assert told[2].startswith(step)

    async def test_a_conflict(self, house: House) -> None:
        await in_review(house, "echo ours > README.md")
        (house.repo / "README.md").write_text("theirs\n")
        git(house.repo, "commit", "-qam", "theirs")
        tip = Commit(git(house.repo, "rev-parse", "HEAD"))
        house.record(*house.perform(f.Remerge(house.repo_id, "main", A, 1, tip)))
        house.record(e.TaskHeld(task=A))
        status, because, step = await self.why(house)
        assert status == "conflict"
        assert "README.md" in because[0]
        assert step
        assert step.startswith("fleet retry a")


async def test_the_state_of_the_supervisor(house: House) -> None:
    house.quiet()
    house.spawn("true")
    house.host.vitals.note_garbage("something strange")
    house.tools.policies.complaints[house.repo_id, "main"] = "fleet.yaml:1: what?"
    told = await look.status(house.host, p.Status())
    assert told["pid"] == os.getpid()
    assert told["tasks"] == {"queued": 1}
    assert told["degraded"] == [f"{house.repo}: fleet.yaml:1: what?", "something strange"]


class TestPanes:
    async def test_a_live_pane_and_its_last_words(self, house: House) -> None:
        house.begin("echo some words; exec sleep 1000")
        house.record(house.start())
        said = house.host
        until(lambda: "some words" in house.tools.panes.capture(_pane(house)))
        live = await panes.screen(said, p.Screen(task="a"))
        assert live["live"]
        assert "some words" in live["text"]
        assert "some words" in (await panes.log(said, p.Log(task="a")))["text"]
        assert (await panes.path(said, p.Path(task="a")))["path"].endswith("001")
        attach = await panes.attach(said, p.Attach(task="a"))
        assert attach["opened"] is False
        assert "tmux" in attach["argv"]

        house.perform(f.EndRun(A, 1))
        gone = await panes.screen(said, p.Screen(task="a"))  # before that is on record
        assert not gone["live"]
        house.record(e.RunEnded(task=A, attempt=1))
        assert "some words" in (await panes.screen(said, p.Screen(task="a", colour=True)))["text"]
        kept = await panes.log(said, p.Log(task="a", attempt=1))
        assert kept["path"] == str(house.home.run("a", 1).screen)
        with pytest.raises(RefusedError, match="no pane"):
            await panes.attach(said, p.Attach(task="a"))

    async def test_what_there_is_not_is_refused(self, house: House) -> None:
        house.quiet()
        house.spawn("true")
        for asked in (
            panes.path(house.host, p.Path(task="a")),
            panes.screen(house.host, p.Screen(task="a")),
            panes.log(house.host, p.Log(task="a", check="test")),
            diffs.diff(house.host, p.Diff(task="a"), "person"),
        ):
            with pytest.raises(RefusedError) as refused:
                await asked
            assert refused.value.hint

    async def test_the_output_of_a_check(self, house: House) -> None:
        await in_review(house, checks=("echo checked",))
        told = await panes.log(house.host, p.Log(task="a", check="check-1"))
        assert told["text"] == "checked\n"
        proof = house.home.check_log("a", "proof-old-tests-1-0123456789-check-1")
        proof.write_text("on other code")
        told = await panes.log(house.host, p.Log(task="a", check="check-1"))
        assert told["text"] == "checked\n"
        told = await panes.log(house.host, p.Log(task="a", check=proof.stem))
        assert told["text"] == "on other code"
        told = await panes.log(house.host, p.Log(task="a", check="check-1", last=4))
        assert told["text"] == "ked\n"

    async def test_a_window_is_opened_in_the_persons_own_tmux(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.begin("exec sleep 1000")
        house.record(house.start())
        opened: list[object] = []
        monkeypatch.setattr(panes, "open_in_user_tmux", lambda *a, **_: opened.append(a))
        monkeypatch.setattr(panes, "prefix_of", lambda _: "C-a")
        told = await panes.attach(house.host, p.Attach(task="a", tmux="/x,1,0"))
        assert told["opened"]
        assert opened == [("/x,1,0", told["argv"])]

    async def test_a_branch_without_a_change_has_a_diff_too(self, house: House) -> None:
        house.begin("true")
        house.perform(f.StartRun(A, 1))
        told = await diffs.diff(house.host, p.Diff(task="a"), "person")
        assert (told["patch"], told["revision"]) == ("", 0)


def _pane(house: House) -> str:
    return next(pane.pane_id for pane in house.tools.panes.all() if pane.run)


class TestAsking:
    def spawn(self, house: House, **options: object) -> None:
        command = c.Spawn(cwd=str(house.repo), prompt="x", environment={"PATH": "/usr/bin:/bin"})
        facts_for(house.tools, type(command)(**_fields(command) | options))  # type: ignore[arg-type] # as given

    @pytest.mark.parametrize(
        "options",
        [
            {"cwd": "/nowhere/at/all"},
            {"cwd": "/"},
            {"target": "nowhere"},
            {"base": "nothing"},
            {"agent": "nobody"},
        ],
    )
    async def test_what_is_not_there_is_refused(
        self, house: House, options: dict[str, object]
    ) -> None:
        with pytest.raises(RefusedError):
            self.spawn(house, **options)

    async def test_with_checks_of_the_repository_each_turn_may_be_the_last(
        self, house: House
    ) -> None:
        house.configure("agents:\n  cat:\n    command: [cat]\n    converses: true\n")
        command = c.Spawn(
            cwd=str(house.repo), prompt="x", agent="cat", environment={"PATH": "/usr/bin:/bin"}
        )
        found = facts_for(house.tools, command)
        assert isinstance(found, SpawnFacts)
        assert found.agent.done == "manual"
        (house.repo / "fleet.yaml").write_text("checks: make test\n")
        found = facts_for(house.tools, command)
        assert isinstance(found, SpawnFacts)
        assert found.agent.done == "turn"

    async def test_a_task_called_x_stops_nobody(self, house: House) -> None:
        git(house.repo, "branch", "fleet/x")
        self.spawn(house)

    async def test_a_branch_in_the_way_is_refused(self, house: House) -> None:
        git(house.repo, "branch", "fleet")
        with pytest.raises(RefusedError, match="fleet"):
            self.spawn(house)

    async def test_a_partial_clone_is_refused(self, house: House) -> None:
        git(house.repo, "config", "extensions.partialClone", "origin")
        git(house.repo, "config", "core.repositoryformatversion", "1")
        with pytest.raises(RefusedError, match="partial"):
            self.spawn(house)

    async def test_an_agent_that_is_not_installed_is_refused(self, house: House) -> None:
        house.configure("agents:\n  gone:\n    command: [no-such-program]\n")
        with pytest.raises(FleetError, match="no-such-program"):
            self.spawn(house, agent="gone")

    async def test_a_file_that_is_not_understood_is_refused(self, house: House) -> None:
        (house.repo / "fleet.yaml").write_text("cheks: 1\n")
        with pytest.raises(ConfigError, match="did you mean"):
            self.spawn(house)

    async def test_a_base_by_name_is_pinned(self, house: House) -> None:
        house.quiet()
        house.spawn("true", base="main~0")
        assert house.task("a").base_pinned

    async def test_the_file_names_the_target(self, house: House) -> None:
        git(house.repo, "branch", "develop")
        (house.repo / "fleet.yaml").write_text("target: develop\n")
        git(house.repo, "add", "-A")
        git(house.repo, "commit", "-qm", "policy")
        house.quiet()
        house.spawn("true")
        assert house.task("a").target == "develop"

    async def test_submitting_what_is_not_there_is_refused(self, house: House) -> None:
        with pytest.raises(RefusedError, match="no branch mine"):
            facts_for(house.tools, c.Submit(cwd=str(house.repo), branch="mine", environment={}))

    async def test_trust_and_thaw_look_at_the_repository(self, house: House) -> None:
        (house.repo / "fleet.yaml").write_text("checks: ['true']\n")
        with pytest.raises(RefusedError, match="trusted"):
            house.spawn("true")
        house.submit(c.Trust(cwd=str(house.repo)))
        house.quiet()
        house.spawn("true")
        with pytest.raises(RefusedError, match="not frozen"):
            house.submit(c.Thaw(cwd=str(house.repo), target="main"))

    async def test_most_commands_need_nothing_of_the_world(self, house: House) -> None:
        assert await asyncio.to_thread(facts_for, house.tools, c.Stop(task="a")) is None


def _fields(command: c.Command) -> dict[str, object]:
    return {name: getattr(command, name) for name in command.__struct_fields__}


class TestAgents:
    async def told(self, house: House, path: str | None = None) -> dict[str, Any]:
        query = p.Agents(cwd=str(house.repo), path=path or os.environ["PATH"])
        return await agents.agents(house.host, query)

    async def test_each_is_named_and_whether_it_could_start(self, house: House) -> None:
        house.configure("agents:\n  gone:\n    command: [no-such-program]\n")
        told = await self.told(house)
        by_name = {one["name"]: one for one in told["agents"]}
        assert by_name["shell"] == {"name": "shell", "found": True, "why": None}
        assert by_name["gone"]["found"] is False
        assert "no-such-program" in by_name["gone"]["why"]
        assert (told["usual"] in by_name, told["target"]) == (True, "main")

    async def test_the_repository_has_a_say(self, house: House) -> None:
        (house.repo / "fleet.yaml").write_text("agent: shell\ntarget: release\n")
        told = await self.told(house)
        assert (told["usual"], told["target"]) == ("shell", "release")

    async def test_where_there_is_no_repository_it_is_refused(
        self, house: House, tmp_path: Path
    ) -> None:
        with pytest.raises(FleetError):
            await agents.agents(house.host, p.Agents(cwd=str(tmp_path)))


class TestDiffsForAScreen:
    async def test_binary_files_are_only_named(self, house: House) -> None:
        await in_review(house, "head -c 3000 /dev/urandom > new.bin")
        whole = await diffs.diff(house.host, p.Diff(task="a"), "person")
        again = await diffs.diff(house.host, p.Diff(task="a", screen=True), "person")
        assert "GIT binary patch" in whole["patch"]
        assert "Binary files /dev/null and b/new.bin differ" in again["patch"]
        assert (whole["seen"], again["seen"], again["sealed"], again["cut"]) == (0, 1, True, False)

    def test_what_is_too_long_for_a_reply_is_cut_in_whole_lines(self) -> None:
        kept = diffs.readable("+\x1b line\n" * 1000, room=500)
        assert 0 < len(p.encode(kept)) <= 500
        assert kept.endswith("line\n")
        assert diffs.readable("x" * 1000, room=500) == ""
        assert diffs.readable("+a\n", room=500) == "+a\n"
