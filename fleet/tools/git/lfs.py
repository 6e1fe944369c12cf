"""Tells which files git LFS keeps: the repository has a pointer, and lines of one mean nothing."""

import os
from collections.abc import Sequence

from fleet.tools.git.attributes import AS_NAMED, attribute_texts, attributes_of
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git


def kept_by_lfs(place: Place, paths: Sequence[str], *, attributes: str) -> tuple[str, ...]:
    """Return those of `paths` that LFS keeps by the attributes of the commit `attributes`."""
    texts = attribute_texts(place, attributes) if paths else ()
    if not any(b"lfs" in text for text in texts):
        return ()
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    with attributes_of(place, attributes) as (cwd, options):
        fields = git(
            cwd,
            *(*options, "check-attr", "-z", "--stdin", "filter"),
            stdin=asked,
            env=AS_NAMED,
            hermetic=True,
        ).fields
    told = zip(fields[::3], fields[2::3], strict=True)
    return tuple(path for path, value in told if value == "lfs")
