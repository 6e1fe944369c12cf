"""What a supervisor does with the merge queue, in a world without git: rules, and their hands.

Effects begin and end when the test says. What a landing reads and what it then swaps are two
steps, so that others may come in between; a death may strike at each of them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import histories as h
import outcomes
import queue_invariants as inv
from msgspec.structs import replace
from queue_world import World

from fleet.core import commands as c
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.causes import CheckResult, Conflict
from fleet.core.change import Change, Evidence, Member
from fleet.core.decide import decide
from fleet.core.facts import Facts, RepoFacts, SubmitFacts, TrustFacts
from fleet.core.gating import gates, gates_of
from fleet.core.ids import Commit, TaskId
from fleet.core.line import Car, Clash, Line, Train, check_key
from fleet.core.model import Fleet, Task
from fleet.core.plan import plan
from fleet.core.planned import Circumstances, Plan
from fleet.core.policy import Check, RepoPolicy
from fleet.core.reducer import reduce, replay
from fleet.core.stacks import below, grounds
from fleet.errors import FleetError

E = TypeVar("E", bound=e.AnyEvent)
FLAKY = CheckResult("test", "flaky", 1.0, "/log/test", 0)
EMPTY = CheckResult("test", "empty", 1.0, "/log/test", 0)
MOST_ROUNDS = 1000
POLICIES = (
    h.CHECKED,
    RepoPolicy(checks=(h.CHECK, Check("lint", "make lint")), digest="d1"),
    RepoPolicy(),
    RepoPolicy(checks=(h.CHECK,), merge="squash", digest="d1"),
    RepoPolicy(checks=(h.CHECK,), merge="rebase", digest="d1"),
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
    given: Circumstances = field(init=False)
    fleet: Fleet = field(default_factory=Fleet)
    entries: list[e.Entry] = field(default_factory=list)
    lanes: dict[str, Work] = field(default_factory=dict)
    planned: Plan = field(default_factory=Plan)
    approvals: set[tuple[TaskId, Commit]] = field(default_factory=set)  # that people gave
    flakes: int = 0  # how many runs of checks will fail for nothing
    workers: int = 1
    flaked: set[Commit] = field(default_factory=set)
    now_: int = 0

    def __post_init__(self) -> None:
        self.govern(h.CHECKED)
        self.record(*self.setting())

    def govern(self, policy: RepoPolicy) -> None:
        """Put what a file says in force."""
        self.given = h.circumstances(policy, fleet=replace(h.NO_SLOTS, workers=self.workers))

    def setting(self) -> h.Events:
        return h.SETTING

    def recorded(self, kind: type[E]) -> list[E]:
        return [entry.event for entry in self.entries if isinstance(entry.event, kind)]

    def change(self, name: TaskId) -> Change:
        return changed(self.fleet.tasks[name])

    def checks(self, name: TaskId) -> tuple[Check, ...]:
        return gates(self.fleet.tasks[name].spec, self.given.target(h.REPO, "main"))

    # The cycle -----------------------------------------------------------------------------------

    def record(self, *events: e.AnyEvent) -> None:
        for event in events:
            self.fold(event)
        self.reconcile()

    def fold(self, event: e.AnyEvent) -> None:
        for invariant in inv.EVENTS:
            invariant(self, event)
        self.now_ += 1
        entry = e.Entry(len(self.entries) + 1, self.now, "fleet", event)
        self.entries.append(entry)
        self.fleet = reduce(self.fleet, entry)

    def plan(self) -> Plan:
        given = replace(self.given, under_way=frozenset(self.lanes))
        return plan(self.fleet, given, self.now)

    def reconcile(self) -> None:
        for _ in range(MOST_ROUNDS):
            self.planned = self.plan()
            if not self.planned.facts:
                break
            for fact in self.planned.facts:
                self.fold(fact)
        else:
            raise AssertionError(f"I15: facts without end: {self.planned.facts}")
        wanted = [effect.work for effect in self.planned.effects]
        for lane, work in self.lanes.items():
            work.stopped |= work.effect.work not in wanted and lane not in self.planned.keep
        for effect in self.planned.effects:
            if effect.lane not in self.lanes:
                self.lanes[effect.lane] = Work(effect, self.fleet, self.given)
                self.begun(effect.lane)

    def pass_days(self, days: int) -> None:
        self.now_ += days * 24 * 60
        self.reconcile()

    @property
    def now(self) -> datetime:
        return h.NOON + h.minutes(self.now_)

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
        policy, known = self.given.target(h.REPO, "main"), self.fleet.repos[h.REPO]
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
        if tip == known or self.is_landing():
            return
        seen = e.TargetSeen(repo=h.REPO, target="main", tip=tip)
        back = known is not None and known not in self.world.behind(self.world.tip)
        frozen = e.QueueFrozen(repo=h.REPO, target="main", reason="it was taken back")
        self.record(*([frozen] if back else []), seen)

    def is_landing(self) -> bool:
        return any(isinstance(work.effect, f.Land) for work in self.lanes.values())

    # Hands ---------------------------------------------------------------------------------------

    def come_to(self, work: Work) -> list[e.AnyEvent]:
        match work.effect:
            case f.Seal(task=task, revision=revision):
                return [self._seal(self.fleet.tasks[task], revision)]
            case f.Merge():
                return self._merge(work.effect, work.about)
            case f.Gate():
                return [self._gate(work.effect, work)]
            case f.Remerge():
                return [self._remerge(work, work.effect)]
            case f.Land():
                return self._land(work.effect)
            case f.Assess(task=task) | f.Prove(task=task) if self.doubts(work.about.tasks[task]):
                return outcomes.bad(work.effect, self.fleet)[0]
            case _:
                return outcomes.good(work.effect, self.fleet, self.given)

    def _seal(self, task: Task, revision: int) -> e.AnyEvent:
        head = self.world.branches[task.branch]
        if task.change is not None and task.change.sealed == head:
            return e.SealUnchanged(task=task.id, revision=task.change.revision)
        files = ("x.py", "tests/test_x.py") if head in self.world.tested else ("x.py",)
        upon = grounds(self.fleet, task).get(self.world.stands.get(task.branch, h.BASE))
        base = self.world.stands[task.branch] if upon else self.world.tip
        named: dict[str, Any] = {"below": below(self.fleet, task), "upon": upon}
        return h.sealed(task.id, revision, sealed=head, head=head, base=base, files=files, **named)

    def _merge(self, effect: f.Merge, about: Fleet) -> list[e.AnyEvent]:
        """Merge one after the other, up to the first that does not, or is there already."""
        commits: list[Commit] = []
        last: list[e.AnyEvent] = []
        for number, car in enumerate(effect.cars):
            task, onto = about.tasks[car.task], commits[-1] if commits else effect.onto
            if changed(task).sealed != car.sealed:
                break
            if car.sealed in self.world.edits(effect.onto):
                last = [self._there(car, effect.onto)]
                break
            merged = self.world.build(onto, car)
            if merged is None:
                cause = Conflict(("x.py",), onto)
                clash = Clash(effect.onto, effect.method, effect.cars[: number + 1], cause)
                last = [e.TrainClashed(repo=effect.repo, target=effect.target, clash=clash)]
                break
            commits.append(merged)
        return [*([self._train(effect, commits)] if commits else []), *last]

    def _train(self, effect: f.Merge, commits: list[Commit]) -> e.TrainMerged:
        train = Train(
            onto=effect.onto,
            method=effect.method,
            cars=effect.cars[: len(commits)],
            commits=tuple(commits),
            trees=tuple(map(self.world.tree, commits)),
            onto_tree=self.world.tree(effect.onto),
        )
        return e.TrainMerged(repo=effect.repo, target=effect.target, train=train)

    def _there(self, car: Car, onto: Commit) -> e.ChangeLanded:
        return e.ChangeLanded(task=car.task, revision=car.revision, commit=onto, target="main")

    def doubts(self, task: Task) -> bool:
        return changed(task).sealed in self.world.doubtful

    def _gate(self, effect: f.Gate, work: Work) -> e.AnyEvent:
        """Run the checks that were not green on this tree before, up to the first that is red."""
        about, policy = work.about, work.given.target(h.REPO, "main")
        checks = gates_of([about.tasks[car.task].spec for car in effect.cars], policy)
        task = about.tasks[effect.cars[-1].task if effect.cars else effect.task]
        keys = [check_key(check, task.environment) for check in checks]
        said = about.repos[h.REPO].lines.get("main", Line()).said(effect.tree, keys)
        green = None
        results: dict[str, CheckResult] = {}
        for check, key, before in zip(checks, keys, said, strict=True):
            if before is not None and before.result.green:
                continue
            green = self.check(effect.commit) if green is None else green
            red = EMPTY if self.world.empty(self.world.edits(effect.commit)) else h.RED
            verdict = (FLAKY if before else h.GREEN) if green else red
            results[key] = replace(verdict, name=check.name)
            if green:
                self.world.passed.add((effect.tree, check.run))
            if not green:
                break
        return e.TreeChecked(
            repo=effect.repo, target=effect.target, tree=effect.tree, results=results
        )

    def check(self, commit: Commit) -> bool:
        """Run the checks once; whether they were green.

        A flake may strike once for each newest change of a tree: what is red twice is red.
        """
        newest = self.world.newest(commit)
        if self.flakes > 0 and newest not in self.flaked:
            self.flakes -= 1
            self.flaked.add(newest)
            return False
        return not self.world.red(self.world.edits(commit))

    def _remerge(self, work: Work, effect: f.Remerge) -> e.AnyEvent:
        change = changed(work.about.tasks[effect.task])
        named: dict[str, Any] = {"task": effect.task, "revision": effect.revision}
        if change.sealed in self.world.edits(effect.onto):
            return e.ChangeLanded(**named, commit=effect.onto, target="main")
        if not self.world.merges(effect.onto, change.sealed):
            return e.ConflictFound(**named, cause=Conflict(("x.py",), effect.onto))
        return e.StillMerges(**named, onto=effect.onto)

    def landers(self, effect: f.Land) -> list[tuple[Task, Evidence]]:
        """Return what lands together, each by its intent, in landing order."""
        members = (Member(effect.task, effect.revision), *effect.behind)
        tasks = [self.fleet.tasks[member.task] for member in members]
        return [(task, inv.intent(task)) for task in tasks]

    def _land(self, effect: f.Land) -> list[e.AnyEvent]:
        """Compare and swap; what a crash had done already counts as done."""
        landers = self.landers(effect)
        first, last = landers[0][1], landers[-1][1]
        if last.commit not in self.world.behind(self.world.tip):
            self.swap(effect)
        there = self.world.behind(self.world.tip)
        seen = e.TargetSeen(repo=h.REPO, target="main", tip=self.world.tip)
        if last.commit in there:
            return [*map(_landed, landers), *([seen] if self.world.tip != last.commit else [])]
        if self.world.tip == first.basis:
            why = "main has local edits"
            return [
                e.ChangeBlocked(
                    task=task.id,
                    revision=changed(task).revision,
                    reason=why,
                    onto=first.basis,
                )
                for task, _ in landers
            ]
        frozen = e.QueueFrozen(repo=h.REPO, target="main", reason="taken back")
        told = [
            _landed(it) if it[1].commit in there else _missed(it[0], self.world.tip)
            for it in landers
        ]
        return [*([] if first.basis in there else [frozen]), seen, *told]

    def swap(self, effect: f.Land) -> None:
        """Move the target as intents say; what that does is judged before anything follows."""
        before, landers = self.world.tip, self.landers(effect)
        self.world.swap(landers[0][1].basis, landers[-1][1].commit)
        if self.world.tip != before:
            self.judge(inv.Swap(before, self.world.tip, tuple(task.id for task, _ in landers)))

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
                [*_, (_, last)] = self.landers(work.effect)
                if last.commit not in self.world.behind(self.world.tip):
                    self.swap(work.effect)
        self.crash()

    def drain(self) -> None:
        """From now on nothing goes wrong: let all that is to be done come to its end."""
        self.world.person_edits(dirty=False)
        self.flakes = 0
        self.govern(h.CHECKED)
        self.reconcile()
        self.look()
        self.submit(c.Thaw(cwd="/srv/shop"))
        self.unblock()
        for _ in range(MOST_ROUNDS):
            if not self.lanes:
                return
            self.finish(self.oldest())
        raise AssertionError(f"no end: {self.entries[-12:]}")


def changed(task: Task) -> Change:
    assert task.change is not None
    return task.change


def _landed(lander: tuple[Task, Evidence]) -> e.ChangeLanded:
    task, evidence = lander
    number = changed(task).revision
    return e.ChangeLanded(task=task.id, revision=number, commit=evidence.commit, target="main")


def _missed(task: Task, tip: Commit) -> e.LandingMissed:
    return e.LandingMissed(task=task.id, revision=changed(task).revision, tip=tip)
