"""Where a branch's own work begins, and that this is all that lands, however its parent landed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit, numbered

from fleet.core.ids import Commit, TaskId
from fleet.core.policy import MergeMethod
from fleet.core.radar import Branch
from fleet.tools.git.bases import Base, base_of
from fleet.tools.git.building import Built, build
from fleet.tools.git.merging import Conflicted, contained, merge_trees
from fleet.tools.git.normals import normalise
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.scratch import scratch
from fleet.tools.git.sealing import Sealed, seal_branch

Plain = Callable[..., str]
METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")
FILE = "src/one.txt"


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def parent(repo: Path) -> str:
    commit(repo, "parent", {FILE: numbered(n3="parent")}, start="main")
    return commit(repo, "parent", {"p.txt": "p\n"})


@pytest.fixture
def child(repo: Path, parent: str) -> str:
    """It changes the very line that its parent has changed."""
    commit(repo, "child", {FILE: numbered(n3="child")}, start="parent")
    return commit(repo, "child", {"c.txt": "c\n"})


def main_of(plain: Plain, repo: Path) -> str:
    return plain(repo, "rev-parse", "main")


def land(place: Place, onto: str, sealed: str, method: MergeMethod, **how: object) -> str:
    built = build(
        place, target=onto, sealed=sealed, method=method, message="land", when=1, **how  # type: ignore[arg-type]  # as they are
    )  # fmt: skip
    assert isinstance(built, Built), built
    return built.commit


def names(plain: Plain, repo: Path, old: str, new: str) -> list[str]:
    return plain(repo, "diff", "--name-only", old, new).splitlines()


# Where it begins ------------------------------------------------------------------------------


def test_a_branch_stands_on_the_newest_revision_that_it_holds(
    place: Place, repo: Path, parent: str, child: str, plain: Plain
) -> None:
    older = plain(repo, "rev-parse", f"{parent}^")
    main = main_of(plain, repo)

    assert base_of(place, child, target=main) == Base(main)
    assert base_of(place, child, target=main, parents=(parent, older)) == Base(parent, parent)
    assert base_of(place, child, target=main, parents=(older,)) == Base(older, older)


def test_what_it_does_not_hold_counts_for_nothing(
    place: Place, repo: Path, child: str, parent: str, plain: Plain
) -> None:
    elsewhere = commit(repo, "again", {FILE: numbered(n3="again")}, start="main")
    gone = "1" * 40

    found = base_of(place, child, target=main_of(plain, repo), parents=(gone, elsewhere, parent))

    assert found == Base(parent, parent)


def test_the_target_that_it_took_in_is_not_its_own_work(
    place: Place, repo: Path, parent: str, plain: Plain
) -> None:
    main = commit(repo, "main", {"m.txt": "m\n"})
    files = {"m.txt": "m\n", "c.txt": "c\n"}
    merged = commit(repo, "child", files, start="parent", merging="main")

    found = base_of(place, merged, target=main, parents=(parent,))

    assert found is not None
    assert found.made
    assert found.upon == parent
    assert names(plain, repo, found.commit, merged) == ["c.txt"]


def test_where_its_target_and_its_parent_conflict_it_stands_on_its_parent(
    place: Place, repo: Path, parent: str
) -> None:
    main = commit(repo, "main", {FILE: numbered(n3="main")})
    merged = commit(
        repo, "child", {FILE: numbered(n3="both"), "c.txt": "c\n"}, start="parent", merging="main"
    )

    assert base_of(place, merged, target=main, parents=(parent,)) == Base(parent, parent)


@pytest.mark.parametrize("method", METHODS)
def test_what_took_in_its_parents_landing_stands_on_the_target(
    place: Place, repo: Path, parent: str, method: MergeMethod, plain: Plain
) -> None:
    landed = land(place, main_of(plain, repo), parent, method)
    plain(repo, "update-ref", "refs/heads/main", landed)
    merged = commit(repo, "child", {"c.txt": "c\n", "p.txt": "p\n"}, start="parent", merging="main")

    assert base_of(place, merged, target=landed, parents=(parent,)) == Base(landed)


def test_the_base_of_what_is_sealed_is_kept(
    place: Place, repo: Path, parent: str, plain: Plain
) -> None:
    main = commit(repo, "main", {"m.txt": "m\n"})
    commit(repo, "child", {"m.txt": "m\n", "c.txt": "c\n"}, start="parent", merging="main")
    ref = "refs/fleet/cand/child/1"

    found = seal_branch(place, "child", target_commit=main, ref=ref, parents=(parent,))

    assert isinstance(found, Sealed)
    assert (found.files, found.added, found.upon) == (("c.txt",), 1, parent)
    assert plain(repo, "rev-parse", f"{ref}-base") == found.base
    again = seal_branch(place, "child", target_commit=main, ref=ref, parents=(parent,))
    assert again == found


# What lands -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("later", [False, True])
def test_a_child_never_meets_its_own_parents_work(
    place: Place, repo: Path, parent: str, child: str, plain: Plain,
    *, method: MergeMethod, later: bool,
) -> None:  # fmt: skip
    landed = land(place, main_of(plain, repo), parent, method)
    onto = landed
    if later:  # long ago, and the target has gone on in the same file
        plain(repo, "update-ref", "refs/heads/main", landed)
        text = numbered(n3="parent", n15="later")
        onto = commit(repo, "main", {FILE: text, "m.txt": "m\n"})

    commit_ = land(place, onto, child, method, base=parent)

    assert names(plain, repo, onto, commit_) == ["c.txt", FILE]
    text = plain(repo, "show", f"{commit_}:{FILE}")
    assert text == numbered(n3="child", **({"n15": "later"} if later else {})).rstrip("\n")
    assert contained(
        place, base=parent, sealed=child, target=onto, commit=commit_, onto_base=True
    ) == ()  # fmt: skip
    subjects = plain(repo, "log", "--format=%s", "--no-merges", f"{onto}..{commit_}").splitlines()
    assert len(subjects) == {"merge": 2, "squash": 1, "rebase": 2}[method]


@pytest.mark.parametrize("method", METHODS[1:])
def test_without_its_base_it_would_meet_it(
    place: Place, repo: Path, parent: str, child: str, *, method: MergeMethod, plain: Plain
) -> None:
    """So much the tests above are worth: git itself sees a conflict in the same branches."""
    landed = land(place, main_of(plain, repo), parent, method)

    assert isinstance(merge_trees(place, into=landed, change=child), Conflicted)


@pytest.mark.parametrize("method", METHODS)
def test_it_fits_on_another_revision_of_its_parent(
    place: Place, repo: Path, parent: str, child: str, *, method: MergeMethod, plain: Plain
) -> None:
    again = commit(repo, "again", {FILE: numbered(n3="parent"), "q.txt": "q\n"}, start="main")
    landed = land(place, main_of(plain, repo), again, method)

    commit_ = land(place, landed, child, method, base=parent)

    assert names(plain, repo, landed, commit_) == ["c.txt", FILE]
    assert "p.txt" not in plain(repo, "ls-tree", "--name-only", commit_).splitlines()


def test_what_goes_on_alone_leaves_its_parent_behind(
    place: Place, repo: Path, parent: str, plain: Plain
) -> None:
    main = main_of(plain, repo)
    child = commit(repo, "child", {"c.txt": "c\n"}, start="parent")

    commit_ = land(place, main, child, "merge", base=parent, keeps_history=False)

    assert names(plain, repo, main, commit_) == ["c.txt"]
    assert plain(repo, "log", "-1", "--format=%P", commit_) == main


def test_a_conflict_is_told_in_the_names_of_both_sides(
    place: Place, repo: Path, parent: str, child: str, plain: Plain
) -> None:
    other = commit(repo, "other", {FILE: None}, start="main")

    found = merge_trees(place, into=other, change=child, base=parent)

    assert isinstance(found, Conflicted)
    assert found.files == (FILE,)
    assert f"deleted in {other} and modified in {child}" in found.messages


# The conflict map -----------------------------------------------------------------------------


@pytest.mark.parametrize("beyond", [True, False])
def test_what_stands_on_what_was_squashed_is_not_stale(
    place: Place, repo: Path, parent: str, child: str, plain: Plain, *, beyond: bool
) -> None:
    onto = land(place, main_of(plain, repo), parent, "squash")
    base = Commit(parent)
    branch = Branch(TaskId("b"), Commit(child), base, (TaskId("a"),), base if beyond else None)
    with scratch(place) as kept:
        [found] = normalise(place, kept, [branch], onto=onto)

    assert found.files == (() if beyond else (FILE,))
    assert (found.below, found.beyond) == (branch.below, branch.beyond)
