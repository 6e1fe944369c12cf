"""Lines of files in commits: found by any name, told from no text, followed to other files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit

from fleet.core.comments import moved
from fleet.core.spelling import spelled
from fleet.tools.git import lines
from fleet.tools.git.interdiff import between, branched_off
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]
ODD = ["two words", "new\nline", "-x", "*", ":(top)x", '"', "a\\xffb", "[a-z]"]


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.mark.parametrize("name", ODD)
def test_a_file_is_found_by_its_exact_name(repo: Path, place: Place, name: str) -> None:
    head = commit(repo, "odd", {f"d/{name}": "here\n", "d/other": "x\n"}, start="main")

    blob = lines.blob_at(place, head, f"d/{name}")

    assert blob is not None
    assert lines.text_of(place, blob) == ["here"]


def test_a_name_that_is_no_utf_8_is_found_by_its_spelling(
    repo: Path, place: Place, plain: Plain
) -> None:
    name = os.fsdecode(b"b\xff\xfe.txt")
    (repo / name).write_text("here\n")
    plain(repo, "add", "-A")
    plain(repo, "commit", "-qm", "odd")
    head = plain(repo, "rev-parse", "HEAD")

    assert lines.blob_at(place, head, spelled(name)) == lines.blob_at(place, head, name)
    assert lines.blob_at(place, head, name)


@pytest.mark.parametrize(
    "path",
    [
        *("", "src", "src/", "/etc/passwd", "../README.md", "src/../README.md", "./README.md"),
        *(".git", "README.md/", "src//one.txt", "a\0b", "x" * 5000, "readme.md", "src/*"),
    ],
)
def test_what_is_no_file_of_the_commit_is_not_found(place: Place, path: str) -> None:
    assert lines.blob_at(place, "main", path) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [("a\nb\n", ["a", "b"]), ("a\nb", ["a", "b"]), ("", []), ("\n", [""]), ("a\r\n", ["a\r"])],
)
def test_lines_are_counted_as_git_counts_them(
    repo: Path, place: Place, text: str, found: list[str]
) -> None:
    head = commit(repo, "text", {"x": text}, start="main")
    blob = lines.blob_at(place, head, "x")

    assert blob is not None
    assert lines.text_of(place, blob) == found


def test_what_is_no_text_has_no_lines(repo: Path, place: Place) -> None:
    head = commit(repo, "text", {"x": "a\0b\n"}, start="main")
    blob = lines.blob_at(place, head, "x")

    assert blob is not None
    assert lines.text_of(place, blob) is None


def test_a_line_is_followed_to_another_blob(repo: Path, place: Place) -> None:
    old = [f"line {number}" for number in range(1, 21)]
    new = ["@@ -1,1 +1,1 @@", *old[:4], *old[6:9], "another", *old[10:], "end"]
    head = commit(repo, "new", {"src/one.txt": "\n".join(new)}, start="main")
    before, after = (lines.blob_at(place, it, "src/one.txt") for it in ("main", head))
    assert before is not None
    assert after is not None

    hunks = lines.hunks(place, before, after)

    for number, line in enumerate(old, 1):
        found = moved(number, hunks)
        assert (None if found is None else new[found - 1]) == (line if line in new else None)
    assert lines.hunks(place, before, before) == ()


def test_another_name_of_a_file_is_found(repo: Path, place: Place) -> None:
    text = (repo / "src" / "one.txt").read_text()
    head = commit(repo, "new", {"src/one.txt": None, "lib/first.txt": text + "x\n"}, start="main")

    assert lines.renames(place, "main", head) == {"src/one.txt": "lib/first.txt"}


# What a change became -------------------------------------------------------------------------


def changed(text: str, *lines_: tuple[int, str]) -> str:
    rows = text.splitlines()
    for number, line in lines_:
        rows[number - 1] = line
    return "\n".join([*rows, ""])


def news(plain: Plain, repo: Path, before: str, after: str) -> list[str]:
    said = plain(repo, "diff", "-U0", before, after).splitlines()
    return [line for line in said if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_what_the_target_brought_does_not_show(repo: Path, place: Place, plain: Plain) -> None:
    text = (repo / "src" / "one.txt").read_text()
    base = plain(repo, "rev-parse", "main")
    first = commit(repo, "task", {"src/one.txt": changed(text, (2, "mine"))}, start="main")
    moved_on = commit(
        repo, "main2", {"src/one.txt": changed(text, (19, "theirs")), "new.txt": "x\n"}, start=base
    )
    both = changed(text, (2, "mine, better"), (19, "theirs"))
    second = commit(repo, "again", {"src/one.txt": both}, start=moved_on)

    found = between(place, base=base, sealed=first, later_base=moved_on, later=second)

    assert news(plain, repo, found.before, second) == ["-mine", "+mine, better"]
    assert (found.conflicts, found.files) == ((), None)
    again = between(place, base=base, sealed=first, later_base=moved_on, later=second)
    assert again == found


def test_on_the_same_base_the_revisions_themselves_are_compared(repo: Path, place: Place) -> None:
    first = commit(repo, "task", {"x": "1\n"}, start="main")
    second = commit(repo, "task", {"x": "2\n"})

    found = between(place, base="main", sealed=first, later_base="main", later=second)

    assert (found.before, found.conflicts, found.files) == (first, (), None)


def test_where_the_replay_conflicts_it_is_said(repo: Path, place: Place, plain: Plain) -> None:
    text = (repo / "src" / "one.txt").read_text()
    base = plain(repo, "rev-parse", "main")
    first = commit(
        repo, "task", {"src/one.txt": changed(text, (2, "mine")), "a": "1\n"}, start=base
    )
    target = commit(repo, "main2", {"src/one.txt": changed(text, (2, "theirs"))}, start=base)
    later = commit(repo, "again", {"src/one.txt": changed(text, (2, "both")), "b": "1\n"},
                   start=target)  # fmt: skip

    found = between(place, base=base, sealed=first, later_base=target, later=later)

    assert found.conflicts == ("src/one.txt",)
    assert found.before == first
    assert found.files == ("a", "b", "src/one.txt")


def test_where_a_revision_left_its_target_is_looked_for_in_the_target_as_it_is(
    repo: Path, place: Place, plain: Plain
) -> None:
    first = plain(repo, "rev-parse", "main")
    task = commit(repo, "task", {"x": "1\n"}, start="main")
    tip = commit(repo, "main", {"y": "1\n"})
    merged = commit(repo, "task", {"y": "1\n"}, merging="main")

    assert branched_off(place, task, target="main") == first
    assert branched_off(place, merged, target="main") == tip
    assert branched_off(place, tip, target="main") is None
    assert branched_off(place, task, target="nowhere") is None
