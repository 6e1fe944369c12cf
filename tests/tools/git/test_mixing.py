"""Trees that no branch has hold exactly what was asked for, and leave everything as it was."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit

from fleet.errors import ToolError
from fleet.tools.git import mixing
from fleet.tools.git.merging import tree_of
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]
GONE = ("000000", "0" * 40)


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def old(repo: Path) -> str:
    files = {"src/app": "old\n", "tests/one": "old\n", "tests/two": "old\n"}
    return commit(repo, "old", files, start="main")


@pytest.fixture
def new(repo: Path, old: str) -> str:
    files = {"src/app": "new\n", "tests/one": "new\n", "tests/two": None, "tests/three": "new\n"}
    return commit(repo, "new", files, start="old")


def mixed(place: Place, old: str, new: str) -> str:
    """`new` with the tests of `old`."""
    held = mixing.differing(place, old, new)
    was = {path: it.was for path, it in held.items() if path.startswith("tests/")}
    return mixing.exchange(place, tree_of(place, new), was)


def listing(plain: Plain, repo: Path, tree: str) -> dict[str, str]:
    lines = plain(repo, "ls-tree", "-r", tree).splitlines()
    return {line.split("\t")[1]: line.split("\t")[0] for line in lines}


def test_paths_are_as_the_other_has_them_and_the_rest_stays(
    place: Place, repo: Path, old: str, new: str, plain: Plain
) -> None:
    found = listing(plain, repo, mixed(place, old, new))

    before, after = (listing(plain, repo, it) for it in (old, new))
    tests = {path: about for path, about in before.items() if path.startswith("tests/")}
    code = {path: about for path, about in after.items() if not path.startswith("tests/")}
    assert found == tests | code
    assert "tests/three" not in found
    assert found["src/app"] != before["src/app"]


def test_modes_links_bytes_and_odd_names_are_kept(
    place: Place, repo: Path, old: str, plain: Plain
) -> None:
    odd = os.fsdecode(b'tests/a\tb\n\xff "c')
    plain(repo, "switch", "-q", "old")
    (repo / odd).write_bytes(b"\x00\xff\r\n")
    (repo / "tests" / "run").write_text("#!/bin/sh\n")
    (repo / "tests" / "run").chmod(0o755)
    (repo / "tests" / "link").symlink_to("one")
    plain(repo, "add", "-A")
    plain(repo, "commit", "-qm", "odd")
    tip = plain(repo, "rev-parse", "HEAD")

    held = mixing.differing(place, old, tip)
    tree = mixing.exchange(place, tree_of(place, old), {path: it.now for path, it in held.items()})

    assert set(held) == {odd, "tests/run", "tests/link"}
    assert tree == tree_of(place, tip)


def test_a_directory_may_take_the_place_of_a_file(place: Place, repo: Path, plain: Plain) -> None:
    one = commit(repo, "file", {"tests/x": "a file\n"}, start="main")
    other = commit(repo, "directory", {"tests/x": None, "tests/x/y": "in it\n"}, start="main")
    for base, wanted in ((one, other), (other, one)):
        held = {path: it.now for path, it in mixing.differing(place, base, wanted).items()}
        assert mixing.exchange(place, tree_of(place, base), held) == tree_of(place, wanted)


def test_a_file_that_stands_in_the_way_is_an_error(place: Place, old: str) -> None:
    blob = ("100644", next(iter(mixing.differing(place, f"{old}^", old).values())).now[1])
    with pytest.raises(ToolError):
        mixing.exchange(place, tree_of(place, old), {"src/app/below": blob})


def test_nothing_of_anybody_is_touched(
    place: Place, repo: Path, old: str, new: str, plain: Plain
) -> None:
    (repo / "README.md").write_text("edited\n")
    (repo / "staged").write_text("staged\n")
    plain(repo, "add", "staged")
    plain(repo, "config", "core.splitIndex", "true")
    _state(repo, plain)  # the user's own git splits the index of the checkout
    before = _state(repo, plain)

    tree = mixed(place, old, new)
    mixing.commit_tree(place, tree, parent=old, message="proof", when=1)

    assert _state(repo, plain) == before


def _state(repo: Path, plain: Plain) -> object:
    own = sorted(str(file) for file in (repo / ".git").glob("*index*"))
    return (
        plain(repo, "status", "--porcelain"),
        plain(repo, "for-each-ref"),
        plain(repo, "rev-parse", "HEAD"),
        own,
    )


@pytest.mark.parametrize("written", [True, False])
def test_equal_arguments_give_one_commit(
    place: Place,
    old: str,
    new: str,
    plain: Plain,
    monkeypatch: pytest.MonkeyPatch,
    *,
    written: bool,
) -> None:
    tree = mixed(place, old, new)
    plain(place.root, "config", "user.name", "Somebody")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    first = mixing.commit_tree(place, tree, parent=old, message="proof of a", when=1_700_000_000)
    if not written:
        monkeypatch.setattr(mixing, "write_commit", lambda *_, **__: None)
    plain(place.root, "config", "user.name", "Somebody Else")
    monkeypatch.setenv("TZ", "America/Lima")
    again = mixing.commit_tree(place, tree, parent=old, message="proof of a", when=1_700_000_000)

    assert first == again
    assert plain(place.root, "rev-parse", f"{first}^{{tree}}", f"{first}^").split() == [tree, old]
    assert plain(place.root, "log", "-1", "--format=%an %at", first) == "fleet 1700000000"


def test_all_files_of_a_commit(place: Place, old: str) -> None:
    found = mixing.paths_of(place, old)
    assert {"src/app", "tests/one", "tests/two"} <= set(found)
