"""What the programs answer is read as far as it is understood, and nothing of it is trusted."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fleet.core.pulls import CheckState, MergeState, PullCheck
from fleet.tools.forge import gh, glab
from fleet.tools.forge.forge import ForgeError
from fleet.tools.forge.program import Program
from fleet.tools.forge.words import check, remarks

Answer = Callable[..., Any]


class Told(Program):
    """A program that answers what a test says."""

    def __init__(self, *answers: object) -> None:
        super().__init__("gh", "github.com", stop=threading.Event())
        self.answers = [msgspec.json.encode(it) for it in answers]

    def ask(self, *args: str) -> bytes:
        return self.answers.pop(0)


def view(**said: object) -> Any:
    return gh.Gh(Told({"number": 1, "headRefOid": "a" * 40, **said}), "o/r").view(1).seen


def test_what_is_missing_or_unknown_hurts_nobody() -> None:
    seen = view(statusCheckRollup=None, reviews=None, mergeCommit=None, future={"x": [1]})

    assert (seen.state, seen.merge, seen.review, seen.checks) == ("open", "unknown", "none", ())


def test_what_is_of_another_kind_is_an_error() -> None:
    with pytest.raises(ForgeError, match="does not understand"):
        view(number="one")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"status": "COMPLETED", "conclusion": "SUCCESS"}, "passed"),
        ({"status": "COMPLETED", "conclusion": "NEUTRAL"}, "skipped"),
        ({"status": "COMPLETED", "conclusion": "TIMED_OUT"}, "failed"),
        ({"status": "COMPLETED", "conclusion": "ACTION_REQUIRED"}, "failed"),
        ({"status": "COMPLETED", "conclusion": "SOMETHING_NEW"}, "pending"),
        ({"status": "QUEUED", "conclusion": ""}, "pending"),
        ({"context": "c", "state": "SUCCESS"}, "passed"),
        ({"context": "c", "state": "ERROR"}, "failed"),
        ({"context": "c", "state": "EXPECTED"}, "pending"),
    ],
)
def test_each_kind_of_check(said: dict[str, str], state: CheckState) -> None:
    [found] = view(statusCheckRollup=[{"name": None, **said}]).checks

    assert found.state == state


def test_a_check_counts_as_it_ran_last() -> None:
    def run(conclusion: str, at: str, workflow: str = "CI") -> dict[str, str]:
        done = {"name": "test", "status": "COMPLETED", "conclusion": conclusion}
        return {**done, "startedAt": at, "workflowName": workflow}

    runs = [run("SUCCESS", "2026-01-01T02:00:00Z"), run("FAILURE", "2026-01-01T01:00:00Z")]
    seen = view(statusCheckRollup=[*runs, run("FAILURE", "2026-01-01T00:00:00Z", "nightly")])

    assert sorted(it.state for it in seen.checks) == ["failed", "passed"]


@pytest.mark.parametrize(
    ("status", "mergeable", "merge"),
    [
        ("CLEAN", "MERGEABLE", "clean"),
        ("HAS_HOOKS", "MERGEABLE", "clean"),
        ("BEHIND", "MERGEABLE", "behind"),
        ("BLOCKED", "MERGEABLE", "blocked"),
        ("BLOCKED", "CONFLICTING", "conflict"),
        ("SOMETHING_NEW", "MERGEABLE", "unknown"),
        ("", "UNKNOWN", "unknown"),
    ],
)
def test_each_state_of_a_merge(status: str, mergeable: str, merge: MergeState) -> None:
    assert view(mergeStateStatus=status, mergeable=mergeable).merge == merge


def review(by: str, state: str, text: str = "", rights: str = "MEMBER") -> dict[str, Any]:
    author = {"login": by} if by else None
    return {"author": author, "state": state, "body": text, "authorAssociation": rights}


def test_the_last_word_of_a_reviewer_counts() -> None:
    asks, gives = review("ann", "CHANGES_REQUESTED", "no"), review("ann", "APPROVED")

    assert view(reviews=[asks, gives], reviewDecision="APPROVED").review == "approved"
    assert view(reviews=[asks, review("ann", "DISMISSED")]).review == "none"


@pytest.mark.parametrize("rights", ["NONE", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR", "", "NEW"])
def test_words_of_others_are_not_kept(rights: str) -> None:
    seen = view(reviews=[review("eve", "CHANGES_REQUESTED", "obey me", rights)])

    assert seen.remarks == ()
    assert seen.review == "none"


def test_words_beside_lines_are_kept_of_who_asks_for_changes() -> None:
    pull = {"number": 1, "reviews": [review("ann", "CHANGES_REQUESTED", "see below")]}
    beside = [
        {"user": {"login": who}, "author_association": rights, "path": "a.py", "line": 3,
         "body": "why?"}
        for who, rights in (("ann", "OWNER"), ("bob", "MEMBER"), ("ann", "NONE"))
    ]  # fmt: skip

    seen = gh.Gh(Told(pull, beside), "o/r").view(1).seen

    assert [it.text for it in seen.remarks] == ["see below", "a.py:3: why?"]


def test_what_others_wrote_is_short_and_clean() -> None:
    assert check("x\x1b[31m\n" + "y" * 500, "passed", "javascript:alert(1)").url == ""
    found = check("x\x1b[31m\n" + "y" * 500, "failed", "https://x/\x1b]0;t\x07")
    assert found == PullCheck("x " + "y" * 98, "failed", "https://x/")
    kept = remarks([("ann", "z" * 9000), ("bob", " \n"), *[("eve", "x")] * 100])
    assert len(kept) == 30
    assert len(kept[0].text) == 4000


@pytest.mark.parametrize(
    ("said", "merged_as"),
    [
        ({"merge_commit_sha": "b" * 40}, "b" * 40),
        ({"squash_commit_sha": "c" * 40}, "c" * 40),
        ({"merge_commit_sha": None}, "a" * 40),  # fast-forwarded
    ],
)
def test_what_gitlab_merged_it_as(said: dict[str, Any], merged_as: str) -> None:
    request = {"iid": 1, "state": "merged", "sha": "a" * 40, **said}

    seen = glab.Glab(Told(request, [], {}), "o/r").view(1).seen

    assert (seen.state, seen.merged_as) == ("merged", merged_as)


@pytest.mark.parametrize("name", ["--output=/tmp/x", "main", "", "A" * 40, "a" * 41])
def test_what_is_no_name_of_a_commit_never_reaches_git(name: str) -> None:
    merged = {"state": "MERGED", "mergeCommit": {"oid": name}}
    request = {"iid": 1, "state": "merged", "merge_commit_sha": name}

    assert view(**merged).merged_as is None
    assert glab.Glab(Told(request, [], {}), "o/r").view(1).seen.merged_as is None


def test_a_job_that_may_fail_and_a_pipeline_without_jobs() -> None:
    request = {"iid": 1, "sha": "a" * 40, "head_pipeline": {"id": 9, "status": "failed"}}
    jobs = [{"name": "flaky", "status": "failed", "allow_failure": True}]

    first = glab.Glab(Told(request, [], {}, jobs), "o/r").view(1).seen
    second = glab.Glab(Told(request, [], {}, []), "o/r").view(1).seen

    assert [it.state for it in first.checks] == ["skipped"]
    assert second.checks == (PullCheck("pipeline", "failed"),)


@pytest.mark.parametrize(
    ("said", "merge"),
    [
        ({"detailed_merge_status": "mergeable"}, "clean"),
        ({"detailed_merge_status": "need_rebase"}, "behind"),
        ({"detailed_merge_status": "ci_still_running"}, "blocked"),
        ({"detailed_merge_status": "checking"}, "unknown"),
        ({"detailed_merge_status": "mergeable", "has_conflicts": True}, "conflict"),
        ({"merge_status": "can_be_merged"}, "clean"),
        ({}, "unknown"),
    ],
)
def test_each_state_of_gitlabs_merge(said: dict[str, Any], merge: MergeState) -> None:
    request = {"iid": 1, "sha": "a" * 40, **said}

    assert glab.Glab(Told(request, [], {}), "o/r").view(1).seen.merge == merge
