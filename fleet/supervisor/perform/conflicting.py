"""What is to be known of a conflict with a target: what git says, and what both sides were for."""

from fleet.core.causes import Conflict
from fleet.core.change import Change
from fleet.core.ids import Commit, TaskId
from fleet.core.intents import intent
from fleet.core.model import Fleet, Task
from fleet.core.policy import Check
from fleet.core.stacks import own_base
from fleet.tools.git.merging import Conflicted, Reached, conflicting_commits
from fleet.tools.git.repository import Place

_MOST_LINES = 20


def conflict(
    place: Place,
    fleet: Fleet,
    task: Task,
    change: Change,
    *,
    onto: Commit,
    found: Conflicted,
    checks: tuple[Check, ...],
) -> Conflict:
    """Return the cause that a change is returned with, for an agent to resolve it by."""
    reached = conflicting_commits(place, base=change.base, target=onto, files=found.files)
    return Conflict(
        files=found.files,
        basis=onto,
        others=tuple(it.line for it in reached),
        kinds=tuple(
            kind.replace(onto, task.target).replace(change.sealed, task.branch)
            for kind in found.kinds[:_MOST_LINES]
        ),
        own=intent(task),
        landed=tuple(intent(it) for it in tasks_of(fleet, task, reached)),
        checks=tuple(check.run for check in checks),
        base=own_base(change),
    )


def tasks_of(fleet: Fleet, task: Task, reached: tuple[Reached, ...]) -> list[Task]:
    """Return those of our tasks, in the same repository, by which something reached a target."""
    names = dict.fromkeys(TaskId(it.task) for it in reached if it.task != task.id)
    known = (fleet.tasks.get(name) for name in names)
    return [it for it in known if it is not None and it.repo == task.repo]
