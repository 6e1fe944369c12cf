"""Stacks: a task may begin on another's change before that has landed, and then lands behind it."""

from collections.abc import Iterator, Mapping, Sequence

from fleet.core.change import Change, Member
from fleet.core.ids import Commit, TaskId
from fleet.core.model import Fleet, Task
from fleet.core.status import Failed, Held, Landed, Paused, Stopped, Submitted, Withdrawn


def parent_of(task: Task) -> TaskId | None:
    """Return the task on whose change this one stands, whether or not that has landed."""
    return task.spec.after[0] if task.spec.stacked else None


def lower(fleet: Fleet, task: Task) -> Iterator[Task]:
    """Yield the tasks below this one in its stack, the nearest first."""
    seen = {task.id}
    while (name := parent_of(task)) is not None and name in fleet.tasks and name not in seen:
        seen.add(name)
        task = fleet.tasks[name]
        yield task


def below(fleet: Fleet, task: Task) -> tuple[Member, ...]:
    """Return the changes below this one in its stack, each at its newest revision."""
    return tuple(Member(it.id, it.revision) for it in lower(fleet, task))


Above = Mapping[TaskId, Sequence[TaskId]]


def above(fleet: Fleet) -> Above:
    """Return for each task on whose change others stand those that stand right on it."""
    found: dict[TaskId, list[TaskId]] = {}
    for task in fleet.tasks.values():
        if task.spec.stacked and task.removed_at is None:
            found.setdefault(task.spec.after[0], []).append(task.id)
    return found


def stack(fleet: Fleet, task: Task, upper: Above | None = None) -> tuple[TaskId, ...]:
    """Return the tasks of its stack in the order in which they land; empty where it has none.

    `upper` is what `above` says, where that is known already.
    """
    upper = above(fleet) if upper is None else upper
    down = [it.id for it in lower(fleet, task)]
    line = [*reversed(down), *_upward(task.id, upper)]
    return tuple(line) if len(line) > 1 else ()


def _upward(name: TaskId, upper: Above) -> Iterator[TaskId]:
    """Yield a task and all that stand on it, each behind what it stands on."""
    found, rest = {name}, [name]
    while rest:
        name = rest.pop(0)
        yield name
        more = [it for it in upper.get(name, ()) if it not in found]
        found.update(more)
        rest.extend(more)


def begins_on(fleet: Fleet, task: Task) -> Change | None:
    """Return the change that a task begins on: its parent's, while that is under review."""
    name = parent_of(task)
    parent = fleet.tasks.get(name) if name is not None else None
    if parent is None or not isinstance(parent.status, Submitted):
        return None
    return parent.change


def grounds(fleet: Fleet, task: Task) -> dict[Commit, Member]:
    """Return the sealed revisions on which the branch of `task` may stand, the newest first.

    What it was begun on counts also after a person let it go on alone.
    """
    tasks = [*lower(fleet, task)]
    old = fleet.tasks.get(task.upon.task) if task.upon is not None else None
    if old is not None and old.id not in {it.id for it in tasks}:
        tasks.append(old)
    return {
        it.sealed: Member(other.id, it.revision)
        for other in tasks
        for it in reversed(other.revisions)
    }


def is_there(fleet: Fleet, task: Task, name: TaskId) -> bool:
    """Whether `task` may start as far as `name` goes, which it comes after."""
    other = fleet.tasks.get(name)
    if other is None:
        return False
    sealed = task.spec.stacked and isinstance(other.status, Submitted)
    return sealed or isinstance(other.status, Landed)


def own_base(change: Change) -> Commit | None:
    """Return by which commit a change is merged, where history does not tell it: its parent's."""
    return change.base if change.upon is not None else None


def goes_alone(fleet: Fleet, task: Task, change: Change) -> bool:
    """Whether `change` was made on another that it is not to bring along, and that has not landed.

    A person let it go on without that.
    """
    if change.upon is None or change.upon.task in task.spec.after:
        return False
    other = fleet.tasks.get(change.upon.task)
    return other is None or not isinstance(other.status, Landed)


def expected(fleet: Fleet, task: Task, name: TaskId) -> str:
    """Return what `task` waits for in `name`, on which it depends, in one phrase."""
    other = fleet.tasks.get(name)
    match other.status if other is not None else None:
        case None | Failed() | Stopped() | Withdrawn():
            return f"{name}, which will not land (fleet edit {task.id} --alone lets it go on)"
        case Held():
            return f"{name}, which waits for a person (fleet why {name})"
        case Paused():
            return f"{name}, which is paused"
        case Submitted():
            return f"{name} to land"
        case _ if other is not None and other.revision:
            return f"{name}, whose agent works on its next revision"
        case _:
            return f"{name} to be put up for review" if task.spec.stacked else f"{name} to land"
