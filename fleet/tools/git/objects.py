"""Writes commits as loose objects, which is how git itself writes them.

An object is known by its content, so whoever writes it writes the same; a process of git takes
4 ms for it, on the way of every landing. What is not plain is left to git.
"""

import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from fleet.tools.git.refs import content

_SHA1 = re.compile(r"[0-9a-f]{40}")
_CRUD = "".join(map(chr, range(33))) + ".,:;<>\"\\'\x7f"  # which git takes away from a name's ends
_SPECIAL = re.compile(rb"shared|objectformat|fsync|include", re.IGNORECASE)
_MODE = 0o444


def person(name: str, email: str, when: str) -> str | None:
    """Return who did something when, as a commit names it; None where git would change the name."""
    plain = all(
        it and it.strip(_CRUD) == it and not set(it) & set("<>\n\0") for it in (name, email)
    )
    return f"{name} <{email}> {when.removeprefix('@')}" if plain else None


def write_commit(
    git_dir: Path,
    *,
    tree: str,
    parents: Sequence[str],
    author: str | None,
    committer: str | None,
    message: str,
    objects: Path | None = None,
) -> str | None:
    """Write a commit and return its hash; None where that is for git to do.

    It goes into the directory `objects`, else into the repository's own.
    """
    if author is None or committer is None:
        return None
    names = (tree, *parents)
    plain = all(map(_SHA1.fullmatch, names)) and len(set(parents)) == len(parents)
    if not plain or "\0" in message or _is_special(git_dir):
        return None
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {author}", f"committer {committer}", "", message]
    try:
        body = "\n".join(lines).encode()
    except UnicodeEncodeError:  # not in UTF-8, which the commit would have to say
        return None
    whole = b"commit %d\0" % len(body) + body
    name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    file = (objects or git_dir / "objects") / name[:2] / name[2:]
    return name if _store(file, zlib.compress(whole, 1)) else None


def _store(path: Path, data: bytes) -> bool:
    """Write an object, whole or not at all; false where that is not possible."""
    if path.exists():
        return True
    try:
        path.parent.mkdir(exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix="tmp_obj_")  # git tidies these up
        with open(handle, "wb") as file:  # noqa: PTH123 (it is open already)
            os.fchmod(handle, _MODE)
            file.write(data)
        Path(draft).replace(path)
    except OSError:
        return False
    return True


def _is_special(git_dir: Path) -> bool:
    """Whether the repository may want other rights, another hash or safer writing than usual."""
    return bool(_SPECIAL.search(content(git_dir / "config")))
