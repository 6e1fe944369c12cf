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
_SHARED = 3  # whole lines that make it worth to look closely
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


def duplicates(source: Source, kinds: Kinds, *, late: Callable[[], bool]) -> Iterator[Finding]:
    """Yield what is new in code that is no test, and was there before.

    Raises:
        OutOfTimeError: `late` said so before all files of the same languages were compared.
    """
    new = [it for it in source.files if language(it.path) and kinds.is_own(it.path) and it.new]
    runs = {file.path: _runs(file) for file in new}
    anchors = {_bare(text.encode(errors="surrogateescape")): None
               for blocks in runs.values() for run in blocks for _, text in run}  # fmt: skip
    if not anchors:
        return
    wanted = dict(list(anchors.items())[:_MOST_LINES]).keys()
    gone = {it.old_path: set(it.gone) for it in source.files}
    tongues = {language(file.path) for file in new}
    entries = _near(source.tree(), kinds, tongues, [file.path for file in new])
    for entry, held in zip(entries, source.contents(it.blob for it in entries), strict=False):
        if late():
            raise OutOfTimeError
        shared = wanted & set(map(_bare, held.split(b"\n")))
        if len(shared) >= _SHARED:
            yield from _copies(runs, entry, held, gone.get(entry.path, set()))


def _bare(line: bytes) -> bytes:
    return line.translate(None, b" \t\r")


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


def _copies(
    runs: dict[str, list[Run]], entry: Entry, held: bytes, gone: set[int]
) -> Iterator[Finding]:
    """Yield the runs that one file holds, in lines that are still there."""
    text = held.decode(errors="replace")
    numbered = enumerate(text.split("\n"), start=1)
    old = [it for it in numbered if it[0] not in gone and _says_something(it[1])]
    places: dict[tuple[str, ...], list[int]] = {}
    for place, (_, line) in enumerate(old):
        places.setdefault(_shape(line), []).append(place)
    for path, blocks in runs.items():
        for run in blocks:
            if copy := _longest(run, old, places):
                here, there, size = copy
                said = f"{size} lines like {entry.path}:{old[there][0]}"
                yield Finding("copy", said, path, run[here][0])


def _longest(
    run: Run, old: Run, places: dict[tuple[str, ...], list[int]]
) -> tuple[int, int, int] | None:
    """Return where the longest copy begins, here and there, and how many lines it has."""
    best: tuple[int, int, int] | None = None
    shapes = [_shape(text) for _, text in run]
    ends: dict[int, int] = {}  # place there -> length of the copy that ends there
    for here, shape in enumerate(shapes):
        now: dict[int, int] = {}
        for there in places.get(shape, ())[:200]:
            size = now[there] = ends.get(there - 1, 0) + 1
            if size >= _LEAST and (best is None or size > best[2]):
                begin = (here - size + 1, there - size + 1, size)
                if _alike(run, old, begin):
                    best = begin
        ends = now
    return best


def _alike(run: Run, old: Run, begin: tuple[int, int, int]) -> bool:
    here, there, size = begin
    pairs = zip(run[here : here + size], old[there : there + size], strict=True)
    words = [(_TOKEN.findall(one), _TOKEN.findall(other)) for (_, one), (_, other) in pairs]
    ours = Counter(word for one, _ in words for word in one if word[0].isalnum() or word[0] == "_")
    theirs = Counter(word for _, other in words for word in other)
    total = ours.total()
    return total >= _WORDS and (ours & theirs).total() >= _ALIKE * total


def _shape(line: str) -> tuple[str, ...]:
    """What a line is apart from its names and numbers."""
    return tuple("x" if it[0].isalnum() or it[0] == "_" else it for it in _TOKEN.findall(line))
