from collections.abc import Callable
from pathlib import Path

import pytest
from branches import NOTHING, commit, numbered

from fleet.errors import ToolError
from fleet.tools.git import attributes, merging
from fleet.tools.git import changes as changes_module
from fleet.tools.git.changes import changes, touched
from fleet.tools.git.merging import (
    Conflicted,
    Merged,
    conflicting_commits,
    contained,
    merge_trees,
    pairs,
)
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.run import Answer, git

Plain = Callable[..., str]


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


def test_two_sides_that_fit_give_the_tree_of_both(place: Place, repo: Path, plain: Plain) -> None:
    ours = commit(repo, "ours", {"src/one.txt": numbered(n1="ours")}, start="main")
    theirs = commit(repo, "theirs", {"src/one.txt": numbered(n20="theirs")}, start="main")

    merged = merge_trees(place, into=ours, change=theirs)

    assert isinstance(merged, Merged)
    text = plain(repo, "cat-file", "blob", f"{merged.tree}:src/one.txt")
    assert text + "\n" == numbered(n1="ours", n20="theirs")
    assert plain(repo, "status", "--porcelain") == ""


def test_a_conflict_names_its_files_and_says_what_git_says(place: Place, repo: Path) -> None:
    ours = commit(repo, "ours", {"src/one.txt": "1\n", "src/two.txt": None}, start="main")
    changed = {"src/one.txt": "2\n", "src/two.txt": numbered(n3="x")}
    theirs = commit(repo, "theirs", changed, start="main")

    merged = merge_trees(place, into=ours, change=theirs)

    assert isinstance(merged, Conflicted)
    assert merged.files == ("src/one.txt", "src/two.txt")
    assert "CONFLICT (content): Merge conflict in src/one.txt" in merged.messages
    assert "CONFLICT (modify/delete): src/two.txt" in merged.messages


def test_a_conflict_about_no_file_is_still_a_conflict(place: Place, repo: Path) -> None:
    def answer(*args: object, **named: object) -> Answer:
        return Answer(1, b"a" * 40 + b"\0\0", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_merge_tree", answer)
        assert merge_trees(place, into="a", change="b") == Conflicted(())


def test_a_new_file_in_a_renamed_directory_is_for_a_person(place: Place, repo: Path) -> None:
    moved = {"src/one.txt": None, "src/two.txt": None, "src/deep/three.txt": None}
    names = {"lib/one.txt": numbered(), "lib/two.txt": numbered(), "lib/deep/three.txt": "3\n"}
    ours = commit(repo, "ours", {**moved, **names}, start="main")
    theirs = commit(repo, "theirs", {"src/new.txt": "new\n"}, start="main")

    assert isinstance(merge_trees(place, into=ours, change=theirs), Conflicted)


def test_an_unknown_commit_is_an_error_and_no_conflict(place: Place) -> None:
    with pytest.raises(ToolError, match="named no tree"):
        merge_trees(place, into="main", change="f" * 40)


def test_commits_without_a_common_ancestor_are_an_error(place: Place, repo: Path) -> None:
    orphan = commit(repo, "orphan", {"a": "a\n"}, start="")

    with pytest.raises(ToolError, match="unrelated histories"):
        merge_trees(place, into="main", change=orphan)


@pytest.fixture
def union(place: Place, repo: Path) -> tuple[str, str]:
    """Two sides that fit only because of the attributes in the target."""
    attributes = {".gitattributes": "*.txt merge=union\n", "src/.gitattributes": "two.txt -merge\n"}
    start = commit(repo, "start", attributes, start="main")
    ours = commit(repo, "ours", {"src/one.txt": numbered(n1="ours")}, start=start)
    theirs = commit(repo, "theirs", {"src/one.txt": numbered(n1="theirs")}, start=start)
    return ours, theirs


def test_attributes_are_those_of_the_target_wherever_a_merge_runs(
    place: Place, repo: Path, union: tuple[str, str], plain: Plain, tmp_path: Path
) -> None:
    plain(repo, "clone", "-q", "--bare", "--mirror", str(repo), str(tmp_path / "bare"))
    (repo / ".gitattributes").write_text("*.txt -merge\n")

    there = merge_trees(locate(tmp_path / "bare"), into=union[0], change=union[1])
    here = merge_trees(place, into=union[0], change=union[1])

    assert isinstance(here, Merged)
    assert here == there


def test_attributes_in_directories_count(place: Place, repo: Path, union: tuple[str, str]) -> None:
    ours = commit(repo, "ours", {"src/two.txt": numbered(n1="ours")}, start=union[0])
    theirs = commit(repo, "theirs", {"src/two.txt": numbered(n1="theirs")}, start=union[1])
    merged = merge_trees(place, into=ours, change=theirs)

    assert isinstance(merged, Conflicted)
    assert merged.files == ("src/two.txt",)


def test_a_link_is_no_file_of_attributes(place: Place, repo: Path) -> None:
    linked = {".gitattributes": "*.txt merge=union"}
    start = commit(repo, "start", linked, start="main", mode="120000")
    ours = commit(repo, "ours", {"src/one.txt": numbered(n1="ours")}, start=start)
    theirs = commit(repo, "theirs", {"src/one.txt": numbered(n1="theirs")}, start=start)

    assert isinstance(merge_trees(place, into=ours, change=theirs), Conflicted)


def test_a_newer_git_is_told_whose_attributes_count(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attributes, "version", lambda: (2, 41, 0))

    with attributes.attributes_of(place, "abc") as (cwd, options):
        assert (cwd, options) == (place.git_dir, ("--attr-source=abc",))


def test_the_users_configuration_does_not_change_a_merge(
    place: Place, repo: Path, union: tuple[str, str], plain: Plain, tmp_path: Path
) -> None:
    before = merge_trees(place, into=union[0], change=union[1])
    mine = tmp_path / "attributes"
    mine.write_text("* -merge\n")
    for name, value in {"core.attributesFile": str(mine), "merge.renames": "false"}.items():
        plain(repo, "config", "--global", name, value)
        plain(repo, "config", name, value)

    assert merge_trees(place, into=union[0], change=union[1]) == before


@pytest.mark.parametrize("command", ["touch .git/ran", ""])
@pytest.mark.parametrize("name", ["mine", "a=b"])
def test_a_merge_driver_never_runs_and_never_decides(
    name: str, command: str, place: Place, repo: Path, plain: Plain
) -> None:
    mark = repo / ".git" / "ran"
    plain(repo, "config", f"merge.{name}.driver", command.replace(".git/ran", str(mark)))
    use = {".gitattributes": f"*.txt merge={name}\n"}
    start = commit(repo, "start", use, start="main")
    ours = commit(repo, "ours", {"src/one.txt": numbered(n1="ours")}, start=start)
    theirs = commit(repo, "theirs", {"src/one.txt": numbered(n20="theirs")}, start=start)

    merged = merge_trees(place, into=ours, change=theirs)

    assert not mark.exists()
    assert isinstance(merged, Conflicted)
    assert merged.files == ("src/one.txt",)


def test_replaced_objects_are_not_believed(place: Place, repo: Path, plain: Plain) -> None:
    honest = commit(repo, "honest", {"a.txt": "honest\n"}, start="main")
    other = commit(repo, "other", {"a.txt": "other\n"}, start="main")
    before = merge_trees(place, into="main", change=honest)
    plain(repo, "replace", honest, other)

    assert merge_trees(place, into="main", change=honest) == before
    assert touched(place, honest, other) == {"a.txt"}


def test_pairs_are_answered_in_order_and_leave_no_object(
    place: Place, repo: Path, plain: Plain
) -> None:
    one = commit(repo, "one", {"src/one.txt": numbered(n1="one"), "a\nb": "1\n"}, start="main")
    two = commit(repo, "two", {"src/one.txt": numbered(n20="two")}, start="main")
    three = commit(repo, "three", {"src/one.txt": numbered(n1="3"), "a\nb": "3\n"}, start="main")
    before = plain(repo, "count-objects")

    found = pairs(place, [(one, two), (one, three), (two, three)], attributes="main")

    fits, clash, fits_too = found
    assert isinstance(fits, Merged)
    assert isinstance(clash, Conflicted)
    assert clash.files == ("a\nb", "src/one.txt")
    assert isinstance(fits_too, Merged)
    assert pairs(place, [], attributes="main") == []
    assert plain(repo, "count-objects") == before


def test_pairs_fail_as_one(place: Place) -> None:
    with pytest.raises(ToolError):
        pairs(place, [("main", "main"), ("main", NOTHING)], attributes="main")


def test_an_answer_for_each_pair_is_insisted_upon(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*args: object, **named: object) -> Answer:
        return Answer(0, b"1\0" + b"a" * 40 + b"\0\0", "")

    monkeypatch.setattr(merging, "_merge_tree", answer)

    with pytest.raises(ToolError, match="answered 1 of 2"):
        pairs(place, [("a", "b"), ("a", "c")], attributes="main")


def test_touched_names_both_sides_of_a_rename(place: Place, repo: Path) -> None:
    renamed = {"src/one.txt": None, "src/uno.txt": numbered()}

    assert touched(place, "main", commit(repo, "x", renamed, start="main")) == set(renamed)


def test_what_reached_the_target_is_summed_up(place: Place, repo: Path) -> None:
    commit(repo, "up", {"src/one.txt": "1\n"}, start="main", message="One\n\nlong story")
    commit(repo, "up", {"src/two.txt": "2\n"}, message="two")
    tip = commit(repo, "up", {"src/one.txt": "3\n"}, message="three")

    found = conflicting_commits(place, base="main", target=tip, files=["src/one.txt"])

    assert [it.subject for it in found] == ["three", "One"]
    assert found[0].line == f"{found[0].commit} three"
    assert tip.startswith(found[0].commit)
    assert conflicting_commits(place, base="main", target=tip, files=["src/*.txt"]) == ()


def test_what_fleet_landed_is_told_by_its_task(place: Place, repo: Path, plain: Plain) -> None:
    edit, base = {"src/one.txt": "1\n"}, plain(repo, "rev-parse", "main")
    commit(repo, "work", edit, start=base, message="wip\n\nFleet-Task: another")
    merged = "Merge fleet/importer: import files\n\nFleet-Task: importer\nFleet-Revision: 2"
    tip = commit(repo, "landed", edit, start=base, merging="work", message=merged)

    [found] = conflicting_commits(place, base=base, target=tip, files=["src/one.txt"])

    assert (found.subject, found.task) == ("Merge fleet/importer: import files", "importer")


class TestContainment:
    """What lands is what was reviewed, and no more."""

    def check(self, place: Place, sealed: str, target: str, landing: str) -> tuple[str, ...]:
        return contained(place, base="main", sealed=sealed, target=target, commit=landing)

    def merge(self, place: Place, target: str, sealed: str) -> str:
        merged = merge_trees(place, into=target, change=sealed)
        assert isinstance(merged, Merged)
        parents = ("-p", target, "-p", sealed)
        return git(place.git_dir, "commit-tree", merged.tree, *parents, stdin=b"x").text

    def test_an_honest_merge_passes(self, place: Place, repo: Path) -> None:
        sealed = commit(
            repo, "s", {"new.txt": "n\n", "src/one.txt": numbered(n1="s")}, start="main"
        )
        target = commit(repo, "t", {"src/one.txt": numbered(n20="t"), "b": "b\n"}, start="main")

        assert self.check(place, sealed, target, self.merge(place, target, sealed)) == ()

    def test_a_squash_from_the_wrong_base_is_caught(self, place: Place, repo: Path) -> None:
        sealed = commit(repo, "s", {"new.txt": "n\n"}, start="main")
        target = commit(repo, "t", {"src/one.txt": numbered(n20="t")}, start="main")
        tree = f"{sealed}^{{tree}}"
        wrong = git(place.git_dir, "commit-tree", tree, "-p", target, stdin=b"x").text

        assert self.check(place, sealed, target, wrong) == ("src/one.txt",)

    def test_other_content_and_a_lost_file_are_caught(self, place: Place, repo: Path) -> None:
        sealed = commit(repo, "s", {"new.txt": "n\n", "more.txt": "m\n"}, start="main")
        target = commit(repo, "t", {"b": "b\n"}, start="main")
        wrong = commit(repo, "w", {"new.txt": "evil\n"}, start=target)

        assert self.check(place, sealed, target, wrong) == ("more.txt", "new.txt")

    def test_another_mode_is_caught(self, place: Place, repo: Path) -> None:
        sealed = commit(repo, "s", {"run.sh": "n\n"}, start="main")
        wrong = commit(repo, "w", {"run.sh": "n\n"}, start="main", mode="100755")

        assert self.check(place, sealed, "main", wrong) == ("run.sh",)

    def test_a_rename_on_the_other_side_is_settled_by_merging_again(
        self, place: Place, repo: Path
    ) -> None:
        renamed = {"src/one.txt": None, "src/uno.txt": numbered()}
        sealed = commit(repo, "s", {"src/one.txt": numbered(n1="s")}, start="main")
        target = commit(repo, "t", renamed, start="main")

        assert self.check(place, sealed, target, self.merge(place, target, sealed)) == ()


def test_changes_along_a_target_are_put_together(
    place: Place, repo: Path, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = plain(repo, "rev-parse", "main")
    first = {"src/one.txt": "1\n", "src/two.txt": None, "new.txt": "n\n", "README.md": "other\n"}
    between = commit(repo, "between", first, start=base)
    second = {"src/one.txt": "2\n", "new.txt": None, "README.md": "hello\n", "docs/guide.md": "x\n"}
    head = commit(repo, "head", second, start=between)
    wanted = changes(place.git_dir, base, head)
    for known in (changes_module._known, changes_module._steps):
        known._values.clear()
    changes(place.git_dir, base, between)
    changes(place.git_dir, between, head)
    monkeypatch.setattr(changes_module, "git", None)

    assert changes(place.git_dir, base, head) == wanted
    assert wanted.keys() == {"src/one.txt", "src/two.txt", "docs/guide.md"}
