from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.errors import RefusedError, ToolError
from fleet.tools.git import files
from fleet.tools.git.files import delete_trash, prepare, usage_bytes

Plain = Callable[..., str]


@pytest.fixture
def workspace(repo: Path, tmp_path: Path, plain: Plain) -> Path:
    path = tmp_path / "w"
    plain(repo, "worktree", "add", "-q", "--detach", str(path))
    return path


def test_files_are_copied_and_linked(repo: Path, workspace: Path) -> None:
    (repo / ".env").write_text("KEY=1")
    (repo / "config").mkdir()
    for name in ("a.local", "b.local", "c.other"):
        (repo / "config" / name).write_text(name)
    (repo / "node_modules" / "x").mkdir(parents=True)

    made = prepare(
        *(workspace, repo),
        copy=(".env", "config/*.local", "missing"),
        link=("node_modules", "gone"),
    )

    assert made == (".env", "config/a.local", "config/b.local", "node_modules")
    assert (workspace / ".env").read_text() == "KEY=1"
    assert not (workspace / "config" / "c.other").exists()
    assert (workspace / "node_modules").readlink() == repo / "node_modules"


def test_preparing_again_tells_the_same_and_refreshes(repo: Path, workspace: Path) -> None:
    (repo / ".env").write_text("KEY=1")
    (repo / "cache").mkdir()
    first = prepare(workspace, repo, copy=(".env",), link=("cache",))
    (repo / ".env").write_text("KEY=2")

    assert prepare(workspace, repo, copy=(".env",), link=("cache",)) == first == (".env", "cache")
    assert (workspace / ".env").read_text() == "KEY=2"


def test_what_git_tracks_is_left_alone(repo: Path, workspace: Path) -> None:
    (repo / "README.md").write_text("edited by the user")
    (repo / "src" / "extra.txt").write_text("extra")

    assert prepare(workspace, repo, copy=("README.md", "src"), link=("docs",)) == ("src/extra.txt",)
    assert (workspace / "README.md").read_text() == "hello\n"
    assert not (workspace / "docs").is_symlink()


def test_an_untracked_directory_is_not_replaced_by_a_link(repo: Path, workspace: Path) -> None:
    for root in (repo, workspace):
        (root / "cache").mkdir()
    (workspace / "cache" / "warm").write_text("1")

    prepare(workspace, repo, copy=(), link=("cache",))

    assert (workspace / "cache" / "warm").exists()


def test_the_git_directory_is_never_copied(repo: Path, workspace: Path) -> None:
    assert prepare(workspace, repo, copy=(".git", ".git/config", "*"), link=()) == ()


@pytest.mark.parametrize("bad", ["/etc/passwd", "../outside", "src/../../outside", ""])
def test_paths_that_leave_the_repository_are_refused(repo: Path, workspace: Path, bad: str) -> None:
    with pytest.raises(RefusedError, match="leaves the repository"):
        prepare(workspace, repo, copy=(), link=(bad,))


def test_links_that_leave_the_repository_are_refused(repo: Path, workspace: Path) -> None:
    (repo.parent / "secret").write_text("1")
    (repo / ".env").symlink_to("../secret")

    with pytest.raises(RefusedError, match=r"\.env leaves .*/repo by a link"):
        prepare(workspace, repo, copy=(".env",), link=())

    assert not (workspace / ".env").exists()


def test_links_that_leave_the_workspace_are_refused(repo: Path, workspace: Path) -> None:
    outside = repo.parent / "outside"
    outside.mkdir()
    (repo / "config").mkdir()
    (repo / "config" / "a").write_text("1")
    (workspace / "config").symlink_to(outside)

    with pytest.raises(RefusedError, match=r"leaves .* by a link"):
        prepare(workspace, repo, copy=("config/a",), link=())

    assert not list(outside.iterdir())


def test_a_copy_does_not_follow_a_link_in_its_place(repo: Path, workspace: Path) -> None:
    outside = repo.parent / "outside"
    outside.write_text("precious")
    (repo / ".env").write_text("KEY=1")
    (workspace / ".env").symlink_to(outside)

    prepare(workspace, repo, copy=(".env",), link=())

    assert outside.read_text() == "precious"
    assert (workspace / ".env").read_text() == "KEY=1"


def test_links_to_nothing_are_passed_over(repo: Path, workspace: Path) -> None:
    (repo / "d").mkdir()
    (repo / "d" / "dangling").symlink_to("nowhere")

    assert prepare(workspace, repo, copy=("d",), link=()) == ()


def test_a_file_that_cannot_be_brought_is_said(repo: Path, workspace: Path) -> None:
    (repo / "a").mkdir()
    (repo / "a" / "b").write_text("1")
    (workspace / "a").write_text("in the way")

    with pytest.raises(ToolError, match="cannot bring a/b to"):
        prepare(workspace, repo, copy=("a/b",), link=())


def test_disk_use_counts_blocks_and_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "top"
    (top / "deep").mkdir(parents=True)
    (top / "deep" / "file").write_bytes(b"x" * 100_000)
    (top / "out").symlink_to("/usr")

    assert 100_000 <= usage_bytes(top) < 200_000
    assert usage_bytes(tmp_path / "gone") == 0
    monkeypatch.setattr(files, "_MOST_FILES", 1)
    assert usage_bytes(top) < 100_000


def test_trash_is_deleted_with_all_in_it(tmp_path: Path) -> None:
    trash = tmp_path / "trash"
    (trash / "a" / "locked").mkdir(parents=True)
    (trash / "a" / "locked" / "file").write_text("1")
    (trash / "a" / "locked").chmod(0o500)
    (trash / "file").write_text("1")
    (trash / "link").symlink_to(tmp_path)

    for _ in range(2):
        delete_trash(trash)

    assert not list(trash.iterdir())
    delete_trash(tmp_path / "gone")


def test_read_only_directories_are_opened_up(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b").chmod(0o500)

    files._open_up(tmp_path / "a")

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_trash_that_stays_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trash" / "a").mkdir(parents=True)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)

    with pytest.raises(ToolError, match=r"cannot delete .*/trash/a"):
        delete_trash(tmp_path / "trash")
