"""Reads single lines of a diff for what makes checks pass that should not."""

import re
from collections.abc import Iterator

from fleet.core.assessment import Finding
from fleet.evaluation.globs import matcher
from fleet.evaluation.kinds import GATES, language
from fleet.evaluation.source import File

_SKIPS = re.compile(
    r"@(?:pytest\.mark|mark)\.(?:skip|xfail)|\bpytest\.(?:skip|xfail|importorskip)\("
    r"|@?unittest\.(?:skip|expectedFailure)|\bself\.skipTest\("
    r"|\b(?:it|test|describe|context|suite)\.(?:skip|only|todo|failing|fixme)\b"
    r"|^\s*(?:xit|xtest|xdescribe|xcontext|fit|fdescribe|fcontext)\s*\("
    r"|\bt\.Skip(?:f|Now)?\(|#\[ignore\b|@(?:Disabled|Ignore)\b|\[Ignore\b|\bSkip\s*=\s*\""
    r"|\bmarkTestSkipped\(|\bpending\s*[(\"']"
)
_EMPTY = re.compile(
    r"\bassert\s+(?:True|1)\s*(?:,|#|$)|\bassert\s+(?P<a>[\w.\[\]\"']+)\s*==\s*(?P=a)\s*(?:,|#|$)"
    r"|\bassertTrue\(\s*(?:True|true)\s*[,)]|\bassert(?:_?[eE]quals?)\(\s*(?P<b>[\w.]+)\s*,\s*(?P=b)\s*[,)]"
    r"|\bexpect\(\s*(?P<c>[\w.]+)\s*\)\.(?:toBe|toEqual|toStrictEqual)\(\s*(?P=c)\s*\)"
    r"|\bassert!\(\s*true\s*[,)]|\bassert_eq!\(\s*(?P<d>[\w.]+)\s*,\s*(?P=d)\s*[,)]"
    r"|\bassert\.(?:ok|True)\(\s*(?:t\s*,\s*)?true\s*\)"
)
_SWALLOWS = re.compile(
    r"^\s*except(?:\s*\(?\s*(?:Base)?Exception\s*\)?(?:\s+as\s+\w+)?)?\s*:\s*(?P<rest>.*)$"
)
_CATCHES = re.compile(r"\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\bsuppress\(\s*(?:Base)?Exception\s*\)")
_NOTHING = re.compile(r"^\s*(?:pass|\.\.\.|continue)\s*(?:#.*)?$")
_LENIENT = re.compile(
    r"\|\|\s*(?:true\b|:(?:\s|$)|exit\s+0)|^\s*set\s+\+e\b|\bexit\s+0\b|\b(?:sys|os)\._?exit\(\s*0?\s*\)"
    r"|\bprocess\.exit\(\s*0?\s*\)|\bcontinue-on-error:\s*true|\ballow_failure:\s*true"
    r"|--exit-zero\b|--no-verify\b|--passWithNoTests\b|\bsession\.exitstatus\s*=\s*0|^\s*-\w+.*@-"
)
_RUNNERS = ("*.sh", "*.bash", "run_tests*", "runtests*", "package.json", "scripts", "bin", *GATES)
# What a number after these words allows: more where it is larger, or where it is smaller.
_WIDER = re.compile(
    r"\b(?P<key>abs|rel|delta|atol|rtol|abs_tol|rel_tol|tolerance|tol|eps|epsilon|threshold|within)"
    r"\s*[=:(,]\s*(?P<number>\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)"
)
_NARROWER = re.compile(
    r"\b(?P<key>places|decimal|significant|toBeCloseTo\([^,()]+,)\s*=?\s*(?P<number>\d+)"
)
_DEMANDED = re.compile(
    r"\b(?P<key>fail[_-]under|cov-fail-under|minimum_coverage|coverageThreshold|branches|functions"
    r"|lines|statements|min_coverage)\"?'?\s*[=: ]\s*(?P<number>\d+(?:\.\d+)?)"
)
_CONFIGURES = re.compile(
    r"\.(?:toml|cfg|ini|ya?ml|json|[cm]?js|ts|sh)$|(?:^|/)\.coveragerc$|akefile$"
)


def signs(file: File, *, is_test: bool) -> Iterator[Finding]:
    """Yield what the lines of one file say; `line` is where it stands now."""
    if is_test:
        yield from _more(file, _SKIPS, "skipped")
        yield from _more(file, _EMPTY, "vacuous")
        yield from _moved(file, _WIDER, "tolerance", up=True)
        yield from _moved(file, _NARROWER, "tolerance", up=False)
    if is_test or matcher(_RUNNERS).match(file.path):
        yield from _more(file, _LENIENT, "runner")
    if language(file.path) is not None:
        yield from _swallowed(file)
    if _CONFIGURES.search(file.path):
        yield from _moved(file, _DEMANDED, "coverage", up=False)
        yield from _undemanded(file)


def _more(file: File, pattern: re.Pattern[str], kind: str) -> Iterator[Finding]:
    """Yield the new lines that match, where they are more than the old ones that did."""
    new = [(number, text) for number, text in file.new.items() if pattern.search(text)]
    gone = sum(1 for text in file.gone.values() if pattern.search(text))
    for number, text in new[gone:]:
        yield Finding(kind, text.strip(), file.path, number)


def _swallowed(file: File) -> Iterator[Finding]:
    gone = {text.strip() for text in file.gone.values()}
    for number, text in file.new.items():
        catches = _SWALLOWS.match(text)
        after = (catches["rest"] or file.new.get(number + 1, "")) if catches else ""
        silent = bool(catches) and bool(_NOTHING.match(after))
        if (silent or _CATCHES.search(text)) and text.strip() not in gone:
            yield Finding("swallowed", text.strip(), file.path, number)


def _moved(file: File, pattern: re.Pattern[str], kind: str, *, up: bool) -> Iterator[Finding]:
    """Yield the lines whose number went up (or down) against the line that they take the place of.

    The n-th number after a word is compared with the n-th before.
    """
    old, new = _numbers(file.gone, pattern), _numbers(file.new, pattern)
    for key, was in old.items():
        for (before, _), (after, line) in zip(was, new.get(key, ()), strict=False):
            if after > before if up else after < before:
                yield Finding(kind, f"{key} {before:g} → {after:g}", file.path, line)


def _undemanded(file: File) -> Iterator[Finding]:
    """Yield the demands on coverage that are gone, and nothing came in their place."""
    left = _numbers(file.new, _DEMANDED)
    for key, was in _numbers(file.gone, _DEMANDED).items():
        if key not in left and ("cov" in key or "under" in key):
            yield Finding("coverage", f"{key} {was[0][0]:g} is gone", file.path)


def _numbers(lines: dict[int, str], pattern: re.Pattern[str]) -> dict[str, list[tuple[float, int]]]:
    found: dict[str, list[tuple[float, int]]] = {}
    for line, text in lines.items():
        for match in pattern.finditer(text):
            key = match["key"].split("(")[0]
            found.setdefault(key, []).append((float(match["number"]), line))
    return found
