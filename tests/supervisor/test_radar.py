"""Open branches are tried as they move, and nothing runs while none does."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from branches import commit, numbered
from house import House, git

from fleet import protocol as p
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Fleet
from fleet.core.radar import Chart, Line, Wanted
from fleet.core.rows import ConflictMap
from fleet.errors import RefusedError, ToolError
from fleet.supervisor.answers import look
from fleet.supervisor.answers.conflicts import conflicts
from fleet.supervisor.perform import trying
from fleet.tools.git import normals, run

A, B = TaskId("a"), TaskId("b")


def tasks(house: House, *names: str) -> None:
    """Add tasks whose branches the test itself moves."""
    house.quiet()
    for name in names:
        house.spawn(f"do {name}\nwith care", name, title=f"Do {name}")


def moved(house: House, name: str, files: dict[str, str | None]) -> str:
    branch, base = f"fleet/{name}", house.task(name).base
    there = (house.repo / ".git" / "refs" / "heads" / branch).exists()
    tip = commit(house.repo, branch, files, start=None if there else base)
    settle(house)
    return tip


def settle(house: House) -> None:
    """Let what was written a moment ago be older than a directory's time can tell."""
    past = time.time_ns() - 10**9
    for folder in (house.repo / ".git" / "refs").rglob("*"):
        if folder.is_dir():
            os.utime(folder, ns=(past, past + folder.stat().st_mtime_ns % 10**6))


async def found(house: House, task: str | None = None) -> ConflictMap:
    return await conflicts(house.host, p.Conflicts(task=task))


def lines(**said: str) -> dict[str, str | None]:
    return {"lines.txt": numbered(**said)}


async def test_two_branches_that_conflict_are_named_with_what_they_are_for(house: House) -> None:
    tasks(house, "a", "b", "c")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    moved(house, "c", {"c.txt": "c\n"})

    it = await found(house)

    [pair] = it.pairs
    assert (pair.tasks, pair.files, pair.target) == (("a", "b"), ("lines.txt",), "main")
    assert pair.repo == str(house.repo)
    assert [(side.title, side.summary) for side in pair.sides] == [
        ("Do a", "do a\nwith care"),
        ("Do b", "do b\nwith care"),
    ]
    assert (it.stale, it.branches) == ((), 3)
    assert (await found(house, "c")).pairs == ()
    assert (await found(house, "b")).pairs == it.pairs
    with pytest.raises(RefusedError):
        await found(house, "nobody")


async def test_rows_say_with_whom_a_task_conflicts(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    await house.host.radar.look()

    row, _ = await look.ls(house.host, p.List())

    assert [(it.task, it.files) for it in row.conflicts_with] == [("b", ("lines.txt",))]


async def test_what_does_not_fit_its_target_is_stale_and_says_what_landed(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    landed = "Merge it\n\nFleet-Task: b"
    tip = commit(house.repo, "main", lines(n1="main"), message=landed)
    house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=Commit(tip)))

    it = await found(house)

    assert it.pairs == ()
    assert [(row.task, row.files) for row in it.stale] == [
        ("a", ("lines.txt",)),
        ("b", ("lines.txt",)),
    ]
    assert [line.split(" ", 1)[1] for line in it.stale[0].landed] == ["Merge it (b: Do b)"]
    assert [line.split(" ", 1)[1] for line in it.stale[1].landed] == ["Merge it"]


async def test_a_conflict_that_is_resolved_is_gone_and_screens_are_stirred(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    with house.host.audience.join() as stirred:
        await house.host.radar.look()
        assert stirred.is_set()
        stirred.clear()

        moved(house, "b", lines())
        await house.host.radar.look(at_once=True)
        assert stirred.is_set()
        stirred.clear()

        moved(house, "b", {"c.txt": "c\n"})
        await house.host.radar.look(at_once=True)
        assert not stirred.is_set()

    assert house.host.vitals.clashes.between == {}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the commands of git that are run from now on."""
    commands: list[str] = []
    start = run._start

    def noted(cwd: Path, args: Sequence[str], **named: object) -> object:
        commands.append(run._command(args))
        return start(cwd, args, **named)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(run, "_start", noted)
    return commands


async def test_while_nothing_moves_no_git_runs(
    house: House, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    await house.host.radar.look()
    assert ran
    ran.clear()
    tried, times = house.host.radar._tried, list[int]()

    def noted(fleet: Fleet, wanted: dict[Line, Wanted]) -> tuple[dict[Line, Chart], bool]:
        times.append(1)
        return tried(fleet, wanted)

    monkeypatch.setattr(house.host.radar, "_tried", noted)
    for _ in range(3):
        await house.host.radar.look(at_once=True)
    house.record(e.NeedTold(task=A, need="x", since=house.task("a").created_at))
    await house.host.radar.look(at_once=True)

    assert (ran, times) == ([], [])


async def test_what_could_not_be_tried_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))

    def fails(*_: object, **__: object) -> None:
        raise ToolError("it is being rewritten")

    with monkeypatch.context() as patch:
        patch.setattr(normals, "normalise", fails)
        await house.host.radar.look(at_once=True)
    before = house.host.vitals.clashes

    await house.host.radar.look(at_once=True)

    after = house.host.vitals.clashes
    assert (before.known, after.known) == (False, True)
    assert after.between.keys() == {"a", "b"}


async def test_a_directory_that_has_just_changed_is_looked_at_again(
    house: House, ran: list[str]
) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    commit(house.repo, "fleet/b", {"b": "b\n"}, start="main")
    await house.host.radar.look()
    ran.clear()
    folder = house.repo / ".git" / "refs" / "heads" / "fleet"
    before = folder.stat()

    commit(house.repo, "fleet/b", lines(n1="b"), start="main")
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))  # within one tick of its clock
    await house.host.radar.look(at_once=True)

    assert house.host.vitals.clashes.between.keys() == {"a", "b"}


async def test_what_moves_is_tried_in_few_processes_and_nothing_else_is(
    house: House, ran: list[str]
) -> None:
    names = [f"t{number}" for number in range(12)]
    tasks(house, *names)
    for name in names:
        moved(house, name, {f"{name}.txt": "1\n", "shared.txt": f"{name}\n"})
    await house.host.radar.look()
    pairs = len(names) * (len(names) - 1)
    assert sum(map(len, house.host.vitals.clashes.between.values())) == pairs
    ran.clear()

    moved(house, "t3", {"shared.txt": None})
    await house.host.radar.look(at_once=True)

    assert len(house.host.vitals.clashes.between) == 11
    assert sorted(ran) == ["diff-tree", "merge-tree"]


async def test_rounds_keep_to_their_share_and_none_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    radar, clock = house.host.radar, [1000.0]
    tried = radar._tried

    def slowly(fleet: Fleet, wanted: dict[Line, Wanted]) -> tuple[dict[Line, Chart], bool]:
        clock[0] += 0.05
        return tried(fleet, wanted)

    monkeypatch.setattr(radar, "_clock", lambda: clock[0])
    monkeypatch.setattr(radar, "_tried", slowly)
    await house.host.radar.look()
    moved(house, "b", lines(n1="b"))

    clock[0] += 4.9
    await house.host.radar.look()
    assert house.host.vitals.clashes.between == {}

    clock[0] += 0.2
    await house.host.radar.look()
    assert house.host.vitals.clashes.between.keys() == {"a", "b"}


async def test_a_branch_in_packed_references_is_seen(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    git(house.repo, "pack-refs", "--all")
    settle(house)

    assert len((await found(house)).pairs) == 1


async def test_what_was_sealed_uncommitted_is_tried_too(house: House) -> None:
    async with house.watching():
        house.spawn("sed -i 1s/.*/mine/ lines.txt", "a")
        await house.until_word("a", "review")
        await house.settled()
        tasks(house, "b")
    moved(house, "b", lines(n1="b"))

    [pair] = (await found(house)).pairs

    assert pair.tasks == ("a", "b")


async def test_what_has_ended_is_no_longer_tried(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    assert (await found(house)).pairs

    house.record(e.TaskStopped(task=B, by="person"))

    assert (await found(house)).pairs == ()
    assert (await found(house)).branches == 1


async def test_a_repository_that_is_gone_keeps_what_was_known(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    assert (await found(house)).pairs
    house.repo.rename(house.repo.with_name("away"))
    house.tools._places.clear()
    house.record(e.TaskStopped(task=TaskId("b"), by="person"))

    assert len((await found(house)).pairs) == 1


async def test_too_many_kept_merges_are_dropped_and_made_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "_MORE_OBJECTS", 1)
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b") | {f"{number}.txt": "b\n" for number in range(4)})
    [first] = (await found(house)).pairs

    places = {str(it) for it in kept(house)}
    for number in range(4):
        moved(house, "a", lines(n1=f"a{number}") | {f"{number}.txt": "a\n"})
        [pair] = (await found(house)).pairs
        assert pair.since == first.since
        assert pair.files[0] == "0.txt"
        assert len(pair.files) == number + 2
        places |= {str(it) for it in kept(house)}

    assert len(places) > 1
    assert len(kept(house)) <= 1
    house.host.radar.close()
    assert kept(house) == []


def kept(house: House) -> list[Path]:
    return list(Path("/dev/shm").glob(f"fleet-radar-{house.tools.home_id}-*"))


async def test_nothing_is_written_into_the_repository(house: House) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    before = subprocess.check_output(["git", "-C", house.repo, "count-objects", "-v"])

    assert (await found(house)).pairs

    assert subprocess.check_output(["git", "-C", house.repo, "count-objects", "-v"]) == before


async def test_only_what_is_around_you_is_shown(house: House, tmp_path: Path) -> None:
    tasks(house, "a", "b")
    moved(house, "a", lines(n1="a"))
    moved(house, "b", lines(n1="b"))
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", "-b", "main", str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "first")

    here = await conflicts(house.host, p.Conflicts(cwd=str(house.repo)))
    there = await conflicts(house.host, p.Conflicts(cwd=str(other)))

    assert (len(here.pairs), len(there.pairs)) == (1, 0)


async def test_a_submitted_branch_counts_like_any_other(house: House) -> None:
    tasks(house, "a")
    moved(house, "a", lines(n1="a"))
    commit(house.repo, "by-hand", lines(n1="hand"), start="main")
    house.submit(c.Submit(cwd=str(house.repo), branch="by-hand", environment={}))
    settle(house)

    [pair] = (await found(house)).pairs

    assert set(pair.tasks) == {"a", "by-hand"}
