"""Where commented lines are by now, in real revisions of a real repository."""

import os
from collections.abc import Mapping

import pytest
from branches import commit
from house import House, git

from fleet import protocol as p
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.comments import CommentRow
from fleet.core.ids import Commit, TaskId
from fleet.errors import RefusedError
from fleet.supervisor.answers.comments import comments
from fleet.supervisor.answers.diffs import diff

A = TaskId("a")
LINES = "".join(f"line {number}\n" for number in range(1, 13))


def revision(house: House, number: int, base: str, files: Mapping[str, str | None]) -> str:
    """Seal a revision of the task's change that holds `files` on top of `base`."""
    if number == 1:
        house.begin("true")
        house.record(e.RunStarted(task=A, attempt=1, pane="%1", pid=42, pid_start=7))
    head = Commit(commit(house.repo, f"r{number}", files, start=base))
    house.record(
        e.DoneDeclared(task=A, attempt=1, by="person"),
        e.Sealed(
            task=A,
            revision=number,
            sealed=head,
            head=head,
            base=Commit(git(house.repo, "rev-parse", base)),
            added=1,
            removed=0,
            files=tuple(files),
        ),
        e.ChecksPassed(task=A, revision=number, results=()),
    )
    return head


def say(house: House, path: str, line: int, **more: object) -> str:
    said = c.Comment(task="a", path=path, line=line, text="why?", **more)  # type: ignore[arg-type] # sides
    return str(house.submit(said)["comment"])


async def listed(house: House, actor: str = "person") -> dict[str, CommentRow]:
    rows = await comments(house.host, p.Comments(task="a", all=True), actor)
    return {row.id: row for row in rows}


async def test_a_comment_follows_its_line(house: House) -> None:
    base = commit(house.repo, "base", {"old.txt": LINES}, start="main")
    revision(house, 1, base, {"x.txt": LINES, "y.txt": LINES, "old.txt": LINES + "more\n"})
    kept, cut, renamed = (say(house, name, 5) for name in ("x.txt", "x.txt", "y.txt"))
    cut = say(house, "x.txt", 9)
    before = say(house, "old.txt", 3, side="old")
    same = say(house, "old.txt", 13)
    house.record(e.Returned(task=A, revision=1, note="x", by="person"))
    newer = commit(house.repo, "base2", {"old.txt": "top\n" + LINES}, start=base)
    changed = "one\ntwo\n" + LINES.replace("line 9\n", "nine\n")
    files = {"x.txt": changed, "z.txt": LINES + "end\n"}
    revision(house, 2, newer, files | {"old.txt": "top\nmine\n" + LINES + "more\n"})

    rows = await listed(house)

    found = {name: (row.now_path, row.now_line) for name, row in rows.items()}
    assert found[kept] == ("x.txt", 7)
    assert found[cut] == (None, None)
    assert rows[cut].outdated
    assert found[renamed] == ("z.txt", 5)
    assert found[before] == ("old.txt", 4)
    assert found[same] == ("old.txt", 15)


async def test_an_agent_is_told_what_was_sent_and_of_its_own_change_alone(house: House) -> None:
    revision(house, 1, "main", {"x.txt": LINES})
    first = say(house, "x.txt", 1)
    house.submit(c.Return(task="a", note=""))
    house.record(
        e.ChecksPassed(task=A, revision=1, results=()),
        e.CommentReplied(
            task=A, comment=first, revision=1, text="and?", by="person", answers=False
        ),
    )
    revision(house, 2, "main", {"x.txt": LINES, "y.txt": LINES})
    say(house, "x.txt", 2)

    assert [row.state for row in (await listed(house)).values()] == ["unsent", "unsent"]
    [told] = (await listed(house, "a")).values()
    assert (told.id, told.state, told.replies) == (first, "unanswered", ())
    with pytest.raises(RefusedError, match="own change only"):
        await listed(house, "b")


async def test_what_is_sent_names_the_line_where_it_is_by_now(house: House) -> None:
    revision(house, 1, "main", {"x.txt": LINES})
    say(house, "x.txt", 5)
    revision(house, 2, "main", {"x.txt": "top\n" + LINES})

    house.submit(c.Return(task="a", note=""))

    [returned] = house.events(e.Returned)
    assert [(it.line, it.revision) for it in returned.comments] == [(6, 1)]


async def test_files_that_were_read_are_news_once_they_change(house: House) -> None:
    revision(house, 1, "main", {"x.txt": LINES, "y.txt": LINES, "README.md": None})
    house.submit(c.MarkSeen(task="a"))
    told = await diff(house.host, p.Diff(task="a", unseen=True), "person")
    assert (told["patch"], set(told["viewed"])) == ("", {"README.md", "x.txt", "y.txt"})

    revision(house, 2, "main", {"x.txt": LINES, "y.txt": "other\n", "README.md": None})
    told = await diff(house.host, p.Diff(task="a", unseen=True), "person")

    assert set(told["viewed"]) == {"README.md", "x.txt"}
    assert told["patch"].count("diff --git") == 1
    assert told["last_read"] == 1
    whole = await diff(house.host, p.Diff(task="a"), "person")
    assert whole["patch"].count("diff --git") == 3
    some = await diff(house.host, p.Diff(task="a", paths=("x.txt",)), "person")
    assert "y.txt" not in some["patch"]


async def test_a_replay_that_conflicts_is_said_in_the_diff(house: House) -> None:
    base = commit(house.repo, "base", {"x.txt": LINES}, start="main")
    revision(house, 1, base, {"x.txt": LINES.replace("line 5", "mine")})
    newer = commit(
        house.repo, "main", {"x.txt": LINES.replace("line 5", "theirs"), "n.txt": "1\n"}, start=base
    )
    revision(house, 2, newer, {"x.txt": LINES.replace("line 5", "both")})

    told = await diff(house.host, p.Diff(task="a", since=1), "person")

    assert list(told["conflicts"]) == ["x.txt"]
    assert "n.txt" not in told["patch"]
    assert "-mine\n+both\n" in told["patch"]


async def test_names_that_are_no_utf_8_are_spelled_in_the_diff(house: House) -> None:
    odd = house.repo / os.fsdecode(b"b\xff.txt")
    commits = []
    for branch, start, text in (
        *(("base", "main", "1\n"), ("r1", "base", "mine\n"), ("newer", "base", "theirs\n")),
        ("r2", "newer", "both\n"),
    ):
        git(house.repo, "checkout", "-q", "-b", branch, start)
        odd.write_text(text)
        git(house.repo, "add", "-A")
        git(house.repo, "commit", "-qm", branch)
        commits.append(git(house.repo, "rev-parse", "HEAD"))
    git(house.repo, "checkout", "-q", "main")
    revision(house, 1, "base", {})
    for number, base in ((1, commits[0]), (2, commits[2])):
        head = Commit(commits[2 * number - 1])
        house.record(
            e.DoneDeclared(task=A, attempt=1, by="person"),
            e.Sealed(task=A, revision=number + 1, sealed=head, head=head, base=Commit(base),
                     added=1, removed=1, files=(odd.name,)),
            e.ChecksPassed(task=A, revision=number + 1, results=()),
        )  # fmt: skip

    told = await diff(house.host, p.Diff(task="a", since=2), "person")

    assert p.encode(told)
    assert list(told["conflicts"]) == ["b\\xff.txt"]
    assert "-mine\n+both" in told["patch"]
    house.submit(c.MarkSeen(task="a", paths=("b\\xff.txt",)))
    assert (await diff(house.host, p.Diff(task="a"), "person"))["viewed"] == ["b\\xff.txt"]
