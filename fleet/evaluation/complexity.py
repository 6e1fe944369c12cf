"""Measures how much more complex a change makes the code, function by function, with lizard."""

from collections import defaultdict
from collections.abc import Callable

from fleet.core.assessment import Complexity, Finding
from fleet.evaluation.kinds import Kinds, language
from fleet.evaluation.source import File, Source

_LONGEST = 256 * 1024  # characters of a file that is measured
Function = tuple[str, int, int]  # name, complexity, line
_Pair = tuple[File, Function, int]  # where it is now, and what its complexity was


class OutOfTimeError(Exception):
    """There is no time left for this part."""


def complexity(source: Source, kinds: Kinds, *, late: Callable[[], bool]) -> Complexity:
    """Return the sums of the functions in files that differ and are no tests.

    Raises:
        OutOfTimeError: `late` said so before all were measured.
    """
    pairs, left, fresh = list[_Pair](), defaultdict[str, list[int]](list), list[_Pair]()
    for file in source.files:
        if language(file.path) is None or not kinds.is_own(file.path):
            continue
        if late():
            raise OutOfTimeError
        old = _by_name(functions(file.old_path, source.old(file)))
        for function in functions(file.path, source.new(file)):
            known = old[function[0]]
            (pairs if known else fresh).append((file, function, known.pop(0) if known else 0))
        for name, numbers in old.items():
            left[name] += numbers
    for file, function, _ in fresh:  # it may have come from another file
        known = left[function[0]]
        pairs.append((file, function, known.pop(0) if known else 0))
    return _summed(pairs, gone=sum(map(sum, left.values())))


def _summed(pairs: list[_Pair], *, gone: int) -> Complexity:
    differing = [pair for pair in pairs if pair[1][1] != pair[2]]
    worst = max(differing, key=lambda pair: pair[1][1], default=None)
    return Complexity(
        before=gone + sum(was for _, _, was in pairs),
        after=sum(function[1] for _, function, _ in pairs),
        added=sum(max(function[1] - was, 0) for _, function, was in pairs),
        worst=_told(*worst) if worst else None,
    )


def functions(path: str, text: str | None) -> list[Function]:
    """Return the functions of a file, as far as lizard knows its language."""
    if text is None or len(text) > _LONGEST:
        return []
    import lizard  # type: ignore[import-untyped] # noqa: PLC0415 (40 ms, often for nothing)

    found = lizard.analyze_file.analyze_source_code(path, text)
    return [(it.name, it.cyclomatic_complexity, it.start_line) for it in found.function_list]


def _by_name(functions: list[Function]) -> defaultdict[str, list[int]]:
    known: defaultdict[str, list[int]] = defaultdict(list)
    for name, number, _ in functions:
        known[name].append(number)
    return known


def _told(file: File, function: Function, was: int) -> Finding:
    name, now, line = function
    return Finding(
        "function", f"{name} {now}, {f'it was {was}' if was else 'new'}", file.path, line
    )
