"""Offers git exactly the attributes of one commit, and none of a user's or a work tree's."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.tools.git.refs import content
from fleet.tools.git.remembered import Remembered
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git, version

# An agent can write `refs/replace/` as easily as any branch: what is merged is what is named.
AS_NAMED = {"GIT_NO_REPLACE_OBJECTS": "1"}

# The attribute files of a commit, as (path, blob). Listing a tree of 10,000 files takes 15 ms, and
# a target moves from one commit to the next mostly without touching any: then `inherit` knows it.
_files: Remembered[str, list[tuple[str, str]]] = Remembered(256)
_blobs: Remembered[str, bytes] = Remembered(256)  # what such files hold


def inherit(base: str, head: str, differing: Iterable[str]) -> None:
    """Note that two commits differ in the paths `differing` and in no others."""
    known = _files.get(base)
    if known is not None and not any(map(_holds_attributes, differing)):
        _files.put(head, known)


@contextmanager
def attributes_of(place: Place, commit: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Offer a directory and options with which git reads the attributes of `commit`, no others.

    An older git reads `.gitattributes` from a work tree only: it gets one that holds nothing else.
    """
    if version() >= (2, 41):
        yield place.git_dir, (f"--attr-source={commit}",)
        return
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        root = Path(name)
        for path, blob in _attribute_files(place, commit):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(_blob(place, blob))
        yield root, (f"--git-dir={place.git_dir}", "--work-tree=.")


def attribute_texts(place: Place, commit: str) -> list[bytes]:
    """Return what the attribute files of a commit hold."""
    return [_blob(place, blob) for _, blob in _attribute_files(place, commit)]


def _blob(place: Place, blob: str) -> bytes:
    known = _blobs.get(blob)
    if known is not None:
        return known
    return _blobs.put(blob, git(place.git_dir, "cat-file", "blob", blob, env=AS_NAMED).out)


def _attribute_files(place: Place, commit: str) -> list[tuple[str, str]]:
    known = _files.get(commit)
    return _files.put(commit, _listed(place, commit)) if known is None else known


def _listed(place: Place, commit: str) -> list[tuple[str, str]]:
    listed = git(place.git_dir, "ls-tree", "-r", "-z", "--full-tree", commit, env=AS_NAMED)
    entries = (field.split("\t", 1) for field in listed.fields)
    # A link has mode 120000, and git does not follow it here either.
    return [
        (path, about.split(" ")[2])
        for about, path in entries
        if _holds_attributes(path) and about.startswith("100")
    ]


def _holds_attributes(path: str) -> bool:
    return path.rpartition("/")[2] == ".gitattributes"


def without_drivers(place: Place) -> dict[str, str]:
    """Return variables that make each merge driver of the repository report a conflict.

    They are commands in a file that every agent can write. An empty command would succeed and
    drop the other side's change; and `-c` cannot spell a name that contains `=`.
    """
    held = content(place.git_dir / "config")
    if held and not re.search(rb"\[\s*(merge|include)|worktreeconfig", held, re.IGNORECASE):
        return {}  # neither a driver nor another file that could name one
    names = git(
        place.git_dir,
        *("config", "-z", "--name-only", "--get-regexp", r"^merge\..*\.driver$"),
        expect=(0, 1),
        hermetic=True,
    ).fields
    known = {f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(names)}
    refused = {f"GIT_CONFIG_VALUE_{number}": "false" for number in range(len(names))}
    return {"GIT_CONFIG_COUNT": str(len(names)), **known, **refused}
