"""Changing what was asked for: all of it before anybody has begun, its place until it lands."""

from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide.adding import limits_of, may_land, may_stand_on
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import PERSON, Decision
from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Spec, Task
from fleet.core.names import find
from fleet.core.status import Queued
from fleet.errors import RefusedError, UsageError

_PLACE = ("priority", "after", "alone")  # what may be changed until it lands, by persons only
_WORK = ("prompt", "title", "attempts", "retries", "budget_usd", "timeout_s", "land")


def edit(fleet: Fleet, command: c.Edit, facts: None, actor: str) -> Decision:
    """Change what was asked for, before anybody has begun with it; its place until it lands."""
    task = find(fleet, command.task)
    placed = any(getattr(command, name) not in {None, False} for name in _PLACE)
    spec = _placed(fleet, task, command, actor) if placed else task.spec
    if not placed or any(getattr(command, name) is not None for name in _WORK):
        spec = _reworded(task, spec, command, actor)
    return Decision((e.TaskEdited(task=task.id, spec=spec),), {"task": task.id})


def _reworded(task: Task, spec: Spec, command: c.Edit, actor: str) -> Spec:
    may_land(command.land, task.spec.land, actor)
    if not isinstance(task.status, Queued) or task.attempt:
        raise RefusedError(
            f"{task.id} has started already",
            hint=f"tell the agent instead: fleet send {task.id} TEXT",
        )
    if command.prompt is not None and not command.prompt.strip():
        raise UsageError("the prompt is empty")
    return replace(
        spec,
        prompt=command.prompt or spec.prompt,
        title=command.title or spec.title,
        land=command.land or spec.land,
        limits=limits_of(command, spec.limits, 1),
    )


def _placed(fleet: Fleet, task: Task, command: c.Edit, actor: str) -> Spec:
    if actor != PERSON:
        raise RefusedError(
            f"the agent of {actor} may not say in which order tasks land", hint="a person has to"
        )
    if task.ended:
        raise RefusedError(f"{task.id} has ended", hint=f"fleet show {task.id}")
    refuse_landing(task)
    spec = replace(task.spec, priority=command.priority or task.spec.priority)
    if command.alone and command.after:
        raise UsageError("what goes on --alone comes after nobody: give --alone or --after")
    if command.alone:
        return replace(spec, after=(), stacked=False)
    return spec if command.after is None else _behind(fleet, task, spec, command.after)


def _behind(fleet: Fleet, task: Task, spec: Spec, names: tuple[str, ...]) -> Spec:
    after = tuple(find(fleet, name).id for name in names)
    if spec.stacked:
        may_stand_on(fleet, after, task.repo, task.target)
    for name in after:
        if task.id in _all_before(fleet, name):
            raise RefusedError(
                f"{name} comes after {task.id} itself",
                hint=f"fleet show {name} says what it awaits",
            )
    return replace(spec, after=after)


def _all_before(fleet: Fleet, name: TaskId) -> set[TaskId]:
    """Return a task and all that it comes after, directly or not."""
    found, rest = set[TaskId](), [name]
    while rest:
        it = rest.pop()
        if it not in found:
            found.add(it)
            rest.extend(fleet.tasks[it].spec.after if it in fleet.tasks else ())
    return found
