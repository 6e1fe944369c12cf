"""Which agents are told, at the end of their turn, what others have done: conflicts, stacks."""

from collections.abc import Iterator

from fleet.core import events as e
from fleet.core.change import Member
from fleet.core.ids import TaskId
from fleet.core.intents import intent
from fleet.core.model import Fleet, Task
from fleet.core.phrases import restack, warning
from fleet.core.planned import Circumstances, Plan
from fleet.core.radar import Opponent
from fleet.core.status import Landed, Running, Submitted


def warnings(fleet: Fleet, given: Circumstances) -> Plan:
    """Tell the younger of two whose branches conflict, once for each file, where policy says so."""
    if not given.clashes.known:
        return Plan()  # after a start: nothing was tried yet
    facts = (fact for task in fleet.tasks.values() for fact in _about(fleet, task, given))
    return Plan(facts=tuple(facts))


def restacks(fleet: Fleet) -> Plan:
    """Tell those whose work stands on a change that is at another revision by now, once of each."""
    return Plan(
        facts=tuple(
            fact
            for task in fleet.tasks.values()
            if task.spec.stacked and _can_be_told(task) and (fact := _restack(fleet, task))
        )
    )


def _restack(fleet: Fleet, task: Task) -> e.StackTold | None:
    parent = fleet.tasks.get(task.spec.after[0])
    if parent is None or parent.change is None or not isinstance(parent.status, Submitted | Landed):
        return None
    upon = Member(parent.id, parent.change.revision)
    if task.upon is None or upon in {task.upon, task.told_upon}:
        return None  # it has that, or stands on its target already
    old = task.change.base if task.change is not None else task.base
    text = restack(intent(parent), upon, sealed=parent.change.sealed, base=old)
    return e.StackTold(task=task.id, upon=upon, text=text)


def _about(fleet: Fleet, task: Task, given: Circumstances) -> Iterator[e.AnyEvent]:
    clashing = {it.task: it for it in given.clashes.between.get(task.id, ())}
    for other in task.warned.keys() - clashing.keys():
        if not task.ended:
            yield e.ConflictOver(task=task.id, other=other)
    tells = given.target(task.repo, task.target).tell_conflicts
    if clashing and tells and _can_be_told(task):
        for other, clash in clashing.items():
            if _is_younger(fleet, task, other):
                yield from _warning(fleet, task, clash)


def _warning(fleet: Fleet, task: Task, opponent: Opponent) -> Iterator[e.AnyEvent]:
    files, other = opponent.clash.files, fleet.tasks[opponent.task]
    if opponent.task in task.warned and set(files) <= set(task.warned[opponent.task]):
        return
    text = warning(files, intent(other), branch=other.branch, target=task.target)
    yield e.ConflictTold(task=task.id, other=opponent.task, files=files, text=text)


def _can_be_told(task: Task) -> bool:
    """Whether its agent lives, converses, and works on something that nobody reviews yet."""
    alive = task.run is not None and task.run.leaving is None
    return alive and task.spec.converses and isinstance(task.status, Running)


def _is_younger(fleet: Fleet, task: Task, name: TaskId) -> bool:
    other = fleet.tasks.get(name)
    return other is not None and (task.created_at, task.id) > (other.created_at, other.id)
