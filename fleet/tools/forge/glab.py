"""Merge requests on GitLab, by `glab api`: the one command whose answers GitLab itself documents.

The subcommands for merge requests change their options, take the text only as an argument, which
every process may read, and cannot be told the commit that is to be merged in all versions.
"""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

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
from fleet.tools.forge.forge import DeclinedError, Found, Proposal
from fleet.tools.forge.program import Program, private_file
from fleet.tools.forge.words import check, commit, remarks

T = TypeVar("T")
_STATES: dict[str, PullState] = {"merged": "merged", "closed": "closed"}
_MERGES: dict[str, MergeState] = {
    "mergeable": "clean",
    "can_be_merged": "clean",  # before GitLab 15.6
    "need_rebase": "behind",
    "conflict": "conflict",
    "broken_status": "conflict",
    **dict.fromkeys(("checking", "unchecked", "preparing", "approvals_syncing", ""), "unknown"),
}
_CHECKS: dict[str, CheckState] = {
    "success": "passed",
    **dict.fromkeys(("failed", "canceled", "canceling"), "failed"),
    **dict.fromkeys(("skipped", "manual"), "skipped"),
}
_DEVELOPER = 30  # the least of GitLab's levels that may push
_JSON = "Content-Type: application/json"


class _Pipeline(Struct):
    id: int = 0
    status: str = ""
    web_url: str | None = None


class _Request(Struct):
    iid: int
    web_url: str = ""
    state: str = "opened"
    draft: bool = False
    sha: str | None = None
    source_branch: str = ""
    target_branch: str = ""
    source_project_id: int | None = None
    target_project_id: int | None = None
    detailed_merge_status: str | None = None
    merge_status: str | None = None
    has_conflicts: bool | None = None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    head_pipeline: _Pipeline | None = None
    description: str | None = None


class _Job(Struct):
    name: str = ""
    status: str = ""
    web_url: str | None = None
    allow_failure: bool = False


class _Approvals(Struct):
    approved: bool = False
    approvals_left: int | None = None
    approved_by: list[Any] | None = None


class _User(Struct):
    id: int = 0
    username: str = ""


class _Reviewer(Struct):
    user: _User | None = None
    state: str = ""


class _Member(Struct):
    access_level: int = 0


class _Position(Struct):
    new_path: str | None = None
    new_line: int | None = None


class _Note(Struct):
    author: _User | None = None
    body: str | None = None
    system: bool = False
    resolvable: bool = False
    resolved: bool = False
    position: _Position | None = None


class Glab:
    """A project on GitLab: `path` are its groups and its name."""

    name: ForgeName = "glab"

    def __init__(self, program: Program, path: str) -> None:
        self._program, self._project = program, f"projects/{quote(path, safe='')}"

    def find(self, branch: str, target: str, held: str) -> int | None:
        asked = urlencode(
            {"source_branch": branch, "target_branch": target, "state": "all", "per_page": "50"}
        )
        listed = self._get(list[_Request], f"merge_requests?{asked}")
        ours = [it for it in listed if it.source_project_id == it.target_project_id]
        found = [it for it in ours if it.state == "opened"]
        found += [it for it in ours if it.sha == held]
        return found[0].iid if found else None

    def create(self, proposal: Proposal) -> int:
        made = self._send(
            _Request,
            "POST",
            "merge_requests",
            source_branch=proposal.branch,
            target_branch=proposal.target,
            title=proposal.title,
            description=proposal.text,
        )
        return made.iid

    def view(self, number: int) -> Found:
        request = self._get(_Request, f"merge_requests/{number}")
        asking = self._asking(number)
        seen = Seen(
            state=_state(request),
            head=Commit(request.sha or ""),
            target=request.target_branch,
            merge=_merge(request),
            review="changes-requested" if asking else self._review(number),
            checks=tuple(self._checks(request.head_pipeline)),
            remarks=self._remarks(number, asking) if asking else (),
            merged_as=_merged_as(request),
        )
        return Found(number, request.web_url, seen, request.description or "")

    def describe(self, number: int, text: str) -> None:
        self._send(_Request, "PUT", f"merge_requests/{number}", description=text)

    def merge(self, number: int, *, head: str, method: MergeMethod) -> None:
        where = f"merge_requests/{number}/merge"
        self._send(_Request, "PUT", where, sha=head, squash=method == "squash")

    def close(self, number: int) -> None:
        self._send(_Request, "PUT", f"merge_requests/{number}", state_event="close")

    # How it is asked ------------------------------------------------------------------------

    def _get(self, kind: type[T], where: str) -> T:
        host = ("--hostname", self._program.host)
        return self._program.read(kind, "api", *host, f"{self._project}/{where}")

    def _get_if_any(self, kind: type[T], where: str) -> T | None:
        """Return the same; None where this GitLab has no such thing, or keeps it to itself."""
        try:
            return self._get(kind, where)
        except DeclinedError:
            return None

    def _send(self, kind: type[T], how: str, where: str, **said: object) -> T:
        with private_file(msgspec.json.encode(said)) as file:
            out = self._program.ask(
                *("api", "--hostname", self._program.host, "--method", how, "--header", _JSON),
                *("--input", file, f"{self._project}/{where}"),
            )
        return self._program.understood(kind, out)

    # What it says ---------------------------------------------------------------------------

    def _review(self, number: int) -> ReviewState:
        found = self._get_if_any(_Approvals, f"merge_requests/{number}/approvals")
        if found is None:
            return "none"
        if found.approvals_left:
            return "required"
        return "approved" if found.approved_by else "none"

    def _checks(self, pipeline: _Pipeline | None) -> Iterator[PullCheck]:
        if pipeline is None or not pipeline.id:
            return
        where = f"pipelines/{pipeline.id}/jobs?per_page=100"
        jobs = self._get_if_any(list[_Job], where)
        if not jobs:
            state = _CHECKS.get(pipeline.status, "pending")
            yield check("pipeline", state, pipeline.web_url or "")
            return
        for job in jobs:
            state = _CHECKS.get(job.status, "pending")
            state = "skipped" if state == "failed" and job.allow_failure else state
            yield check(job.name, state, job.web_url or "")

    def _asking(self, number: int) -> list[_User]:
        """Return who asks for changes and may push to the project."""
        reviewers = self._get_if_any(list[_Reviewer], f"merge_requests/{number}/reviewers") or []
        asking = [it.user for it in reviewers if it.state == "requested_changes" and it.user]
        return [user for user in asking if self._may_write(user)]

    def _may_write(self, user: _User) -> bool:
        member = self._get_if_any(_Member, f"members/all/{user.id}")
        return member is not None and member.access_level >= _DEVELOPER

    def _remarks(self, number: int, asking: list[_User]) -> tuple[PullRemark, ...]:
        notes = self._get(list[_Note], f"merge_requests/{number}/notes?sort=asc&per_page=100")
        who = {user.id for user in asking}
        return remarks(
            (note.author.username, _said(note))
            for note in notes
            if note.author and note.author.id in who and not (note.system or note.resolved)
        )


def _said(note: _Note) -> str:
    at = note.position
    where = f"{at.new_path}:{at.new_line or '?'}: " if at and at.new_path else ""
    return f"{where}{note.body or ''}"


def _state(request: _Request) -> PullState:
    return _STATES.get(request.state) or ("draft" if request.draft else "open")


def _merge(request: _Request) -> MergeState:
    if request.has_conflicts:
        return "conflict"
    return _MERGES.get(request.detailed_merge_status or request.merge_status or "", "blocked")


def _merged_as(request: _Request) -> Commit | None:
    """Return what the target got: where it was fast-forwarded, that is the branch itself."""
    if request.state != "merged":
        return None
    return commit(request.merge_commit_sha or request.squash_commit_sha or request.sha)
