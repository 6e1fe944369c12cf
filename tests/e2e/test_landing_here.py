"""Landing in a person's repository: their checkout, their remote, and their unfinished work."""

from pathlib import Path

import pytest
from place import Place
from waiting import until

pytestmark = pytest.mark.slow


def unfinished(repo: Path, place: Place) -> None:
    """Leave edits of every kind in the checkout of main."""
    place.git("add", "staged.txt")
    (repo / "staged.txt").write_text("staged\n")
    place.git("add", "staged.txt")
    (repo / "edited.txt").write_text("edited\n")
    (repo / "both.txt").write_text("first\n")
    place.git("add", "both.txt")
    (repo / "both.txt").write_text("first\nsecond\n")
    (repo / "untracked.txt").write_text("untracked\n")
    (repo / "gone.txt").unlink()


@pytest.fixture
def person(empty: Place) -> Place:
    names = ("staged.txt", "edited.txt", "both.txt", "gone.txt", "readme.txt")
    empty.make_repo(files=dict.fromkeys(names, "as it was\n"))
    unfinished(empty.repo, empty)
    return empty


def state(place: Place) -> dict[str, str]:
    """Everything about the person's unfinished work."""
    files = {
        path.name: f"{path.stat().st_mtime_ns} {path.read_bytes()!r}"
        for path in place.repo.glob("*.txt")
        if path.name not in ("readme.txt", "new.txt")
    }
    asked = {
        "unstaged": ("diff", "--binary"),
        "staged": ("diff", "--cached", "--binary"),
        "status": ("status", "--porcelain=v2", "--untracked-files=all"),
    }
    return files | {name: place.git(*words) for name, words in asked.items()}


def land(place: Place, command: str, name: str = "one") -> None:
    place.spawn(name, command, "--check", "true", "--land", "auto")


def test_unfinished_work_is_byte_identical_afterwards(person: Place) -> None:
    before = state(person)

    land(person, "echo landed >readme.txt; echo new >new.txt")
    person.wait("one")

    assert state(person) == before
    assert (person.repo / "readme.txt").read_text() == "landed\n"
    assert (person.repo / "new.txt").read_text() == "new\n"


@pytest.mark.parametrize("name", ["staged.txt", "edited.txt", "untracked.txt"])
def test_a_change_waits_until_nothing_would_be_overwritten(person: Place, name: str) -> None:
    before, tip = state(person), person.git("rev-parse", "main")

    land(person, f"echo agent >{name}")
    row = until(lambda: (row := person.show("one")["row"])["needs"] and row)
    assert name in row["needs"]
    assert state(person) == before
    assert person.git("rev-parse", "main") == tip

    person.git("stash", "-q", "--include-untracked")
    person.wait("one")
    assert (person.repo / name).read_text() == "agent\n"
    assert "both.txt" in person.git("stash", "show", "--name-only")


def test_a_target_that_is_checked_out_nowhere_just_moves(place: Place) -> None:
    place.git("checkout", "-q", "-b", "elsewhere")
    (place.repo / "readme.txt").write_text("mine\n")

    place.spawn("one", "echo hi >a.txt", "--check", ":", "--land", "auto", "--target", "main")
    place.wait("one")

    assert place.file("a.txt") == "hi\n"
    assert (place.repo / "readme.txt").read_text() == "mine\n"
    assert not (place.repo / "a.txt").exists()


def with_remote(place: Place) -> Path:
    remote = place.root / "remote.git"
    place.git("init", "-q", "--bare", "-b", "main", str(remote))
    place.git("remote", "add", "origin", str(remote))
    (place.repo / "fleet.yaml").write_text("push: true\n")
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "push")
    place.git("push", "-q", "origin", "main")
    place.fleet("trust")
    return remote


def test_the_remote_is_pushed_first(place: Place) -> None:
    remote = with_remote(place)

    land(place, "echo hi >a.txt")
    place.wait("one")

    assert place.git("rev-parse", "main") == place.git("rev-parse", "main", cwd=remote)
    assert place.file("a.txt", cwd=remote) == "hi\n"
    assert place.git("branch", "--list", "fleet/*", cwd=remote) == ""


def test_a_remote_that_moved_is_merged_with_not_overwritten(place: Place) -> None:
    remote = with_remote(place)
    other = place.root / "other"
    place.git("clone", "-q", str(remote), str(other))
    (other / "theirs.txt").write_text("theirs\n")
    place.git("add", "-A", cwd=other)
    place.git("commit", "-q", "-m", "theirs", cwd=other)
    place.git("push", "-q", "origin", "main", cwd=other)

    land(place, "echo hi >a.txt")
    place.wait("one")

    assert place.file("a.txt", cwd=remote) == "hi\n"
    assert place.file("theirs.txt", cwd=remote) == "theirs\n"
    assert place.git("rev-parse", "main") == place.git("rev-parse", "main", cwd=remote)
    assert (place.repo / "theirs.txt").read_text() == "theirs\n"


def test_history_that_was_taken_back_stops_the_queue_until_a_person_says_so(place: Place) -> None:
    """The target is then where it was seen before the landing, with nobody looking meanwhile."""
    land(place, "echo one >a.txt")
    place.wait("one")
    place.git("reset", "-q", "--hard", "HEAD~1")

    land(place, "echo two >b.txt", "two")
    needs = until(lambda: place.show("two")["row"]["needs"])
    assert "the queue of main is frozen: main was taken back" in needs
    assert place.file("b.txt") is None
    place.fleet("thaw")
    place.wait("two")

    assert place.file("b.txt") == "two\n"
