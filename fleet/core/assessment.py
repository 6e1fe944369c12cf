"""How risky a change is, as a sum that a reader can check by adding up."""

from typing import Literal

from msgspec import Struct

Risk = Literal["low", "medium", "high"]
_MEDIUM, _HIGH = 3, 6  # points


class Reason(Struct, frozen=True):
    """One thing that makes a change riskier, and by how many points."""

    points: int
    text: str


class Assessment(Struct, frozen=True):
    """What was found in a change that a reviewer should know before reading it."""

    reasons: tuple[Reason, ...] = ()

    @property
    def points(self) -> int:
        return sum(reason.points for reason in self.reasons)

    @property
    def risk(self) -> Risk:
        points = self.points
        return "low" if points < _MEDIUM else "medium" if points < _HIGH else "high"
