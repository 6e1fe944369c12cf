"""What an approval rests on is asked of real git; what it outlives is decided by replay."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from house import COMMIT, House, git

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.approving import terms
from fleet.core.carrying import NO_CHANGE, NO_CODE_CHANGE, TRIVIAL_REBASE
from fleet.core.change import Change
from fleet.core.ids import Commit, TaskId
from fleet.core.policy import Check, Rule
from fleet.core.voiding import OTHER_POLICY
from fleet.supervisor.perform.approvals import OTHER_CONTENT

A = TaskId("a")
GREEN = (Check("green", "true"),)
STRICT = (Rule("core", ("**",), strict=True),)
LAST_LINE, FIRST_LINE = "s/line 20/line twenty/", "s/line 1$/line one/"


def change(house: House, name: str = "a") -> Change:
    found = house.task(name).change
    assert found is not None
    return found


def write(repo: Path, edit: str, message: str, *how: str) -> str:
    """Commit an edit of lines.txt on the branch that is checked out."""
    file = repo / "lines.txt"
    before, after = edit.split("/")[1:3]
    before = before.removesuffix("$")
    lines = [after if line == before else line for line in file.read_text().splitlines()]
    file.write_text("\n".join(lines) + "\n")
    git(repo, "commit", "-qam", message, *how)
    return git(repo, "rev-parse", "HEAD")


def submit(house: House) -> None:
    asked = c.Submit(
        cwd=str(house.repo), branch="mine", target="main", name="a", environment={}, land="review"
    )
    house.submit(asked)


def seal(house: House, revision: int = 1) -> list[e.AnyEvent]:
    found = list(house.perform(f.Seal(A, revision)))
    house.record(*found, e.ChecksPassed(task=A, revision=revision, results=()))
    return found


def by_hand(house: House) -> str:
    """Have the last line changed on a branch made by hand, in review."""
    house.quiet()
    git(house.repo, "switch", "-qc", "mine")
    head = write(house.repo, LAST_LINE, "the last line")
    submit(house)
    seal(house)
    return head


def approve(house: House, **said: Any) -> e.Approved:
    house.submit(c.Approve(task="a", **said))
    found: e.Approved = house.events(e.Approved)[-1]
    return found


def move_main(house: House, edit: str = FIRST_LINE) -> Commit:
    git(house.repo, "switch", "-q", "main")
    tip = Commit(write(house.repo, edit, "meanwhile"))
    git(house.repo, "switch", "-q", "mine")
    house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=tip))
    return tip


async def test_an_approval_binds_what_git_says(house: House) -> None:
    head = by_hand(house)
    house.govern(checks=GREEN)
    approved = approve(house)

    raw = git(house.repo, "diff-tree", "-r", "--raw", "--no-abbrev", f"{head}~", head)
    modes, path = raw.split("\t")
    was_mode, now_mode, was, now, _ = modes.removeprefix(":").split(" ")
    rows = [path, was_mode, was, now_mode, now]
    assert approved.diff == hashlib.sha256("\0".join(rows).encode()).hexdigest()
    assert (approved.sealed, approved.base) == (head, git(house.repo, "rev-parse", "main"))
    assert approved.onto == approved.base
    assert approved.policy == terms(house.tools.target_policy(house.repo_id, "main"))
    assert approved.rules


# A new revision ------------------------------------------------------------------------------


def again(house: House) -> list[e.AnyEvent]:
    submit(house)
    return seal(house, house.task("a").revision + 1)


async def test_another_message_keeps_it(house: House) -> None:
    by_hand(house)
    first = approve(house, by="ann")
    head = write(house.repo, "s/x/y/", "the last line, in words", "--amend")
    sealed, carried = again(house)

    assert isinstance(sealed, e.Sealed)
    assert isinstance(carried, e.Approved)
    assert (carried.by, carried.sealed, carried.carried) == ("ann", head, NO_CODE_CHANGE)
    assert (carried.revision, carried.diff) == (2, first.diff)
    assert change(house).approval is not None


async def test_the_same_with_another_date_keeps_it(house: House) -> None:
    by_hand(house)
    approve(house)
    git(house.repo, "commit", "-q", "--amend", "--no-edit", "--date=2001-01-01T00:00:00")
    assert again(house)[1].carried == NO_CHANGE  # type: ignore[union-attr] # it is Approved


async def test_a_rebase_that_git_alone_makes_keeps_it(house: House) -> None:
    by_hand(house)
    first = approve(house)
    tip = move_main(house)
    git(house.repo, "rebase", "-q", "main")
    _, carried = again(house)

    assert isinstance(carried, e.Approved)
    assert (carried.carried, carried.base) == (TRIVIAL_REBASE, tip)
    assert carried.diff != first.diff  # the blobs are others, and what is changed in them is not
    assert carried.onto == first.onto


async def test_a_strict_rule_wants_another_look_at_a_rebase(house: House) -> None:
    by_hand(house)
    house.govern(rules=STRICT)
    approve(house)
    move_main(house)
    git(house.repo, "rebase", "-q", "main")
    submit(house)  # which reads the repository's own file, and there is none
    house.govern(rules=STRICT)
    assert seal(house, 2)[1].reason == OTHER_CONTENT  # type: ignore[union-attr] # ApprovalVoided


async def test_a_rebase_with_something_more_in_it_voids_it(house: House) -> None:
    by_hand(house)
    approve(house)
    move_main(house)
    git(house.repo, "rebase", "-q", "main")
    (house.repo / "more.txt").write_text("more\n")
    git(house.repo, "add", "more.txt")
    git(house.repo, "commit", "-q", "--amend", "--no-edit")
    again(house)

    assert change(house).approval is None
    assert change(house).voided == OTHER_CONTENT


async def test_a_conflict_that_somebody_resolved_voids_it(house: House) -> None:
    by_hand(house)
    approve(house)
    move_main(house, "s/line 20/line XX/")
    git(house.repo, "reset", "-q", "--hard", "main")
    write(house.repo, "s/line XX/line twenty/", "the last line")
    again(house)
    assert change(house).approval is None


@pytest.mark.parametrize("how", [(), ("--amend",)])
async def test_other_content_voids_it(house: House, how: tuple[str, ...]) -> None:
    by_hand(house)
    approve(house)
    write(house.repo, FIRST_LINE, "the first line, too", *how)
    again(house)

    assert change(house).approval is None
    assert change(house).voided == OTHER_CONTENT
    assert house.events(e.ApprovalVoided)[-1].revision == 2


async def test_several_are_carried_over_together_and_the_policys_is_not(house: House) -> None:
    by_hand(house)
    house.govern(rules=(Rule("core", ("**",), approvals=2),))
    approve(house, by="ann")
    approve(house, by="bob")
    write(house.repo, "s/x/y/", "other words", "--amend")
    again(house)
    assert [it.by for it in change(house).approvals] == ["ann", "bob"]
    assert not change(house).approvals[-1].short

    house.record(e.Approved(task=A, revision=2, sealed=change(house).sealed, by="policy"))
    house.record(e.ApprovalVoided(task=A, revision=2, reason="x", of="ann"))
    house.record(e.ApprovalVoided(task=A, revision=2, reason="x", of="bob"))
    write(house.repo, "s/x/y/", "yet others", "--amend")
    assert len(again(house)) == 1


async def test_what_was_never_approved_is_not_carried_over(house: House) -> None:
    by_hand(house)
    write(house.repo, "s/x/y/", "other words", "--amend")
    assert len(again(house)) == 1
    house.submit(c.Approve(task="a"))
    house.submit(c.Revoke(task="a"))
    write(house.repo, "s/x/y/", "yet others", "--amend")
    assert len(again(house)) == 1


# The target moves ----------------------------------------------------------------------------


def look(house: House, tip: Commit) -> e.AnyEvent:
    [found] = house.perform(f.LookAgain(A, 1, tip))
    return found


async def test_a_target_that_moved_elsewhere_holds_a_strict_approval(house: House) -> None:
    by_hand(house)
    house.govern(rules=STRICT)
    approve(house)
    git(house.repo, "switch", "-q", "main")
    (house.repo / "other.txt").write_text("other\n")
    git(house.repo, "add", "-A")
    git(house.repo, "commit", "-qm", "other")
    tip = Commit(git(house.repo, "rev-parse", "main"))

    assert look(house, tip) == e.ApprovalHeld(task=A, revision=1, onto=tip)


async def test_a_target_that_moved_in_its_files_voids_a_strict_approval(house: House) -> None:
    by_hand(house)
    house.govern(rules=STRICT)
    approve(house)
    tip = move_main(house)
    found = look(house, tip)

    assert isinstance(found, e.ApprovalVoided)
    assert found.reason == "main moved in lines.txt since it was approved"
    house.record(found)
    approve(house)  # the one key that confirms it
    assert look(house, tip) == e.ApprovalHeld(task=A, revision=1, onto=tip)


async def test_what_cannot_be_compared_is_looked_at_by_a_person(house: House) -> None:
    by_hand(house)
    house.govern(rules=STRICT)
    approve(house)
    found = look(house, Commit("0" * 40))
    assert isinstance(found, e.ApprovalVoided)
    assert "cannot be told" in found.reason


# From beginning to end -----------------------------------------------------------------------


async def in_review(house: House, prompt: str, **options: Any) -> None:
    house.spawn(f"{prompt}; {COMMIT}", **options)
    await house.until_word("a", "review")
    await house.settled()


async def test_a_strict_change_lands_after_the_target_moved_elsewhere(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo x > x.txt; {COMMIT}")
        house.govern(checks=GREEN, rules=STRICT)
        await house.until_word("a", "review")
        await house.settled()
        (house.repo / "other.txt").write_text("other\n")
        git(house.repo, "add", "-A")
        git(house.repo, "commit", "-qm", "other")
        house.submit(c.Approve(task="a"))
        tip = Commit(git(house.repo, "rev-parse", "main"))
        house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=tip))
        await house.until_word("a", "landed")
    assert house.events(e.ApprovalHeld)
    assert git(house.repo, "show", "main:x.txt") == "x"


async def test_two_have_to_approve_and_then_it_lands(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo x > x.txt; {COMMIT}")
        house.govern(checks=GREEN, rules=(Rule("core", ("x.txt",), approvals=2),))
        await house.until_word("a", "review")
        house.submit(c.Approve(task="a", by="ann"))
        await house.settled()
        assert house.word("a") == "review"
        house.submit(c.Approve(task="a", by="bob"))
        await house.until_word("a", "landed")


async def test_a_change_of_the_policy_on_the_target_sends_it_back_to_review(house: House) -> None:
    async with house.watching():
        await in_review(house, "echo x > x.txt")
        house.record(e.QueueFrozen(repo=house.repo_id, target="main", reason="for this test"))
        house.submit(c.Approve(task="a"))
        await house.settled()
        assert house.word("a") == "approved"
        house.govern(checks=GREEN)
        await house.settled()
        assert house.word("a") == "review"
        assert change(house).voided == OTHER_POLICY
        house.record(e.QueueThawed(repo=house.repo_id, target="main"))
        await house.settled()
        assert house.word("a") == "review"
        house.submit(c.Approve(task="a"))
        await house.until_word("a", "landed")


async def test_what_decides_about_checks_never_lands_by_itself(house: House) -> None:
    async with house.watching():
        house.spawn(f"echo 'ports: 3' > fleet.yaml; {COMMIT}", land="auto")
        house.govern(checks=GREEN, land="auto")
        await house.until_word("a", "review")
        await house.settled()
        assert house.word("a") == "review"
        assert not house.events(e.ChangeLanded)
