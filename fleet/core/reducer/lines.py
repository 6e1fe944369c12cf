"""Folding what becomes known of the lines of targets."""

from datetime import datetime

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.change import Gating, Ready
from fleet.core.ids import RepoId
from fleet.core.line import Line, Tip
from fleet.core.model import Fleet
from fleet.core.reducer import table


def stands_at(lines: dict[str, Line], target: str, tip: Tip) -> dict[str, Line]:
    """Return the lines of a repository whose `target` stands at `tip` now."""
    return lines | {target: lines.get(target, Line()).with_tip(tip)}


def _with(fleet: Fleet, repo_id: RepoId, target: str, line: Line) -> Fleet:
    repo = fleet.repos[repo_id]
    repo = replace(repo, lines=repo.lines | {target: line})
    return replace(fleet, repos=fleet.repos | {repo_id: repo})


def _line(fleet: Fleet, repo: RepoId, target: str) -> Line:
    return fleet.repos[repo].lines.get(target, Line())


@table.fleet(e.TrainMerged)
def _merged(fleet: Fleet, event: e.TrainMerged, at: datetime) -> Fleet:
    line = _line(fleet, event.repo, event.target).with_train(event.train)
    return _with(fleet, event.repo, event.target, line)


@table.fleet(e.TrainClashed)
def _clashed(fleet: Fleet, event: e.TrainClashed, at: datetime) -> Fleet:
    line = _line(fleet, event.repo, event.target).with_clash(event.clash)
    return _with(fleet, event.repo, event.target, line)


@table.fleet(e.TreeChecked)
def _checked(fleet: Fleet, event: e.TreeChecked, at: datetime) -> Fleet:
    line = _line(fleet, event.repo, event.target).with_results(event.tree, event.results, at)
    return _with(fleet, event.repo, event.target, line)


@table.fleet(e.EvidenceForgotten)
def _forgotten(fleet: Fleet, event: e.EvidenceForgotten, at: datetime) -> Fleet:
    """Whose gates passed on one of the trees is gated again, unless it is landing with that."""
    line = _line(fleet, event.repo, event.target).without(event.trees)
    where = (event.repo, event.target)
    again = {
        task.id: replace(task, change=replace(task.change, state=Gating()))
        for task in fleet.tasks.values()
        if (task.repo, task.target) == where
        and task.change is not None
        and isinstance(task.change.state, Ready)
        and task.change.state.evidence.tree in event.trees
    }
    fleet = replace(fleet, tasks=fleet.tasks | again)
    return _with(fleet, event.repo, event.target, line)


@table.fleet(e.GateRejected)
def _rejected(fleet: Fleet, event: e.GateRejected, at: datetime) -> Fleet:
    task = fleet.tasks.get(event.task)
    if task is None or task.change is None or task.change.revision != event.revision:
        return fleet
    line = _line(fleet, task.repo, task.target).with_head(failed=True)
    return _with(fleet, task.repo, task.target, line)
