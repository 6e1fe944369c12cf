"""What was measured in a change, and how risky that makes it: a sum that a reader can check."""

from typing import Literal, get_args

from msgspec import Struct

Risk = Literal["low", "medium", "high"]
_RISKS: tuple[Risk, ...] = get_args(Risk)
_MEDIUM, _HIGH = 3, 6  # points


def order(risk: Risk) -> int:
    """Return where a risk stands among all of them: the higher, the more there is to fear."""
    return _RISKS.index(risk)


class Request(Struct, frozen=True, kw_only=True):
    """Which change is to be measured, from `base` to `sealed`, and what counts in its project.

    Patterns are added to those that hold everywhere. `judges` are the commands of its checks: the
    files that they name decide what may land. Without a `scope` the change may touch everything.
    """

    git_dir: str
    base: str
    sealed: str
    tests: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    seconds: float = 20.0  # for all of it


NOT_REACHED = "not reached"  # why a part is unknown, as long as another one is under way


class Finding(Struct, frozen=True):
    """One thing that was noticed; `line` is that of the sealed file, or of the old one if gone."""

    kind: str
    text: str
    path: str = ""
    line: int = 0

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Found(Struct, frozen=True):
    """The first few things of one sort, and how many there are in all."""

    total: int = 0
    first: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return self.total > 0

    def kinds(self) -> tuple[str, ...]:
        """Return each kind once, in the order in which they were found."""
        return tuple(dict.fromkeys(it.kind for it in self.first))


class Complexity(Struct, frozen=True):
    """Cyclomatic complexity: `added` sums only increases, so that a tidied function hides none."""

    before: int = 0
    after: int = 0
    added: int = 0
    worst: Finding | None = None  # the changed function with the most, and how much that is


class Report(Struct, frozen=True, kw_only=True):
    """What was measured in one change. `lines` and `files` are neither tests nor generated.

    `unknown` says what could not be looked at, and why: what it would have found is not here.
    """

    lines: int = 0
    files: int = 0
    test_lines: int = 0
    generated_lines: int = 0
    complexity: Complexity = Complexity()
    duplicates: Found = Found()
    dependencies: Found = Found()
    settings: Found = Found()
    names: Found = Found()
    weakened: Found = Found()  # tests that are gone or say less than they did
    gates: Found = Found()  # what decides whether a change may land
    sensitive: Found = Found()
    unusual: Found = Found()  # links, modes, binaries, submodules, line ends
    outside: Found = Found()  # of the scope that the task declares
    claims: Found = Found()  # of its summary, that the diff does not bear out
    unknown: tuple[str, ...] = ()


class Reason(Struct, frozen=True):
    """One thing that makes a change riskier, and by how many points."""

    points: int
    text: str


class Assessment(Report, frozen=True, kw_only=True):
    """What a reviewer should know of a change before reading it.

    `criteria` are what the task can be measured by; `expected` is how many lines a person said
    it would take, and `median` what a criterion took in this project so far.
    """

    reasons: tuple[Reason, ...] = ()
    criteria: int = 1
    expected: int | None = None
    median: float | None = None

    @property
    def points(self) -> int:
        return sum(reason.points for reason in self.reasons)

    @property
    def risk(self) -> Risk:
        points = self.points
        return "low" if points < _MEDIUM else "medium" if points < _HIGH else "high"

    @property
    def per_criterion(self) -> float:
        return self.lines / max(self.criteria, 1)
