"""A merge queue without git: merges and landings succeed at once, checks end as a test says."""

from collections.abc import Iterable
from datetime import datetime

import histories as h
import outcomes
from msgspec.structs import replace

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.causes import Conflict
from fleet.core.ids import TaskId
from fleet.core.line import Clash, Line
from fleet.core.model import Fleet
from fleet.core.plan import plan
from fleet.core.policy import RepoPolicy
from fleet.core.status import Landed

MOST_ROUNDS = 1000


class Track:
    """A fleet in which nothing but its merge queue moves.

    `conflicts` are pairs of tasks that do not merge one behind the other. Where it `measures`,
    changes are assessed at once; else as a test says.
    """

    def __init__(
        self,
        *events: e.AnyEvent,
        policy: RepoPolicy = h.CHECKED,
        workers: int = 1,
        conflicts: Iterable[tuple[str, str]] = (),
        measures: bool = True,
    ) -> None:
        fleet = replace(h.NO_SLOTS, workers=workers)
        self.given = h.circumstances(policy, fleet=fleet)
        self.measures = measures
        self.conflicts = {frozenset(pair) for pair in conflicts}
        self.running: dict[str, f.Gate] = {}
        self.stopped: list[f.Gate] = []
        self.facts: list[e.AnyEvent] = []
        self.runs = 0
        self.now = h.NOON
        self.wake_at: datetime | None = None
        self.begun: dict[str, datetime] = {}
        self.fleet: Fleet = h.history()
        self.add(*events)

    # What happens ---------------------------------------------------------------------------

    def add(self, *events: e.AnyEvent) -> None:
        self.fleet = h.fold(self.fleet, events, self.now)
        self.settle()

    def settle(self) -> None:
        """Carry out whatever takes no time, until only checks are under way."""
        for _ in range(MOST_ROUNDS):
            given = replace(self.given, under_way=frozenset(self.running), begun=self.begun)
            planned = plan(self.fleet, given, self.now)
            if planned.facts:
                self.facts.extend(planned.facts)
                self.fleet = h.fold(self.fleet, planned.facts, self.now)
                continue
            self.wake_at = planned.wake_at
            wanted = [effect.work for effect in planned.effects]
            for lane, gate in list(self.running.items()):
                if gate.work not in wanted and lane not in planned.keep:
                    self.stopped.append(self.running.pop(lane))
            events = [it for effect in planned.effects for it in self._carry_out(effect)]
            if not events:
                return
            self.fleet = h.fold(self.fleet, events, self.now)
        raise AssertionError(f"without end: {self.facts[-5:]}")

    def _carry_out(self, effect: f.AnyEffect) -> list[e.AnyEvent]:
        match effect:
            case f.Gate():
                if effect.lane not in self.running:
                    self.running[effect.lane] = effect
                    self.begun[effect.lane] = self.now
                    self.runs += 1
                return []
            case f.Merge():
                return self._merge(effect)
            case f.Assess() if not self.measures:
                return []
            case f.Land() | f.Remerge() | f.Assess():
                return outcomes.good(effect, self.fleet, self.given)
            case _:
                return []

    def _merge(self, effect: f.Merge) -> list[e.AnyEvent]:
        """Merge up to the first that clashes with one before it, or with what landed since."""
        landed = [tip.task for tip in self.line.tips if tip.task]
        tips = [tip.commit for tip in self.line.tips]
        before = landed if effect.onto == tips[-1] else []
        for number, car in enumerate(effect.cars):
            others = [*before, *(it.task for it in effect.cars[:number])]
            if any(frozenset((car.task, other)) in self.conflicts for other in others):
                cars = effect.cars[: number + 1]
                cause = Conflict(("x.py",), effect.onto)
                clash = Clash(effect.onto, effect.method, cars, cause)
                clashed = e.TrainClashed(repo=effect.repo, target=effect.target, clash=clash)
                front = replace(effect, cars=effect.cars[:number])
                return [*([outcomes.merged(front)] if number else []), clashed]
        return [outcomes.merged(effect)]

    def finish(self, *names: str, red: bool = False) -> None:
        """Let the checks of the tree end that `names` make behind what has landed."""
        gate = next(gate for gate in self.running.values() if self.names(gate) == names)
        del self.running[gate.lane]
        verdict = (h.CHECK.run,) if red else ()
        self.add(outcomes.checked(gate, self.fleet, self.given, red=verdict))

    # What is seen ---------------------------------------------------------------------------

    @property
    def line(self) -> Line:
        return self.fleet.repos[h.REPO].lines["main"]

    def names(self, gate: f.Gate) -> tuple[str, ...]:
        """Return whose changes a tree holds that have not landed."""
        return tuple(car.task for car in gate.cars if not self.landed(car.task))

    @property
    def checking(self) -> list[tuple[str, ...]]:
        """What is being checked."""
        return [self.names(gate) for gate in self.running.values()]

    def landed(self, name: str) -> bool:
        return isinstance(self.fleet.tasks[TaskId(name)].status, Landed)

    def told(self, kind: type[e.TaskEvent]) -> list[str]:
        """Return of which tasks such a fact was told, in order."""
        return [fact.task for fact in self.facts if isinstance(fact, kind)]


def queue(*names: str) -> list[e.AnyEvent]:
    """Return the history of changes that a person approved, in this order."""
    return [event for name in names for event in approved(name)]


def approved(name: str) -> tuple[e.AnyEvent, ...]:
    task = TaskId(name)
    return (*h.by_hand(task), h.approved(task))


def red_target() -> Track:
    """A target that fails its own check, as was found out after two changes were sent back."""
    track = Track(*queue("a", "b", "c"), policy=replace(h.CHECKED, batch=1))
    for name in ("a", "b"):
        track.finish(name, red=True)
        track.finish(name, red=True)
    track.finish("c", red=True)
    track.finish(red=True)
    track.finish(red=True)
    return track
