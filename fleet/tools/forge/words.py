"""What others wrote on a forge, as far as fleet keeps it: clean, short, and not too much of it."""

import re
from collections.abc import Iterable

from fleet.core.ids import Commit
from fleet.core.pulls import CheckState, PullCheck, PullRemark
from fleet.core.terminal import clean, clean_lines

_NAME, _URL, _REMARK = 100, 500, 4000  # characters
_MOST_REMARKS = 30
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def check(name: str, state: CheckState, url: str) -> PullCheck:
    """Return one check; its address only where that is one of the web."""
    link = clean(url)[:_URL] if url.startswith(("https://", "http://")) else ""
    return PullCheck(clean(name)[:_NAME], state, link)


def commit(name: str | None) -> Commit | None:
    """Return a commit by its name; None where that is none, for git will be asked of it."""
    return Commit(name) if name and _COMMIT.fullmatch(name) else None


def remarks(said: Iterable[tuple[str, str]]) -> tuple[PullRemark, ...]:
    """Return what people said, each with their name, without what is empty."""
    kept = (PullRemark(clean(by)[:_NAME], clean_lines(text).strip()[:_REMARK]) for by, text in said)
    return tuple(it for it in kept if it.text)[:_MOST_REMARKS]
