"""Pull requests on GitHub and GitHub Enterprise, by `gh`; the only code that knows its JSON."""

import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from fleet.core.ids import Commit
from fleet.core.policy import MergeMethod
from fleet.core.pulls import (
    CheckState,
    ForgeName,
    MergeState,
    PullCheck,
    PullRemark,
    PullState,
    ReviewState,
    Seen,
)
from fleet.tools.forge.forge import ForgeError, Found, Proposal
from fleet.tools.forge.program import Program, private_file
from fleet.tools.forge.words import check, commit, remarks

_LISTED = "number,url,state,headRefOid,headRefName,baseRefName,isCrossRepository"
_VIEWED = (
    f"{_LISTED},isDraft,mergeable,mergeStateStatus,mergeCommit,reviewDecision,statusCheckRollup,"
    "reviews,body"
)
_MERGES: dict[str, MergeState] = {
    "CLEAN": "clean",
    "HAS_HOOKS": "clean",
    "UNSTABLE": "clean",  # it would be merged, with checks that failed or are not through
    "BEHIND": "behind",
    "DIRTY": "conflict",
    "BLOCKED": "blocked",
    "DRAFT": "blocked",
}
_REVIEWS: dict[str, ReviewState] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes-requested",
    "REVIEW_REQUIRED": "required",
}
_CHECKS: dict[str, CheckState] = {
    **dict.fromkeys(("SUCCESS",), "passed"),
    **dict.fromkeys(("NEUTRAL", "SKIPPED", "STALE"), "skipped"),
    **dict.fromkeys(
        ("FAILURE", "ERROR", "CANCELLED", "TIMED_OUT", "ACTION_REQUIRED", "STARTUP_FAILURE"),
        "failed",
    ),
}
_MAY_WRITE = {"OWNER", "MEMBER", "COLLABORATOR"}
_DECIDES = {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}


class _Named(Struct, rename="camel"):
    login: str = ""


class _Oid(Struct):
    oid: str = ""


class _Check(Struct, rename="camel"):
    """A check run, which has a name and a status, or a status, which has a context and a state."""

    name: str | None = None
    workflow_name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    details_url: str | None = None
    started_at: str | None = None
    context: str | None = None
    state: str | None = None
    target_url: str | None = None


class _Review(Struct, rename="camel"):
    author: _Named | None = None
    author_association: str = ""
    body: str | None = None
    state: str = ""


class _Pull(Struct, rename="camel"):
    number: int
    url: str = ""
    state: str = "OPEN"
    head_ref_oid: str = ""
    head_ref_name: str = ""
    base_ref_name: str = ""
    is_cross_repository: bool = False
    is_draft: bool = False
    mergeable: str | None = None
    merge_state_status: str | None = None
    merge_commit: _Oid | None = None
    review_decision: str | None = None
    status_check_rollup: list[_Check] | None = None
    reviews: list[_Review] | None = None
    body: str | None = None


class _LineComment(Struct):
    user: _Named | None = None
    author_association: str = ""
    path: str = ""
    line: int | None = None
    body: str | None = None


class Gh:
    """A repository on GitHub: `path` is owner and name."""

    name: ForgeName = "gh"

    def __init__(self, program: Program, path: str) -> None:
        self._program, self._path = program, path
        self._where = ("-R", f"{program.host}/{path}")

    def find(self, branch: str, target: str, held: str) -> int | None:
        listed = self._program.read(
            list[_Pull],
            *("pr", "list", *self._where, f"--head={branch}", "--state=all", f"--json={_LISTED}"),
        )
        # Forks have branches of the same names.
        ours = [it for it in listed if it.head_ref_name == branch and not it.is_cross_repository]
        there = [it for it in ours if it.base_ref_name == target]
        found = [it for it in there if it.state == "OPEN"]
        found += [it for it in there if it.head_ref_oid == held]
        return found[0].number if found else None

    def create(self, proposal: Proposal) -> int:
        with private_file(proposal.text.encode()) as file:
            out = self._program.ask(
                *("pr", "create", *self._where, f"--head={proposal.branch}"),
                *(f"--base={proposal.target}", f"--title={proposal.title}", f"--body-file={file}"),
            )
        number = re.search(rb"/pull/(\d+)\s*$", out)
        if number is None:
            raise ForgeError("gh opened a pull request, and did not say which")
        return int(number[1])

    def view(self, number: int) -> Found:
        pull = self._program.read(
            _Pull, "pr", "view", str(number), *self._where, f"--json={_VIEWED}"
        )
        asking = _asking(pull.reviews or ())
        seen = Seen(
            state=_state(pull),
            head=Commit(pull.head_ref_oid),
            target=pull.base_ref_name,
            merge=_merge(pull),
            review="changes-requested"
            if asking
            else _REVIEWS.get(pull.review_decision or "", "none"),
            checks=tuple(_checks(pull.status_check_rollup or ())),
            remarks=self._remarks(number, asking) if asking else (),
            merged_as=_merged_as(pull),
        )
        return Found(number, pull.url, seen, pull.body or "")

    def describe(self, number: int, text: str) -> None:
        # `gh pr edit` of many versions asks for projects as well, which fails for most logins.
        with private_file(msgspec.json.encode({"body": text})) as file:
            where = f"repos/{self._path}/pulls/{number}"
            self._program.ask(
                *("api", "--hostname", self._program.host, "--method=PATCH", where),
                *(f"--input={file}", "--silent"),
            )

    def merge(self, number: int, *, head: str, method: MergeMethod) -> None:
        self._program.ask(
            *("pr", "merge", str(number), *self._where, f"--match-head-commit={head}"),
            f"--{method}",
        )

    def close(self, number: int) -> None:
        self._program.ask("pr", "close", str(number), *self._where)

    def _remarks(self, number: int, asking: list[_Review]) -> tuple[PullRemark, ...]:
        """Return what those say who ask for changes, in the review and beside the lines."""
        where = f"repos/{self._path}/pulls/{number}/comments?per_page=100"
        host = ("--hostname", self._program.host)
        beside = self._program.read(list[_LineComment], "api", *host, where)
        said = [(_login(it.author), it.body or "") for it in asking]
        who = {by for by, _ in said}
        said += [
            (_login(it.user), f"{it.path}:{it.line or '?'}: {it.body or ''}")
            for it in beside
            if it.author_association in _MAY_WRITE and _login(it.user) in who
        ]
        return remarks(said)


def _login(named: _Named | None) -> str:
    return named.login if named else ""


def _state(pull: _Pull) -> PullState:
    if pull.state == "MERGED":
        return "merged"
    if pull.state == "CLOSED":
        return "closed"
    return "draft" if pull.is_draft else "open"


def _merge(pull: _Pull) -> MergeState:
    if pull.mergeable == "CONFLICTING":
        return "conflict"
    return _MERGES.get(pull.merge_state_status or "", "unknown")


def _merged_as(pull: _Pull) -> Commit | None:
    merged = pull.merge_commit if pull.state == "MERGED" else None
    return commit(merged.oid) if merged else None


def _asking(reviews: Iterable[_Review]) -> list[_Review]:
    """Return the reviews that ask for changes, of people whose last word that is."""
    last: dict[str, _Review] = {}
    for it in reviews:
        if it.state in _DECIDES and it.author_association in _MAY_WRITE:
            last[_login(it.author)] = it
    return [it for it in last.values() if it.state == "CHANGES_REQUESTED"]


def _checks(rollup: Iterable[_Check]) -> Iterator[PullCheck]:
    """Yield each check once, as it ran last."""
    newest: dict[tuple[str, str], _Check] = {}
    for it in sorted(rollup, key=lambda it: it.started_at or ""):
        newest[it.workflow_name or "", it.name or it.context or "?"] = it
    for (_, name), it in newest.items():
        yield check(name, _check_state(it), it.details_url or it.target_url or "")


def _check_state(it: _Check) -> CheckState:
    word = it.state if it.context else (it.conclusion if it.status == "COMPLETED" else None)
    return _CHECKS.get(word or "", "pending")
