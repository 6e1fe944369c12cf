"""Keeps lists short: a reader looks at the first few, and the ledger holds them for ever."""

from collections.abc import Iterable

from fleet.core.assessment import Finding, Found

MOST = 12
_MOST_TEXT, _MOST_PATH = 160, 300


def found(findings: Iterable[Finding]) -> Found:
    """Return the first few of each kind, in order, and how many there are in all."""
    every = list(dict.fromkeys(findings))
    seen: dict[str, int] = {}
    first = []
    for it in every:
        seen[it.kind] = seen.get(it.kind, 0) + 1
        if seen[it.kind] <= MOST:
            first.append(Finding(it.kind, _cut(it.text, _MOST_TEXT), it.path[:_MOST_PATH], it.line))
    return Found(len(every), tuple(first))


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
