from collections.abc import Mapping
from pathlib import Path

import pytest
from branches import commit
from landings import out, state

from fleet.tools.git.undoing import is_checked_out, undo_checkout


def undo(repo: Path, files: Mapping[str, str | None], *, mode: str = "100644") -> tuple[str, ...]:
    parent = out(repo, "rev-parse", "main")
    return undo_checkout(
        repo, parent=parent, commit=commit(repo, "x", files, start="main", mode=mode)
    )


def test_a_link_of_ours_goes_and_a_link_of_the_users_stays(repo: Path) -> None:
    (repo / "ours").symlink_to("README.md")
    (repo / "theirs").symlink_to("docs")
    (repo / "a file").write_text("README.md")

    files = {"ours": "README.md", "theirs": "README.md", "a file": "README.md"}
    assert undo(repo, files, mode="120000") == ("ours",)

    assert not (repo / "ours").is_symlink()
    assert (repo / "theirs").is_symlink()
    assert (repo / "a file").exists()


def test_a_link_where_a_file_was_written_is_the_users(repo: Path) -> None:
    (repo / "new").symlink_to("README.md")

    assert undo(repo, {"new": "hello\n"}) == ()


def test_a_file_that_was_begun_is_taken_back(repo: Path) -> None:
    (repo / "README.md").write_text("")
    (repo / "new").mkdir()
    (repo / "new" / "file").write_text("beg")
    (repo / "kept").mkdir()
    (repo / "kept" / "file").write_text("beg")
    (repo / "kept" / "mine").write_text("mine")
    files = {"README.md": "begun\n", "new/file": "begun\n", "kept/file": "begun\n"}

    assert undo(repo, files) == ("README.md", "kept/file", "new/file")

    assert (repo / "README.md").read_text() == "hello\n"
    assert not (repo / "new").exists()
    assert [path.name for path in (repo / "kept").iterdir()] == ["mine"]


def test_a_file_that_was_not_reached_yet_is_not_touched(repo: Path) -> None:
    assert undo(repo, {"README.md": "hello\nand more\n"}) == ()


def test_a_file_made_executable_is_taken_back(repo: Path) -> None:
    (repo / "README.md").chmod(0o755)

    assert undo(repo, {"README.md": "hello\n"}, mode="100755") == ("README.md",)
    assert out(repo, "status", "--porcelain") == ""


def test_line_ends_count_for_nothing(repo: Path) -> None:
    commit(repo, "main", {".gitattributes": "*.md eol=crlf\n"})
    out(repo, "reset", "-q", "--hard")
    (repo / "README.md").write_bytes(b"new\r\n")

    assert undo(repo, {"README.md": "new\n"}) == ("README.md",)
    assert (repo / "README.md").read_bytes() == b"hello\r\n"


def test_a_file_and_a_directory_change_places(repo: Path) -> None:
    (repo / "README.md").unlink()
    (repo / "README.md").mkdir()
    (repo / "README.md" / "x").write_text("x\n")
    (repo / "docs" / "guide.md").unlink()
    (repo / "docs").rmdir()
    (repo / "docs").write_text("docs\n")
    before = {"README.md": None, "docs/guide.md": None}

    undo(repo, {**before, "README.md/x": "x\n", "docs": "docs\n"})

    assert out(repo, "status", "--porcelain") == ""


def test_a_submodule_is_left_alone(repo: Path) -> None:
    for number in (1, 2):
        entry = f"160000,{number:040},lib"
        out(repo, "update-index", "--add", "--cacheinfo", entry)
        out(repo, "commit", "-q", "-m", "lib")
    out(repo, "reset", "-q", "--hard", "main~1")
    tip = out(repo, "rev-parse", "main@{1}")
    (repo / "lib").rmdir()

    assert undo_checkout(repo, parent=f"{tip}~1", commit=tip) == ()
    assert not (repo / "lib").exists()


def test_what_is_staged_is_the_users(repo: Path) -> None:
    (repo / "README.md").write_text("staged\n")
    out(repo, "add", "-A")
    before = state(repo)

    assert undo(repo, {"README.md": "staged\n"}) == ()
    assert {k: v for k, v in state(repo).items() if k != "refs"} == {
        k: v for k, v in before.items() if k != "refs"
    }


@pytest.mark.parametrize("same", [True, False])
def test_an_index_holds_the_commit_or_not(same: bool, repo: Path) -> None:  # noqa: FBT001 - a parameter of the test
    parent = out(repo, "rev-parse", "main")
    tip = commit(repo, "x", {"README.md": "x\n", "docs/guide.md": None}, start="main")
    out(repo, "read-tree", tip if same else f"{parent}")

    assert is_checked_out(repo, parent=parent, commit=tip) is same
    assert not is_checked_out(repo, parent=parent, commit=parent)
