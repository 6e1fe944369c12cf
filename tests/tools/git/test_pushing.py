import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from branches import commit
from landings import out

from fleet.errors import ToolError
from fleet.tools.git import pushing
from fleet.tools.git.pushing import Pushed, Rejected, fetch, last_known, push
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]


@pytest.fixture
def remote(repo: Path, tmp_path: Path, plain: Plain) -> Path:
    bare = tmp_path / "remote.git"
    plain(repo, "clone", "-q", "--bare", str(repo), str(bare))
    plain(repo, "remote", "add", "origin", str(bare))
    return bare


@pytest.fixture
def place(repo: Path, remote: Path) -> Place:
    return locate(repo)


@pytest.fixture
def ahead(repo: Path, remote: Path) -> str:
    return commit(repo, "ahead", {"a.txt": "a\n"}, start="main")


def test_a_fetch_tells_the_tip_and_moves_no_reference_of_the_users(
    place: Place, repo: Path, remote: Path
) -> None:
    tip = commit(remote, "main", {"a.txt": "a\n"})
    out(remote, "tag", "v1", tip)
    before = out(repo, "for-each-ref", "refs/heads", "refs/remotes", "refs/tags")

    assert fetch(place, "origin", "main") == tip

    assert out(repo, "for-each-ref", "refs/heads", "refs/remotes", "refs/tags") == before
    assert not (repo / ".git" / "FETCH_HEAD").exists()
    out(remote, "update-ref", "refs/heads/main", f"{tip}~1")
    assert fetch(place, "origin", "main") == out(remote, "rev-parse", "main")


def test_a_branch_that_the_remote_lacks(place: Place) -> None:
    assert fetch(place, "origin", "nowhere") is None


def test_a_remote_that_is_not_there_is_an_error(place: Place, ahead: str) -> None:
    with pytest.raises(ToolError, match=r"git fetch in .* failed"):
        fetch(place, "nowhere", "main")
    with pytest.raises(ToolError, match=r"git push in .* failed"):
        push(place, "nowhere", commit=ahead, branch="main", known=None)


def test_a_push_moves_what_we_know(place: Place, repo: Path, remote: Path, ahead: str) -> None:
    known = fetch(place, "origin", "main")
    hook = repo / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    out(repo, "config", "push.followTags", "true")
    out(repo, "tag", "-a", "-m", "x", "v1", ahead)

    assert push(place, "origin", commit=ahead, branch="main", known=known) == Pushed(ahead)
    assert push(place, "origin", commit=ahead, branch="main", known=ahead) == Pushed(ahead)
    assert out(remote, "rev-parse", "main") == ahead
    assert out(remote, "tag") == ""


def test_a_branch_is_made_only_if_there_is_none(place: Place, remote: Path, ahead: str) -> None:
    assert push(place, "origin", commit=ahead, branch="new", known=None) == Pushed(ahead)
    assert push(place, "origin", commit=ahead, branch="main", known=None) == Rejected("stale info")


def test_a_remote_that_moved_is_not_overwritten(place: Place, remote: Path, ahead: str) -> None:
    known = fetch(place, "origin", "main")
    theirs = commit(remote, "main", {"b.txt": "b\n"})

    assert push(place, "origin", commit=ahead, branch="main", known=known) == Rejected("stale info")
    assert out(remote, "rev-parse", "main") == theirs


def test_what_we_know_is_not_overwritten_either(place: Place, remote: Path, ahead: str) -> None:
    theirs = commit(remote, "main", {"b.txt": "b\n"})
    unseen = commit(remote, "unseen", {"c.txt": "c\n"}, start="main")
    assert fetch(place, "origin", "main") == theirs

    for known in (theirs, unseen):
        refused = push(place, "origin", commit=ahead, branch="main", known=known)
        assert refused == Rejected(f"{ahead[:12]} does not build on {known[:12]}")
    assert out(remote, "rev-parse", "main") == theirs


def test_a_protected_branch_says_why(place: Place, remote: Path, ahead: str) -> None:
    known = fetch(place, "origin", "main")
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    pushed = push(place, "origin", commit=ahead, branch="main", known=known)

    assert pushed == Rejected("pre-receive hook declined")


def test_a_refusal_without_brackets_is_shown_whole() -> None:
    assert pushing._reason("!\ta:b\t[rejected]", "") == "[rejected]"


@pytest.fixture
def silent() -> Iterator[int]:
    """Yield the port of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_silent_remote_is_given_up(place: Place, repo: Path, silent: int, ahead: str) -> None:
    out(repo, "remote", "set-url", "origin", f"git://127.0.0.1:{silent}/x")

    with pytest.raises(ToolError, match=r"took more than 0\.05 seconds"):
        fetch(place, "origin", "main", timeout_s=0.05)
    with pytest.raises(ToolError, match=r"took more than 0\.05 seconds"):
        push(place, "origin", commit=ahead, branch="main", known=None, timeout_s=0.05)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("", "ssh -o BatchMode=yes"),
        ("/x/ssh -i k", "/x/ssh -i k -o BatchMode=yes"),
        ("plink", "plink"),
    ],
)
def test_ssh_never_asks(command: str, expected: str, place: Place, repo: Path) -> None:
    out(repo, "config", "core.sshCommand", command)

    assert pushing.surroundings(place)["GIT_SSH_COMMAND"] == expected


def test_the_users_ssh_command_is_used(
    place: Place, repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    out(repo, "remote", "set-url", "origin", "ssh://example.invalid/x")

    with pytest.raises(ToolError):
        fetch(place, "origin", "main")

    assert "-o BatchMode=yes" in (tmp_path / "said").read_text()
    assert os.environ["GIT_SSH_COMMAND"] == str(program)


def test_where_the_remote_stands_is_remembered(place: Place, remote: Path, ahead: str) -> None:
    assert last_known(place, "origin", "main") is None
    known = fetch(place, "origin", "main")
    assert last_known(place, "origin", "main") == known
    push(place, "origin", commit=ahead, branch="main", known=known)
    assert last_known(place, "origin", "main") == ahead


def test_a_lock_on_the_users_own_note_of_the_remote_is_in_nobodys_way(
    place: Place, remote: Path, repo: Path, ahead: str
) -> None:
    """One that is killed while it writes this note leaves such a lock."""
    known = fetch(place, "origin", "main")
    lock = repo / ".git" / "refs" / "remotes" / "origin" / "main.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("")

    assert push(place, "origin", commit=ahead, branch="main", known=known) == Pushed(ahead)
    assert out(remote, "rev-parse", "main") == ahead


def test_what_a_remote_says_is_one_plain_line(place: Place, remote: Path, ahead: str) -> None:
    known = fetch(place, "origin", "main")
    hook = remote / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    words = "\\033]0;title\\007error: no\\n  \\033[31mfor reasons\\n" + "x" * 1000
    hook.write_text(f"#!/bin/sh\nprintf '{words}\\n' >&2\nexit 1\n")
    hook.chmod(0o755)

    refused = push(place, "origin", commit=ahead, branch="main", known=known)

    assert isinstance(refused, Rejected)
    assert refused.reason.startswith("hook declined: error: no for reasons xxx")
    assert refused.reason.isprintable()
    assert len(refused.reason) < 300
