"""Histories by which tests bring a fleet into a state: recorded facts, and nothing else."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from fleet.core import events as e
from fleet.core.assessment import Assessment, Reason
from fleet.core.causes import CheckResult
from fleet.core.change import Evidence
from fleet.core.effects import AnyEffect, Assess
from fleet.core.gating import gates, rules
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.model import Fleet, Spec, Task
from fleet.core.plan import plan
from fleet.core.planned import Circumstances, Plan
from fleet.core.policy import Check, FleetPolicy, Limits, RepoPolicy
from fleet.core.reducer import reduce

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
REPO = RepoId("shop-1f2e3d")
A, B, C = TaskId("a"), TaskId("b"), TaskId("c")
CHECK = Check("test", "make test")
GREEN = CheckResult("test", "passed", 1.0, "/log/test", 0)
RED = CheckResult("test", "failed", 1.0, "/log/test", 1)
CHECKED = RepoPolicy(checks=(CHECK,), digest="d1")  # a file with commands, which SETTING trusts
NO_POOL = FleetPolicy(pool=0, notify=())
NO_SLOTS = FleetPolicy(slots=0, pool=0, notify=())


def commit(name: str) -> Commit:
    return Commit(hashlib.sha256(name.encode()).hexdigest()[:40])


BASE, MOVED = commit("base"), commit("moved")
SETTING: tuple[e.AnyEvent, ...] = (
    e.RepoRegistered(repo=REPO, root="/srv/shop", git_dir="/srv/shop/.git"),
    e.TargetSeen(repo=REPO, target="main", tip=BASE),
    e.PolicyTrusted(repo=REPO, digest="d1"),
)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def circumstances(
    policy: RepoPolicy = CHECKED, *, fleet: FleetPolicy = NO_POOL, **others: Any
) -> Circumstances:
    targets = {(REPO, name): policy for name in ("main", "next")} | others.pop("targets", {})
    return Circumstances(policy=fleet, targets=targets, **others)


GIVEN = circumstances()


def fold(fleet: Fleet, events: Iterable[e.AnyEvent], at: datetime = NOON) -> Fleet:
    for event in events:
        fleet = reduce(fleet, e.Entry(fleet.seq + 1, at, "fleet", event))
    return fleet


def history(*events: e.AnyEvent, at: datetime = NOON) -> Fleet:
    """A fleet with one repository, and then these events, all at one time."""
    return fold(fold(Fleet(), SETTING), events, at)


def spec(**fields: Any) -> Spec:
    """A task for a shell command without checks of its own; `limits` may be a dictionary."""
    limits = Limits(**({"attempts": 1} | fields.pop("limits", {})))
    plain: dict[str, Any] = {"prompt": "do it", "title": "Do it", "agent": "shell"}
    return Spec(limits=limits, **(plain | fields))


def talker(**fields: Any) -> Spec:
    """A task for an agent that can be told more, and is done at the end of its turn."""
    return spec(**({"done": "turn", "converses": True} | fields))


def added(task: TaskId = A, spec_: Spec | None = None, **fields: Any) -> e.TaskAdded:
    plain: dict[str, Any] = {"repo": REPO, "target": "main", "base": BASE}
    branch = f"fleet/{task}"
    return e.TaskAdded(task=task, spec=spec_ or spec(), branch=branch, **(plain | fields))


Events = tuple[e.AnyEvent, ...]


def starting(task: TaskId = A, spec_: Spec | None = None, *, slot: int = 1) -> Events:
    return (
        added(task, spec_),
        e.SlotPlanned(repo=REPO, slot=slot),
        e.SlotReady(repo=REPO, slot=slot),
        e.WorkspaceAssigned(task=task, slot=slot),
        e.AttemptBegan(task=task, attempt=1, base=BASE),
    )


def started(task: TaskId = A, attempt: int = 1) -> e.RunStarted:
    return e.RunStarted(task=task, attempt=attempt, pane="%1", pid=42, pid_start=7)


def running(task: TaskId = A, spec_: Spec | None = None, *, slot: int = 1) -> Events:
    return (*starting(task, spec_, slot=slot), started(task))


def done(task: TaskId = A, attempt: int = 1) -> e.DoneDeclared:
    return e.DoneDeclared(task=task, attempt=attempt, by="person")


def sealed(task: TaskId = A, revision: int = 1, **fields: Any) -> e.Sealed:
    name = commit(f"{task}-{revision}")
    plain: dict[str, Any] = {"sealed": name, "head": name, "base": BASE, "added": 3, "removed": 1}
    plain["files"] = ("x.py",)
    return e.Sealed(task=task, revision=revision, **(plain | fields))


def passed(task: TaskId = A, revision: int = 1) -> e.ChecksPassed:
    return e.ChecksPassed(task=task, revision=revision, results=())


def checking(task: TaskId = A, spec_: Spec | None = None, *, slot: int = 1) -> Events:
    """In its checks, with its agent alive."""
    return (*running(task, spec_, slot=slot), done(task), sealed(task))


def submitted(task: TaskId = A, spec_: Spec | None = None, *, slot: int = 1) -> Events:
    """In the merge queue, with its agent alive."""
    return (*checking(task, spec_, slot=slot), passed(task))


def by_hand(task: TaskId = A, **fields: Any) -> Events:
    """In the merge queue, made by hand: no agent, no workspace."""
    return (added(task, spec(agent=None, **fields)), sealed(task), passed(task))


def evidence(
    task: TaskId = A,
    revision: int = 1,
    *,
    onto: Commit = BASE,
    results: tuple[CheckResult, ...] = (GREEN,),
    checks: tuple[Check, ...] = (CHECK,),
) -> Evidence:
    merged = commit(f"{task}-{revision}-onto-{onto}")
    return Evidence(onto, merged, commit(f"tree of {merged}"), rules(checks), results)


def gated(task: TaskId = A, revision: int = 1, **fields: Any) -> e.GatePassed:
    return e.GatePassed(task=task, revision=revision, evidence=evidence(task, revision, **fields))


def assessed(
    task: TaskId = A, revision: int = 1, *, points: int = 0, **found: Any
) -> e.ChangeAssessed:
    reasons = (Reason(points, "it is large"),) if points else ()
    assessment = Assessment(reasons=reasons, **found)
    return e.ChangeAssessed(task=task, revision=revision, assessment=assessment)


def approved(task: TaskId = A, revision: int = 1, by: str = "person") -> e.Approved:
    sealed_ = commit(f"{task}-{revision}")
    return e.Approved(task=task, revision=revision, sealed=sealed_, by=by)


def landing(task: TaskId = A, revision: int = 1) -> e.LandingBegan:
    return e.LandingBegan(task=task, revision=revision, evidence=evidence(task, revision))


def landed(task: TaskId = A, revision: int = 1) -> e.ChangeLanded:
    merged = evidence(task, revision).commit
    return e.ChangeLanded(task=task, revision=revision, commit=merged, target="main")


def ended(task: TaskId = A, attempt: int = 1) -> e.RunEnded:
    return e.RunEnded(task=task, attempt=attempt)


def in_force(task: Task, policy: RepoPolicy) -> str:
    return rules(gates(task.spec, policy))


def settle(
    fleet: Fleet, given: Circumstances = GIVEN, now: datetime = NOON
) -> tuple[Fleet, Plan, list[e.AnyEvent]]:
    """Record the facts that follow until there are none: the state, its plan, and the facts."""
    facts: list[e.AnyEvent] = []
    for _ in range(1000):
        planned = plan(fleet, given, now)
        if not planned.facts:
            return fleet, planned, facts
        facts.extend(planned.facts)
        fleet = fold(fleet, planned.facts, now)
    raise AssertionError(f"facts without end: {facts[-5:]}")


def effects(
    fleet: Fleet, given: Circumstances = GIVEN, now: datetime = NOON
) -> tuple[AnyEffect, ...]:
    """What is to be done, but for measuring what waits for review, which goes on beside it all."""
    return tuple(it for it in settle(fleet, given, now)[1].effects if not isinstance(it, Assess))
