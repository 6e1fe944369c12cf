from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit

from fleet.tools.git import building, objects
from fleet.tools.git.building import Person, _by_git, _commit, _Words
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.mark.parametrize(
    "person",
    [
        ("Some One", "one@example.invalid"),
        ("Søme Öne-Two O'Neil", "x"),
        (" .Trimmed, Jr.", "<a@b>"),
        ("With <brackets>", "a b@c"),
        ("tab\tinside", "a@b.c"),
        ("caf\udce9", "a@b.c"),
    ],
)
@pytest.mark.parametrize("message", ["one line\n", "é\n\nbody\n", "no end", "caf\udce9\n", "\n\n"])
def test_a_commit_is_the_one_that_git_would_make(
    place: Place, repo: Path, plain: Plain, person: tuple[str, str], message: str
) -> None:
    tree = plain(repo, "rev-parse", "main^{tree}")
    parents = [plain(repo, "rev-parse", name) for name in ("main", "main~1")]
    words = _Words(message, Person(*person), "@1700000000 +0130", Person("c", "c@d"), "@5 +0000")
    by_git = _by_git(place, tree, parents, words)
    (repo / ".git/objects" / by_git[:2] / by_git[2:]).unlink()

    assert _commit(place, tree, parents, words) == by_git
    assert plain(repo, "fsck", "--no-dangling", "--strict") == ""
    assert plain(repo, "cat-file", "-t", by_git) == "commit"


def test_it_takes_no_process(place: Place, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = commit(repo, "head", {"a": "1\n"}, start="main")
    monkeypatch.setattr(building, "git", None)
    words = _Words("x\n", Person("a b", "c"), "@1 +0000", Person("a", "b"), "@2 +0000")

    assert _commit(place, head, [head], words) == _commit(place, head, [head], words)


@pytest.mark.parametrize(
    "line", ["[core]\n\tsharedRepository = group\n", "[include]\n\tpath = x\n"]
)
def test_a_repository_with_wishes_is_left_to_git(place: Place, repo: Path, line: str) -> None:
    with (repo / ".git/config").open("a") as config:
        config.write(line)
    made = objects.write_commit(
        place.git_dir, tree="0" * 40, parents=(), author="a", committer="b", message="c"
    )

    assert made is None


def test_what_cannot_be_written_is_left_to_git(place: Place, repo: Path) -> None:
    (repo / ".git/objects/full").touch()
    folder = place.git_dir / "none"

    assert (
        objects.write_commit(
            folder, tree="0" * 40, parents=(), author="a", committer="b", message="c"
        )
        is None
    )
