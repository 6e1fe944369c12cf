"""Undoing what has landed: an ordinary change, that a person wants soon."""

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide.decision import Decision
from fleet.core.facts import RevertFacts
from fleet.core.ids import TaskId
from fleet.core.model import Fleet, Spec
from fleet.core.names import free


def revert(fleet: Fleet, command: c.Revert, facts: RevertFacts, actor: str) -> Decision:
    """Put the branch that undoes a landed task into the merge queue, ahead of what can wait."""
    task = fleet.tasks[facts.task]
    name = free(facts.branch.removeprefix("fleet/"), {known.lower() for known in fleet.tasks})
    spec = Spec(
        prompt=facts.message,
        title=f"Revert: {task.spec.title}",
        agent=None,
        priority="urgent",
        reverts=facts.undone,
    )
    added = e.TaskAdded(
        task=TaskId(name),
        repo=task.repo,
        spec=spec,
        target=task.target,
        base=facts.tip,
        branch=facts.branch,
        owner=actor,
    )
    seen = e.TargetSeen(repo=task.repo, target=task.target, tip=facts.tip)
    known = fleet.repos[task.repo].tips.get(task.target)
    news = () if known == facts.tip else (seen,)
    answer = {"task": name, "head": facts.head, "reverts": task.id, "commit": facts.undone}
    return Decision((*news, added), answer)
