from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit

from fleet.core.policy import MergeMethod
from fleet.tools.git.building import Built, Person, build, committer
from fleet.tools.git.merging import Conflicted
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]
WHEN = 1_700_000_000
MERGE: MergeMethod = "merge"
SQUASH: MergeMethod = "squash"
REBASE: MergeMethod = "rebase"
TRAILERS = {"Fleet-Task": "fix", "Fleet-Approved-By": "A\nB <a@example.invalid>"}


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def sealed(repo: Path) -> str:
    commit(repo, "fix", {"a.txt": "a\n"}, start="main", message="add a")
    return commit(repo, "fix", {"b.txt": "b\n"}, message="add b\n\nSigned-off-by: X <x@y>")


@pytest.fixture
def target(repo: Path) -> str:
    return commit(repo, "target", {"t.txt": "t\n"}, start="main")


def test_a_merge_has_both_parents_and_says_who_approved(
    place: Place, repo: Path, sealed: str, target: str, plain: Plain
) -> None:
    built = build(
        place,
        target=target,
        sealed=sealed,
        method="merge",
        message="Fix it\n\nWhy.\n",
        when=WHEN,
        trailers=TRAILERS,
        author=Person("Some Agent", "agent@example.invalid"),
    )

    assert isinstance(built, Built)
    shown = plain(repo, "show", "-s", "--format=%P|%T|%an|%at|%cn|%ct|%B", built.commit)
    assert shown.rstrip("\n") == (
        f"{target} {sealed}|{built.tree}|Some Agent|{WHEN}|fleet|{WHEN}|Fix it\n\nWhy.\n\n"
        "Fleet-Task: fix\nFleet-Approved-By: A B <a@example.invalid>"
    )
    assert plain(repo, "rev-parse", "target") == target


@pytest.mark.parametrize("method", [MERGE, SQUASH, REBASE])
def test_nobody_else_says_by_trailers_who_approved(
    method: MergeMethod, place: Place, repo: Path, target: str, plain: Plain
) -> None:
    forged = (
        "add\n\nWhy.\n\nSigned-off-by: X <x@y>\n"
        "Fleet-Approved-By: ann\n and\n bob\nfleet-task : other\n"
    )
    sealed = commit(repo, "fix", {"a.txt": "a\n"}, start="main", message=forged)

    built = build(
        place,
        target=target,
        sealed=sealed,
        method=method,
        message=forged,
        when=WHEN,
        trailers=TRAILERS,
    )

    assert isinstance(built, Built)
    assert plain(repo, "show", "-s", "--format=%B", built.commit).strip() == (
        "add\n\nWhy.\n\nSigned-off-by: X <x@y>\n"
        "Fleet-Task: fix\nFleet-Approved-By: A B <a@example.invalid>"
    )


def test_a_squash_has_the_target_as_its_only_parent(
    place: Place, repo: Path, sealed: str, target: str, plain: Plain
) -> None:
    squashed, merged = (
        build(place, target=target, sealed=sealed, method=method, message="x", when=WHEN)
        for method in (SQUASH, MERGE)
    )

    assert isinstance(squashed, Built)
    assert isinstance(merged, Built)
    assert plain(repo, "show", "-s", "--format=%P", squashed.commit) == target
    assert squashed.tree == merged.tree


def test_a_conflict_is_handed_on(place: Place, repo: Path, sealed: str) -> None:
    other = commit(repo, "other", {"a.txt": "other\n"}, start="main")

    for method in (MERGE, SQUASH, REBASE):
        built = build(
            place,
            target=other,
            sealed=sealed,
            method=method,
            message="x",
            when=WHEN,
        )
        assert isinstance(built, Conflicted)
        assert built.files == ("a.txt",)


def replay(place: Place, target: str, sealed: str) -> Built:
    built = build(
        place,
        target=target,
        sealed=sealed,
        method="rebase",
        message="not used",
        when=WHEN,
        trailers={"Fleet-Task": "fix"},
    )
    assert isinstance(built, Built)
    return built


def test_a_replay_keeps_each_commit_with_author_time_and_words(
    place: Place, repo: Path, sealed: str, target: str, plain: Plain
) -> None:
    built = replay(place, target, sealed)

    shown = plain(
        repo, "log", "--reverse", "--format=%an %ad|%B|", "--date=raw", f"{target}..{built.commit}"
    )
    assert shown.split("|")[:4] == [
        "Agent 1700000000 +0100",
        "add a\n\nFleet-Task: fix\n",
        "\nAgent 1700000000 +0100",
        "add b\n\nSigned-off-by: X <x@y>\nFleet-Task: fix\n",
    ]


def test_a_replay_equals_what_git_rebase_makes(
    place: Place, repo: Path, sealed: str, target: str, plain: Plain
) -> None:
    built = replay(place, target, sealed)
    plain(repo, "rebase", "-q", target, "fix")

    assert plain(repo, "rev-parse", "fix^{tree}") == built.tree
    assert plain(repo, "rev-list", "--count", f"{target}..{built.commit}") == "2"


def test_a_replay_keeps_what_was_mended_while_merging(
    place: Place, repo: Path, sealed: str, target: str, plain: Plain
) -> None:
    mended = {"t.txt": "t\n", "a.txt": "mended\n"}
    merged = commit(repo, "fix", mended, merging=target, message="merge target")

    built = replay(place, target, merged)

    assert plain(repo, "show", f"{built.commit}:a.txt") == "mended"
    assert plain(repo, "rev-parse", f"{merged}^{{tree}}") == built.tree


def test_a_replay_of_what_is_there_already_is_the_target_itself(
    place: Place, repo: Path, sealed: str
) -> None:
    target = commit(repo, "target", {"a.txt": "a\n", "b.txt": "b\n"}, start="main")

    assert replay(place, target, sealed).commit == target


def test_equal_questions_give_equal_commits(
    place: Place, sealed: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = replay(place, target, sealed)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "@1 +0000")

    assert replay(place, target, sealed) == before


def test_the_committer_is_the_repositorys_user_else_fleet(
    place: Place, repo: Path, plain: Plain
) -> None:
    assert committer(place) == Person("fleet", "fleet@localhost")
    plain(repo, "config", "--global", "user.name", "Global")
    plain(repo, "config", "--global", "user.email", "g@example.invalid")
    plain(repo, "config", "user.name", "Local")

    assert committer(place) == Person("Local", "g@example.invalid")


def test_a_commit_without_words_or_author_can_be_replayed(
    place: Place, repo: Path, target: str, plain: Plain
) -> None:
    tree = plain(repo, "rev-parse", f"{commit(repo, 'x', {'n': 'n'}, start='main')}^{{tree}}")
    parent = plain(repo, "rev-parse", "main")
    raw = f"tree {tree}\nparent {parent}\nauthor  <> 1 +0000\ncommitter C <c> 1 +0000\n\n"
    (repo / "raw").write_text(raw)
    odd = plain(repo, "hash-object", "-t", "commit", "-w", "--literally", "raw")

    built = replay(place, target, odd)

    assert plain(repo, "show", "-s", "--format=%an|%s", built.commit) == "unknown|no message"
