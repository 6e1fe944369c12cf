"""Carrying a change through merging and gates by hand, one effect at a time, as a plan would."""

from house import House

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.approving import may_land
from fleet.core.causes import GateRed
from fleet.core.change import Change, Evidence
from fleet.core.gating import gates, rules
from fleet.core.going_on import car_of
from fleet.core.ids import Commit, TaskId
from fleet.core.line import Car
from fleet.core.model import Task


def merge(house: House, onto: Commit, *names: str) -> list[e.AnyEvent]:
    """Merge changes one behind the other; what comes of it is not recorded."""
    cars = tuple(car(house, name) for name in names)
    task = house.task(names[-1])
    method = house.tools.target_policy(task.repo, task.target).merge
    effect = f.Merge(task.repo, task.target, task.id, task.revision, onto, method, cars)
    return list(house.perform(effect))


def car(house: House, name: str) -> Car:
    task, change = _both(house, name)
    lands = may_land(task, change, house.tools.target_policy(task.repo, task.target))
    return car_of(task, change, lands=lands)


def gate(house: House, name: str = "a", onto: Commit | None = None) -> e.AnyEvent:
    """Merge a change, run its gates, and return what follows; only what was found is recorded."""
    task, _ = _both(house, name)
    tip = onto or house.the_repo.tips[task.target]
    merged, *more = merge(house, tip, name)
    assert not more
    if isinstance(merged, e.TrainClashed):
        return e.ConflictFound(task=task.id, revision=task.revision, cause=merged.clash.cause)
    if not isinstance(merged, e.TrainMerged):
        return merged
    house.record(merged)
    train = merged.train
    commit, tree = train.commits[0], train.trees[0]
    known = house.the_repo.lines[task.target].checked.get(tree, {})
    failures = max((ran.failures for ran in known.values()), default=0)
    where = (task.repo, task.target, task.id, task.revision)
    [checked] = house.perform(f.Gate(*where, commit, tree, train.cars, failures))
    if not isinstance(checked, e.TreeChecked):
        return checked
    house.record(checked)
    results = tuple(checked.results.values())
    if not all(result.green for result in results):
        return e.GateRejected(task=task.id, revision=task.revision, cause=GateRed(results, tip))
    digest = rules(gates(task.spec, house.tools.target_policy(task.repo, task.target)))
    evidence = Evidence(tip, commit, tree, digest, results)
    return e.GatePassed(task=task.id, revision=task.revision, evidence=evidence)


def _both(house: House, name: str) -> tuple[Task, Change]:
    task = house.fleet.tasks[TaskId(name)]
    assert task.change is not None
    return task, task.change
