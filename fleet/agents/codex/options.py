"""With which options Codex is started: all of fleet's own is given there, for this launch alone."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from fleet.agents.adapter import Request
from fleet.agents.codex import toml, trust
from fleet.agents.codex.version import may_share_server

TRUST = "trust"  # what a person may consent to
TITLE = ("activity", "run-state", "context-used")
# Parts of the main repository that a commit in a linked worktree writes to. Its hooks and its
# configuration are not among them, so that no command of an agent's gets around its sandbox there.
_COMMITTED_TO = ("objects", "refs", "logs")
_READ_ONLY = "read-only"


def options(request: Request) -> tuple[str, ...]:
    """Return them all, but for what names the conversation."""
    return (
        *(["--no-daemon"] if may_share_server(request.version) else []),
        "--no-alt-screen",  # the screen keeps its history, which `fleet log` shows
        *_mode(request),
        *_model(request),
        *(it for word in _settings(request) for it in ("-c", word)),
        *trust.options(request),
    )


def worktree_link(request: Request) -> str:
    """Return the file that says where git keeps what belongs to the worktree."""
    return f"{request.worktree}/.git"


def _mode(request: Request) -> Iterator[str]:
    """`workspace-write/never` is a sandbox and when to ask; without any, the user's own count."""
    sandbox, _, approval = (request.permission or "").partition("/")
    if sandbox:
        yield from ("--sandbox", sandbox)
        yield from ("--ask-for-approval", approval or "on-request")
    if sandbox != _READ_ONLY:
        yield from (it for folder in _git_folders(request) for it in ("--add-dir", folder))


def _git_folders(request: Request) -> Iterator[str]:
    link = request.config.get(worktree_link(request)) or ""
    found = re.fullmatch(r"gitdir: (/.+)\n?", link)
    if found is None:
        return
    own = PurePosixPath(found[1])
    yield str(own)
    if own.parent.name == "worktrees":
        yield from (str(own.parent.parent / name) for name in _COMMITTED_TO)


def _model(request: Request) -> Iterator[str]:
    if request.model:
        yield from ("--model", request.model)


def _settings(request: Request) -> Iterator[str]:
    if request.effort:
        yield f"model_reasoning_effort={toml.text(request.effort)}"
    if TRUST in request.consents and request.repo:
        # All worktrees of a repository are trusted by its main one.
        yield f"projects={toml.text({request.repo: {'trust_level': 'trusted'}})}"
    yield f"tui.terminal_title={toml.text(TITLE)}"
    # Both would open a dialog that nobody is there to answer.
    yield "check_for_update_on_startup=false"
    yield "notice.hide_rate_limit_model_nudge=true"
