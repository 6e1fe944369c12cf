"""What a supervisor does with the merge queue, in a world without git: rules, and their hands.

Effects begin and end when the test says. What a landing reads and what it then swaps are two
steps, so that others may come in between; a death may strike at each of them.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

import histories as h
import outcomes
import queue_invariants as inv
from msgspec.structs import replace
from queue_world import World

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.causes import CheckResult, Conflict, GateRed
from fleet.core.change import Change, Evidence, Landing
from fleet.core.decide import decide
from fleet.core.facts import Facts, RepoFacts, SubmitFacts, TrustFacts
from fleet.core.gating import gates, rules
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Fleet, Task
from fleet.core.plan import plan
from fleet.core.planned import Circumstances, Plan
from fleet.core.policy import Check, RepoPolicy
from fleet.core.reducer import reduce, replay
from fleet.errors import FleetError

E = TypeVar("E", bound=e.AnyEvent)
FLAKY = CheckResult("test", "flaky", 1.0, "/log/test", 0)
MOST_ROUNDS = 1000
POLICIES = (
    h.CHECKED,
    RepoPolicy(checks=(h.CHECK, Check("lint", "make lint")), digest="d1"),
    RepoPolicy(),
)


@dataclass
class Work:
    """An effect under way; `about` is what its hands saw when they began."""

    effect: f.AnyEffect
    about: Fleet
    given: Circumstances
    stopped: bool = False


@dataclass
class Queue:
    """A supervisor whose only work is the merge queue of main."""

    world: World = field(default_factory=World)
    given: Circumstances = field(default_factory=lambda: h.circumstances(fleet=h.NO_SLOTS))
    fleet: Fleet = field(default_factory=Fleet)
    entries: list[e.Entry] = field(default_factory=list)
    lanes: dict[str, Work] = field(default_factory=dict)
    planned: Plan = field(default_factory=Plan)
    approvals: set[tuple[TaskId, Commit]] = field(default_factory=set)  # that people gave
    flakes: int = 0  # how many runs of checks will fail for nothing
    workers: int = 1
    now_: int = 0

    def __post_init__(self) -> None:
        self.record(*self.setting())

    def setting(self) -> h.Events:
        return h.SETTING

    def recorded(self, kind: type[E]) -> list[E]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    def change(self, name: TaskId) -> Change:
        return changed(self.fleet.tasks[name])

    def checks(self, name: TaskId) -> tuple[Check, ...]:
        return gates(self.fleet.tasks[name].spec, self.given.repo(h.REPO))

    # The cycle -----------------------------------------------------------------------------------

    def record(self, *events: e.AnyEvent) -> None:
        for event in events:
            self.fold(event)
        self.reconcile()

    def fold(self, event: e.AnyEvent) -> None:
        for invariant in inv.EVENTS:
            invariant(self, event)
        self.now_ += 1
        now = h.NOON + h.minutes(self.now_)
        entry = e.Entry(len(self.entries) + 1, now, "fleet", event)
        self.entries.append(entry)
        self.fleet = reduce(self.fleet, entry)

    def plan(self) -> Plan:
        return plan(self.fleet, self.given, h.NOON + h.minutes(self.now_))

    def reconcile(self) -> None:
        for _ in range(MOST_ROUNDS):
            self.planned = self.plan()
            if not self.planned.facts:
                break
            for fact in self.planned.facts:
                self.fold(fact)
        else:
            raise AssertionError(f"facts without end: {self.planned.facts}")
        for work in self.lanes.values():
            work.stopped |= work.effect not in self.planned.effects
        for effect in self.planned.effects:
            if effect.lane not in self.lanes:
                self.lanes[effect.lane] = Work(effect, self.fleet, self.given)
                self.begun(effect.lane)

    def begun(self, lane: str) -> None:
        """Something was begun; a benchmark keeps its time."""

    def finish(self, lane: str) -> None:
        work = self.lanes.pop(lane)
        if work.stopped and isinstance(work.effect, f.ONLY_LOOK):
            self.reconcile()
            return
        self.record(*self.come_to(work))

    def crash(self) -> None:
        """The supervisor dies; the next one knows what is on record, and no more."""
        assert replay(self.entries) == self.fleet
        self.lanes.clear()
        self.reconcile()

    def submit(self, command: c.AnyCommand, actor: str = "person") -> bool:
        try:
            decision = decide(self.fleet, command, self._facts(command), actor=actor)
        except FleetError:
            return False
        for event in decision.events:
            if isinstance(event, e.Approved):
                self.approvals.add((event.task, event.sealed))
        self.record(*decision.events)
        return True

    def _facts(self, command: c.AnyCommand) -> Facts:
        policy, known = self.given.repo(h.REPO), self.fleet.repos[h.REPO]
        repo = RepoFacts(
            id=h.REPO,
            root=known.root,
            git_dir=known.git_dir,
            target="main",
            tip=self.world.tip,
            policy=policy,
        )
        match command:
            case c.Submit(branch=branch):
                return SubmitFacts(repo=repo, branch=branch, head=self.world.branches[branch])
            case c.Thaw() | c.Trust():
                return TrustFacts(repo=repo)
            case _:
                return None

    def look(self) -> None:
        """Notice that the target moved, as the supervisor does when it is not just landing."""
        known, tip = self.fleet.repos[h.REPO].tips.get("main"), self.world.tip
        landing = any(isinstance(work.effect, f.Land) for work in self.lanes.values())
        if tip == known or landing:
            return
        seen = e.TargetSeen(repo=h.REPO, target="main", tip=tip)
        back = known is not None and known not in self.world.behind(self.world.tip)
        frozen = e.QueueFrozen(repo=h.REPO, target="main", reason="it was taken back")
        self.record(*([frozen] if back else []), seen)

    # Hands ---------------------------------------------------------------------------------------

    def come_to(self, work: Work) -> list[e.AnyEvent]:
        match work.effect:
            case f.Seal(task=task, revision=revision):
                return [self._seal(self.fleet.tasks[task], revision)]
            case f.Gate():
                return [self._gate(work, work.effect)]
            case f.Remerge():
                return [self._remerge(work, work.effect)]
            case f.Land():
                return self._land(work.effect)
            case _:
                return outcomes.good(work.effect, self.fleet, self.given)

    def _seal(self, task: Task, revision: int) -> e.AnyEvent:
        head = self.world.branches[task.branch]
        if task.change is not None and task.change.sealed == head:
            return e.SealUnchanged(task=task.id, revision=task.change.revision)
        return h.sealed(task.id, revision, sealed=head, head=head, base=self.world.tip)

    def _gate(self, work: Work, effect: f.Gate) -> e.AnyEvent:
        task = work.about.tasks[effect.task]
        change = changed(task)
        named: dict[str, Any] = {"task": task.id, "revision": change.revision}
        if change.sealed in self.world.edits(effect.onto):
            return e.ChangeLanded(**named, commit=effect.onto, target="main")
        merged = self.world.build(effect.onto, change.sealed)
        if merged is None:
            return e.ConflictFound(**named, cause=Conflict(("x.py",), effect.onto))
        checks = gates(task.spec, work.given.repo(h.REPO))
        green, again = self._run(merged, checks)
        if not green:
            return e.GateRejected(**named, cause=GateRed((h.RED,), effect.onto))
        results = tuple(replace(FLAKY if again else h.GREEN, name=check.name) for check in checks)
        evidence = Evidence(effect.onto, merged, f"tree {merged}", rules(checks), results)
        return e.GatePassed(**named, evidence=evidence)

    def _run(self, commit: Commit, checks: tuple[Check, ...]) -> tuple[bool, bool]:
        """Whether checks were green, and whether only the second time."""
        if not checks or self.check(commit):
            return True, False
        return self.check(commit), True

    def check(self, commit: Commit) -> bool:
        """Run the checks once; whether they were green."""
        if self.flakes > 0:
            self.flakes -= 1
            return False
        return self.world.check(commit)

    def _remerge(self, work: Work, effect: f.Remerge) -> e.AnyEvent:
        change = changed(work.about.tasks[effect.task])
        named: dict[str, Any] = {"task": effect.task, "revision": effect.revision}
        if change.sealed in self.world.edits(effect.onto):
            return e.ChangeLanded(**named, commit=effect.onto, target="main")
        if self.world.build(effect.onto, change.sealed) is None:
            return e.ConflictFound(**named, cause=Conflict(("x.py",), effect.onto))
        return e.StillMerges(**named, onto=effect.onto)

    def _land(self, effect: f.Land) -> list[e.AnyEvent]:
        """Compare and swap; what a crash had done already counts as done."""
        task = self.fleet.tasks[effect.task]
        change = changed(task)
        assert isinstance(change.state, Landing)
        intent = change.state.evidence
        if intent.commit not in self.world.behind(self.world.tip):
            self.swap(task.id, intent)
        if intent.commit in self.world.behind(self.world.tip):
            landed = e.ChangeLanded(
                task=task.id, revision=change.revision, commit=intent.commit, target="main"
            )
            seen = e.TargetSeen(repo=h.REPO, target="main", tip=self.world.tip)
            return [landed, seen] if self.world.tip != intent.commit else [landed]
        named: dict[str, Any] = {"task": task.id, "revision": change.revision}
        if self.world.tip == intent.basis:
            return [e.ChangeBlocked(**named, reason="main has local edits", onto=intent.basis)]
        seen = e.TargetSeen(repo=h.REPO, target="main", tip=self.world.tip)
        missed = e.LandingMissed(**named, tip=self.world.tip)
        if intent.basis in self.world.behind(self.world.tip):
            return [seen, missed]
        return [e.QueueFrozen(repo=h.REPO, target="main", reason="taken back"), seen, missed]

    def swap(self, task: TaskId, intent: Evidence) -> None:
        """Move the target as an intent says; what that does is judged before anything follows."""
        before = self.world.tip
        self.world.swap(intent.basis, intent.commit)
        if self.world.tip != before:
            self.judge(inv.Swap(before, self.world.tip, (task,)))

    def judge(self, swap: inv.Swap) -> None:
        for invariant in inv.SWAPS:
            invariant(self, swap)

    def oldest(self) -> str:
        return next(iter(self.lanes))

    def newest(self) -> str:
        return next(reversed(self.lanes))

    def unblock(self) -> None:
        """See that what kept changes from landing is gone."""
        for task in tuple(self.fleet.tasks.values()):
            if task.change is not None and task.change.blocked is not None:
                self.record(e.ChangeUnblocked(task=task.id, revision=task.change.revision))

    def crash_landing(self, *, moved: bool) -> None:
        """Die while a landing is under way: before the target has moved, or just after."""
        for work in list(self.lanes.values()):
            if isinstance(work.effect, f.Land) and moved:
                state = changed(self.fleet.tasks[work.effect.task]).state
                if isinstance(state, Landing) and state.evidence.commit not in self.world.behind(
                    self.world.tip
                ):
                    self.swap(work.effect.task, state.evidence)
        self.crash()

    def drain(self) -> None:
        """From now on nothing goes wrong: let all that is to be done come to its end."""
        self.world.person_edits(dirty=False)
        self.flakes = 0
        self.given = h.circumstances(fleet=h.NO_SLOTS)
        self.reconcile()
        self.look()
        self.submit(c.Thaw(cwd="/srv/shop"))
        self.unblock()
        for _ in range(MOST_ROUNDS):
            if not self.lanes:
                return
            self.finish(min(self.lanes))
        raise AssertionError(f"no end: {self.entries[-12:]}")


def changed(task: Task) -> Change:
    assert task.change is not None
    return task.change
