"""Patterns of paths, as in a .gitignore: `*` stays in a directory, `**` does not."""

import re
from collections.abc import Iterable
from functools import lru_cache

_PART = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matcher(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return what matches the paths that one of `patterns` is for.

    A pattern without a slash is for a name in any directory; one that ends in a slash, or names a
    directory, is for all that is in it.
    """
    return _compiled(tuple(patterns))


@lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(_regex, patterns)) or r"(?!)", re.DOTALL)


def _regex(pattern: str) -> str:
    bare = pattern.strip("/")
    anywhere = "" if "/" in bare or pattern.startswith("/") else "(?:.*/)?"
    body = "".join(_MEANS.get(part) or re.escape(part) for part in _PART.findall(bare))
    return f"{anywhere}{body}(?:/.*)?\\Z"
