"""The review packet of a real change: identity, evidence, risk, neighbours, and who saw it."""

import pytest
from house import COMMIT, House, git

from fleet import protocol as p
from fleet.core import events as e
from fleet.core.comments import Remark
from fleet.core.ids import Commit
from fleet.core.packet_text import parts
from fleet.core.proofs import proof_rows
from fleet.errors import RefusedError
from fleet.supervisor.answers.review import review

PROMPT = f"printf 'def f():\\n    return 1\\n' > lines.txt; {COMMIT} # see `nowhere_at_all`"


async def in_review(house: House, **options: object) -> None:
    async with house.watching():
        house.spawn(PROMPT, "a", **options)
        await house.until_word("a", "review")
        await house.settled()


async def test_a_packet_says_what_there_is(house: House) -> None:
    await in_review(house, checks=("true", "test -f README.md"))

    found = await review(house.host, p.Review(task="a"), "person")

    change = house.task("a").change
    assert change is not None
    assert (found.identity.sealed, found.identity.revision) == (change.sealed, 1)
    assert len(found.identity.diff) == 64
    assert [it.text for it in found.criteria] == ["true", "test -f README.md"]
    assert all(it.proofs[-1].merged and it.proofs[-1].result.green for it in found.criteria)
    assert [proof.merged for proof in found.evidence] == [False, False, True, True]
    assert found.risk == "low"
    assert found.summary == "work"
    assert "lines.txt" in found.stat
    assert (found.neighbourhood.position, found.neighbourhood.landed) == (1, ())
    assert found.next[1] == f"fleet approve a --head {change.sealed[:10]}"
    assert [part.name for part in parts(found)][:2] == ["change", "risk"]


async def test_it_counts_as_shown_to_a_person_alone(house: House) -> None:
    await in_review(house)

    await review(house.host, p.Review(task="a"), "b")
    assert house.task("a").shown == 0
    await review(house.host, p.Review(task="a"), "person")
    assert house.task("a").shown == 1


async def test_what_landed_in_its_files_is_told(house: House) -> None:
    await in_review(house)
    (house.repo / "lines.txt").write_text("other\n")
    git(house.repo, "commit", "-qam", "Shorten lines")
    tip = Commit(git(house.repo, "rev-parse", "HEAD"))
    house.quiet()
    house.record(e.TargetSeen(repo=house.repo_id, target="main", tip=tip))

    found = await review(house.host, p.Review(task="a"), "person")

    assert [line.split(" ", 1)[1] for line in found.neighbourhood.landed] == ["Shorten lines"]


async def test_a_task_without_a_change_has_no_packet(house: House) -> None:
    house.begin("sleep 60", "a")

    with pytest.raises(RefusedError, match="a has no change to review"):
        await review(house.host, p.Review(task="a"), "person")


async def test_proofs_and_open_comments_are_in_it(house: House) -> None:
    await in_review(house, checks=("true",))
    house.quiet()
    house.record(
        e.CommentAdded(
            task=house.task("a").id,
            comment="a#1",
            revision=1,
            path="lines.txt",
            line=1,
            side="new",
            blob="0" * 40,
            quote="def f():",
            text="why?",
            by="person",
        )
    )
    [comment] = house.task("a").comments
    remark = Remark(
        id="a#1",
        revision=1,
        path="lines.txt",
        line=1,
        blob=comment.blob,
        quote=comment.quote,
        text=comment.text,
    )
    house.record(
        e.Returned(task=house.task("a").id, revision=1, note="", by="person", comments=(remark,))
    )

    found = await review(house.host, p.Review(task="a"), "person")

    assert found.comments == ("a#1 lines.txt:1: why?",)
    assert found.proofs == tuple(
        row.says
        for row in proof_rows(house.task("a"), house.tools.target_policy(house.repo_id, "main"))
    )
    assert len(found.proofs) == 2
