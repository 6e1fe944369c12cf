"""Pull requests with a real repository and a forge: one each, killed anywhere, proven landed."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_forge import FakeForge
from gating import gate
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core import pull_text
from fleet.core.change import Change, Proposed
from fleet.core.ids import TaskId
from fleet.core.status import Landed
from fleet.core.views import needs
from fleet.supervisor.perform import following, pulls
from fleet.supervisor.perform.following import Round, follow
from fleet.supervisor.pulls import Pulls
from fleet.tools.forge.gh import Gh
from fleet.tools.git import pushing

A = TaskId("a")
WRITES = f"echo hi > new.txt; {COMMIT}; echo ho >> lines.txt; {COMMIT}"


class KilledError(Exception):
    pass


@pytest.fixture
def forge(tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch) -> FakeForge:
    made = FakeForge.make(tmp_path / "forge", repo)
    monkeypatch.setenv("PATH", f"{made.bin}:{os.environ['PATH']}")
    return made


async def proposed(house: House, prompt: str = WRITES, **said: Any) -> Change:
    """Bring the task to where the intent to put it up is on record, and nothing is pushed."""
    async with house.watching():
        house.spawn(prompt)
        await house.until_word("a", "review")
        await house.settled()
        house.quiet()
    house.govern(**{"pr": "open", **said})
    house.submit(c.Approve(task="a"))
    house.record(gate(house))
    change = house.task("a").change
    assert change
    state = change.state
    assert not isinstance(state, Proposed)
    house.record(
        e.PullBegan(
            task=A,
            revision=change.revision,
            evidence=state.evidence,  # type: ignore[union-attr] # it is ready
            commit=change.sealed,
            remote="origin",
            branch="fleet/a",
        )
    )
    found = house.task("a").change
    assert found
    return found


def put_up(house: House) -> list[e.AnyEvent]:
    change = house.task("a").change
    assert change
    assert isinstance(change.state, Proposed)
    return list(house.perform(f.Propose(A, change.revision, change.state.commit)))


def look(house: House) -> list[e.AnyEvent]:
    """Fetch the target and ask the forge, as is done again and again; and record what is news."""
    round_ = Round(house.tools, house.fleet, house.repo_id, "main", threading.Event())
    task = house.task("a")
    facts, _ = follow(round_, [task] if task.pull else [], [])
    house.record(*facts)
    return facts


async def opened(house: House, **said: Any) -> Change:
    change = await proposed(house, **said)
    house.record(*put_up(house))
    return change


def need(house: House) -> str:
    task = house.task("a")
    return needs(house.fleet, task, house.tools.target_policy(task.repo, task.target)) or ""


async def test_one_is_opened_with_what_reviewers_need(house: House, forge: FakeForge) -> None:
    change = await proposed(house)

    facts = put_up(house)

    assert [type(fact) for fact in facts] == [e.PullOpened, e.PullSeen]
    [pull] = forge.pulls
    assert (pull["branch"], pull["target"]) == ("fleet/a", "main")
    assert forge.tip("fleet/a") == change.sealed
    assert "## criteria" in pull["text"] or "## change" in pull["text"]
    for path in (house.repo, house.home.root, os.environ["HOME"]):
        assert str(path) not in pull["text"]
    assert "fleet approve" not in pull["text"]


STEPS = ("_push", "_text", "_ensure", "_seen")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [True, False])
async def test_killed_anywhere_there_is_one_pull_request_in_the_end(
    house: House, forge: FakeForge, monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool
) -> None:
    await proposed(house)
    done = getattr(pulls, step)

    def die(*args: Any) -> Any:
        if after:
            done(*args)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(pulls, step, die)
        with pytest.raises(KilledError):
            put_up(house)

    house.record(*put_up(house))

    assert len(forge.pulls) == 1
    assert house.task("a").pull


async def test_a_second_opener_in_the_same_moment_leaves_one(
    house: House, forge: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed supervisor began may come through while the next one looks."""
    change = await proposed(house)
    git(house.repo, "push", "-q", "origin", f"{change.sealed}:refs/heads/fleet/a")
    find, asked = Gh.find, []

    def late(self: Gh, branch: str, target: str, commit: str) -> int | None:
        found = find(self, branch, target, commit)
        asked.append(found)
        if len(asked) == 1:
            forge.open(branch=branch, target=target, title="t", text="x")
        return found

    monkeypatch.setattr(Gh, "find", late)
    house.record(*put_up(house))

    assert asked == [None, 1]
    assert len(forge.pulls) == 1


async def test_what_others_pushed_to_its_branch_is_never_overwritten(
    house: House, forge: FakeForge
) -> None:
    await proposed(house)
    forge.git("update-ref", "refs/heads/fleet/a", forge.tip("main"))
    theirs = forge.commit("fleet/a", "theirs.txt", "theirs\n")

    [failed] = put_up(house)
    house.record(failed)

    assert forge.tip("fleet/a") == theirs
    assert forge.pulls == []
    assert "which fleet did not push" in need(house)


async def test_a_push_in_the_last_moment_is_not_overwritten_either(
    house: House, forge: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(house)
    fetch = pushing.fetch

    def then_somebody_pushes(*args: Any, **said: Any) -> str | None:
        found = fetch(*args, **said)
        forge.commit("fleet/a", "theirs.txt", "theirs\n")
        return found

    newer = git(house.repo, "commit-tree", "fleet/a^{tree}", "-p", "main", "-m", "newer")
    change = house.task("a").change
    assert change
    assert isinstance(change.state, Proposed)
    house.record(
        e.PullBegan(
            task=A, revision=1, evidence=change.state.evidence, commit=newer,  # type: ignore[arg-type] # plain text
            remote="origin", branch="fleet/a",
        )
    )  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(pushing, "fetch", then_somebody_pushes)
        [failed] = put_up(house)

    assert isinstance(failed, e.PullFailed)
    assert "does not take fleet/a" in failed.reason
    assert forge.git("ls-tree", "--name-only", "fleet/a", "theirs.txt")


@pytest.mark.parametrize(
    ("fails", "said"),
    [({"login": False}, "gh auth login"), ({"fail": "offline"}, "cannot be reached")],
)
async def test_what_is_in_the_way_is_said_and_goes_on_by_itself(
    house: House, forge: FakeForge, fails: dict[str, Any], said: str
) -> None:
    await proposed(house)
    forge.set(**fails)

    house.record(*put_up(house))

    assert said in need(house)
    forge.set(login=True, fail=None)
    house.record(*put_up(house))
    assert need(house) == "pull request #1: ready to be merged: https://github.com/o/r/pull/1"


async def test_only_what_changed_is_recorded(house: House, forge: FakeForge) -> None:
    await opened(house)

    assert look(house) == []
    forge.checks(1, lint="pending")
    assert [type(it) for it in look(house)] == [e.PullSeen]
    assert look(house) == []
    forge.set(fail="offline")
    assert [type(it) for it in look(house)] == [e.PullFailed]
    assert look(house) == []
    forge.set(fail=None)
    assert [type(it) for it in look(house)] == [e.PullSeen]


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("moved", [True, False])
async def test_what_the_forge_merged_has_landed_once_it_is_proven(
    house: House, forge: FakeForge, how: str, *, moved: bool
) -> None:
    await opened(house)
    if moved:
        forge.commit("main", "other.txt", "by somebody\n")
    forge.merge(1, how)

    facts = look(house)

    merged = forge.pulls[0]["merged_as"]
    status = house.task("a").status
    assert isinstance(status, Landed)
    assert status.commit == merged
    assert house.the_repo.tips["main"] == forge.tip("main")
    assert git(house.repo, "rev-parse", "refs/fleet/landed/a-1") == merged
    assert git(house.repo, "rev-parse", "main") == merged
    assert (house.repo / "new.txt").read_text() == "hi\n"
    assert isinstance(facts[-1], e.TargetSeen)


async def test_commits_of_one_file_that_were_rebased_have_landed(
    house: House, forge: FakeForge
) -> None:
    await opened(house, prompt=f"echo a > n.txt; {COMMIT}; echo b >> n.txt; {COMMIT}")
    forge.merge(1, "rebase")

    look(house)

    assert isinstance(house.task("a").status, Landed)


@pytest.mark.parametrize("how", ["drop", "extra", "sneak"])
async def test_what_was_merged_wrongly_has_not_landed(
    house: House, forge: FakeForge, how: str
) -> None:
    await opened(house)
    before = git(house.repo, "rev-parse", "main")
    forge.merge(1, how)

    look(house)

    assert not isinstance(house.task("a").status, Landed)
    assert "pull request #1 was merged, but on main, " in need(house)
    assert git(house.repo, "rev-parse", "main") == before
    assert look(house) == []


async def test_a_patch_that_is_lost_beside_others_of_the_same_file_is_noticed(
    house: House, forge: FakeForge
) -> None:
    await opened(house, prompt=f"echo end >> lines.txt; {COMMIT}")
    lines = forge.git("show", "main:lines.txt")
    forge.commit("main", "lines.txt", f"first\n{lines}\n")
    forge.merge(1, "drop")

    look(house)

    assert not isinstance(house.task("a").status, Landed)
    assert "differs from what was approved in lines.txt" in need(house)


async def test_a_dirty_checkout_stays_as_it_is(house: House, forge: FakeForge) -> None:
    await opened(house)
    (house.repo / "lines.txt").write_text("mine\n")
    before = git(house.repo, "rev-parse", "main")
    forge.merge(1, "squash")

    look(house)

    assert isinstance(house.task("a").status, Landed)
    assert (house.repo / "lines.txt").read_text() == "mine\n"
    assert git(house.repo, "rev-parse", "main") == before
    assert git(house.repo, "rev-parse", "refs/fleet/landed/a-1") == forge.pulls[0]["merged_as"]


async def test_killed_while_the_users_target_follows_it_lands_once(
    house: House, forge: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(house)
    forge.merge(1, "merge")

    def die(*args: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(following, "settle", die)
        with pytest.raises(KilledError):
            look(house)
    look(house)

    assert isinstance(house.task("a").status, Landed)
    assert not house.home.landing("a").exists()
    assert git(house.repo, "status", "--porcelain") == ""


async def test_the_forge_is_asked_to_merge_one_commit(house: House, forge: FakeForge) -> None:
    change = await opened(house, pr="merge", merge="squash")
    ask = f.MergePull(A, 1, change.sealed, "squash")

    [asked] = house.perform(ask)
    house.record(asked)
    look(house)

    assert asked == e.PullMergeAsked(task=A, number=1, head=change.sealed)
    assert isinstance(house.task("a").status, Landed)
    merges = [call for call in forge.calls if call[1:3] == ["pr", "merge"]]
    assert f"--match-head-commit={change.sealed}" in merges[0]


async def test_a_forge_that_refuses_is_not_asked_again_and_again(
    house: House, forge: FakeForge
) -> None:
    change = await opened(house, pr="merge")
    forge.set(refuse="the base branch policy prohibits the merge")

    house.record(*house.perform(f.MergePull(A, 1, change.sealed, "merge")))

    assert "it was not merged: X the base branch policy prohibits" in need(house)


async def test_commits_of_others_are_not_merged_but_told(house: House, forge: FakeForge) -> None:
    change = await opened(house, pr="merge")
    forge.commit("fleet/a", "theirs.txt", "theirs\n")

    [refused] = house.perform(f.MergePull(A, 1, change.sealed, "merge"))
    look(house)

    assert isinstance(refused, e.PullMergeAsked)
    assert "modified" in refused.refused
    assert "which fleet did not push and nobody approved here" in need(house)


async def test_its_text_is_renewed_unless_a_person_changed_it(
    house: House, forge: FakeForge
) -> None:
    await opened(house)
    forge.change(1, text=f"see also #9\n\n{forge.pulls[0]['text']}\n\nthanks", title="mine")
    git(house.repo, "commit", "-q", "--allow-empty", "-m", "x")
    again = replace_text(forge, "old")

    house.record(*put_up(house))

    text = forge.pulls[0]["text"]
    assert text.startswith("see also #9\n\n<!-- fleet ")
    assert text.endswith("\n\nthanks")
    assert again not in text
    assert forge.pulls[0]["title"] == "mine"
    forge.change(1, text="all mine")
    house.record(*put_up(house))
    assert forge.pulls[0]["text"] == "all mine"


def replace_text(forge: FakeForge, text: str) -> str:
    """Have fleet's part be an older one, as fleet itself wrote it."""
    there = forge.pulls[0]["text"]
    older = pull_text._PART.sub(lambda _: pull_text.part(text), there)
    forge.change(1, text=older)
    return pull_text.part(text)


async def test_it_is_closed_by_a_persons_command_alone(house: House, forge: FakeForge) -> None:
    await opened(house)

    answer = house.submit(c.Withdraw(task="a"))

    assert answer["pr"].endswith("fleet pr a --close")
    assert forge.pulls[0]["state"] == "open"
    house.submit(c.ClosePull(task="a"))
    house.record(*house.perform(f.ClosePull(A, 1)))
    assert forge.pulls[0]["state"] == "closed"


async def test_history_that_is_rewritten_there_freezes_the_queue(
    house: House, forge: FakeForge
) -> None:
    await opened(house)
    old = forge.tip("main")
    forge.commit("main", "other.txt", "x\n")
    look(house)
    forge.git("update-ref", "refs/heads/main", old)

    look(house)

    assert house.the_repo.frozen == {"main": "main was taken back on origin"}


async def test_one_failure_is_told_to_who_asked_and_else_to_nobody(
    house: House, forge: FakeForge
) -> None:
    await opened(house)
    forge.set(fail="offline")
    house.supervisor.closing = False
    follower = Pulls(house.supervisor, house.tools)

    async def round_() -> None:
        follower._looked.clear()
        await follower.look()
        await asyncio.wait(follower._under_way.values())

    await round_()
    assert house.task("a").pull_trouble is None
    await round_()
    assert house.task("a").pull_trouble
    house.record(e.PullSeen(task=A, number=1, seen=house.task("a").pull.seen))  # type: ignore[union-attr, arg-type] # it is there
    follower._failures.clear()
    await follower.ask(A)
    follower.close()
    assert house.task("a").pull_trouble


async def test_it_is_followed_to_the_end_by_itself(house: House, forge: FakeForge) -> None:
    """The loop and the follower together, with nothing carried out by the test."""
    house.spawn(WRITES)
    house.govern(pr="merge", merge="squash")
    async with house.watching():
        await house.until_word("a", "review")
        house.submit(c.Approve(task="a"))
        async with asyncio.timeout(30):
            while not isinstance(house.task("a").status, Landed):
                if forge.pulls and not forge.pulls[0]["checks"]:
                    forge.checks(1, build="passed")
                house.host.pulls._looked.clear()
                await house.host.pulls.look()
                await asyncio.sleep(0.05)
        await house.settled()
    house.host.pulls.close()

    assert len(forge.pulls) == 1
    assert git(house.repo, "rev-parse", "main") == forge.tip("main")
    kinds = [type(entry.event) for entry in house.supervisor.entries(0)]
    assert kinds.count(e.PullOpened) == 1
