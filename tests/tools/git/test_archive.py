from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.errors import RefusedError, ToolError
from fleet.tools.git.archive import (
    archive,
    contains,
    delete_branch,
    forget,
    give_back,
    restore,
)
from fleet.tools.git.repository import Place, branch_tip, locate
from fleet.tools.git.workspaces import admin_dir, claim, create, recycle, resume

Plain = Callable[..., str]
BRANCH = "fleet/a"
REF = "refs/fleet/trash/a"


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def work(place: Place, tmp_path: Path, plain: Plain) -> Path:
    """Return a worktree on fleet/a, one commit ahead of main."""
    path = tmp_path / "w" / "001"
    base = plain(place.root, "rev-parse", "main")
    create(place, path, base, lock=tmp_path / "lock")
    claim(place, path, branch=BRANCH, commit=base)
    (path / "new.txt").write_text("committed\n")
    plain(path, "add", "-A")
    plain(path, "commit", "-qm", "work")
    return path


def test_all_that_was_made_comes_back(place: Place, work: Path, plain: Plain) -> None:
    head = plain(work, "rev-parse", "HEAD")
    (work / "README.md").write_text("edited\n")
    (work / "docs" / "guide.md").unlink()
    (work / "notes").mkdir()
    (work / "notes" / "täst.txt").write_text("untracked\n")
    before = plain(work, "status", "--porcelain", "-uall")

    made = archive(place, task="a", path=work, branch=BRANCH)
    recycle(place, work, plain(place.root, "rev-parse", "main"), keep=())
    delete_branch(place, BRANCH, head=head)

    assert plain(place.root, "rev-parse", REF) == made
    assert restore(place, "a", BRANCH) == restore(place, "a", BRANCH) == head
    resume(place, work, branch=BRANCH)
    give_back(place, "a", work)
    assert plain(work, "status", "--porcelain", "-uall") == before
    assert (work / "notes" / "täst.txt").read_text() == "untracked\n"
    assert plain(work, "rev-parse", "HEAD") == head


def test_archiving_changes_nothing_in_the_worktree(place: Place, work: Path, plain: Plain) -> None:
    (work / "README.md").write_text("edited\n")
    plain(work, "add", "-A")
    (work / "README.md").write_text("edited again\n")
    admin = admin_dir(work)
    assert admin
    before = ((admin / "index").read_bytes(), plain(work, "status", "--porcelain=v2", "--branch"))

    archive(place, task="a", path=work, branch=BRANCH)

    after = ((admin / "index").read_bytes(), plain(work, "status", "--porcelain=v2", "--branch"))
    assert after == before


def test_archiving_again_makes_nothing_new(place: Place, work: Path) -> None:
    (work / "README.md").write_text("edited\n")
    made = archive(place, task="a", path=work, branch=BRANCH)

    assert archive(place, task="a", path=work, branch=BRANCH) == made


def test_a_crash_after_the_removal_does_not_hide_the_archive(
    place: Place, work: Path, plain: Plain
) -> None:
    (work / "README.md").write_text("edited\n")
    made = archive(place, task="a", path=work, branch=BRANCH)
    head = plain(work, "rev-parse", "HEAD")
    work.rename(work.parent / "trash")

    assert archive(place, task="a", path=work, branch=BRANCH) == made
    plain(place.root, "worktree", "prune")
    plain(place.root, "worktree", "unlock", str(work))
    plain(place.root, "worktree", "prune")
    delete_branch(place, BRANCH, head=head)
    assert archive(place, task="a", path=None, branch=BRANCH) == made


def test_a_later_archive_keeps_the_earlier_one_reachable(
    place: Place, work: Path, plain: Plain
) -> None:
    (work / "README.md").write_text("first\n")
    first = archive(place, task="a", path=work, branch=BRANCH)
    (work / "README.md").write_text("second\n")
    second = archive(place, task="a", path=work, branch=BRANCH)

    assert first != second
    plain(place.root, "merge-base", "--is-ancestor", str(first), str(second))


def test_what_was_staged_and_edited_again_is_kept(place: Place, work: Path, plain: Plain) -> None:
    (work / "README.md").write_text("staged\n")
    plain(work, "add", "-A")
    (work / "README.md").write_text("edited again\n")

    made = archive(place, task="a", path=work, branch=BRANCH)

    held = plain(place.root, "rev-parse", f"{made}^@").splitlines()
    assert [plain(place.root, "show", f"{commit}:README.md") for commit in held] == [
        *("hello", "staged"),
    ]
    assert plain(place.root, "show", f"{made}:README.md") == "edited again"


def test_a_detached_head_is_kept_beside_the_branch(place: Place, work: Path, plain: Plain) -> None:
    tip = plain(work, "rev-parse", "HEAD")
    plain(work, "checkout", "-q", "--detach", "main")
    plain(work, "commit", "-q", "--allow-empty", "-m", "off the branch")

    made = archive(place, task="a", path=work, branch=BRANCH)

    parents = plain(place.root, "rev-parse", f"{made}^@").splitlines()
    assert parents == [tip, plain(work, "rev-parse", "HEAD")]


def test_work_set_aside_by_a_rebase_is_kept(place: Place, work: Path, plain: Plain) -> None:
    (place.root / "new.txt").write_text("theirs\n")
    plain(place.root, "add", "-A")
    plain(place.root, "commit", "-qm", "theirs")
    (work / "README.md").write_text("set aside\n")
    plain(work, "rebase", "-q", "--autostash", "main", code=1)

    made = archive(place, task="a", path=work, branch=BRANCH)

    held = plain(place.root, "rev-parse", f"{made}^@").splitlines()
    texts = {plain(place.root, "show", f"{commit}:README.md") for commit in held}
    assert texts == {"hello", "set aside"}
    assert "<<<<<<<" in plain(place.root, "show", f"{made}:new.txt")


def test_a_branch_without_a_worktree_is_kept(place: Place, plain: Plain) -> None:
    plain(place.root, "branch", BRANCH)

    made = archive(place, task="a", path=None, branch=BRANCH)

    assert plain(place.root, "rev-parse", f"{made}^1") == branch_tip(place, BRANCH)
    assert archive(place, task="b", path=None, branch="fleet/none") is None


def test_a_vanished_branch_is_restored_from_the_head_of_the_worktree(
    place: Place, work: Path, plain: Plain
) -> None:
    head = plain(work, "rev-parse", "HEAD")
    plain(work, "checkout", "-q", "--detach")
    plain(work, "branch", "-D", BRANCH)

    archive(place, task="a", path=work, branch=BRANCH)

    assert restore(place, "a", BRANCH) == head


def test_files_of_a_repository_inside_are_kept(place: Place, work: Path, plain: Plain) -> None:
    plain(work, "init", "-q", "nested")
    (work / "nested" / "deep").mkdir()
    (work / "nested" / "deep" / "file.txt").write_text("cloned\n")
    (work / "nested" / "link").symlink_to("nowhere")

    made = archive(place, task="a", path=work, branch=BRANCH)

    assert plain(place.root, "show", f"{made}:nested/deep/file.txt") == "cloned"
    assert "the history of the repository nested/" in plain(place.root, "log", "-1", str(made))


def test_ignored_files_are_named(place: Place, work: Path, plain: Plain) -> None:
    (work / "build").mkdir()
    (work / "build" / "out").write_text("1")
    (work / "x.log").write_text("1")

    made = archive(place, task="a", path=work, branch=BRANCH)

    message = plain(place.root, "log", "-1", "--format=%B", str(made))
    assert message.splitlines() == [
        *("archive of a", "", "not kept, ignored: build/", "not kept, ignored: x.log"),
    ]


def test_a_submodule_with_work_stops_us(place: Place, work: Path, plain: Plain) -> None:
    other = work.parent / "other"
    plain(work.parent, "clone", "-q", str(place.root), str(other))
    allow = ("-c", "protocol.file.allow=always")
    plain(work, *allow, "submodule", "--quiet", "add", str(other), "lib")
    (work / "lib" / "README.md").write_text("edited\n")

    with pytest.raises(RefusedError, match=r"the submodule .*/lib has work that fleet cannot keep"):
        archive(place, task="a", path=work, branch=BRANCH)


def test_a_lock_on_the_archive_is_said(place: Place, work: Path) -> None:
    lock = place.git_dir / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()

    with pytest.raises(ToolError) as caught:
        archive(place, task="a", path=work, branch=BRANCH)

    assert f"{REF}.lock" in str(caught.value.hint)


def test_restoring_refuses_to_lose_or_invent(place: Place, work: Path, plain: Plain) -> None:
    with pytest.raises(RefusedError, match="there is no archive of a"):
        restore(place, "a", BRANCH)
    archive(place, task="a", path=work, branch=BRANCH)
    (work / "README.md").write_text("later\n")
    with pytest.raises(RefusedError, match="has uncommitted work"):
        give_back(place, "a", work)
    plain(work, "commit", "-qam", "later")
    with pytest.raises(RefusedError, match="exists at another commit"):
        restore(place, "a", BRANCH)

    assert (work / "README.md").read_text() == "later\n"


def test_what_is_forgotten_is_gone(place: Place, work: Path, plain: Plain) -> None:
    archive(place, task="a", path=work, branch=BRANCH)
    archive(place, task="ab", path=work, branch=BRANCH)
    kept = ["cand/ab/1", "landed/a-1-1", "landed/a-3", "landed/ab-1", "trash/ab"]
    for name in (*kept[:-1], "cand/a/1", "cand/a/2", "landed/a-1", "landed/a-2"):
        plain(place.root, "update-ref", f"refs/fleet/{name}", "HEAD")

    for _ in range(2):
        forget(place, "a", revisions=2)

    left = plain(place.root, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/fleet")
    assert left.splitlines() == kept


def test_a_branch_is_deleted_only_as_it_was_archived(
    place: Place, work: Path, plain: Plain
) -> None:
    head = plain(work, "rev-parse", "HEAD")
    with pytest.raises(RefusedError, match="is checked out in"):
        delete_branch(place, BRANCH, head=head)
    with pytest.raises(RefusedError, match="has moved on"):
        delete_branch(place, BRANCH, head=plain(work, "rev-parse", "main"))

    plain(work, "checkout", "-q", "--detach")
    for _ in range(2):
        delete_branch(place, BRANCH, head=head)

    assert branch_tip(place, BRANCH) is None


@pytest.fixture
def landed(place: Place, work: Path, plain: Plain) -> Callable[[], bool]:
    """Give fleet/a a second commit; the result tells whether main contains the change."""
    base = plain(work, "merge-base", "main", "HEAD")
    (work / "src" / "one.txt").write_text("line 1\nchanged\n")
    plain(work, "commit", "-qam", "second")
    head = plain(work, "rev-parse", "HEAD")
    return lambda: contains(place, target="main", base=base, head=head)


def test_a_change_that_is_nowhere(landed: Callable[[], bool]) -> None:
    assert not landed()


@pytest.mark.parametrize("how", [("--squash",), ("--no-ff", "--no-edit"), ("--ff-only",)])
def test_a_merged_change_is_contained(
    landed: Callable[[], bool], repo: Path, plain: Plain, how: tuple[str, ...]
) -> None:
    plain(repo, "merge", "-q", *how, BRANCH)
    if how == ("--squash",):
        plain(repo, "commit", "-qm", "squashed")

    assert landed()


def test_a_squashed_change_is_contained_when_its_lines_changed_again(
    landed: Callable[[], bool], repo: Path, plain: Plain
) -> None:
    plain(repo, "merge", "-q", "--squash", BRANCH)
    (repo / "unrelated.txt").write_text("in the same commit\n")
    plain(repo, "add", "-A")
    plain(repo, "commit", "-qm", "squashed")
    (repo / "src" / "one.txt").write_text("line 1\nchanged once more\n")
    plain(repo, "commit", "-qam", "later")

    assert landed()


def test_a_rebased_change_is_contained_when_its_lines_changed_again(
    landed: Callable[[], bool], repo: Path, plain: Plain
) -> None:
    plain(repo, "commit", "-q", "--allow-empty", "-m", "something first")
    plain(repo, "cherry-pick", f"{BRANCH}~1", BRANCH)
    (repo / "src" / "one.txt").write_text("line 1\nchanged once more\n")
    plain(repo, "commit", "-qam", "later")

    assert landed()


def test_half_a_change_is_not_contained(
    landed: Callable[[], bool], repo: Path, plain: Plain
) -> None:
    plain(repo, "commit", "-q", "--allow-empty", "-m", "or the pick would be the same commit")
    plain(repo, "cherry-pick", f"{BRANCH}~1")

    assert not landed()


def test_work_that_only_a_merge_commit_holds_is_not_contained(
    place: Place, work: Path, plain: Plain
) -> None:
    repo, base = place.root, plain(place.root, "rev-parse", "main")
    plain(repo, "commit", "-q", "--allow-empty", "-m", "theirs")
    plain(work, "merge", "-q", "--no-commit", "--no-ff", "main")
    (work / "resolved.txt").write_text("made while merging\n")
    plain(work, "add", "-A")
    plain(work, "commit", "-qm", "merge")
    head = plain(work, "rev-parse", "HEAD")
    plain(repo, "cherry-pick", f"{BRANCH}^1")

    assert not contains(place, target="main", base=base, head=head)


def test_a_squashed_change_that_was_undone_is_not_lost_from_history(
    landed: Callable[[], bool], repo: Path, plain: Plain
) -> None:
    plain(repo, "merge", "-q", "--squash", BRANCH)
    plain(repo, "commit", "-qm", "squashed")
    plain(repo, "revert", "--no-edit", "HEAD")

    assert landed()


def test_a_branch_that_never_moved_is_contained_nowhere(place: Place, plain: Plain) -> None:
    head = plain(place.root, "rev-parse", "main")

    assert not contains(place, target="main", base=head, head=head)
