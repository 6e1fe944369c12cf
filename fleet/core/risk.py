"""Adds up how risky a change is: one table of points, and a sentence for each that counts.

`assess` judges what was measured, once; `assessed` is the sum by which everybody goes.
"""

from collections.abc import Iterable, Iterator
from statistics import median

from msgspec.structs import asdict, replace

from fleet.core.assessment import Assessment, Found, Reason, Report, Risk
from fleet.core.change import Change
from fleet.core.criteria import criteria
from fleet.core.ids import RepoId
from fleet.core.model import Fleet, Task
from fleet.core.policy import PROSE, RepoPolicy
from fleet.core.proof import Proof
from fleet.core.proofs import NO_CODE, found, phrase
from fleet.core.status import Landed

# What a change is charged for, and how much; of each list the highest limit that is passed counts.
LINES = ((1000, 5), (500, 3), (200, 1))
FILES = ((30, 3), (10, 1))
POINTS = {
    "too much": 2,  # lines for each criterion: more than TIMES what was expected or is usual
    "test lost": 5,
    "test weakened": 3,  # for each way in which tests say less than before
    "gate": 5,
    "sensitive": 3,
    "unusual": 2,
    "duplicate": 1,
    "outside": 3,
    "sent back": 1,
    "old tests fail": 5,
    "not proven": 2,
    "unknown": 3,  # what nobody looked at is not harmless
}
TIMES = 2.5
_ENOUGH = 5  # landed changes, before their median says anything
_WAYS = {
    "lost": "tests are gone",
    "assertions": "tests assert less",
    "skipped": "tests are skipped",
    "tolerance": "tests tolerate more",
    "swallowed": "errors are swallowed",
    "snapshot": "snapshots are rewritten",
    "coverage": "less coverage is demanded",
    "vacuous": "assertions are always true",
    "runner": "a runner ignores failures",
}


def assess(fleet: Fleet, task: Task, change: Change, report: Report) -> Assessment:
    """Return what `report` means for this change, with all that a reader needs to check it."""
    found = Assessment(
        **asdict(report),
        criteria=max(len(criteria(task.spec)), 1),
        expected=task.spec.expect_lines,
        median=usual(fleet, task.repo),
    )
    return charged(found, _reasons(found, change))


def assessed(task: Task, change: Change, policy: RepoPolicy) -> Assessment | None:
    """Return what was measured, charged with what proofs say by now; None until it is measured.

    Whatever shows a change's risk, or decides by it, asks here.
    """
    if change.assessment is None:
        return None
    own = change.assessment.lines > 0 and not _is_prose(change.files)
    proofs = found(task, change, policy)
    reasons = (reason for it in proofs if (reason := _doubt(it, own=own)) is not None)
    return charged(change.assessment, reasons)


def risk_of(task: Task, change: Change, policy: RepoPolicy) -> Risk | None:
    """Return how risky a change is by all that is known; None until it is measured."""
    known = assessed(task, change, policy)
    return known.risk if known else None


def _is_prose(files: tuple[str, ...]) -> bool:
    return all(path.lower().endswith(PROSE) for path in files)


def _doubt(proof: Proof, *, own: bool) -> Reason | None:
    """Return what a proof is charged with; `own`: there are lines that a test could be for."""
    match proof.kind, proof.state:
        case _, "proven":
            return None
        case "old-tests", "refuted":
            return Reason(POINTS["old tests fail"], phrase(proof))
        case "old-tests", "unbuildable":
            return Reason(POINTS["unknown"], phrase(proof))
        case "new-tests", "nothing-to-prove" if own and proof.why != NO_CODE:
            return Reason(POINTS["not proven"], f"no test fails without the change: {proof.why}")
        case "new-tests", "refuted" | "unbuildable":
            return Reason(POINTS["not proven"], phrase(proof))
        case _:
            return None


def charged(assessment: Assessment, reasons: Iterable[Reason]) -> Assessment:
    """Return the same with more reasons, the heaviest first."""
    whole = sorted((*assessment.reasons, *reasons), key=lambda it: -it.points)
    return replace(assessment, reasons=tuple(whole))


def usual(fleet: Fleet, repo: RepoId) -> float | None:
    """Return how many lines a criterion takes in this project: the median of what landed.

    None where too little has landed to tell.
    """
    landed = [
        _per_criterion(task, task.change)
        for task in fleet.tasks.values()
        if task.repo == repo and isinstance(task.status, Landed) and task.change is not None
    ]
    return round(median(landed), 1) if len(landed) >= _ENOUGH else None


def _per_criterion(task: Task, change: Change) -> float:
    if change.assessment is not None and not change.assessment.unknown:
        return change.assessment.per_criterion
    return (change.added + change.removed) / max(len(criteria(task.spec)), 1)


def _reasons(found: Assessment, change: Change) -> Iterator[Reason]:
    yield from _size(found)
    yield from _tests(found.weakened)
    yield from _named(found.gates, "gate", "decides what may land")
    yield from _named(found.sensitive, "sensitive", "sensitive")
    yield from _named(found.unusual, "unusual", "unusual")
    yield from _named(found.duplicates, "duplicate", "copies what is there")
    yield from _named(found.outside, "outside", "outside of the task's scope")
    if change.revision > 1:
        yield Reason(POINTS["sent back"], "a revision before it did not get through")
    if found.unknown:
        why = _first(found.unknown[0], len(found.unknown))
        yield Reason(POINTS["unknown"], f"not looked at: {why}")


def _size(found: Assessment) -> Iterator[Reason]:
    if points := _charge(LINES, found.lines):
        yield Reason(points, f"{found.lines} changed lines beside tests")
    if points := _charge(FILES, found.files):
        yield Reason(points, f"{found.files} changed files beside tests")
    per = round(found.per_criterion)
    if found.expected is not None and found.lines > TIMES * found.expected:
        yield Reason(POINTS["too much"], f"{found.lines} lines, {found.expected} were expected")
    elif found.expected is None and found.median and per > TIMES * found.median:
        said = f"{per} lines a criterion, {found.median:g} are usual here"
        yield Reason(POINTS["too much"], said)


def _charge(limits: Iterable[tuple[int, int]], number: int) -> int:
    return next((points for limit, points in limits if number > limit), 0)


def _tests(weakened: Found) -> Iterator[Reason]:
    for kind in weakened.kinds():
        points = POINTS["test lost" if kind == "lost" else "test weakened"]
        some = [it for it in weakened.first if it.kind == kind]
        yield Reason(points, f"{_WAYS.get(kind, kind)}: {_first(some[0].text, len(some))}")


def _named(found: Found, charge: str, what: str) -> Iterator[Reason]:
    if found:
        first = found.first[0] if found.first else None
        text = (first.text or first.path) if first else ""
        yield Reason(POINTS[charge], f"{what}: {_first(text, found.total)}")


def _first(text: str, number: int) -> str:
    return f"{text}, and {number - 1} more" if number > 1 else text
