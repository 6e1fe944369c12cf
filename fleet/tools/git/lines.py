"""Lines of files as commits hold them: which blob, how many, and where they went in another one."""

import re
from functools import lru_cache

from fleet.core.comments import Hunk
from fleet.core.spelling import unspelled
from fleet.tools.git.attributes import AS_NAMED
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_LONGEST_PATH = 4096  # bytes: no system opens a file by a longer one
_LOOKED_AT = 8000  # bytes, as git does, in which a zero says that it is no text
_KEPT = 512


def blob_at(place: Place, commit: str, path: str) -> str | None:
    """Return the blob of the file `path` in `commit`, or None where that has no such file.

    The path may be spelled as `core.spelling` has it.
    """
    for name in dict.fromkeys((path, unspelled(path))):
        if _possible(name) and (blob := _blob_at(place, commit, name)) is not None:
            return blob
    return None


def _possible(path: str) -> bool:
    """Whether git could know a file by this name; what it complains of is not asked."""
    parts = path.split("/")
    odd = "\0" in path or len(path.encode(errors="surrogatepass")) > _LONGEST_PATH
    return not odd and not {"", ".", ".."} & set(parts)


@lru_cache(maxsize=_KEPT)
def _blob_at(place: Place, commit: str, path: str) -> str | None:
    asked = ("ls-tree", "-z", "--full-tree", commit, "--", path)
    for field in git(place.git_dir, *asked, env=AS_NAMED, hermetic=True).fields:
        about, _, name = field.partition("\t")
        _, kind, blob = about.split(" ")
        if kind == "blob" and name == path:
            return blob
    return None


def text_of(place: Place, blob: str) -> list[str] | None:
    """Return the lines of a blob, without their ends; None where it is no text."""
    content = git(place.git_dir, "cat-file", "blob", blob, env=AS_NAMED).out
    if b"\0" in content[:_LOOKED_AT]:
        return None
    lines = content.decode(errors="backslashreplace").split("\n")
    return lines if lines[-1] else lines[:-1]


@lru_cache(maxsize=_KEPT)
def hunks(place: Place, blob: str, other: str) -> tuple[Hunk, ...]:
    """Return the pieces in which two blobs differ, from top to bottom."""
    if blob == other:
        return ()
    shape = ("-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--text")
    patch = git(place.git_dir, "diff", *shape, blob, other, env=AS_NAMED, hermetic=True).out
    found = (match.groups(default=b"1") for match in _HUNK.finditer(patch))
    return tuple(Hunk(*map(int, numbers)) for numbers in found)


@lru_cache(maxsize=_KEPT // 8)
def renames(place: Place, commit: str, other: str) -> dict[str, str]:
    """Return the files that have another name in `other`, and which; by git's own guess."""
    asked = ("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", commit, other)
    fields = git(place.git_dir, *asked, env=AS_NAMED, hermetic=True).fields
    return {fields[at + 1]: fields[at + 2] for at in range(0, len(fields) - 2, 3)}
