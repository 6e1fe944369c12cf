"""What a line needs next, while it is put together and once it is."""

from msgspec import Struct

from fleet.core import events as e
from fleet.core.blame import Finding
from fleet.core.effects import Gate, Land, Merge, Prove, Remerge

# Ranks: who is to blame, what lands next, what keeps a change from landing, what nobody saw yet.
FIRST, FRONT, PROOF, BEHIND = 0, 1, 999, 1000


class Want(Struct, frozen=True):
    """Checks to run, and how soon: the lowest rank first."""

    rank: int
    gate: Gate | Prove


class Steps(Struct, frozen=True):
    """Facts that follow; else effects, and gates for which there may be workers or not.

    `keep` are lanes whose effects go on, though nothing can be said of them just now.
    """

    facts: tuple[e.AnyEvent, ...] = ()
    effects: tuple[Merge | Remerge | Land, ...] = ()
    wants: tuple[Want, ...] = ()
    keep: frozenset[str] = frozenset()


class Draft:
    """Steps as they are put together: one merge at a time, and every gate once."""

    def __init__(self) -> None:
        self.facts: list[e.AnyEvent] = []
        self.merge: Merge | None = None
        self.remerge: Remerge | None = None
        self.wants: dict[str, Want] = {}
        self.keep: frozenset[str] = frozenset()  # while it is not known what a merge comes to

    def want(self, rank: int, gate: Gate) -> None:
        self.wants.setdefault(gate.lane, Want(rank, gate))

    def take(self, finding: Finding, rank: int) -> None:
        if finding.fact is not None:
            self.facts.append(finding.fact)
        self.merge = self.merge or finding.merge
        if finding.gate is not None:
            self.want(rank, finding.gate)

    def steps(self) -> Steps:
        if self.facts:
            return Steps(facts=tuple(self.facts))
        effects = tuple(it for it in (self.remerge, self.merge) if it is not None)
        keep = self.keep if self.merge is not None else frozenset[str]()
        return Steps(effects=effects, wants=tuple(self.wants.values()), keep=keep)
