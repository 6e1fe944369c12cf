"""Open branches tried on their target and with each other, over real git."""

import random
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import pytest
from branches import NOTHING, commit, numbered

from fleet.core.ids import Commit, TaskId
from fleet.core.radar import Branch, Normal, Touch, meet
from fleet.tools.git import normals
from fleet.tools.git.normals import conflicts, normalise, touch
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.scratch import Scratch, make, scratch, tidy

Plain = Callable[..., str]


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def main(repo: Path, plain: Plain) -> str:
    return plain(repo, "rev-parse", "main")


@pytest.fixture
def kept(place: Place) -> Iterator[Scratch]:
    with scratch(place) as it:
        yield it


def branch(tip: str, base: str) -> Branch:
    return Branch(TaskId("a"), Commit(tip), Commit(base))


def clash(
    place: Place, kept: Scratch, main: str, *tips: str
) -> tuple[list[Normal], list[tuple[str, ...] | None]]:
    """Normalise all tips, try all pairs, and see that none conflicts which does not meet."""
    found = normalise(place, kept, [branch(tip, main) for tip in tips], onto=main)
    fitting = [it for it in found if it.commit]
    two = list(combinations(fitting, 2))
    tried = conflicts(place, kept, [(str(a.commit), str(b.commit)) for a, b in two], onto=main)
    assert not [
        files for (a, b), files in zip(two, tried, strict=True) if files and not _meet(a, b)
    ]
    return found, tried


def _meet(one: Normal, other: Normal) -> bool:
    return meet(one.touch, other.touch)


def test_branches_are_tried_as_they_would_be_on_their_target(
    place: Place, repo: Path, main: str, kept: Scratch, plain: Plain
) -> None:
    one = commit(repo, "one", {"src/one.txt": numbered(n1="one")}, start=main)
    two = commit(repo, "two", {"src/one.txt": numbered(n1="two"), "b": "b\n"}, start=main)
    far = commit(repo, "far", {"src/one.txt": numbered(n20="far")}, start=main)
    target = commit(repo, "main", {"src/two.txt": numbered(n1="target")})
    before = plain(repo, "count-objects")

    found, tried = clash(place, kept, target, one, two, far)

    assert tried == [("src/one.txt",), None, None]
    assert [it.touch.claims for it in found] == [
        {"src/one.txt"},
        {"src/one.txt", "b"},
        {"src/one.txt"},
    ]
    assert plain(repo, "count-objects") == before


def test_what_does_not_fit_its_target_is_stale(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    lost = commit(repo, "lost", {"src/one.txt": None}, start=main)
    target = commit(repo, "main", {"src/one.txt": numbered(n1="target")})

    [found] = normalise(place, kept, [branch(lost, main)], onto=target)

    assert (found.commit, found.files) == (None, ("src/one.txt",))
    assert found.own
    assert meet(found.own, Touch.of(["src/one.txt"]))
    assert found.touch == Touch()  # the target's own text is what stands there


def test_what_has_no_common_history_spoils_no_other(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    stranger = commit(repo, "stranger", {"a": "a\n"}, start="")
    one = commit(repo, "one", {"b": "b\n"}, start=main)

    odd, lost, plain_one = normalise(
        place, kept, [branch(stranger, main), branch(NOTHING, main), branch(one, main)], onto=main
    )

    assert "unrelated histories" in odd.why
    assert (odd.commit, odd.files, lost.commit) == (None, (), None)
    assert plain_one.commit
    assert plain_one.own == plain_one.touch


def test_where_a_branch_was_cut_may_be_gone(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    one = commit(repo, "one", {"b": "b\n"}, start=main)

    lost, known = normalise(place, kept, [branch(one, "1" * 40), branch(one, main)], onto=main)

    assert (lost.own, lost.touch) == (None, known.touch)
    assert known.own


def test_what_the_target_changed_alike_is_the_branch_s_own(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    alike = {"src/one.txt": numbered(n1="alike")}
    one = commit(repo, "one", alike, start=main)
    target = commit(repo, "main", alike)

    [found] = normalise(place, kept, [branch(one, main)], onto=target)

    assert found.touch == Touch()
    assert found.own
    assert found.own.claims == {"src/one.txt"}


def test_one_branch_built_on_another_does_not_conflict_with_it(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    below = commit(repo, "below", {"new.txt": "one\ntwo\n"}, start=main)
    above = commit(repo, "above", {"new.txt": "one\nother\n"}, start=below)
    target = commit(repo, "main", {"b": "b\n"})

    _, tried = clash(place, kept, target, below, above)

    assert tried == [None]


def test_a_directory_that_was_renamed_takes_new_files_along(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    moved = {"docs/guide.md": None, "manual/guide.md": "read me\n"}
    renamed = commit(repo, "renamed", moved, start=main)
    added = commit(repo, "added", {"docs/more.md": "more\n"}, start=main)

    (first, second), [files] = clash(place, kept, main, renamed, added)

    assert files
    assert first.touch.claims.isdisjoint(second.touch.claims)


def test_a_file_and_a_directory_of_one_name_conflict(
    place: Place, repo: Path, main: str, kept: Scratch
) -> None:
    file = commit(repo, "file", {"new": "file\n"}, start=main)
    folder = commit(repo, "folder", {"new/one": "one\n"}, start=main)

    _, [files] = clash(place, kept, main, file, folder)

    assert files


def test_a_directory_may_become_a_file(place: Place, repo: Path, main: str, kept: Scratch) -> None:
    file = commit(repo, "file", {"docs/guide.md": None, "docs": "all of it\n"}, start=main)
    more = commit(repo, "more", {"docs/more.md": "more\n"}, start=main)

    (first, _), [files] = clash(place, kept, main, file, more)

    assert first.touch.claims == {"docs", "docs/guide.md"}
    assert files


@pytest.mark.parametrize("name", ["a\nb", "ü ß", 'q"q', "-x", "a\tb"])
def test_odd_names_are_named_as_they_are(
    place: Place, repo: Path, main: str, kept: Scratch, name: str
) -> None:
    one = commit(repo, "one", {name: "1\n"}, start=main)
    two = commit(repo, "two", {name: "2\n"}, start=main)

    found, tried = clash(place, kept, main, one, two)

    assert tried == [(name,)]
    assert found[0].touch.claims == {name}


def test_where_we_may_not_write_commits_ourselves_git_does(
    place: Place, repo: Path, kept: Scratch, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = plain(repo, "rev-parse", "main")
    one = commit(repo, "one", {"new": "1\n"}, start=main)
    two = commit(repo, "two", {"new": "2\n"}, start=main)
    monkeypatch.setattr(normals, "write_commit", lambda *_, **__: None)
    before = plain(repo, "count-objects")

    _, tried = clash(place, kept, main, one, two)

    assert tried == [("new",)]
    assert plain(repo, "count-objects") == before


def test_what_a_target_got_is_known_unless_it_was_taken_back(
    place: Place, repo: Path, main: str
) -> None:
    later = commit(repo, "main", {"b": "b\n"})

    assert touch(place, main, later) == Touch.of(["b"])
    assert touch(place, later, main) is None
    assert touch(place, main, main) == Touch()


def test_nothing_asked_is_nothing_run(
    place: Place, main: str, kept: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normals, "git", None)

    assert conflicts(place, kept, [], onto=main) == []


def test_what_a_killed_process_left_is_tidied_up(place: Place) -> None:
    left, other = make(place, prefix="fleet-test-1-"), make(place, prefix="fleet-test-2-")
    try:
        tidy("fleet-test-1-")
        assert not left.objects.exists()
        assert other.objects.exists()
    finally:
        other.remove()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_conflicts_meets(
    place: Place, repo: Path, main: str, kept: Scratch, seed: int
) -> None:
    dice = random.Random(seed)
    tips = [commit(repo, f"b{number}", _edits(dice), start=main) for number in range(10)]

    clash(place, kept, main, *tips)


def _edits(dice: random.Random) -> dict[str, str | None]:
    """Some edits of a few lines, renames of files and directories, new files and removed ones."""
    edits: dict[str, str | None] = {}
    for _ in range(dice.randint(1, 3)):
        number, text = dice.randint(1, 20), f"{dice.random()}"
        edits |= dice.choice(
            (
                {f"src/{dice.choice(('one', 'two'))}.txt": numbered(**{f"n{number}": text})},
                {"src/one.txt": None, f"src/{dice.choice('xyz')}.txt": numbered()},
                {"src/deep/three.txt": None, f"{dice.choice('xyz')}/three.txt": "3\n"},
                {f"src/deep/{dice.choice('xyz')}": text},
                {"src": "a file\n", "src/one.txt": None, "src/two.txt": None,
                 "src/deep/three.txt": None},
                {f"docs/{dice.choice(('guide.md', 'x', 'x/y'))}": text},
                {"docs/guide.md": None},
            )
        )  # fmt: skip
    files = set(edits)
    under = {path for path in files if any(path.startswith(f"{it}/") for it in files if edits[it])}
    return {path: text for path, text in edits.items() if path not in under or text is None}
