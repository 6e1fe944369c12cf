"""Changes that land in one move of their target: each is told its own fate, in landing order."""

from pathlib import Path

import pytest
from gating import gate
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.change import Evidence, Landing, Member
from fleet.core.ids import Commit, TaskId
from fleet.supervisor.perform import landing
from fleet.supervisor.perform.landing import is_still_blocked

A, B, C = NAMES = (TaskId("a"), TaskId("b"), TaskId("c"))


async def about_to_land(house: House) -> list[Evidence]:
    """Bring three tasks to where they are to land in one move, and nothing has moved."""
    async with house.watching():
        for name in NAMES:
            house.spawn(f"echo {name} > {name}.txt; {COMMIT}", name)
        for name in NAMES:
            await house.until_word(name, "review")
        await house.settled()
        house.quiet()
    onto, found = Commit(main(house.repo)), []
    for name in NAMES:
        house.submit(c.Approve(task=name))
        passed = gate(house, name, onto)
        assert isinstance(passed, e.GatePassed)
        house.record(passed)
        found.append(passed.evidence)
        onto = passed.evidence.commit
    began(house, found)
    return found


def began(house: House, found: list[Evidence]) -> None:
    house.record(
        *(
            e.LandingBegan(task=name, revision=1, evidence=evidence)
            for name, evidence in zip(NAMES, found, strict=True)
        )
    )


def land(house: House) -> list[e.AnyEvent]:
    behind = (Member(B, 1), Member(C, 1))
    return list(house.perform(f.Land(house.repo_id, "main", A, 1, behind)))


def main(repo: Path) -> str:
    return git(repo, "rev-parse", "main")


def landed(found: list[Evidence]) -> list[e.AnyEvent]:
    return [
        e.ChangeLanded(task=name, revision=1, commit=evidence.commit, target="main")
        for name, evidence in zip(NAMES, found, strict=True)
    ]


@pytest.mark.parametrize("checked_out", [True, False])
async def test_each_is_told_its_own_commit(house: House, *, checked_out: bool) -> None:
    found = await about_to_land(house)
    if not checked_out:
        git(house.repo, "switch", "-q", "--detach")

    assert land(house) == landed(found)

    assert main(house.repo) == found[-1].commit
    marks = git(house.repo, "for-each-ref", "--format=%(objectname)", "refs/fleet/landed")
    assert marks.splitlines() == [evidence.commit for evidence in found]
    assert land(house) == landed(found)  # and after a crash, the same


class KilledError(Exception):
    pass


async def killed(house: House, monkeypatch: pytest.MonkeyPatch) -> list[Evidence]:
    found = await about_to_land(house)

    def die(_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(landing, "settle", die)
        with pytest.raises(KilledError):
            land(house)
    return found


async def test_a_crash_before_it_was_told_is_made_good(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await killed(house, monkeypatch)
    assert land(house) == landed(found)
    assert not house.home.landing("a").exists()


async def test_a_part_that_a_person_took_back_is_told_apart(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await killed(house, monkeypatch)
    tip = found[0].commit
    git(house.repo, "reset", "-q", "--hard", tip)

    frozen, *facts = land(house)

    assert isinstance(frozen, e.QueueFrozen)
    assert facts == [
        e.TargetSeen(repo=house.repo_id, target="main", tip=tip),
        landed(found)[0],
        e.LandingMissed(task=B, revision=1, tip=tip),
        e.LandingMissed(task=C, revision=1, tip=tip),
    ]


async def test_a_target_that_moved_is_missed_by_all(house: House) -> None:
    await about_to_land(house)
    git(house.repo, "commit", "-q", "--allow-empty", "-m", "faster")
    tip = Commit(main(house.repo))

    assert land(house) == [
        e.TargetSeen(repo=house.repo_id, target="main", tip=tip),
        *(e.LandingMissed(task=name, revision=1, tip=tip) for name in NAMES),
    ]


async def test_only_whose_files_are_in_the_way_waits(house: House) -> None:
    found = await about_to_land(house)
    (house.repo / "b.txt").write_text("mine\n")
    tip = found[0].basis

    first, blocked, last = land(house)

    assert first == e.LandingMissed(task=A, revision=1, tip=tip)
    assert last == e.LandingMissed(task=C, revision=1, tip=tip)
    assert isinstance(blocked, e.ChangeBlocked)
    assert (blocked.task, blocked.onto) == (B, tip)
    assert blocked.reason.endswith("overwritten: b.txt")
    assert main(house.repo) == tip

    house.record(first, blocked, last)
    assert is_still_blocked(house.tools, house.fleet, house.task("b"))
    (house.repo / "b.txt").unlink()
    assert not is_still_blocked(house.tools, house.fleet, house.task("b"))


async def test_what_concerns_no_file_blocks_all(house: House) -> None:
    await about_to_land(house)
    (house.repo / ".git/MERGE_HEAD").touch()

    facts = land(house)

    assert [fact.reason for fact in facts if isinstance(fact, e.ChangeBlocked)] == [
        "a merge is under way there"
    ] * len(NAMES)
    house.record(*facts)
    for name in NAMES:
        assert is_still_blocked(house.tools, house.fleet, house.task(name))


async def test_one_that_was_built_on_something_else_is_a_contradiction(house: House) -> None:
    found = await about_to_land(house)
    passed = gate(house, "b", found[0].basis)
    assert isinstance(passed, e.GatePassed)
    began(house, [found[0], passed.evidence, found[2]])
    change = house.task("b").change
    assert change
    assert isinstance(change.state, Landing)

    with pytest.raises(RuntimeError, match="b was not built on what lands before it"):
        land(house)


class TestPush:
    """The remote takes them all in one move, and then the local branch does."""

    async def prepared(self, house: House) -> tuple[Path, list[Evidence]]:
        remote = house.repo.with_name("remote.git")
        git(house.repo, "clone", "-q", "--bare", ".", str(remote))
        git(house.repo, "remote", "add", "origin", str(remote))
        found = await about_to_land(house)
        house.govern(push=True)
        return remote, found

    async def test_both_have_all(self, house: House) -> None:
        remote, found = await self.prepared(house)
        assert land(house) == landed(found)
        assert main(remote) == main(house.repo) == found[-1].commit

    async def test_a_crash_between_the_two_is_made_good(self, house: House) -> None:
        remote, found = await self.prepared(house)
        git(house.repo, "push", "-q", "origin", f"{found[-1].commit}:main")

        assert land(house) == landed(found)
        assert main(remote) == main(house.repo)

    async def test_a_remote_that_moved_is_missed_by_all(self, house: House) -> None:
        remote, found = await self.prepared(house)
        tree = git(remote, "rev-parse", "main^{tree}")
        tip = Commit(git(remote, "commit-tree", tree, "-p", "main", "-m", "theirs"))
        git(remote, "update-ref", "refs/heads/main", tip)

        assert land(house) == [
            e.TargetSeen(repo=house.repo_id, target="main", tip=tip),
            *(e.LandingMissed(task=name, revision=1, tip=tip) for name in NAMES),
        ]
        assert main(house.repo) == found[0].basis

    async def test_what_we_cannot_follow_is_not_pushed(self, house: House) -> None:
        remote, found = await self.prepared(house)
        (house.repo / "c.txt").write_text("mine\n")

        facts = land(house)

        assert [type(fact) for fact in facts] == [
            *(e.LandingMissed, e.LandingMissed, e.ChangeBlocked)
        ]
        assert main(remote) == main(house.repo) == found[0].basis


def make_remote(house: House) -> Path:
    """Give the repository a remote, bare, that is as it is."""
    remote = house.repo.with_name("remote.git")
    git(house.repo, "clone", "-q", "--bare", ".", str(remote))
    git(house.repo, "remote", "add", "origin", str(remote))
    return remote


async def test_what_a_remote_has_of_them_has_landed(house: House) -> None:
    """A push of the first one may have been taken, and nobody heard of it."""
    make_remote(house)
    found = await about_to_land(house)
    house.govern(push=True)
    git(house.repo, "push", "-q", "origin", f"{found[0].commit}:main")

    seen, first, *others = land(house)

    tip = found[0].commit
    assert seen == e.TargetSeen(repo=house.repo_id, target="main", tip=tip)
    assert first == landed(found)[0]
    assert others == [e.LandingMissed(task=name, revision=1, tip=tip) for name in (B, C)]


async def test_a_remote_takes_all_of_them_or_none(house: House) -> None:
    remote = make_remote(house)
    found = await about_to_land(house)
    house.govern(push=True)

    assert land(house) == landed(found)
    assert main(remote) == main(house.repo) == found[-1].commit
    assert land(house) == landed(found)
