"""Stand-ins for `gh` and `glab`: the arguments and answers of the real ones, on a `FakeForge`.

Flags, JSON fields and exit codes are those of gh 2.23.0, as its help has them, and of the REST API
of GitLab, which `glab api` passes on. Whatever else they are called with is an error.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parent))

from fake_forge import DeclinedError, FakeForge, Pull

_FIELDS = """
additions assignees author baseRefName body changedFiles closed closedAt comments commits createdAt
deletions files headRefName headRefOid headRepository headRepositoryOwner id isCrossRepository
isDraft labels latestReviews maintainerCanModify mergeCommit mergeStateStatus mergeable mergedAt
mergedBy milestone number potentialMergeCommit projectCards reactionGroups reviewDecision
reviewRequests reviews state statusCheckRollup title updatedAt url
"""
_SILENCE = ("GH_PROMPT_DISABLED", "NO_COLOR", "GH_NO_UPDATE_NOTIFIER")
_CONCLUSIONS = {"passed": "SUCCESS", "failed": "FAILURE"}
_JOBS = {"passed": "success", "failed": "failed", "pending": "running"}
_STATUSES = {
    "CLEAN": "mergeable", "UNSTABLE": "mergeable", "BLOCKED": "not_approved", "DIRTY": "conflict",
    "BEHIND": "need_rebase", "UNKNOWN": "checking",
}  # fmt: skip


class Left(Exception):  # noqa: N818 (no error: the end of the program)
    """It ends with this exit code, after these complaints."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code


def main(name: str, root: str, *args: str) -> int:
    forge = FakeForge(Path(root))
    with forge.state() as state:
        state["calls"].append([name, *args])
        fail, login = state["fail"], state["login"]
    try:
        _trouble(name, fail, login=login)
        (_gh if name == "gh" else _glab)(forge, list(args))
    except Left as left:
        print(left, file=sys.stderr)
        return left.code
    except DeclinedError as error:
        said = {"gh": f"X {error}", "glab": f"glab: 405 {error} (HTTP 405)"}
        print(said[name], file=sys.stderr)
        return 1
    return 0


def _trouble(name: str, fail: str | None, *, login: bool) -> None:
    for variable in _SILENCE:
        assert os.environ.get(variable), f"{variable} is not set: this might ask or draw"
    if not login:
        raise Left(4 if name == "gh" else 1, f"To get started, please run:  {name} auth login")
    if fail in _FAILURES:
        raise Left(1, _FAILURES[fail])
    if fail == "garbage":
        print("<html>502 Bad Gateway</html>")
        raise SystemExit(0)
    while fail == "endless":
        print("x" * 65536)
    if fail in _SLEEPS:
        time.sleep(_SLEEPS[fail])


_SLEEPS = {"hang": 3600, "slow": 1}
_FAILURES = {
    "offline": "error connecting to api.github.com\ncheck your internet connection",
    "limit": "HTTP 403: API rate limit exceeded for user ID 1. (https://api)",
    "secret": "fatal: https://me:hunter2@github.com/ ghp_0123456789abcdef: no",
}


# gh -----------------------------------------------------------------------------------------


def _gh(forge: FakeForge, args: list[str]) -> None:
    if args[:2] == ["auth", "status"]:
        return
    if args[0] == "api":
        _gh_api(forge, args[1:])
        return
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-R", required=True)
    verb = f"{args[0]} {args[1]}"
    for flag in _FLAGS[verb]:
        parser.add_argument(f"--{flag}", action="store_true" if flag in _METHODS else "store")
    if verb not in {"pr list", "pr create"}:
        parser.add_argument("number", type=int)
    said = parser.parse_args(args[2:])
    assert said.R == "github.com/o/r", said.R
    _VERBS[verb](forge, said)


_METHODS = ("merge", "squash", "rebase")
_FLAGS = {
    "pr list": ("head", "state", "json", "limit"),
    "pr create": ("head", "base", "title", "body-file"),
    "pr view": ("json",),
    "pr merge": ("match-head-commit", *_METHODS),
    "pr close": (),
}


def _list(forge: FakeForge, said: argparse.Namespace) -> None:
    found = [it for it in forge.pulls if it["branch"] == said.head]
    assert said.state == "all"
    print(json.dumps([_shown(forge, it, said.json) for it in reversed(found)]))


def _create(forge: FakeForge, said: argparse.Namespace) -> None:
    file = Path(said.body_file)
    assert file.stat().st_mode & 0o077 == 0, "others may read the text"
    text = file.read_text()
    if len(text) > 65536:
        raise DeclinedError("GraphQL: Body is too long (maximum is 65536 characters)")
    number = forge.open(branch=said.head, target=said.base, title=said.title, text=text)
    print(f"https://github.com/o/r/pull/{number}")


def _view(forge: FakeForge, said: argparse.Namespace) -> None:
    print(json.dumps(_shown(forge, _found(forge, said.number), said.json)))


def _merge(forge: FakeForge, said: argparse.Namespace) -> None:
    [method] = [it for it in _METHODS if getattr(said, it)]
    assert said.match_head_commit, "this would merge whatever is there"
    forge.merge(said.number, method, expected=said.match_head_commit)


def _close(forge: FakeForge, said: argparse.Namespace) -> None:
    forge.close(said.number)


_VERBS = {
    "pr list": _list,
    "pr create": _create,
    "pr view": _view,
    "pr merge": _merge,
    "pr close": _close,
}


def _found(forge: FakeForge, number: int) -> Pull:
    found = [it for it in forge.pulls if it["number"] == number]
    if not found:
        raise Left(1, "GraphQL: Could not resolve to a PullRequest with that number")
    return found[0]


def _shown(forge: FakeForge, it: Pull, fields: str) -> dict[str, Any]:
    names = fields.split(",")
    if unknown := set(names) - {*_FIELDS.split()}:
        raise Left(1, f"Unknown JSON field: {unknown}")
    with forge.state() as state:
        strict = state["strict"]
    status = forge.status(it, strict=strict) if it["state"] == "open" else "UNKNOWN"
    whole = {
        "number": it["number"],
        "url": f"https://github.com/o/r/pull/{it['number']}",
        "state": it["state"].upper(),
        "isDraft": it["draft"],
        "headRefOid": forge.head(it),
        "headRefName": it["branch"],
        "baseRefName": it["target"],
        "isCrossRepository": it["fork"],
        "mergeable": "CONFLICTING" if status == "DIRTY" else "MERGEABLE",
        "mergeStateStatus": status,
        "mergeCommit": {"oid": it["merged_as"]} if it["merged_as"] else None,
        "reviewDecision": "REVIEW_REQUIRED" if it["needs_review"] else "",
        "statusCheckRollup": [_check(name, state) for name, state in forge.said(it).items()],
        "reviews": [
            {
                "author": {"login": said["by"]}, "authorAssociation": said["rights"],
                "body": said["text"], "state": said["state"], "submittedAt": "2026-01-01T00:00:00Z",
            }
            for said in it["reviews"]
        ],
        "title": it["title"],
        "body": it["text"],
    }  # fmt: skip
    return {name: whole[name] for name in names}


def _check(name: str, state: str) -> dict[str, Any]:
    if name.startswith("ci/"):  # a status, as older systems report them
        word = {"passed": "SUCCESS", "failed": "ERROR"}.get(state, "PENDING")
        return {"__typename": "StatusContext", "context": name, "state": word, "targetUrl": ""}
    done = state in _CONCLUSIONS
    return {
        "__typename": "CheckRun",
        "name": name,
        "workflowName": "CI",
        "status": "COMPLETED" if done else "IN_PROGRESS",
        "conclusion": _CONCLUSIONS.get(state, ""),
        "detailsUrl": f"https://ci.example.org/{name}",
        "startedAt": "2026-01-01T00:00:00Z",
        "completedAt": "2026-01-01T00:01:00Z",
    }


def _gh_api(forge: FakeForge, args: list[str]) -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("where")
    for flag in ("hostname", "method", "input"):
        parser.add_argument(f"--{flag}")
    parser.add_argument("--silent", action="store_true")
    said = parser.parse_args(args)
    parts = urlsplit(said.where).path.split("/")
    assert parts[:4] == ["repos", "o", "r", "pulls"], parts
    if parts[5:] == ["comments"]:
        print(json.dumps(_found(forge, int(parts[4])).get("beside", [])))
        return
    assert said.method == "PATCH"
    forge.change(int(parts[4]), text=json.loads(Path(said.input).read_text())["body"])


# glab ---------------------------------------------------------------------------------------


def _glab(forge: FakeForge, args: list[str]) -> None:
    if args[:2] == ["auth", "status"]:
        return
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("where")
    for flag in ("hostname", "method", "header", "input"):
        parser.add_argument(f"--{flag}")
    said = parser.parse_args(args)
    url = urlsplit(said.where)
    project, _, rest = url.path.removeprefix("projects/").partition("/")
    assert project == "o%2Fr", project
    sent = json.loads(Path(said.input).read_text()) if said.input else {}
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    print(json.dumps(_rest(forge, said.method or "GET", rest.split("/"), asked | sent)))


def _rest(forge: FakeForge, how: str, where: list[str], said: dict[str, Any]) -> Any:
    match how, *where:
        case "GET", "merge_requests":
            same = [it for it in forge.pulls if it["branch"] == said["source_branch"]]
            return [_request(forge, it) for it in reversed(same)]
        case "POST", "merge_requests":
            number = forge.open(
                branch=said["source_branch"],
                target=said["target_branch"],
                title=said["title"],
                text=said["description"],
            )
            return _request(forge, _found(forge, number))
        case "GET", "merge_requests", number:
            return _request(forge, _found(forge, int(number)))
        case "PUT", "merge_requests", number, "merge":
            how = "squash" if said["squash"] else "merge"
            forge.merge(int(number), how, expected=said["sha"])
        case "PUT", "merge_requests", number:
            if said.get("state_event") == "close":
                forge.close(int(number))
            else:
                forge.change(int(number), text=said["description"])
        case _:
            return _beside(forge, where)
    return _request(forge, _found(forge, int(where[1])))


def _beside(forge: FakeForge, where: list[str]) -> Any:
    match where:
        case ["pipelines", number, "jobs"]:
            checks = forge.said(_found(forge, int(number)))
            return [
                {"name": name, "status": _JOBS[state], "web_url": f"https://ci.example.org/{name}"}
                for name, state in checks.items()
            ]
        case ["merge_requests", number, "approvals"]:
            it = _found(forge, int(number))
            ok = [said for said in it["reviews"] if said["state"] == "APPROVED"]
            left = 1 if it["needs_review"] and not ok else 0
            return {"approved": not left, "approvals_left": left, "approved_by": ok}
        case ["merge_requests", number, "reviewers"]:
            asks = _found(forge, int(number))["reviews"]
            return [
                {"user": {"id": n, "username": said["by"]}, "state": said["state"].lower()
                 .replace("changes_requested", "requested_changes")}
                for n, said in enumerate(asks, 1)
            ]  # fmt: skip
        case ["merge_requests", number, "notes"]:
            asks = _found(forge, int(number))["reviews"]
            return [
                {"author": {"id": n, "username": said["by"]}, "body": said["text"]}
                for n, said in enumerate(asks, 1)
            ]
        case ["members", "all", number]:
            said = [said for it in forge.pulls for said in it["reviews"]][int(number) - 1]
            return {"access_level": 30 if said["rights"] == "MEMBER" else 20}
        case _:
            raise Left(1, f"glab: 404 Not Found {where}")


def _request(forge: FakeForge, it: Pull) -> dict[str, Any]:
    with forge.state() as state:
        strict = state["strict"]
    status = forge.status(it, strict=strict) if it["state"] == "open" else ""
    squashed = bool(it["merged_as"]) and " " not in forge.git(
        "show", "-s", "--format=%P", it["merged_as"]
    )
    return {
        "iid": it["number"],
        "web_url": f"https://gitlab.example.org/o/r/-/merge_requests/{it['number']}",
        "state": "opened" if it["state"] == "open" else it["state"],
        "draft": it["draft"],
        "sha": forge.head(it),
        "source_branch": it["branch"],
        "target_branch": it["target"],
        "source_project_id": 2 if it["fork"] else 1,
        "target_project_id": 1,
        "detailed_merge_status": _STATUSES.get(status, "not_open"),
        "has_conflicts": status == "DIRTY",
        "merge_commit_sha": None if squashed else it["merged_as"],
        "squash_commit_sha": it["merged_as"] if squashed else None,
        "head_pipeline": {"id": it["number"], "status": "success"} if forge.said(it) else None,
        "description": it["text"],
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
