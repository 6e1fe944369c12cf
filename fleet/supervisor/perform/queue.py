"""The merge coordinator's hands: what will land is built, gated, and landed as it was tested."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.causes import CheckResult, Conflict
from fleet.core.change import Change, Landing, Proposed, Ready
from fleet.core.effects import Gate, Merge, OnQueue, Remerge
from fleet.core.gating import gates_of
from fleet.core.ids import Commit
from fleet.core.line import Car, Clash, Line, Train, check_key
from fleet.core.model import Fleet, Task
from fleet.core.policy import Check, MergeMethod
from fleet.core.stacks import goes_alone, own_base
from fleet.core.status import Submitted
from fleet.core.terminal import clean
from fleet.errors import FleetError
from fleet.supervisor.perform.conflicting import conflict
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.perform.tree_checks import run_checks_on
from fleet.tools.git import merging
from fleet.tools.git.archive import contains
from fleet.tools.git.building import Built, build
from fleet.tools.git.intent import is_ancestor
from fleet.tools.git.merging import Conflicted, tree_of
from fleet.tools.git.pins import pin
from fleet.tools.git.repository import Place
from fleet.tools.git.submodules import unpublished


@dataclass(frozen=True)
class _Case:
    """One change that is merged onto `onto`."""

    tools: Tools
    fleet: Fleet
    task: Task
    change: Change
    car: Car
    onto: Commit
    method: MergeMethod

    @property
    def place(self) -> Place:
        return self.tools.place(self.fleet.repos[self.task.repo])


def merge(tools: Tools, effect: Merge, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Merge cars one after the other, up to the first that cannot be; no reference moves."""
    try:
        return _merge(tools, effect, fleet, stop)
    except FleetError as error:
        return [_blocked(effect, error.message, effect.onto)]


def _merge(tools: Tools, effect: Merge, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    place = tools.place(fleet.repos[effect.repo])
    line = fleet.repos[effect.repo].lines.get(effect.target, Line())
    commits, trees = _known(line, effect)
    news: list[e.AnyEvent] = []
    for number in range(len(commits), len(effect.cars)):
        case = _case(tools, effect, fleet, number, commits[-1] if commits else effect.onto)
        if case is None or stop.is_set():
            break
        built = _merged(case, effect)
        if not isinstance(built, Built):
            news = [built]
            break
        commits.append(Commit(built.commit))
        trees.append(built.tree)
    if commits:
        ours = f"{tools.home_id}/{effect.target}"  # another home may land here, too
        pin(place, ours, commits[-1], others=_built(fleet, effect, line))
        news.insert(0, _train(place, effect, commits, trees))
    return news


def _built(fleet: Fleet, effect: Merge, line: Line) -> set[Commit]:
    """Return what was built for this target, and may still land or be looked at."""
    proven = {
        task.change.state.evidence.commit
        for task in fleet.tasks.values()
        if (task.repo, task.target) == (effect.repo, effect.target)
        and isinstance(task.status, Submitted)
        and task.change is not None
        and isinstance(task.change.state, Ready | Landing | Proposed)
    }
    return proven | {train.commits[-1] for train in line.trains}


def _blocked(about: OnQueue | Car, reason: str, onto: Commit) -> e.ChangeBlocked:
    return e.ChangeBlocked(task=about.task, revision=about.revision, reason=reason, onto=onto)


def _known(line: Line, effect: Merge) -> tuple[list[Commit], list[str]]:
    """Return the commits and trees of those cars in front that were merged before."""
    for length in range(len(effect.cars), 0, -1):
        if train := line.train(effect.onto, effect.method, effect.cars[:length]):
            return [*train.commits[:length]], [*train.trees[:length]]
    return [], []


def _case(tools: Tools, effect: Merge, fleet: Fleet, number: int, onto: Commit) -> _Case | None:
    car = effect.cars[number]
    task = fleet.tasks[car.task]
    if task.change is None or task.change.sealed != car.sealed:
        return None  # something newer took its place: the plan is another one by now
    return _Case(tools, fleet, task, task.change, car, onto, effect.method)


def _merged(case: _Case, effect: Merge) -> Built | e.AnyEvent:
    try:
        if (landed := _found_on(case, effect.onto)) is not None:
            return landed
        built = _build(case)
        if isinstance(built, Conflicted):
            number = effect.cars.index(case.car) + 1
            cause = _conflict(case, built)
            clash = Clash(effect.onto, effect.method, effect.cars[:number], cause)
            return e.TrainClashed(repo=effect.repo, target=effect.target, clash=clash)
        if strays := _strays(case, built.commit):
            why = f"what would land differs from what was reviewed in {', '.join(strays[:5])}"
            return _blocked(case.car, why, effect.onto)
        if hidden := unpublished(case.place, base=case.onto, commit=built.commit):
            why = f"nobody else could check out {', '.join(hidden[:5])}: push the submodule first"
            return _blocked(case.car, why, effect.onto)
    except FleetError as error:
        return _blocked(case.car, error.message, effect.onto)
    return built


def _train(place: Place, effect: Merge, commits: list[Commit], trees: list[str]) -> e.TrainMerged:
    train = Train(
        onto=effect.onto,
        method=effect.method,
        cars=effect.cars[: len(commits)],
        commits=tuple(commits),
        trees=tuple(trees),
        onto_tree=tree_of(place, effect.onto),
    )
    return e.TrainMerged(repo=effect.repo, target=effect.target, train=train)


def _found_on(case: _Case, onto: Commit) -> e.ChangeLanded | None:
    """Return the fact that the target has a change already; it is not to land again."""
    change = case.change
    if isinstance(change.state, Proposed):
        return None  # the forge says by which commit
    commit = _brought(case, onto)
    by_hand = case.task.spec.agent is None  # an agent's work that slipped in is an alarm
    if commit is None and by_hand:  # its owner may merge it, too
        there = contains(case.place, target=onto, base=change.base, head=change.sealed)
        commit = onto if there else None
    if commit is None:
        return None
    task = case.task
    return e.ChangeLanded(task=task.id, revision=change.revision, commit=commit, target=task.target)


def _brought(case: _Case, onto: Commit) -> Commit | None:
    """Return the commit by which we brought it there: a push may be taken, and nobody hears."""
    state = case.change.state
    if not case.car.by or not isinstance(state, Ready):
        return None  # what nobody approved was never pushed
    evidence = state.evidence
    new = evidence.commit != evidence.basis
    return evidence.commit if new and is_ancestor(case.place, evidence.commit, onto) else None


def _strays(case: _Case, commit: str) -> tuple[str, ...]:
    change = case.change
    return merging.contained(
        case.place,
        base=change.base,
        sealed=change.sealed,
        target=case.onto,
        commit=commit,
        onto_base=change.upon is not None,
    )


def _build(case: _Case) -> Built | Conflicted:
    task, change = case.task, case.change
    trailers = {
        "Fleet-Task": task.id,
        "Fleet-Revision": str(change.revision),
        "Fleet-Sealed": change.sealed,
    }
    if task.spec.reverts:
        trailers["Fleet-Reverts"] = task.spec.reverts
    if case.car.by:
        trailers["Fleet-Approved-By"] = case.car.by
    merges = case.method == "merge"
    title = clean(task.spec.title)
    heading = f"Merge {task.branch}: {title}" if merges else title
    return build(
        case.place,
        target=case.onto,
        sealed=case.car.sealed,
        method=case.method,
        message=heading,
        when=int(change.since.timestamp()),
        trailers=trailers,
        base=own_base(change),
        keeps_history=not goes_alone(case.fleet, task, change),
    )


def _conflict(case: _Case, found: Conflicted) -> Conflict:
    return conflict(
        *(case.place, case.fleet, case.task, case.change),
        onto=case.onto,
        found=found,
        checks=gates_of(
            [case.task.spec], case.tools.target_policy(case.task.repo, case.task.target)
        ),
    )


def gate(tools: Tools, effect: Gate, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Run the gates on exactly the tree that would land; what was green there is not run again."""
    try:
        return [_judged(tools, effect, fleet, stop)]
    except FleetError as error:
        tip = fleet.repos[effect.repo].tips.get(effect.target, effect.commit)
        return [_blocked(effect, error.message, tip)]


def _judged(tools: Tools, effect: Gate, fleet: Fleet, stop: threading.Event) -> e.TreeChecked:
    policy = tools.trusted_policy(fleet, effect.repo, effect.target)
    task = fleet.tasks[effect.cars[-1].task if effect.cars else effect.task]
    checks = gates_of([fleet.tasks[car.task].spec for car in effect.cars], policy)
    keys = [check_key(check, task.environment) for check in checks]
    line = fleet.repos[effect.repo].lines.get(effect.target, Line())
    named = list(_named_apart(checks))
    before = zip(named, line.said(effect.tree, keys), strict=True)
    results = run_checks_on(
        tools,
        tools.place(fleet.repos[effect.repo]),
        task,
        policy,
        commit=effect.commit,
        checks=tuple(named),
        stem=f"gate-{effect.revision}-{effect.commit[:10]}-{effect.failures + 1}",
        stop=stop,
        already=tuple(_renamed(ran.result, check) for check, ran in before if ran),
    )
    said = dict(zip(keys, map(_renamed, results, checks), strict=False))
    return e.TreeChecked(repo=effect.repo, target=effect.target, tree=effect.tree, results=said)


def _named_apart(checks: tuple[Check, ...]) -> Iterator[Check]:
    """Yield the checks with names that differ: those of several tasks may be called the same."""
    taken: set[str] = set()
    for check in checks:
        name, number = check.name, 2
        while name.casefold() in taken:
            name, number = f"{check.name}-{number}", number + 1
        taken.add(name.casefold())
        yield replace(check, name=name)


def _renamed(result: CheckResult, check: Check) -> CheckResult:
    return replace(result, name=check.name)


def remerge(tools: Tools, effect: Remerge, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """See whether a change that waits for a person still merges with a newer target."""
    try:
        return [_remerged(tools, effect, fleet)]
    except FleetError as error:
        return [_blocked(effect, error.message, effect.onto)]


def _remerged(tools: Tools, effect: Remerge, fleet: Fleet) -> e.AnyEvent:
    task = fleet.tasks[effect.task]
    if task.change is None:
        raise RuntimeError(f"{task.id} has no change, and one was to be merged again")
    car = Car(task.id, effect.revision, task.change.sealed)
    method = tools.target_policy(task.repo, task.target).merge
    case = _Case(tools, fleet, task, task.change, car, effect.onto, method)
    if (landed := _found_on(case, effect.onto)) is not None:
        return landed
    merged = merging.merge_trees(
        case.place, into=effect.onto, change=car.sealed, base=own_base(task.change)
    )
    if isinstance(merged, Conflicted):
        cause = _conflict(case, merged)
        return e.ConflictFound(task=effect.task, revision=effect.revision, cause=cause)
    return e.StillMerges(task=effect.task, revision=effect.revision, onto=effect.onto)
