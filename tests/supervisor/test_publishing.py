"""With `push`, the remote's word counts: what it has has landed, and our own branch follows."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from gating import gate, merge
from house import COMMIT, House, git
from landing_by_hand import A, about_to_land, began, detach, evidence_commit, land, main

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.ids import Commit
from fleet.core.policy import RepoPolicy
from fleet.errors import ToolError
from fleet.supervisor.perform.publishing import apart
from fleet.supervisor.probes.targets import Targets
from fleet.tools.git import lfs_pushing, pushing


async def prepared(house: House, prompt: str = "echo hi > new.txt") -> Path:
    remote = house.repo.with_name("remote.git")
    git(house.repo, "clone", "-q", "--bare", ".", str(remote))
    git(house.repo, "remote", "add", "origin", str(remote))
    await about_to_land(house, prompt)
    house.govern(push=True)
    return remote


async def test_nothing_is_pushed_by_a_file_that_nobody_trusted(house: House) -> None:
    remote = await prepared(house)
    before = git(remote, "rev-parse", "main")
    house.tools.policies.targets[house.repo_id, "main"] = RepoPolicy(push=True, digest="changed")

    [blocked] = land(house)

    assert isinstance(blocked, e.ChangeBlocked)
    assert "fleet trust" in blocked.reason
    assert git(remote, "rev-parse", "main") == before


def hook(remote: Path, name: str, script: str) -> None:
    file = remote / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def blocked(house: House) -> str:
    """Try to land, and return why that is put off."""
    [event] = land(house)
    assert isinstance(event, e.ChangeBlocked)
    house.record(event)
    return event.reason


def outside(house: House, remote: Path, *, file: str = "other.txt") -> str:
    """Somebody else pushes to the remote."""
    clone = house.repo.with_name("clone")
    git(house.repo, "clone", "-q", str(remote), str(clone))
    (clone / file).write_text("theirs\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "theirs")
    git(clone, "push", "-q", "origin", "main")
    return git(clone, "rev-parse", "main")


async def test_both_have_it(house: House) -> None:
    remote = await prepared(house)
    [landed] = land(house)
    assert isinstance(landed, e.ChangeLanded)
    assert main(remote) == main(house.repo) == landed.commit


async def test_a_remote_that_moved_is_seen_and_landed_upon(house: House) -> None:
    remote = await prepared(house)
    tip = outside(house, remote)
    before = main(house.repo)

    seen, missed = land(house)
    assert isinstance(seen, e.TargetSeen)
    assert seen.tip == tip
    assert main(house.repo) == before
    house.record(seen, missed)

    passed = gate(house, onto=seen.tip)
    house.record(passed)
    began(house)
    [landed] = land(house)
    assert isinstance(landed, e.ChangeLanded)
    assert main(remote) == main(house.repo) == landed.commit
    assert (house.repo / "other.txt").exists()


async def test_a_remote_that_refuses_blocks_and_it_is_said_what_to_do(house: House) -> None:
    remote = await prepared(house)
    hook(remote, "pre-receive", "echo 'error: \033[1mChanges go through requests.' >&2; exit 1")
    before = main(house.repo)

    assert blocked(house) == (
        "origin refused it (pre-receive hook declined: error: Changes go through requests.): "
        "let fleet push to main there, or set push: false and push it yourself"
    )
    assert main(house.repo) == main(remote) == before


async def test_a_remote_that_is_not_there_blocks(house: House) -> None:
    remote = await prepared(house)
    remote.rename(remote.with_name("moved.git"))
    [blocked] = land(house)
    assert isinstance(blocked, e.ChangeBlocked)


def commit_here(house: House, file: str = "mine.txt") -> str:
    """Commit to our own branch, as its user does."""
    (house.repo / file).write_text("mine\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "mine")
    return main(house.repo)


async def test_commits_that_only_we_have_are_to_be_pushed_first(house: House) -> None:
    remote = await prepared(house)
    tip, mine = main(remote), commit_here(house)

    assert blocked(house) == "main has commits that origin lacks: git push origin main"
    assert (main(remote), main(house.repo)) == (tip, mine)

    git(house.repo, "push", "-q", "origin", "main")
    began(house)
    seen, missed = land(house)
    assert isinstance(seen, e.TargetSeen)
    assert seen.tip == mine
    house.record(seen, missed)
    await lands(house, Commit(mine))
    assert main(remote) == main(house.repo)


async def lands(house: House, onto: Commit, name: str = "a") -> None:
    """Gate what is to land anew, and land it."""
    house.record(gate(house, name, onto=onto))
    began(house, name)
    house.record(*land(house, name))
    assert house.word(name) == "landed"


async def test_branches_that_parted_are_to_be_brought_together_first(house: House) -> None:
    remote = await prepared(house)
    theirs = outside(house, remote)
    mine = commit_here(house)

    assert blocked(house) == apart("main", "origin")
    assert (main(remote), main(house.repo)) == (theirs, mine)


async def test_a_remote_without_the_branch_is_said(house: House) -> None:
    remote = await prepared(house)
    git(remote, "update-ref", "-d", "refs/heads/main")
    assert blocked(house) == "origin has no branch main: git push origin main"


async def test_what_our_own_branch_is_gone_for_is_not_pushed(house: House) -> None:
    remote = await prepared(house)
    before = main(remote)
    detach(house)
    git(house.repo, "branch", "-qD", "main")

    seen, _ = land(house)

    assert isinstance(seen, e.TargetSeen)
    assert seen.tip is None
    assert main(remote) == before


async def test_a_crash_after_the_push_is_made_good(house: House) -> None:
    remote = await prepared(house)
    git(house.repo, "push", "-q", "origin", f"{evidence_commit(house)}:main")

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(house.repo) == main(remote)


async def test_what_was_pushed_and_built_upon_counts_as_pushed(house: House) -> None:
    remote = await prepared(house)
    commit = evidence_commit(house)
    git(house.repo, "push", "-q", "origin", f"{commit}:main")
    outside(house, remote)

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(house.repo) == commit


async def pushed(house: House) -> tuple[Path, str]:
    """The remote has the change, and a crash kept that from us."""
    remote = await prepared(house)
    commit = evidence_commit(house)
    git(house.repo, "push", "-q", "origin", f"{commit}:main")
    return remote, commit


async def test_what_was_pulled_since_has_landed(house: House) -> None:
    remote, commit = await pushed(house)
    git(house.repo, "pull", "-q", "--ff-only", "origin", "main")

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(house.repo) == main(remote) == landed.commit == commit


async def test_what_was_pulled_and_built_upon_here_has_landed(house: House) -> None:
    remote, commit = await pushed(house)
    git(house.repo, "pull", "-q", "--ff-only", "origin", "main")
    mine = commit_here(house)

    landed, seen = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert isinstance(seen, e.TargetSeen)
    assert (landed.commit, seen.tip) == (commit, mine)
    assert (main(house.repo), main(remote)) == (mine, commit)


async def test_what_is_here_already_is_pushed(house: House) -> None:
    remote = await prepared(house)
    commit = evidence_commit(house)
    git(house.repo, "merge", "-q", "--ff-only", commit)

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(remote) == main(house.repo) == commit


async def test_what_our_own_branch_cannot_follow_to_has_landed(house: House) -> None:
    remote, commit = await pushed(house)
    before = main(house.repo)
    (house.repo / "new.txt").write_text("mine\n")  # the change makes this file
    house.record(*land(house))

    await look(house)

    assert house.word("a") == "landed"
    assert house.the_repo.frozen == {}
    assert house.the_repo.tips["main"] == commit
    told = house.tools.policies.complaints[house.repo_id, "main"]
    assert told == "main lacks what has landed on origin: git pull origin main"
    assert (main(house.repo), main(remote)) == (before, commit)
    assert (house.repo / "new.txt").read_text() == "mine\n"

    (house.repo / "new.txt").unlink()
    await another(house)
    assert main(house.repo) == main(remote)
    assert (house.repo / "b.txt").exists()
    assert (house.repo / "new.txt").exists()
    await look(house)
    assert house.tools.policies.complaints == {}


async def look(house: House) -> None:
    """Look at the targets, of which one more task is about."""
    if "z" not in house.fleet.tasks:
        house.quiet()
        house.spawn("true", "z")
        house.govern(push=True)
    targets = Targets(house.host)
    targets._read_policy = lambda *_: house.tools.policies.complaints.clear()  # type: ignore[method-assign] # no file says it
    await targets.look()


async def another(house: House) -> None:
    """Land one more change."""
    house.supervisor.closing = False
    house.submit(c.Stop(task="z"))
    async with house.watching():
        house.spawn(f"echo b > b.txt; {COMMIT}", "b")
        house.govern(push=True)
        await house.until_word("b", "review")
        house.submit(c.Approve(task="b"))
        await house.until_word("b", "landed")
        await house.settled()
        house.quiet()


async def test_our_own_branch_that_parted_since_is_told_and_left_alone(house: House) -> None:
    remote, commit = await pushed(house)
    mine = commit_here(house)
    house.record(*land(house))

    await look(house)

    assert house.word("a") == "landed"
    assert house.the_repo.frozen == {"main": apart("main", "origin")}
    assert (main(house.repo), main(remote)) == (mine, commit)


async def test_a_move_of_our_own_branch_while_it_is_pushed_is_left_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = await prepared(house)
    commit, push = evidence_commit(house), pushing.push

    def slow(*args: Any, **named: Any) -> Any:
        try:
            return push(*args, **named)
        finally:
            commit_here(house)

    monkeypatch.setattr(pushing, "push", slow)
    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(remote) == landed.commit == commit
    assert git(house.repo, "log", "-1", "--format=%s", "main") == "mine"


async def test_a_push_that_was_taken_unheard_lands_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = await prepared(house)
    commit, push = evidence_commit(house), pushing.push

    def lost(*args: Any, **named: Any) -> Any:
        push(*args, **named)
        raise ToolError("git push took more than 300 seconds")

    monkeypatch.setattr(pushing, "push", lost)
    assert "took more than" in blocked(house)
    assert main(remote) == commit

    [landed] = merge(house, Commit(commit), "a")  # as where another change saw the remote move

    assert landed == e.ChangeLanded(task=A, revision=1, commit=Commit(commit), target="main")


BINARY = "content of a large file\n"
OID = hashlib.sha256(BINARY.encode()).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(BINARY)}\n"


async def prepared_with_lfs(house: House) -> Path:
    """A change makes a file that LFS keeps; its content is on this machine."""
    (house.repo / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "lfs")
    for name in ("clean", "smudge"):
        git(house.repo, "config", f"filter.lfs.{name}", "cat")
    content = house.repo / ".git" / "lfs" / "objects" / OID[:2] / OID[2:4] / OID
    content.parent.mkdir(parents=True)
    content.write_text(BINARY)
    return await prepared(house, f"printf {POINTER!r} > a.bin")


@pytest.mark.skipif(not lfs_pushing.program(), reason="git-lfs is not installed")
async def test_what_lfs_keeps_is_on_the_remote_before_its_pointer(house: House) -> None:
    remote = await prepared_with_lfs(house)
    hook(remote, "pre-receive", f"test -e {remote}/lfs/objects/{OID[:2]}/{OID[2:4]}/{OID}")

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(remote) == landed.commit
    assert git(remote, "show", "main:a.bin") == POINTER.strip()


async def test_a_pointer_is_not_pushed_where_nobody_can_verify_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = await prepared_with_lfs(house)
    before = main(remote)
    monkeypatch.setattr(lfs_pushing, "program", lambda: None)

    assert blocked(house) == ("origin has not all that LFS keeps for it: git-lfs is not installed")
    assert main(remote) == main(house.repo) == before


async def test_a_pointer_that_is_there_already_has_landed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = await prepared_with_lfs(house)
    git(house.repo, "push", "-q", "--no-verify", "origin", f"{evidence_commit(house)}:main")
    monkeypatch.setattr(lfs_pushing, "program", lambda: None)

    [landed] = land(house)

    assert isinstance(landed, e.ChangeLanded)
    assert main(remote) == main(house.repo)
