from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit

from fleet.errors import RefusedError, ToolError
from fleet.tools.git import contents
from fleet.tools.git.changes import changes
from fleet.tools.git.contents import features, read_file
from fleet.tools.git.repository import (
    branch_tip,
    changed_paths,
    check_branch_name,
    checkouts,
    diff_size,
    locate,
    resolve,
    signature,
    target_branch,
    tips,
)

Plain = Callable[..., str]


def test_a_repository_is_found_from_anywhere_inside(repo: Path, plain: Plain) -> None:
    plain(repo, "worktree", "add", "-q", "-b", "side", str(repo.parent / "linked"))

    place = locate(repo)

    assert (place.root, place.git_dir) == (repo, repo / ".git")
    assert (place.bare, place.head_branch) == (False, "main")
    assert locate(repo / "src" / "deep") == place
    assert locate(repo.parent / "linked" / "src") == place
    assert place.id.startswith("repo-")
    assert len(place.id) == len("repo-12345678")


def test_two_repositories_of_one_name_have_different_ids(repo: Path, plain: Plain) -> None:
    other = repo.parent / "elsewhere" / "repo"
    plain(repo.parent, "clone", "-q", str(repo), str(other))

    assert locate(repo).id != locate(other).id


def test_a_bare_repository_is_a_place(repo: Path, plain: Plain) -> None:
    bare = repo.parent / "Bare Repo.git"
    plain(repo.parent, "clone", "-q", "--bare", str(repo), str(bare))

    place = locate(bare)

    assert (place.root, place.git_dir, place.bare) == (bare, bare, True)
    assert place.head_branch == "main"
    assert place.id.startswith("bare-repo-")


def test_a_bare_repository_with_a_detached_head(repo: Path, plain: Plain) -> None:
    bare = repo.parent / "bare.git"
    plain(repo.parent, "clone", "-q", "--bare", str(repo), str(bare))
    plain(bare, "update-ref", "--no-deref", "HEAD", "HEAD^")

    assert locate(bare).head_branch is None


def test_a_user_who_forbids_bare_repositories_is_no_obstacle(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".gitconfig").write_text("[safe]\n  bareRepository = explicit\n")

    assert branch_tip(locate(repo), "main")


def test_the_working_tree_of_a_submodule_is_found(repo: Path, plain: Plain) -> None:
    allow = ("-c", "protocol.file.allow=always")
    other = repo.parent / "other"
    plain(repo.parent, "clone", "-q", str(repo), str(other))
    plain(repo, *allow, "submodule", "--quiet", "add", str(other), "lib")

    place = locate(repo / "lib" / "src")

    assert place.root == repo / "lib"
    assert place.git_dir == repo / ".git" / "modules" / "lib"


def test_a_git_directory_without_a_working_tree_is_said(repo: Path, plain: Plain) -> None:
    git_dir = (repo / ".git").rename(repo.parent / "apart")

    with pytest.raises(ToolError, match=r"the working tree of .*/apart cannot be found"):
        locate(git_dir)


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"is not in a git repository") as caught:
        locate(tmp_path)
    with pytest.raises(RefusedError, match=r"gone is not a directory"):
        locate(tmp_path / "gone")

    assert caught.value.hint


def test_a_repository_that_git_cannot_read_is_no_missing_one(repo: Path) -> None:
    (repo / ".git" / "config").write_text("[nonsense\n")

    with pytest.raises(ToolError, match="bad config"):
        locate(repo)


def test_a_repository_without_a_commit(tmp_path: Path, plain: Plain) -> None:
    plain(tmp_path, "init", "-q", "new")

    with pytest.raises(RefusedError, match="has no commit yet") as caught:
        locate(tmp_path / "new")

    assert caught.value.hint == f"type: git -C {tmp_path}/new commit"


def test_an_unborn_head_beside_branches_is_no_obstacle(repo: Path, plain: Plain) -> None:
    plain(repo, "checkout", "-q", "--orphan", "fresh")

    assert locate(repo).head_branch == "fresh"


def test_the_target_is_named_or_what_is_checked_out(repo: Path, plain: Plain) -> None:
    plain(repo, "branch", "release")
    assert target_branch(locate(repo), None) == "main"
    plain(repo, "checkout", "-q", "--detach")
    place = locate(repo)

    assert target_branch(place, "release") == "release"
    with pytest.raises(RefusedError, match="no branch checked out") as caught:
        target_branch(place, None)
    assert "--target" in str(caught.value.hint)
    with pytest.raises(RefusedError, match="there is no branch relaese") as caught:
        target_branch(place, "relaese")
    assert caught.value.hint == "did you mean release?"


def test_names_are_resolved_to_commits(repo: Path, plain: Plain) -> None:
    plain(repo, "tag", "-m", "one", "v1", "HEAD^")
    place = locate(repo)
    parent = plain(repo, "rev-parse", "HEAD^")

    assert resolve(place, "v1") == resolve(place, parent[:9]) == parent
    for bad in ("mian", "--all", "HEAD:README.md", "a..b"):
        with pytest.raises(RefusedError, match=r"there is no branch or commit"):
            resolve(place, bad)


def test_tips_come_from_one_question(repo: Path, plain: Plain) -> None:
    head = plain(repo, "rev-parse", "HEAD")
    plain(repo, "update-ref", "refs/fleet/cand/a/1", "HEAD")
    place = locate(repo)

    assert tips(place, "refs/heads/", "refs/fleet/") == {
        "refs/heads/main": head,
        "refs/fleet/cand/a/1": head,
    }
    assert tips(place, "refs/none/") == {}
    assert branch_tip(place, "main") == head
    assert branch_tip(place, "none") is None


@pytest.mark.parametrize(
    ("existing", "wanted", "complaint"),
    [
        ("fleet", "fleet/x", r"a branch named fleet blocks every fleet/\.\.\. branch"),
        ("fleet/x", "fleet/x", "the branch fleet/x exists already"),
        ("fleet/x/y", "fleet/x", "a branch named fleet/x/y blocks the branch fleet/x"),
        ("other", "fleet/a..b", "cannot be the name of a branch"),
    ],
)
def test_a_name_that_cannot_be_used(
    repo: Path, plain: Plain, existing: str, wanted: str, complaint: str
) -> None:
    plain(repo, "branch", existing)

    with pytest.raises(RefusedError, match=complaint):
        check_branch_name(locate(repo), wanted)


def test_a_name_that_can_be_used(repo: Path, plain: Plain) -> None:
    plain(repo, "branch", "fleet/other")

    check_branch_name(locate(repo), "fleet/x")


def test_checkouts_tell_which_branch_is_where(repo: Path, plain: Plain) -> None:
    for name in ("side", "gone"):
        plain(repo, "worktree", "add", "-q", "-b", name, str(repo.parent / name))
    plain(repo, "worktree", "add", "-q", "--detach", str(repo.parent / "detached"))
    (repo.parent / "gone").rename(repo.parent / "moved")

    assert checkouts(locate(repo)) == {"main": repo, "side": repo.parent / "side"}


def test_a_plain_repository_has_no_features(repo: Path) -> None:
    found = features(locate(repo), "main")

    assert not any((found.submodules, found.lfs, found.sparse, found.partial))


def test_features_are_seen(repo: Path, plain: Plain) -> None:
    (repo / ".gitmodules").write_text("")
    (repo / "src" / ".gitattributes").write_text("*.bin filter=lfs diff=lfs\n")
    plain(repo, "add", "-A")
    plain(repo, "commit", "-qm", "features")
    plain(repo, "sparse-checkout", "set", "src")
    plain(repo, "config", "remote.origin.promisor", "true")

    found = features(locate(repo), "main")

    assert all((found.submodules, found.lfs, found.sparse, found.partial))


def test_files_are_read_from_a_commit(repo: Path, plain: Plain) -> None:
    place = locate(repo)
    (repo / "README.md").write_text("changed\n")

    assert read_file(place, "main", "README.md") == b"hello\n"
    for missing in ("none", "x blob", "src"):
        assert read_file(place, "main", missing) is None
    assert read_file(place, "nowhere", "README.md") is None


def test_the_signature_changes_with_the_branch(repo: Path, plain: Plain) -> None:
    place = locate(repo)
    plain(repo, "branch", "side")
    seen = [signature(place, "side")]
    assert signature(place, "side") == seen[0]

    for step in (
        ("branch", "-f", "side", "HEAD^"),
        ("pack-refs", "--all"),
        ("branch", "-f", "side", "HEAD"),
        ("branch", "-D", "side"),
    ):
        plain(repo, *step)
        seen.append(signature(place, "side"))
        assert seen[-1] not in seen[:-1], step


def test_the_signature_follows_a_symbolic_branch(repo: Path, plain: Plain) -> None:
    place = locate(repo)
    plain(repo, "branch", "real")
    plain(repo, "symbolic-ref", "refs/heads/alias", "refs/heads/real")
    before = signature(place, "alias")

    plain(repo, "branch", "-f", "real", "HEAD^")

    assert signature(place, "alias") != before


def test_a_branch_that_points_to_itself_does_not_hang_us(repo: Path) -> None:
    (repo / ".git" / "refs" / "heads" / "loop").write_text("ref: refs/heads/loop\n")

    assert signature(locate(repo), "loop")


def test_the_size_of_a_change(repo: Path, plain: Plain) -> None:
    (repo / "src" / "one.txt").write_text("line 1\n")
    (repo / "docs" / "guide.md").rename(repo / "docs" / "moved.md")
    plain(repo, "add", "-A")
    plain(repo, "commit", "-qm", "change")
    place = locate(repo)

    assert diff_size(place, "main^", "main") == (1, 20, 3)
    assert diff_size(place, "main", "main") == (0, 0, 0)
    assert changed_paths(place, "main^", "main") == (
        *("docs/guide.md", "docs/moved.md", "src/one.txt"),
    )
    assert changed_paths(place, "main", "main") == ()


def test_a_file_that_did_not_differ_is_known_of_the_next_commit(
    repo: Path, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, base = locate(repo), plain(repo, "rev-parse", "main")
    assert read_file(place, base, "README.md") == b"hello\n"
    assert read_file(place, base, "fleet.yaml") is None
    other = commit(repo, "other", {"new": "1\n"}, start=base)
    named = commit(repo, "named", {"fleet.yaml": "{}\n"}, start=other)
    changes(place.git_dir, base, other)
    changes(place.git_dir, other, named)

    assert read_file(place, named, "fleet.yaml") == b"{}\n"
    monkeypatch.setattr(contents, "git", None)
    assert read_file(place, named, "README.md") == b"hello\n"
    assert read_file(place, other, "fleet.yaml") is None
