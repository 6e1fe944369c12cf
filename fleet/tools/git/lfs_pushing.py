"""Brings what LFS pointers stand for to a remote, before anybody is given the pointers."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fleet.core.terminal import clean
from fleet.tools.git.attributes import AS_NAMED, attribute_texts
from fleet.tools.git.contents import read_file
from fleet.tools.git.pushing import surroundings
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_CONFIG = ".lfsconfig"
_LARGEST = 1024  # bytes of a pointer, by the specification
_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:ext-\d-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n*"
)
_PROGRAMS = r"^lfs\.(customtransfer\..*\.path|(.*\.)?standalonetransferagent)$"
_AT_ONCE = 200  # contents named on one command line
_TIMEOUT_S = 3600.0
_SAID = 200


def pointers(place: Place, *, known: str, commit: str) -> dict[str, str]:
    """Return the contents, each with a path, that pointers in `commit` and not in `known` mean.

    A repository whose attributes do not mention LFS has no pointers, only files that look so.
    """
    if not any(b"lfs" in text for it in (commit, known) for text in attribute_texts(place, it)):
        return {}
    asked = ("rev-list", "--objects", commit, f"^{known}", "--")
    listed = (line.partition(" ") for line in git(place.git_dir, *asked, env=AS_NAMED).lines)
    paths = {name: path for name, _, path in listed if path}
    return {
        found[1].decode(): paths[name]
        for name, text in _small(place, tuple(paths))
        if (found := _POINTER.fullmatch(text)) and int(found[2])
    }


def _small(place: Place, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield those objects that are files no larger than a pointer, with what they hold."""
    asked = "%(objectname) %(objecttype) %(objectsize)"
    sizes = _cat(place, f"--batch-check={asked}", names).decode().splitlines()
    files = [
        name
        for name, kind, size in (line.split(" ") for line in sizes)
        if kind == "blob" and int(size) <= _LARGEST
    ]
    told = _cat(place, "--batch", files)
    at = 0
    for name in files:
        end = told.index(b"\n", at)
        size = int(told[at:end].split(b" ")[2])
        yield name, told[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _cat(place: Place, how: str, names: Sequence[str]) -> bytes:
    return git(place.git_dir, "cat-file", how, stdin="\n".join(names).encode(), env=AS_NAMED).out


def publish(
    place: Place,
    remote: str,
    contents: Mapping[str, str],
    *,
    commit: str,
    timeout_s: float = _TIMEOUT_S,
) -> str | None:
    """Have the remote's LFS server say that it has all `contents`, sent to it where it had not.

    The server is the one that `commit` itself names. Returns why that could not be had. No program
    runs that the repository's own configuration names: any agent can write there.

    Raises:
        ToolError: it took longer than `timeout_s`.
    """
    if program() is None:
        return "git-lfs is not installed"
    if named := _own_program(place):
        return f"the repository's own configuration names a program for LFS ({named})"
    oids = list(contents)
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        # What counts of a work tree is the file that names the server.
        tree = Path(name)
        (tree / _CONFIG).write_bytes(read_file(place, commit, _CONFIG) or b"")
        env = {**surroundings(place), "GIT_DIR": str(place.git_dir), "GIT_WORK_TREE": name}
        for at in range(0, len(oids), _AT_ONCE):
            asked = ("lfs", "push", "--object-id", remote, *oids[at : at + _AT_ONCE])
            answer = git(tree, *asked, env=env, expect=tuple(range(256)), timeout_s=timeout_s)
            if answer.code:
                return _why(answer.err, contents)
    return None


def program() -> str | None:
    """Return git-lfs, which git would else take for an alias that anybody may have configured."""
    return shutil.which("git-lfs", path=os.environ.get("PATH") or os.defpath)


def _own_program(place: Place) -> str | None:
    asked = ("config", "--show-scope", "--name-only", "-z", "--get-regexp", _PROGRAMS)
    fields = git(place.git_dir, *asked, expect=(0, 1)).fields
    told = zip(fields[::2], fields[1::2], strict=True)
    return next((name for scope, name in told if scope in {"local", "worktree"}), None)


def _why(complaint: str, contents: Mapping[str, str]) -> str:
    missing = re.search(r"local media path:.*/([0-9a-f]{64})", complaint)
    if missing and missing[1] in contents:
        return f"the content of {contents[missing[1]]} is not on this machine: git lfs fetch --all"
    line = next((it for it in complaint.splitlines() if it.strip()), "no reason given")
    return f"git lfs: {clean(line).strip()[:_SAID]}"
