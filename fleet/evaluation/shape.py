"""How large a change is, and what of it is no ordinary change of a text file."""

from collections.abc import Iterable, Iterator

from fleet.core.assessment import Finding
from fleet.evaluation.globs import matcher
from fleet.evaluation.kinds import Kinds, language, sensitive
from fleet.evaluation.source import File, Source

_LINK, _MODULE, _PROGRAM = "120000", "160000", "100755"
_POINTER = "version https://git-lfs.github.com/spec/"
_FEW = 3  # lines: a file so short has no line ends to speak of


def sizes(files: Iterable[File], kinds: Kinds) -> dict[str, int]:
    """Return how many lines and files differ, of those that somebody wrote and of the others."""
    sums = {"lines": 0, "files": 0, "test_lines": 0, "generated_lines": 0}
    for file in files:
        if kinds.is_generated(file.path):
            sums["generated_lines"] += file.lines
        elif kinds.is_test(file.path):
            sums["test_lines"] += file.lines
        else:
            sums["lines"] += file.lines
            sums["files"] += 1
    return sums


def unusual(source: Source) -> Iterator[Finding]:
    """Yield links, modes, binaries, submodules, LFS pointers and changed line ends."""
    for file in source.files:
        yield from _modes(file)
        if _flipped(source, file):
            yield Finding("line ends", f"all line ends of {file.path} differ", file.path)
        elif file.is_text and _POINTER in file.new.get(1, ""):
            yield Finding("lfs", f"LFS pointer {file.path}", file.path)
    touched = {file.path.rpartition("/")[2] for file in source.files}
    if ".gitattributes" in touched and any(language(file.path) for file in source.files):
        yield Finding("attributes", ".gitattributes differs together with code", ".gitattributes")


def _modes(file: File) -> Iterator[Finding]:
    modes = {file.old_mode, file.new_mode}
    if _LINK in modes:
        yield Finding("link", f"symbolic link {file.path}", file.path)
    elif _MODULE in modes or file.path == ".gitmodules":
        yield Finding("submodule", f"submodule {file.path}", file.path)
    elif file.added is None:
        yield Finding("binary", f"binary file {file.path}", file.path)
    if file.status in "MR" and file.old_mode != file.new_mode and _LINK not in modes:
        what = "can be run now" if file.new_mode == _PROGRAM else f"has mode {file.new_mode} now"
        yield Finding("mode", f"{file.path} {what}", file.path)


def _flipped(source: Source, file: File) -> bool:
    """Whether nothing differs but the ends of its lines."""
    if file.status not in "MR" or file.added != file.removed or (file.added or 0) < _FEW:
        return False
    old, new = source.old(file), source.new(file)
    if old is None or new is None or old == new:
        return False
    return old.replace("\r\n", "\n") == new.replace("\r\n", "\n")


def risky_paths(files: Iterable[File]) -> Iterator[Finding]:
    """Yield what has to do with logins, secrets, money or stored data."""
    for file in files:
        if word := sensitive(file.path):
            yield Finding(word, file.path, file.path)


def strays(files: Iterable[File], scope: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what lies outside of the scope that the task declares, if it does."""
    inside = matcher(scope)
    for file in files if scope else ():
        for path in dict.fromkeys((file.path, file.old_path)):
            if not inside.match(path):
                yield Finding("outside", path, path)
