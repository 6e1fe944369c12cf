"""Compares what an agent says of its change with the change: what it names has to be in there."""

import re
from collections.abc import Iterator

from fleet.core.assessment import Finding
from fleet.evaluation.source import Source

_QUOTED = re.compile(r"`([^`\n]{2,80})`")
_PATH = re.compile(
    r"(?<![\w/.:@-])((?:[\w.-]+/)+[\w.-]*\.[A-Za-z]\w*|(?:[A-Za-z_.][\w.-]*/){2,}[\w.-]*\w|[\w-]+\.(?:py|js|ts|tsx|jsx|go|rs|rb|java|kt|cs|c|h|cc"
    r"|cpp|sh|toml|ya?ml|json|md|sql|css|html))(?![\w/])"
)
_NAME = re.compile(
    r"\b([A-Za-z_]\w*)\(\)|\b([a-z]+_\w+[a-z0-9]|[a-z]+[A-Z]\w+|(?:[A-Z][a-z0-9]+){2,})\b"
)
_WORD = re.compile(r"\w+")
_PLACE = re.compile(r"https?://\S+|\b[\w.+-]+@[\w.-]+|^[A-Z][\w-]+: .*$", re.MULTILINE)


def claims(source: Source) -> Iterator[Finding]:
    """Yield the paths and names of the commit messages that no file which differs holds."""
    said = _PLACE.sub(" ", source.messages())
    paths = [path for file in source.files for path in (file.path, file.old_path)]
    words = _words(source, paths)
    taken: set[str] = set()
    for match in _PATH.finditer(said):
        path = match[1].removeprefix("./")
        taken.update(_WORD.findall(path))
        if not any(known == path or known.endswith(f"/{path}") or f"/{path}/" in f"/{known}"
                   for known in paths):  # fmt: skip
            yield Finding("path", path)
    for name in dict.fromkeys(_names(said)):
        if name not in words and name not in taken:
            yield Finding("name", name)


def _names(said: str) -> Iterator[str]:
    for match in _NAME.finditer(said):
        yield match[1] or match[2]
    for match in _QUOTED.finditer(said):
        whole = match[1].strip("() ")
        if whole.isidentifier():
            yield whole


def _words(source: Source, paths: list[str]) -> set[str]:
    """All words of the files that differ, before and after, and of their paths."""
    words = {word for path in paths for word in _WORD.findall(path)}
    for file in source.files:
        for text in (source.old(file), source.new(file)):
            words.update(_WORD.findall(text or ""))
    return words
