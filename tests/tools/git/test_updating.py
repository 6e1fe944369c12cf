import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.tools.git import updating
from fleet.tools.git.updating import update

Plain = Callable[..., str]


def _child(git_dir: Path) -> int:
    return updating._sessions[git_dir][1]._child.pid


def test_references_are_made_moved_and_deleted_by_one_process(repo: Path, plain: Plain) -> None:
    git_dir = repo / ".git"
    old, new = plain(repo, "rev-parse", "HEAD~1"), plain(repo, "rev-parse", "HEAD")

    assert update(git_dir, f"create refs/heads/a {old}", f"create refs/heads/b {old}") == ""
    first = _child(git_dir)
    assert update(git_dir, f"update refs/heads/a {new} {old}", "delete refs/heads/b") == ""
    assert _child(git_dir) == first
    assert plain(repo, "for-each-ref", "--format=%(refname:short) %(objectname)") == "\n".join(
        (f"a {new}", f"main {new}")
    )


def test_what_is_refused_changes_nothing_and_the_next_is_done(repo: Path, plain: Plain) -> None:
    git_dir, head = repo / ".git", plain(repo, "rev-parse", "HEAD")

    complaint = update(git_dir, f"create refs/heads/a {head}", f"create refs/heads/main {head}")
    assert "already exists" in complaint
    assert plain(repo, "branch", "--list", "a") == ""
    assert update(git_dir, f"create refs/heads/a {head}") == ""


def test_what_it_does_not_understand_is_refused(repo: Path) -> None:
    assert "bogus" in update(repo / ".git", "bogus order")


def test_a_head_of_a_worktree_is_detached_by_its_name(
    repo: Path, plain: Plain, tmp_path: Path
) -> None:
    head = plain(repo, "rev-parse", "HEAD")
    plain(repo, "worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))

    assert update(repo / ".git", "option no-deref", f"update worktrees/w/HEAD {head}") == ""
    assert plain(tmp_path / "w", "branch", "--show-current") == ""
    assert plain(tmp_path / "w", "rev-parse", "HEAD") == head


def test_one_that_was_killed_is_made_anew(repo: Path, plain: Plain) -> None:
    git_dir, head = repo / ".git", plain(repo, "rev-parse", "HEAD")
    update(git_dir, f"create refs/heads/a {head}")
    os.kill(_child(git_dir), signal.SIGKILL)

    assert update(git_dir, f"create refs/heads/b {head}") == ""
    assert plain(repo, "rev-parse", "b") == head


def test_a_repository_that_took_the_place_of_another_gets_its_own(
    repo: Path, plain: Plain, tmp_path: Path
) -> None:
    head = plain(repo, "rev-parse", "HEAD")
    update(repo / ".git", f"create refs/heads/a {head}")
    repo.rename(tmp_path / "gone")
    shutil.copytree(tmp_path / "gone", repo, symlinks=True)

    assert update(repo / ".git", f"create refs/heads/b {head}") == ""
    assert plain(repo, "rev-parse", "b") == head
    assert plain(tmp_path / "gone", "branch", "--list", "b") == ""


def test_it_ends_when_nobody_needs_it(
    repo: Path, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updating, "_IDLE_S", 0.05)
    git_dir, head = repo / ".git", plain(repo, "rev-parse", "HEAD")
    update(git_dir, f"create refs/heads/a {head}")
    child = _child(git_dir)

    until(lambda: not Path(f"/proc/{child}").exists())
    assert update(git_dir, f"create refs/heads/b {head}") == ""


def test_many_threads_may_ask_at_once(repo: Path, plain: Plain) -> None:
    git_dir, head = repo / ".git", plain(repo, "rev-parse", "HEAD")
    said: list[str] = []

    def make(number: int) -> None:
        said.append(update(git_dir, f"create refs/heads/many/{number} {head}"))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert said == [""] * 20
    assert len(plain(repo, "branch", "--list", "many/*").splitlines()) == 20


def test_a_repository_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="is gone"):
        update(tmp_path / "none", "create refs/heads/a 0")
