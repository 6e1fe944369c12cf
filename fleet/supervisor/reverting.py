"""Finding out what undoing a landed task comes to, and making the branch that does it."""

from fleet.core.change import Landing
from fleet.core.facts import RevertFacts
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.status import Landed
from fleet.core.trust import untrusted
from fleet.errors import RefusedError
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git.intent import is_ancestor
from fleet.tools.git.merging import Conflicted
from fleet.tools.git.repository import Place, branch_tip
from fleet.tools.git.reverting import undo
from fleet.tools.git.updating import refused, update


def facts_for_revert(tools: Tools, name: str, fleet: Fleet) -> RevertFacts:
    """Make the branch `fleet/revert-TASK`, which undoes what landed for the task and nothing else.

    Raises:
        FleetError: it has not landed, or is no longer there, or others built on the same lines.
    """
    task = find(fleet, name)
    landed, before = _landing(task)
    _refuse_twice(fleet, task, landed)
    place = tools.place(fleet.repos[task.repo])
    tip = branch_tip(place, task.target)
    if tip is None or not is_ancestor(place, landed, tip):
        raise RefusedError(
            f"{task.target} no longer has {landed[:12]}, by which {task.id} landed",
            hint=f"fleet show {task.id}",
        )
    _refuse_untrusted(tools, fleet, task, tip)
    return _built(place, task, landed=landed, before=before, tip=tip)


def _landing(task: Task) -> tuple[Commit, Commit]:
    """Return the commit by which a task landed, and what its target was before."""
    if not isinstance(task.status, Landed):
        raise RefusedError(f"{task.id} has not landed", hint=f"fleet show {task.id}")
    state = task.change.state if task.change else None
    if not isinstance(state, Landing) or state.evidence.commit != task.status.commit:
        raise RefusedError(
            f"{task.id} was merged by hand, so fleet does not know what came with it",
            hint=f"git log {task.target}, then git revert what is to go, and fleet submit",
        )
    return state.evidence.commit, state.evidence.basis


def _refuse_untrusted(tools: Tools, fleet: Fleet, task: Task, tip: str) -> None:
    policy = tools.policies.read(tools.place(fleet.repos[task.repo]), tip)
    tools.policies.keep(task.repo, task.target, policy)  # maybe nobody has asked for it for long
    if untrusted(fleet, task.repo, policy):
        raise RefusedError(
            "fleet.yaml has commands that you have not trusted yet",
            hint="read it, then type: fleet trust",
        )


def _refuse_twice(fleet: Fleet, task: Task, landed: Commit) -> None:
    for other in fleet.tasks.values():
        if other.spec.reverts == landed and not other.ended:
            raise RefusedError(
                f"{other.id} is there to undo {task.id} already", hint=f"fleet show {other.id}"
            )


def _built(place: Place, task: Task, *, landed: Commit, before: Commit, tip: str) -> RevertFacts:
    message = f"This undoes what landed for {task.id} as {landed}."
    built = undo(
        place,
        landed=landed,
        before=before,
        target=tip,
        message=f"Revert: {task.spec.title}\n\n{message}",
        when=_seconds(task),
        trailers={"Fleet-Reverts": landed},
    )
    if built is None:
        raise RefusedError(
            f"nothing of {task.id} is left on {task.target}", hint=f"fleet show {task.id}"
        )
    if isinstance(built, Conflicted):
        raise _conflict(task, landed, before, built)
    return RevertFacts(
        task=task.id,
        branch=_branch(place, f"fleet/revert-{task.id}", built.commit),
        head=Commit(built.commit),
        tip=Commit(tip),
        undone=landed,
        message=message,
    )


def _seconds(task: Task) -> int:
    return int(task.status.at.timestamp()) if isinstance(task.status, Landed) else 0


def _conflict(task: Task, landed: str, before: str, found: Conflicted) -> RefusedError:
    files = ", ".join(found.files[:5]) or "the same places"
    branch = f"fleet/revert-{task.id}"
    undoing = f"git diff --binary {landed[:12]} {before[:12]} | git apply -3"
    return RefusedError(
        f"what landed since meets {task.id} in {files}",
        hint=f"by hand: git switch -c {branch} {task.target} && {undoing}; "
        f"commit it, then type: fleet submit {branch}",
    )


def _branch(place: Place, wanted: str, commit: str) -> str:
    """Make a branch at `commit` that is called `wanted`, or so with a number."""
    name, number = wanted, 1
    while (there := branch_tip(place, name)) not in {None, commit}:
        number += 1
        name = f"{wanted}-{number}"
    if there is None:
        order = f"create refs/heads/{name} {commit}"
        if complaint := update(place.git_dir, order):
            raise refused(place.git_dir, complaint)
    return name
