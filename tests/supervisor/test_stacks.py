"""Stacks by a real supervisor over real git: where a child begins, what it is, how it lands."""

import os
import subprocess
from pathlib import Path

import pytest
from house import COMMIT, House, git

from fleet import protocol as p
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.carrying import RESTACKED
from fleet.core.change import Change, Member
from fleet.core.ids import Commit, TaskId
from fleet.core.policy import MergeMethod
from fleet.core.stacks import stack
from fleet.errors import RefusedError, UsageError
from fleet.supervisor.answers import look, reasons, review

A, B, C = TaskId("a"), TaskId("b"), TaskId("c")
METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")
EDIT = "sed -i 's/^line {0}$/{1}/' lines.txt"


def governed(house: House, said: str = "") -> None:
    """Have a trusted fleet.yaml on main with a check that is green, and what is `said`."""
    file = house.repo / "fleet.yaml"
    file.write_text(f"checks: [{{name: green, run: 'true'}}]\n{said}")
    git(house.repo, "add", "fleet.yaml")
    git(house.repo, "commit", "-qm", "checks")
    house.submit(c.Trust(cwd=str(house.repo)))


def change(house: House, name: str) -> Change:
    found = house.task(name).change
    assert found is not None
    return found


def edit(line: object, text: str) -> str:
    return f"{EDIT.format(line, text)}; {COMMIT}"


async def in_review(house: House, *, chain: int = 2) -> None:
    """A change, and one that was made on it and edits the very line; perhaps one more."""
    house.spawn(edit(3, "parent"), "a")
    await house.until_word("a", "review")
    house.spawn(f"sed -i 's/^parent$/child/' lines.txt; {COMMIT}", "b", after=("a",), stacked=True)
    await house.until_word("b", "review")
    if chain > 2:
        again = f"sed -i 's/^child$/grandchild/' lines.txt; {COMMIT}"
        house.spawn(again, "c", after=("b",), stacked=True)
        await house.until_word("c", "review")


def lines(repo: Path, at: str = "main") -> list[str]:
    return git(repo, "show", f"{at}:lines.txt").splitlines()


# Where it begins ------------------------------------------------------------------------------


async def test_it_begins_when_its_parent_is_in_review_and_on_that_commit(
    house: House, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with house.watching():
        governed(house)
        house.spawn(f"read go < {gate}; echo a > a.txt; {COMMIT}", "a")
        await house.until(lambda fleet: fleet.tasks[A].run is not None)
        house.spawn(f"cat a.txt > b.txt; {COMMIT}", "b", after=("a",), stacked=True)
        await house.until_word("b", "blocked")
        told = (await reasons.why(house.host, p.Why(task="b"))).because
        gate.write_text("go\n")
        await house.until_word("b", "review")

    assert told[0] == "it waits for a to be put up for review"
    parent, child = change(house, "a"), change(house, "b")
    assert house.task("b").base == parent.sealed
    assert (child.base, child.upon, child.below) == (parent.sealed, Member(A, 1), (Member(A, 1),))
    assert child.files == ("b.txt",)
    assert (house.task("b").added, house.task("b").removed) == (1, 0)


async def test_what_is_shown_of_it_is_its_own_work_and_its_stack(house: House) -> None:
    async with house.watching():
        governed(house)
        await in_review(house, chain=3)
        house.spawn("true", "x")

        packet = await review.review(house.host, p.Review(task="b"), "person")
        why = await reasons.why(house.host, p.Why(task="c"))
        queue = await look.queue(house.host, p.Queue())
        rows = {row.task: row for row in await look.ls(house.host, p.List())}

    assert packet.identity.stack == ("a", "b", "c")
    assert packet.identity.upon == "revision 1 of a"
    assert packet.stat.endswith("1 file changed, 1 insertion(+), 1 deletion(-)")
    assert why.because[-1] == "its stack lands in this order: a, b, c"
    assert [(row.task, row.parent, row.upon) for row in queue] == [
        ("a", None, None), ("b", "a", 1), ("c", "b", 1)
    ]  # fmt: skip
    assert [row.state for row in queue] == ["ready"] * 3  # each on the merged tree of the one below
    assert rows["b"].stack == ("a", "b", "c")
    assert rows["x"].stack == ()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"after": ()}, "stands on one task"),
        ({"after": ("a", "x")}, "stands on one task"),
        ({"after": ("a",), "base": "main"}, "takes no --base"),
    ],
)
async def test_what_could_be_no_stack_is_refused(
    house: House, options: dict[str, object], why: str
) -> None:
    house.quiet()
    house.spawn("true", "a")
    house.spawn("true", "x")

    with pytest.raises(UsageError, match=why):
        house.spawn("true", "b", stacked=True, **options)


async def test_a_stack_lands_on_one_branch(house: House) -> None:
    house.quiet()
    git(house.repo, "branch", "other")
    house.spawn("true", "a", target="other")

    with pytest.raises(RefusedError, match="a lands on other, and this on main"):
        house.spawn("true", "b", stacked=True, after=("a",))


async def test_a_branch_by_hand_stands_on_what_is_sealed(house: House) -> None:
    house.quiet()
    house.spawn("true", "a")
    git(house.repo, "branch", "upper")

    with pytest.raises(RefusedError, match="a has no change yet that this could stand on"):
        submit(house, "upper", "b", after=("a",), stacked=True)


# How it lands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("together", [True, False])
async def test_a_chain_lands_in_order_and_nothing_of_it_twice(
    house: House, method: MergeMethod, *, together: bool
) -> None:
    async with house.watching():
        governed(house, f"merge: {method}\n")
        await in_review(house, chain=3)
        begin = git(house.repo, "rev-parse", "main")
        for name in ("c", "b") if together else ():
            house.submit(c.Approve(task=name))
        house.submit(c.Approve(task="a"))
        await house.until_word("a", "landed")
        if not together:
            assert house.word("b") == "review"
            house.submit(c.Approve(task="b"))
            await house.until_word("b", "landed")
            house.submit(c.Approve(task="c"))
        await house.until_word("c", "landed")

    assert [it.task for it in house.events(e.ChangeLanded)] == ["a", "b", "c"]
    assert lines(house.repo)[2] == "grandchild"
    tips = [it.commit for it in house.events(e.ChangeLanded)]
    for before, after in zip([begin, *tips], tips, strict=False):
        assert git(house.repo, "diff", "--numstat", before, after) == "1\t1\tlines.txt"


async def test_approving_a_child_says_nothing_of_its_parent(house: House) -> None:
    async with house.watching():
        governed(house)
        await in_review(house)
        house.submit(c.Approve(task="b"))
        await house.settled()

        assert house.word("a") == "review"
        assert house.word("b") == "approved"
        why = (await reasons.why(house.host, p.Why(task="b"))).because[0]
        assert why == "its change waits for a to land"
        assert house.events(e.ChangeLanded) == []


# What becomes of approvals --------------------------------------------------------------------


async def revised(house: House, command: str) -> None:
    """Have the parent, a branch made by hand, at another revision."""
    git(house.repo, "switch", "-q", "mine")
    house_shell(house.repo, command)
    git(house.repo, "switch", "-q", "main")
    submit(house, "mine", "a")
    await house.until(lambda fleet: fleet.tasks[A].revision == 2)
    await house.settled()


def house_shell(repo: Path, command: str) -> None:
    subprocess.run(["sh", "-c", command], cwd=repo, check=True, capture_output=True)


def submit(house: House, branch: str, name: str, **options: object) -> None:
    house.submit(
        c.Submit(cwd=str(house.repo), branch=branch, name=name, environment={}, **options)  # type: ignore[arg-type]  # as they are
    )


async def by_hand(house: House, said: str = "") -> None:
    """A stack of two branches made by hand, and the upper one approved."""
    governed(house, said)
    git(house.repo, "switch", "-qc", "mine")
    house_shell(house.repo, edit(3, "parent"))
    git(house.repo, "switch", "-qc", "upper")
    house_shell(house.repo, f"echo b > b.txt; {edit(18, 'child')}")
    git(house.repo, "switch", "-q", "main")
    submit(house, "mine", "a")
    await house.until_word("a", "review")
    submit(house, "upper", "b", after=("a",), stacked=True)
    await house.until_word("b", "review")
    house.submit(c.Approve(task="b", by="ann"))
    assert change(house, "b").approvals[0].parents == (Member(A, 1),)


async def test_another_revision_below_voids_it(house: House) -> None:
    await by_hand(house)
    await revised(house, edit(5, "again"))

    found = change(house, "b")
    assert found.approval is None
    assert found.voided == "a, on which it stands, has a new revision since it was approved"
    assert house.events(e.ApprovalVoided)[-1].reason == found.voided
    house.submit(c.Approve(task="b"))
    assert change(house, "b").approvals[0].parents == (Member(A, 2),)


async def test_the_same_to_a_byte_upon_it_is_carried_over(house: House) -> None:
    await by_hand(house)
    await revised(house, f"echo more > more.txt; {COMMIT}")

    (approval,) = change(house, "b").approvals
    assert (approval.by, approval.carried, approval.parents) == ("ann", RESTACKED, (Member(A, 2),))
    house.submit(c.Approve(task="a"))
    await house.until_word("b", "landed")
    assert git(house.repo, "ls-tree", "--name-only", "main", "b.txt", "more.txt").split() == [
        "b.txt", "more.txt",
    ]  # fmt: skip


async def test_where_a_rule_is_strict_nothing_is_carried_over(house: House) -> None:
    await by_hand(house, 'rules: [{name: core, paths: "**", strict: true}]\n')
    await revised(house, f"echo more > more.txt; {COMMIT}")

    assert change(house, "b").approval is None


@pytest.mark.parametrize("method", METHODS)
async def test_a_child_of_an_older_revision_lands_on_the_newer(
    house: House, method: MergeMethod
) -> None:
    await by_hand(house, f"merge: {method}\n")
    git(house.repo, "branch", "-f", "mine", "main")  # made anew: nothing of the old one is left
    await revised(house, f"echo more > more.txt; {edit(3, 'other')}")
    for name in ("a", "b"):
        house.submit(c.Approve(task=name))
    await house.until_word("b", "landed")

    assert [lines(house.repo)[at] for at in (2, 17)] == ["other", "child"]


# When a parent will not land ------------------------------------------------------------------


async def test_it_says_what_it_waits_for_and_goes_on_alone(house: House) -> None:
    async with house.watching():
        governed(house)
        await in_review(house)
        git(house.repo, "switch", "-q", "--detach")
        house.submit(c.Approve(task="b"))
        house.submit(c.Withdraw(task="a"))
        why = await reasons.why(house.host, p.Why(task="b"))

        assert why.needs == "waits for a, which will not land"
        assert "fleet edit b --alone lets it go on" in why.because[0]

        house.submit(c.Edit(task="b", alone=True))
        await house.settled()
        assert change(house, "b").approval is None
        assert change(house, "b").voided == (
            "it no longer stands on a, as it did when it was approved"
        )
        # It edits a line of its parent: without that, it does not fit on its target.
        assert house.word("b") == "conflict"
        note = house.events(e.ConflictFound)[-1].cause
        assert note.base == change(house, "a").sealed


async def test_alone_it_lands_with_its_own_work_only(house: House) -> None:
    await by_hand(house)
    house.submit(c.Withdraw(task="a"))
    house.submit(c.Edit(task="b", alone=True))
    await house.settled()
    house.submit(c.Approve(task="b"))
    await house.until_word("b", "landed")

    assert [lines(house.repo)[at] for at in (2, 17)] == ["line 3", "child"]
    sealed = change(house, "a").sealed
    assert sealed not in git(house.repo, "rev-list", "main").split()


async def test_cycles_are_refused(house: House) -> None:
    house.quiet()
    house.spawn("true", "a")
    house.spawn("true", "b", after=("a",), stacked=True)
    house.spawn("true", "c", after=("b",), stacked=True)

    for name in ("a", "b", "c"):
        with pytest.raises(RefusedError, match=f"{name} comes after a itself"):
            house.submit(c.Edit(task="a", after=(name,)))
    house.submit(c.Edit(task="c", after=("a",)))
    assert stack(house.fleet, house.task("a")) == ("a", "b", "c")
    assert Commit(house.task("c").base) == git(house.repo, "rev-parse", "main")
