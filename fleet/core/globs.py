"""Which files patterns mean, read as in `.gitignore`; no pattern can make that take long."""

import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache

_ANY = None  # `**`: any number of directories


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Whether `patterns` mean the file at `path`, which is relative and has `/` in it.

    As in `.gitignore`: `*`, `?` and `[...]` stay within a name and `**` does not; a pattern
    without a slash means that name anywhere, one with a slash is counted from the top, a slash at
    its end means a directory, and whatever means a directory means all that is in it. What begins
    with `!` takes back what those before it meant.
    """
    names = tuple(path.split("/"))
    found = False
    for pattern in patterns:
        taken_back = pattern.startswith("!")
        # The last word counts: a pattern that would change nothing need not be tried.
        if found == taken_back and _means(_parts(pattern.removeprefix("!")), names):
            found = not taken_back
    return found


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    """Return what is to match one name each; None stands for any number of them."""
    below = int(pattern.endswith("/"))  # so many names below what the pattern names
    names = pattern.strip("/").split("/")
    if names == [""]:
        return (re.compile(r"(?!)"),)  # nothing is called by no name
    if "/" not in pattern.rstrip("/"):
        names = ["**", *names]
    if names[-1] == "**":  # all that is in a directory, and not the directory
        names, below = names[:-1], below + 1
    parts = [_ANY if name == "**" else _name(name) for name in names]
    return (*parts, *[_name("*")] * below, _ANY)


def _name(pattern: str) -> re.Pattern[str]:
    # What `fnmatch` makes of a pattern never goes back over a star that it is done with.
    return re.compile(fnmatch.translate(pattern.replace("[^", "[!")))


def _means(parts: tuple[re.Pattern[str] | None, ...], names: tuple[str, ...]) -> bool:
    """Whether the parts match all names: it goes back to the last `**` only, which suffices."""
    part = name = 0
    star: tuple[int, int] | None = None  # the part after it, and the first name that it may leave
    while name < len(names):
        if part < len(parts) and parts[part] is _ANY:
            part += 1
            star = part, name
        elif part < len(parts) and _fits(parts[part], names[name]):
            part, name = part + 1, name + 1
        elif star is not None:
            star = star[0], star[1] + 1
            part, name = star
        else:
            return False
    return all(rest is _ANY for rest in parts[part:])


def _fits(part: re.Pattern[str] | None, name: str) -> bool:
    return part is not None and part.match(name) is not None
