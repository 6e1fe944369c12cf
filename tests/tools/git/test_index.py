from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.tools.git import index
from fleet.tools.git.index import read_index

Plain = Callable[..., str]


def _tree(plain: Plain, repo: Path) -> str:
    return plain(repo, "rev-parse", "HEAD^{tree}")


def test_after_a_reset_it_knows_its_tree(repo: Path, plain: Plain) -> None:
    plain(repo, "reset", "--hard", "-q", "HEAD")
    found = read_index(repo / ".git")

    assert found is not None
    assert (found.tree, found.hidden) == (_tree(plain, repo), ())


def test_with_something_staged_it_does_not_know_its_tree(repo: Path, plain: Plain) -> None:
    plain(repo, "reset", "--hard", "-q", "HEAD")
    (repo / "README.md").write_text("edited\n")
    plain(repo, "add", "README.md")
    found = read_index(repo / ".git")

    assert found is not None
    assert found.tree is None


def test_files_that_are_taken_for_unchanged_are_named(repo: Path, plain: Plain) -> None:
    (repo / "with space.txt").write_text("1\n")
    plain(repo, "add", "-A")
    plain(repo, "update-index", "--assume-unchanged", "src/one.txt", "with space.txt")
    found = read_index(repo / ".git")

    assert found is not None
    assert found.hidden == ("src/one.txt", "with space.txt")


@pytest.mark.parametrize("length", range(1, 20))
def test_names_of_every_length_are_read(repo: Path, plain: Plain, length: int) -> None:
    (repo / ("n" * length)).write_text("1\n")
    plain(repo, "add", "-A")
    plain(repo, "update-index", "--assume-unchanged", "n" * length, "src/two.txt")
    found = read_index(repo / ".git")

    assert found is not None
    assert found.hidden == ("n" * length, "src/two.txt")


def test_a_name_that_is_too_long_for_its_length_is_read(repo: Path, plain: Plain) -> None:
    long = "a" * 5000
    blob = plain(repo, "rev-parse", "HEAD:README.md")
    plain(repo, "update-index", "--add", "--cacheinfo", f"100644,{blob},{long}")
    plain(repo, "update-index", "--assume-unchanged", "src/one.txt")
    found = read_index(repo / ".git")

    assert found is not None
    assert found.hidden == ("src/one.txt",)


def test_what_it_does_not_say_plainly_is_for_git(repo: Path, plain: Plain, tmp_path: Path) -> None:
    assert read_index(tmp_path) is None
    plain(repo, "update-index", "--skip-worktree", "src/one.txt")
    assert read_index(repo / ".git") is None
    plain(repo, "update-index", "--no-skip-worktree", "src/one.txt")
    assert read_index(repo / ".git") is not None
    plain(repo, "update-index", "--split-index")
    assert read_index(repo / ".git") is None
    plain(repo, "update-index", "--no-split-index")
    plain(repo, "update-index", "--index-version", "4")
    assert read_index(repo / ".git") is None
    plain(repo, "update-index", "--index-version", "2")
    with (repo / ".git/index").open("r+b") as file:
        file.seek(80)
        file.write(b"x")
    assert read_index(repo / ".git") is None


def test_a_large_one_is_for_git(repo: Path, plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(repo, "reset", "--hard", "-q", "HEAD")
    monkeypatch.setattr(index, "_LARGEST", 10)

    assert read_index(repo / ".git") is None


def test_another_hash_is_for_git(tmp_path: Path, plain: Plain) -> None:
    repo = tmp_path / "new"
    plain(tmp_path, "init", "-q", "--object-format=sha256", str(repo))
    (repo / "file").write_text("1\n")
    plain(repo, "add", "file")

    assert read_index(repo / ".git") is None
