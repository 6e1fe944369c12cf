"""Speaks to remotes: nothing is overwritten there that we have not seen."""

import os
import re
from dataclasses import dataclass

from fleet.core.terminal import clean
from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.repository import Place, ref_commit
from fleet.tools.git.run import failure, git
from fleet.tools.git.updating import refused, update

# The user's credentials and proxies count; a question does not, for nobody is there to answer.
_SILENT = {"GIT_ASKPASS": "", "GCM_INTERACTIVE": "never"}
_TIMEOUT_S = 300.0
_MOST_WORDS = 200  # of a remote that explains its refusal


@dataclass(frozen=True, slots=True)
class Pushed:
    """The remote branch stands at `commit`."""

    commit: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The remote did not take it, because of `reason`; nothing was changed there."""

    reason: str


def fetch(place: Place, remote: str, branch: str, *, timeout_s: float = _TIMEOUT_S) -> str | None:
    """Fetch `branch` of `remote` and return its tip, or None if it has no such branch.

    The tip is kept under `refs/fleet/remote/`; no reference of the user's moves.

    Raises:
        ToolError: the remote cannot be reached, asks a question, or took longer than `timeout_s`.
    """
    kept = _kept(remote, branch)
    command = (
        *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
        *("--no-recurse-submodules", "--refmap=", "--end-of-options"),
        *(remote, f"+refs/heads/{branch}:{kept}"),
    )
    answer = git(
        place.git_dir, *command, env=surroundings(place), expect=(0, 1, 128), timeout_s=timeout_s
    )
    if "couldn't find remote ref" in answer.err:
        return None
    if answer.code:
        raise failure(place.git_dir, command, answer)
    return ref_commit(place, kept)


def last_known(place: Place, remote: str, branch: str) -> str | None:
    """Return where the remote branch stood when we last heard of it; the network is not asked."""
    return ref_commit(place, _kept(remote, branch))


def _kept(remote: str, branch: str) -> str:
    return f"refs/fleet/remote/{remote}/{branch}"


def push(
    place: Place,
    remote: str,
    *,
    commit: str,
    branch: str,
    known: str | None,
    rewrite: bool = False,
    timeout_s: float = _TIMEOUT_S,
) -> Pushed | Rejected:
    """Move `branch` of `remote` from `known` (None: there is none) to `commit`, which builds on it.

    With `rewrite` it need not build on it; what stands there is still only replaced if it is
    `known`. The user's `pre-push` hook does not run, as no hook does: it could be an agent's.

    Raises:
        ToolError: as `fetch`; after a timeout only another `fetch` tells whether it was taken.
    """
    ref = f"refs/heads/{branch}"
    if known and not rewrite and not _builds_on(place, known, commit):
        return Rejected(f"{commit[:12]} does not build on {known[:12]}")
    command = (
        *("push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"),
        *(f"--force-with-lease={ref}:{known or ''}", "--end-of-options"),
        *(remote, f"{commit}:{ref}"),
    )
    answer = git(
        place.git_dir, *command, env=surroundings(place), expect=(0, 1, 128), timeout_s=timeout_s
    )
    refusal = next((line for line in answer.lines if line.startswith("!")), None)
    if refusal:
        return Rejected(_reason(refusal, answer.err))
    if answer.code:
        raise failure(place.git_dir, command, answer)
    if complaint := update(place.git_dir, f"update {_kept(remote, branch)} {commit}"):
        raise refused(place.git_dir, complaint)
    return Pushed(commit)


def _reason(line: str, said: str) -> str:
    """Read why from `!<TAB>FROM:TO<TAB>[rejected] (stale info)`, and from what the remote says."""
    summary = line.rsplit("\t", maxsplit=1)[-1]
    inner = re.search(r"\((.*)\)$", summary)
    words = (it.removeprefix("remote:") for it in said.splitlines() if it.startswith("remote:"))
    told = " ".join(clean(" ".join(words)).split())
    return ": ".join(filter(None, (inner[1] if inner else summary, told[:_MOST_WORDS])))


def _builds_on(place: Place, known: str, commit: str) -> bool:
    # A commit that we never fetched is none of our ancestors either: exit code 128.
    asked = ("merge-base", "--is-ancestor", known, commit)
    return git(place.git_dir, *asked, env=AS_NAMED, expect=(0, 1, 128)).code == 0


def surroundings(place: Place) -> dict[str, str]:
    """Return variables that keep git and ssh from asking, with the user's own ssh command."""
    configured = git(place.git_dir, "config", "core.sshCommand", expect=(0, 1)).text
    command = os.environ.get("GIT_SSH_COMMAND") or configured.strip() or "ssh"
    if command.split()[0].rpartition("/")[2] == "ssh":
        command += " -o BatchMode=yes"
    return {**_SILENT, "GIT_SSH_COMMAND": command}
