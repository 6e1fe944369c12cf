"""A person stops, sets aside, takes up, removes and brings back: work is never lost."""

from pathlib import Path

import pytest
from place import Place, sockets
from waiting import until

pytestmark = pytest.mark.slow

WAIT = "until [ -e go ]; do sleep 0.05; done"
UNFINISHED = "echo one >a.txt; git add a.txt; git commit -qm a; echo two >>a.txt; echo new >b.txt"


def worktree(place: Place, task: str) -> Path:
    return Path(place.fleet("path", task).out.strip())


def unfinished(place: Place, task: str = "one") -> Path:
    """Have a task at work with committed, uncommitted and untracked work; return its worktree."""
    place.spawn(task, f"{UNFINISHED}; touch ready; {WAIT}", "--check", "test -s b.txt")
    place.becomes(task, "working")
    path = worktree(place, task)
    until((path / "ready").exists)
    return path


def test_stopped_work_stays_and_is_taken_up_again(place: Place) -> None:
    path = unfinished(place)

    place.fleet("stop", "one")
    place.becomes("one", "stopped")
    assert (path / "a.txt").read_text() == "one\ntwo\n"
    (path / "go").touch()
    place.fleet("retry", "one")
    place.becomes("one", "review")

    assert worktree(place, "one") == path
    assert "+new" in place.fleet("diff", "one").out


def test_a_task_is_set_aside_and_taken_up(place: Place) -> None:
    path = unfinished(place)

    place.fleet("pause", "one")
    place.becomes("one", "paused")
    (path / "go").touch()
    place.fleet("resume", "one")
    place.becomes("one", "review")

    assert place.show("one")["spent"] == 0


def test_work_is_taken_as_it_stands(place: Place) -> None:
    unfinished(place)

    place.fleet("done", "one")
    place.becomes("one", "review")

    assert place.show("one")["auto_commit"] is True
    assert place.show("one")["files"] == ["a.txt", "b.txt", "ready"]


def test_what_is_removed_can_be_brought_back(place: Place) -> None:
    path = unfinished(place)
    assert "fleet stop one" in place.fleet("rm", "one", ok=(1,)).err
    place.fleet("stop", "one")
    place.becomes("one", "stopped")

    place.fleet("rm", "one")
    until(lambda: place.show("one")["row"]["worktree"] is None)
    assert place.run("git", "rev-parse", "--verify", "fleet/one", ok=None).code
    until(lambda: not (path / "b.txt").exists(), what="its workspace is clean for the next one")
    assert place.fleet("ls", "--json").json == []

    place.fleet("restore", "one")
    until(lambda: place.show("one")["archived"] is None)
    back = worktree(place, "one")
    assert (back / "a.txt").read_text() == "one\ntwo\n"
    assert (back / "b.txt").read_text() == "new\n"
    status = place.git("status", "--porcelain", cwd=back).splitlines()
    assert [line.strip() for line in status] == ["M a.txt", "?? b.txt", "?? ready"]


def test_removing_needs_the_whole_name(place: Place) -> None:
    unfinished(place, "importer")

    refused = place.fleet("rm", "imp", ok=(1,))

    assert "imp" in refused.err
    assert place.becomes("importer", "working")


def test_clean_takes_what_has_landed_off_the_list(place: Place) -> None:
    place.spawn("one", "echo one >a.txt", "--check", "true", "--land", "auto")
    place.wait("one")
    until(lambda: place.show("one")["row"]["worktree"] is None)

    place.fleet("clean")

    assert place.fleet("ls", "--json").json == []
    assert place.file("a.txt") == "one\n"

    assert place.fleet("clean", "--forget", "1d", "--json").json["forgotten"] == []
    assert place.git("for-each-ref", "refs/fleet/cand", "refs/fleet/landed")
    assert place.fleet("clean", "--forget", "0s").out == "one\n"
    left = ("for-each-ref", *(f"refs/fleet/{kind}" for kind in ("cand", "landed", "trash")))
    until(lambda: not place.git(*left), what="nothing of it is left")
    assert "deleted for good" in place.fleet("restore", "one", ok=(1,)).err


def test_several_repositories_under_one_supervisor(place: Place) -> None:
    other = place.make_repo("other")
    for name, repo in (("one", place.repo), ("two", other)):
        place.spawn(name, f"echo {name} >a.txt", "--check", "true", "--land", "auto", cwd=repo)

    place.wait("one", "two")

    assert (place.file("a.txt"), place.file("a.txt", cwd=other)) == ("one\n", "two\n")
    assert len(place.fleet("status", "--json").json["repos"]) == 2


def test_all_is_stopped_without_a_supervisor_and_stays_so(place: Place) -> None:
    path = unfinished(place)
    place.fleet("down")

    said = place.fleet("stop", "--all")

    assert "processes of its agents were ended" in said.err
    assert sockets(place.root) == []
    place.fleet("up")
    place.becomes("one", "stopped")
    assert [it["attempt"] for it in place.events("attempt.began")] == [1]
    assert (path / "b.txt").read_text() == "new\n"


def test_nothing_is_stopped_where_nothing_ever_ran(place: Place) -> None:
    said = place.fleet("stop", "--all")

    assert "no agent of this home is left" in said.err
    assert not place.home.root.exists()
