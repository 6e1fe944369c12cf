"""What the user has in the checkout that a landing moves stays byte for byte, or nothing lands."""

from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit
from landings import CHANGE, out, plan, prepare

from fleet.tools.git.intent import Blocked, Landed
from fleet.tools.git.landing import land
from fleet.tools.git.repository import locate

How = Callable[[Path], object]


def seen(checkout: Path) -> dict[str, object]:
    """Return all that a landing must leave alone: files with mode and time, index, stash."""
    files = {
        str(path.relative_to(checkout)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.readlink() if path.is_symlink() else path.read_bytes(),
        )
        for path in checkout.rglob("*")
        if (path.is_symlink() or path.is_file())
        and ".git" not in path.relative_to(checkout).parts
        and str(path.relative_to(checkout)) not in CHANGE
    }
    staged = out(checkout, "ls-files", "-s", "-v").splitlines()
    others = [line for line in staged if line.rpartition("\t")[2] not in CHANGE]
    return {**files, "index": others, "stash": out(checkout, "stash", "list")}


def write(path: str, text: str = "mine\n") -> How:
    def how(repo: Path) -> None:
        (repo / path).parent.mkdir(exist_ok=True, parents=True)
        (repo / path).write_text(text)

    how.__name__ = path
    return how


def staged(repo: Path) -> None:
    write("src/two.txt", "staged\n")(repo)
    out(repo, "add", "src/two.txt")
    write("src/two.txt", "then edited\n")(repo)


def stashed(repo: Path) -> None:
    write("README.md", "stashed\n")(repo)
    out(repo, "stash", "push", "-q")
    write("README.md", "mine\n")(repo)


def linked(repo: Path) -> None:
    (repo / "README.md").unlink()
    (repo / "README.md").symlink_to("src/two.txt")


def executable(repo: Path) -> None:
    (repo / "README.md").chmod(0o755)


def line_ends(repo: Path) -> None:
    out(repo, "config", "core.autocrlf", "true")
    (repo / "README.md").write_bytes(b"mine\r\n")
    (repo / "mine.txt").write_bytes(b"mixed\r\nends\n")


def filtered(repo: Path) -> None:
    write(".git/info/attributes", "*.md filter=upper\n")(repo)
    out(repo, "config", "filter.upper.clean", "tr a-z A-Z")
    out(repo, "config", "filter.upper.smudge", "tr A-Z a-z")
    write("README.md")(repo)


def assumed(repo: Path) -> None:
    out(repo, "update-index", "--assume-unchanged", "README.md")
    write("README.md")(repo)


def skipped(repo: Path) -> None:
    out(repo, "update-index", "--skip-worktree", "README.md")
    write("README.md")(repo)


def split_index(repo: Path) -> None:
    out(repo, "update-index", "--split-index")
    staged(repo)


def sparse(repo: Path) -> None:
    out(repo, "sparse-checkout", "set", "--no-cone", "/src/", "/README.md")
    write("README.md")(repo)


def bisecting(repo: Path) -> None:
    """A bisection leaves the branch: then the target is checked out nowhere."""
    out(repo, "bisect", "start", "main", "main~2")
    write("mine")(repo)


def detached(repo: Path) -> None:
    out(repo, "checkout", "-q", "--detach", "main")
    write("README.md")(repo)


KEPT: list[How] = [
    *(write("README.md"), write("untracked"), write("ignored.log"), staged, stashed, linked),
    *(executable, line_ends, filtered, assumed, skipped, split_index, sparse, bisecting, detached),
]


@pytest.mark.parametrize("how", KEPT)
def test_what_is_not_in_the_way_is_kept_and_it_lands(how: How, repo: Path, tmp_path: Path) -> None:
    intent = prepare(repo, tmp_path / "journal")
    how(repo)
    before, head = seen(repo), out(repo, "rev-parse", "HEAD")
    on_target = how not in (bisecting, detached)

    assert land(intent) == Landed(intent.commit)

    assert seen(repo) == before
    assert out(repo, "rev-parse", "HEAD") == (intent.commit if on_target else head)
    if not on_target:
        assert not (repo / "new").exists()


@pytest.mark.parametrize("how", KEPT)
def test_it_is_kept_in_a_worktree_in_another_place(how: How, repo: Path, tmp_path: Path) -> None:
    if how in (filtered, bisecting, detached):
        pytest.skip("is about the repository itself, or about no checkout of the target")
    intent = prepare(repo, tmp_path / "journal")
    out(repo, "checkout", "-q", "-b", "elsewhere")
    there = tmp_path / "there"
    out(repo, "worktree", "add", "-q", str(there), "main")
    how(there)
    before, main = seen(there), seen(repo)

    assert land(intent) == Landed(intent.commit)

    assert seen(there) == before
    assert seen(repo) == main
    assert out(there, "rev-parse", "HEAD") == intent.commit


def test_files_are_written_where_the_target_is_checked_out_and_nowhere_else(
    repo: Path, tmp_path: Path
) -> None:
    new = commit(repo, "fix", {"new.txt": "new\n"}, start="main")
    intent = plan(locate(repo), new, tmp_path / "journal")
    (elsewhere := tmp_path / "elsewhere").mkdir()
    out(repo, "config", "core.worktree", str(elsewhere))

    assert land(intent) == Landed(intent.commit)

    out(repo, "config", "--unset", "core.worktree")
    assert not list(elsewhere.iterdir())
    assert out(repo, "status", "--porcelain") == ""


def merging(repo: Path) -> None:
    commit(repo, "other", {"README.md": "other\n"}, start="main")
    out(repo, "merge", "-q", "--no-commit", "--no-ff", "other")


def picking(repo: Path) -> None:
    write("README.md")(repo)
    write(".git/CHERRY_PICK_HEAD", out(repo, "rev-parse", "main") + "\n")(repo)


def rebasing(repo: Path) -> None:
    out(repo, "-c", "sequence.editor=sed -i 1ibreak", "rebase", "-q", "-i", "--root")
    write("README.md")(repo)


def locked(repo: Path) -> None:
    write("README.md")(repo)
    write(".git/index.lock", "")(repo)


def ignored(repo: Path) -> None:
    write(".git/info/exclude", "new/\n")(repo)
    write("new/file.txt")(repo)


def skipped_in_the_way(repo: Path) -> None:
    out(repo, "update-index", "--skip-worktree", "src/one.txt")
    write("src/one.txt")(repo)


def assumed_in_the_way(repo: Path) -> None:
    out(repo, "update-index", "--assume-unchanged", "src/one.txt")
    write("src/one.txt")(repo)


@pytest.mark.parametrize(
    ("how", "file"),
    [
        *((merging, None), (picking, None), (rebasing, None), (locked, None)),
        *((write("src/one.txt"), "src/one.txt"), (write("new/file.txt"), "new/file.txt")),
        *((ignored, "new/file.txt"), (write("docs/guide.md"), "docs/guide.md")),
        *((skipped_in_the_way, "src/one.txt"), (assumed_in_the_way, "src/one.txt")),
    ],
)
def test_what_is_in_the_way_is_named_and_kept(
    how: How, file: str | None, repo: Path, tmp_path: Path
) -> None:
    intent = prepare(repo, tmp_path / "journal")
    how(repo)
    before = {**seen(repo), **{name: content(repo / name) for name in CHANGE}}
    refs = out(repo, "for-each-ref")

    blocked = land(intent)

    assert isinstance(blocked, Blocked)
    assert blocked.files == ((file,) if file else ())
    assert {**seen(repo), **{name: content(repo / name) for name in CHANGE}} == before
    assert out(repo, "for-each-ref") == refs


def content(path: Path) -> tuple[bytes, int] | None:
    return (path.read_bytes(), path.lstat().st_mtime_ns) if path.is_file() else None


def test_a_mode_that_lands_leaves_the_users_content(repo: Path, tmp_path: Path) -> None:
    sealed = commit(repo, "mode", {"tool": "run\n"}, start="main", mode="100755")
    intent = plan(locate(repo), sealed, tmp_path / "journal")
    write("README.md")(repo)
    before = seen(repo)

    assert land(intent) == Landed(intent.commit)

    assert (repo / "tool").stat().st_mode & 0o111
    after = seen(repo)
    assert {name: after[name] for name in before if name != "index"} == {
        name: kept for name, kept in before.items() if name != "index"
    }
