"""A fleet without a world: commands and outcomes in any order, and what must always hold."""

from contextlib import suppress
from datetime import datetime

import histories as h
import outcomes

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.change import BY_POLICY, Landing
from fleet.core.decide import decide
from fleet.core.facts import (
    AgentFacts,
    ChangeFacts,
    CleanFacts,
    Facts,
    RepoFacts,
    SpawnFacts,
    SubmitFacts,
    TrustFacts,
    VerdictFacts,
)
from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Task
from fleet.core.plan import plan
from fleet.core.planned import Plan
from fleet.core.policy import FleetPolicy
from fleet.core.reducer import reduce, replay
from fleet.core.status import Ending, Landed, Running, Starting, Submitted
from fleet.errors import FleetError

SLOTS = 2
MOST_ROUNDS = 1000
POLICY = FleetPolicy(slots=SLOTS, pool=1, max_runs_per_hour=50)


class Simulation:
    """What a supervisor does, but that its effects end when and as the test says."""

    def __init__(self) -> None:
        self.now = h.NOON
        self.given = h.circumstances(fleet=POLICY)
        self.fleet = Fleet()
        self.entries: list[e.Entry] = []
        self.lanes: dict[str, f.AnyEffect] = {}
        self.planned = Plan()
        self.evidence: set[tuple[str, str]] = set()  # (task, commit) that gates were green for
        self.record(*h.SETTING)

    # What happens ---------------------------------------------------------------------------

    def record(self, *events: e.AnyEvent) -> None:
        for event in events:
            self._fold(event)
        self.reconcile()

    def _fold(self, event: e.AnyEvent) -> None:
        self._judge(event)
        entry = e.Entry(len(self.entries) + 1, self.now, "fleet", event)
        self.entries.append(entry)
        self.fleet = reduce(self.fleet, entry)
        check_state(self.fleet)

    def reconcile(self) -> None:
        for _ in range(MOST_ROUNDS):
            self.planned = plan(self.fleet, self.given, self.now)
            if not self.planned.facts:
                break
            for fact in self.planned.facts:
                self._fold(fact)
        else:
            raise AssertionError(f"facts without end: {self.planned.facts}")
        check_plan(self.fleet, self.planned)
        for effect in self.planned.effects:
            self.lanes.setdefault(effect.lane, effect)

    def finish(self, which: int, how: int) -> None:
        """Let an effect under way come to one of its ends; broken off, it may tell nothing."""
        if not self.lanes:
            return
        lane = sorted(self.lanes)[which % len(self.lanes)]
        effect = self.lanes.pop(lane)
        if effect not in self.planned.effects and isinstance(effect, f.ONLY_LOOK):
            self.reconcile()
            return
        ends = [outcomes.good(effect, self.fleet, self.given), *outcomes.bad(effect, self.fleet)]
        self.record(*ends[how % len(ends)])

    def submit(self, command: c.AnyCommand, actor: str = "person") -> None:
        with suppress(FleetError):  # refusals are for other tests
            self.record(*decide(self.fleet, command, self._facts(command), actor=actor).events)

    def crash(self) -> None:
        """The supervisor dies; the next one knows what is on record, and no more."""
        assert replay(self.entries) == self.fleet
        self.lanes.clear()
        self.reconcile()

    def pass_time(self, when: datetime | None = None) -> None:
        wake = when or self.planned.wake_at or self.now + h.minutes(1)
        self.now = max(wake, self.now)
        self.reconcile()

    def _facts(self, command: c.AnyCommand) -> Facts:
        policy, tip = (
            self.given.target(h.REPO, "main"),
            self.fleet.repos[h.REPO].tips.get("main", h.BASE),
        )
        repo = RepoFacts(
            id=h.REPO, root="/srv/shop", git_dir="", target="main", tip=tip, policy=policy
        )
        match command:
            case c.Approve(task=name) | c.Revoke(task=name):
                task = self.fleet.tasks[TaskId(name)]
                if task.change is None:
                    return VerdictFacts()
                sealed = task.change.sealed
                seen = ChangeFacts(task=task.id, sealed=sealed, diff="", policy=policy)
                return VerdictFacts((seen,))
            case c.Spawn():
                agent = AgentFacts(
                    "shell", converses=command.done != "exit", done="exit", attempts=1
                )
                return SpawnFacts(repo=repo, agent=agent, base=None, branches=frozenset())
            case c.Submit(branch=branch):
                head = h.commit(f"{branch} {len(self.entries)}")
                return SubmitFacts(repo=repo, branch=branch, head=head)
            case c.Trust() | c.TrustAgents() | c.Thaw():
                return TrustFacts(repo=repo)
            case c.Clean():
                return CleanFacts(now=self.now)
            case _:
                return None

    # What must hold -------------------------------------------------------------------------

    def _judge(self, event: e.AnyEvent) -> None:
        match event:
            case e.AttemptBegan(task=name, attempt=attempt):
                assert attempt == self.fleet.tasks[name].attempt + 1
            case e.GatePassed(task=name, evidence=evidence):
                self.evidence.add((name, evidence.commit))
            case e.LandingBegan(task=name):
                self._judge_landing(self.fleet.tasks[name], event)
            case e.ChangeLanded(task=name):
                assert not isinstance(self.fleet.tasks[name].status, Landed)
            case _:
                pass

    def _judge_landing(self, task: Task, event: e.LandingBegan) -> None:
        change, evidence = task.change, event.evidence
        assert change is not None
        assert isinstance(task.status, Submitted)
        landing = [
            it.change.state.evidence.commit
            for it in self.fleet.tasks.values()
            if it.change is not None and isinstance(it.change.state, Landing)
        ]
        assert evidence.basis in {self.fleet.repos[task.repo].tips[task.target], *landing}
        assert (task.id, evidence.commit) in self.evidence
        assert evidence.rules == h.in_force(task, self.given.target(task.repo, task.target))
        assert change.approval is not None
        assert change.approval.sealed == change.sealed
        assert all(result.green for result in evidence.results)
        assert evidence.results or change.approval.by == "person"
        assert change.approval.by != BY_POLICY or task.spec.land == "auto"


def check_state(fleet: Fleet) -> None:
    """What is true in every state, however it came about."""
    at_work = [
        task
        for task in fleet.tasks.values()
        if task.run is not None or isinstance(task.status, Starting | Ending)
    ]
    assert len(at_work) <= SLOTS
    for task in fleet.tasks.values():
        assert task.spent < max(task.spec.limits.attempts or 1, 1)
        if isinstance(task.status, Running):
            assert task.run is not None
            assert task.run.leaving is None
        if task.run is not None:
            assert task.run.attempt == task.attempt
            assert task.slot is not None
        if task.slot is not None:
            slot = fleet.repos[task.repo].slots[task.slot]
            assert (slot.state, slot.task) == ("taken", task.id)
    taken = [task.slot for task in fleet.tasks.values() if task.slot is not None]
    assert len(taken) == len(set(taken))


def check_plan(fleet: Fleet, planned: Plan) -> None:
    """What is true of every plan that is carried out."""
    lanes = [effect.lane for effect in planned.effects]
    assert len(lanes) == len(set(lanes)), planned.effects
    for effect in planned.effects:
        if isinstance(effect, f.StartRun):
            assert not fleet.tasks[effect.task].restoring
        if isinstance(effect, f.FreeWorkspace):
            task = fleet.tasks[effect.task]
            assert isinstance(task.status, Landed) or task.removed_at is not None
            assert task.run is None
