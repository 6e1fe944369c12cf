"""Finds new code that copies what the repository has already.

Lines are compared without their blanks. Files that share a few whole lines with what is new are
looked at closely: there, names may differ. A copy in which every line was changed is not found.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from fleet.core.assessment import Finding
from fleet.evaluation.complexity import OutOfTimeError
from fleet.evaluation.kinds import Kinds, language
from fleet.evaluation.source import Entry, File, Source

_LEAST = 6  # lines that mean something, in one run
_WORDS = 40  # in all of them: six lines of brackets are no copy
_TELLING = 8  # characters of a line by which a file is found
_SHARED = 3  # such lines that make it worth to look closely
_COMMON = 50  # files that share a line: it tells nothing
_CLOSELY = 40  # files
_REPEATS = 200  # of one line in one file
_ALIKE = 0.6  # of the words in a run are the same
_LARGEST = 200 * 1024  # bytes of a file that is compared
_MOST_BYTES = 48 * 1024 * 1024
_MOST_LINES = 4000  # new ones that are looked for
_TOKEN = re.compile(r"\w+|[^\w\s]")
_NO_CODE = re.compile(
    r"^\s*(?:#|//|/?\*|--|import\b|from\s+\S+\s+import|use\s|using\s|package\s|$)"
)
_MEANS = re.compile(r"\w.*\w")

Line = tuple[int, str]  # its number, and what it says
Run = list[Line]
Shape = tuple[str, ...]


def duplicates(source: Source, kinds: Kinds, *, late: Callable[[], bool]) -> Iterator[Finding]:
    """Yield what is new in code that is no test, and was there before.

    Raises:
        OutOfTimeError: `late` said so before all files of the same languages were compared.
    """
    new = [it for it in source.files if language(it.path) and kinds.is_own(it.path) and it.new]
    blocks = [(file.path, run) for file in new for run in _runs(file)]
    wanted = _anchors(run for _, run in blocks)
    if not wanted:
        return
    tongues = {language(file.path) for file in new}
    entries = _near(source.tree(), kinds, tongues, [file.path for file in new])
    sharing: list[tuple[Entry, bytes, set[bytes]]] = []
    for entry, held in zip(entries, source.contents(it.blob for it in entries), strict=False):
        if late():
            raise OutOfTimeError
        shared = wanted.intersection(_bare(held).split(b"\n"))
        if len(shared) >= _SHARED:
            sharing.append((entry, held, shared))
    gone = {it.old_path: set(it.gone) for it in source.files}
    places = [Place(entry.path, held, gone.get(entry.path, set()))
              for entry, held in _likely(sharing)]  # fmt: skip
    for path, run in blocks:
        if late():
            raise OutOfTimeError
        if copy := max((it for place in places if (it := place.copy_of(run))), default=None):
            size, where, line = copy
            yield Finding("copy", f"{size} lines like {where}", path, line)


def _bare(text: bytes) -> bytes:
    return text.translate(None, b" \t\r")


def _anchors(runs: Iterable[Run]) -> set[bytes]:
    """Return the new lines by which a file is known to be worth a closer look."""
    lines = (_bare(text.encode(errors="surrogateescape")) for run in runs for _, text in run)
    telling = dict.fromkeys(line for line in lines if len(line) >= _TELLING)
    return set(list(telling)[:_MOST_LINES])


def _likely(sharing: list[tuple[Entry, bytes, set[bytes]]]) -> Iterator[tuple[Entry, bytes]]:
    """Yield the files that share most of what only few files have."""
    usage = Counter(line for _, _, shared in sharing for line in shared)
    common = {line for line, files in usage.items() if files > _COMMON}
    scored = [(len(shared - common), entry, held) for entry, held, shared in sharing]
    scored.sort(key=lambda it: -it[0])
    yield from ((entry, held) for score, entry, held in scored[:_CLOSELY] if score >= _SHARED)


def _runs(file: File) -> list[Run]:
    """Return the new lines of a file that mean something, parted where old lines lie between."""
    runs: list[Run] = []
    last = -1
    for number, text in sorted(file.new.items()):
        if number != last + 1 or not runs:
            runs.append([])
        last = number
        if _says_something(text):
            runs[-1].append((number, text))
    return [run for run in runs if len(run) >= _LEAST]


def _says_something(line: str) -> bool:
    return bool(_MEANS.search(line)) and not _NO_CODE.match(line)


def _near(
    tree: Iterable[Entry], kinds: Kinds, tongues: set[str | None], paths: list[str]
) -> list[Entry]:
    """Return the files to compare with, those that lie nearest first, as many as may be read."""
    places = {str(PurePosixPath(path).parent) for path in paths}
    likely = [
        it
        for it in tree
        if it.size <= _LARGEST and language(it.path) in tongues and not kinds.is_generated(it.path)
    ]
    likely.sort(key=lambda it: str(PurePosixPath(it.path).parent) not in places)
    kept, room = [], _MOST_BYTES
    for entry in likely:
        room -= entry.size
        if room < 0:
            break
        kept.append(entry)
    return kept


class Place:
    """A file of the base, ready to be compared with; without the lines that the change removes."""

    def __init__(self, path: str, held: bytes, gone: set[int]) -> None:
        self._path = path
        numbered = enumerate(held.decode(errors="replace").split("\n"), start=1)
        self._lines = [it for it in numbered if it[0] not in gone and _says_something(it[1])]
        self._at: dict[Shape, list[int]] = {}
        for place, (_, line) in enumerate(self._lines):
            self._at.setdefault(_shape(line), []).append(place)

    def copy_of(self, run: Run) -> tuple[int, str, int] | None:
        """Return the longest copy: how many lines it has, where it is here, its line there."""
        best: tuple[int, int, int] | None = None
        ends: dict[int, int] = {}  # place here -> length of the copy that ends there
        for place, (_, text) in enumerate(run):
            now: dict[int, int] = {}
            for here in self._at.get(_shape(text), ())[:_REPEATS]:
                size = now[here] = ends.get(here - 1, 0) + 1
                begin = (size, here - size + 1, place - size + 1)
                if size >= _LEAST and (best is None or size > best[0]):
                    best = begin if _alike(run, self._lines, begin) else best
            ends = now
        if best is None:
            return None
        return best[0], f"{self._path}:{self._lines[best[1]][0]}", run[best[2]][0]


def _alike(run: Run, old: Run, begin: tuple[int, int, int]) -> bool:
    size, here, there = begin
    pairs = zip(run[there : there + size], old[here : here + size], strict=True)
    words = [(_TOKEN.findall(one), _TOKEN.findall(other)) for (_, one), (_, other) in pairs]
    ours = Counter(word for one, _ in words for word in one if word[0].isalnum() or word[0] == "_")
    theirs = Counter(word for _, other in words for word in other)
    total = ours.total()
    return total >= _WORDS and (ours & theirs).total() >= _ALIKE * total


def _shape(line: str) -> Shape:
    """What a line is apart from its names and numbers."""
    return tuple("x" if it[0].isalnum() or it[0] == "_" else it for it in _TOKEN.findall(line))
