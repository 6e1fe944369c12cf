"""What LFS keeps is on the remote before its pointers are, or they are not pushed."""

import hashlib
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from branches import commit
from landings import out

from fleet.errors import ToolError
from fleet.tools.git import lfs_pushing
from fleet.tools.git.lfs_pushing import pointers, publish
from fleet.tools.git.repository import Place, locate

Plain = Callable[..., str]
BINARY = "content of a large file\n"
OID = hashlib.sha256(BINARY.encode()).hexdigest()
needs_lfs = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")


def pointer(text: str = BINARY) -> str:
    oid = hashlib.sha256(text.encode()).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(text)}\n"


@pytest.fixture
def place(repo: Path, tmp_path: Path, plain: Plain) -> Place:
    """A repository of which LFS keeps some, and its remote."""
    commit(repo, "main", {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
    plain(repo, "reset", "-q", "--hard")
    bare = tmp_path / "remote.git"
    plain(repo, "clone", "-q", "--bare", str(repo), str(bare))
    plain(repo, "remote", "add", "origin", str(bare))
    return locate(repo)


def store(place: Place, text: str = BINARY) -> None:
    """Have a content on this machine, as the filters of git-lfs keep it."""
    oid = hashlib.sha256(text.encode()).hexdigest()
    file = place.git_dir / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    file.parent.mkdir(parents=True)
    file.write_text(text)


def on_remote(place: Place) -> list[str]:
    remote = Path(out(place.root, "remote", "get-url", "origin"))
    return [file.name for file in (remote / "lfs").rglob("*") if file.is_file()]


def ahead(place: Place, **files: str | None) -> tuple[str, str]:
    """Return main, and a commit that builds on it with `files`."""
    named = {name.replace("_", "."): text for name, text in files.items()}
    return out(place.root, "rev-parse", "main"), commit(place.root, "ahead", named, start="main")


class TestPointers:
    def test_each_new_one_counts_wherever_it_is(self, place: Place) -> None:
        known, first = ahead(place, a_bin=pointer(), b_txt="plain\n")
        last = commit(place.root, "later", {"a.bin": None, "c.bin": pointer("more")}, start=first)

        more = hashlib.sha256(b"more").hexdigest()
        assert pointers(place, known=known, commit=last) == {OID: "a.bin", more: "c.bin"}
        assert pointers(place, known=first, commit=last) == {more: "c.bin"}
        assert pointers(place, known=last, commit=last) == {}

    @pytest.mark.parametrize(
        "text",
        [
            pointer().replace("sha256", "md5"),
            pointer(""),
            pointer() + "x" * 1024,
            "words\n" + pointer(),
            pointer()[:-30],
        ],
    )
    def test_what_only_looks_so_does_not(self, place: Place, text: str) -> None:
        known, new = ahead(place, a_bin=text)
        assert pointers(place, known=known, commit=new) == {}

    def test_without_lfs_nobody_reads_any_file(
        self, repo: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = locate(repo)
        known, new = ahead(place, a_bin=pointer())
        assert pointers(place, known=known, commit=new) == {}
        monkeypatch.setattr(lfs_pushing, "git", None)
        assert pointers(place, known=known, commit=new) == {}


@needs_lfs
class TestPublish:
    def test_the_remote_has_it_afterwards(self, place: Place) -> None:
        _, new = ahead(place, a_bin=pointer())
        store(place)

        assert publish(place, "origin", {OID: "a.bin"}, commit=new) is None
        assert on_remote(place) == [OID]
        assert publish(place, "origin", {OID: "a.bin"}, commit=new) is None

    def test_many_go_in_several_turns(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        _, new = ahead(place, a_bin=pointer())
        monkeypatch.setattr(lfs_pushing, "_AT_ONCE", 2)
        texts = [f"{number}\n" for number in range(5)]
        for text in texts:
            store(place, text)
        oids = {hashlib.sha256(text.encode()).hexdigest(): "x.bin" for text in texts}

        assert publish(place, "origin", oids, commit=new) is None
        assert sorted(on_remote(place)) == sorted(oids)

    def test_a_content_that_is_not_here_is_named(self, place: Place) -> None:
        _, new = ahead(place, a_bin=pointer())
        out(place.root, "config", "lfs.allowincompletepush", "true")

        why = publish(place, "origin", {OID: "a.bin"}, commit=new)

        assert why == "the content of a.bin is not on this machine: git lfs fetch --all"

    def test_the_server_is_the_one_that_the_commit_names(
        self, place: Place, tmp_path: Path
    ) -> None:
        out(place.root, "clone", "-q", "--bare", ".", str(tmp_path / "other.git"))
        (place.root / ".lfsconfig").write_text("[lfs]\n\turl = file:///nowhere/at/all\n")
        url = f"[lfs]\n\turl = file://{tmp_path}/other.git\n"
        new = commit(place.root, "new", {".lfsconfig": url, "a.bin": pointer()}, start="main")
        store(place)

        assert publish(place, "origin", {OID: "a.bin"}, commit=new) is None
        assert on_remote(place) == []
        assert [*(tmp_path / "other.git" / "lfs").rglob(OID)]

    @pytest.mark.parametrize(
        "name", ["lfs.standaloneTransferAgent", "lfs.file:///.standaloneTransferAgent"]
    )
    def test_no_program_runs_that_the_repository_names(
        self, name: str, place: Place, tmp_path: Path
    ) -> None:
        program = tmp_path / "evil"
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        program.chmod(0o755)
        _, new = ahead(place, a_bin=pointer())
        store(place)
        out(place.root, "config", "lfs.customtransfer.evil.path", str(program))
        out(place.root, "config", name, "evil")

        why = publish(place, "origin", {OID: "a.bin"}, commit=new)

        assert why
        assert "names a program for LFS (lfs.customtransfer.evil.path)" in why
        assert not (tmp_path / "ran").exists()
        assert on_remote(place) == []

    def test_no_hook_runs(self, place: Place, tmp_path: Path) -> None:
        hook = place.git_dir / "hooks" / "pre-push"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
        _, new = ahead(place, a_bin=pointer())
        store(place)

        assert publish(place, "origin", {OID: "a.bin"}, commit=new) is None
        assert not (tmp_path / "ran").exists()

    def test_a_server_that_fails_is_told(self, place: Place) -> None:
        _, new = ahead(place, a_bin=pointer())
        store(place)
        out(place.root, "config", "lfs.url", "http://127.0.0.1:1/x")
        out(place.root, "config", "lfs.transfer.maxretries", "1")

        why = publish(place, "origin", {OID: "a.bin"}, commit=new)

        assert why
        assert why.startswith("git lfs: ")
        assert "127.0.0.1:1" in why

    def test_a_silent_server_is_given_up(self, place: Place) -> None:
        _, new = ahead(place, a_bin=pointer())
        store(place)
        with socket.create_server(("127.0.0.1", 0)) as server:
            out(place.root, "config", "lfs.url", f"http://127.0.0.1:{server.getsockname()[1]}/x")
            with pytest.raises(ToolError, match=r"took more than 0\.1 seconds"):
                publish(place, "origin", {OID: "a.bin"}, commit=new, timeout_s=0.1)


def test_without_git_lfs_nothing_is_verified(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does an alias run that somebody called so."""
    _, new = ahead(place, a_bin=pointer())
    out(place.root, "config", "alias.lfs", f"!touch {tmp_path}/ran")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    assert publish(place, "origin", {OID: "a.bin"}, commit=new) == "git-lfs is not installed"
    assert not (tmp_path / "ran").exists()
