"""Measuring a change for its review: whatever comes of it, it is told as an assessment."""

import threading

from fleet.core import events as e
from fleet.core.assessment import Report, Request
from fleet.core.change import Change
from fleet.core.criteria import scope
from fleet.core.effects import Assess
from fleet.core.gating import gates
from fleet.core.model import Fleet, Task
from fleet.core.risk import assess as judged
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.tools.evaluating import measure


def assess(tools: Tools, effect: Assess, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Measure one change, and add up its risk."""
    task = fleet.tasks[effect.task]
    change = task.change
    if change is None:
        raise RuntimeError(f"{task.id} has no change, and one was to be measured")
    try:
        report = measure(_request(tools, fleet, task, change), stop=stop)
    except FleetError as error:
        report = Report(unknown=(f"the whole change: {error.message}",))
    assessment = judged(fleet, task, change, report)
    return [e.ChangeAssessed(task=task.id, revision=effect.revision, assessment=assessment)]


def _request(tools: Tools, fleet: Fleet, task: Task, change: Change) -> Request:
    checks = gates(task.spec, tools.target_policy(task.repo, task.target))
    return Request(
        git_dir=str(tools.place(fleet.repos[task.repo]).git_dir),
        base=change.base,
        sealed=change.sealed,
        judges=tuple(check.run for check in checks),
        scope=scope(task.spec),
    )
