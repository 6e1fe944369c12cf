"""Whose attention is wanted: each need is told once, and only when it has lasted a moment."""

from datetime import datetime, timedelta

from fleet.core import events as e
from fleet.core.effects import Notify
from fleet.core.model import Fleet, Task, Told
from fleet.core.planned import NOTHING, Circumstances, Plan
from fleet.core.schedule import hopeless
from fleet.core.views import need, since

MOMENT = timedelta(seconds=1)  # what is over sooner was no need
NO_NEWS = timedelta(days=1)  # what has been wanted for so long is no news to anybody


def attention(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return what a person is to be told next, and what has been settled without telling."""
    if not given.policy.notify:
        return NOTHING
    facts: list[e.AnyEvent] = []
    due: list[tuple[datetime, Notify]] = []
    for task in fleet.tasks.values():
        told, wanted = task.told, _wanted(fleet, task, given)
        if wanted is None:
            facts.extend([e.NeedEnded(task=task.id)] if told is not None else [])
        elif task.id in given.attached:  # whoever is in the pane sees it
            seen = e.NeedTold(task=task.id, need=wanted.need, since=wanted.since)
            facts.extend([seen] if told != wanted else [])
        elif told != wanted and now - _began(task, wanted) < NO_NEWS and not hopeless(task):
            notify = Notify(task.id, wanted.need, wanted.since)
            due.append((_began(task, wanted) + MOMENT, notify))
    return Plan(facts=tuple(facts)) if facts else _next(due, now)


def _wanted(fleet: Fleet, task: Task, given: Circumstances) -> Told | None:
    found = need(fleet, task, given.target(task.repo, task.target))
    return None if found is None else Told(found.phrase, since(task))


def _began(task: Task, wanted: Told) -> datetime:
    """A change has long been in the queue when its gates are through and a person is wanted."""
    return max(wanted.since, task.updated_at)


def _next(due: list[tuple[datetime, Notify]], now: datetime) -> Plan:
    times = sorted(due, key=lambda one: one[0])
    effects = tuple(notify for when, notify in times[:1] if when <= now)  # they have one lane
    later = next((when for when, _ in times if when > now), None)
    return Plan(effects=effects, wake_at=later)
