"""Turning a workspace into a change: sealed at one commit, then checked where it was made."""

import threading

from fleet.core import events as e
from fleet.core.causes import CheckResult, NoChange, Unsealable
from fleet.core.change import Ready
from fleet.core.effects import RunChecks, Seal
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.errors import FleetError
from fleet.supervisor.perform import surroundings
from fleet.supervisor.perform.judging import judge
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import sealing


def seal(tools: Tools, effect: Seal, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Pin what the agent made as revision `effect.revision`."""
    task = fleet.tasks[effect.task]
    try:
        outcome = _seal(tools, task, effect.revision, fleet)
    except FleetError as error:
        return [e.SealFailed(task=task.id, cause=Unsealable(error.message))]
    match outcome:
        case sealing.Unsealable(reason=reason):
            return [e.SealFailed(task=task.id, cause=Unsealable(reason))]
        case sealing.Empty():
            return [e.SealFailed(task=task.id, cause=NoChange())]
        case sealing.Sealed():
            return [_sealed(task, effect.revision, outcome)]


def _seal(tools: Tools, task: Task, revision: int, fleet: Fleet) -> sealing.Outcome:
    place = tools.place(fleet.repos[task.repo])
    target = fleet.repos[task.repo].tips.get(task.target, task.base)
    ref = f"refs/fleet/cand/{task.id}/{revision}"
    if task.spec.agent is None:
        return sealing.seal_branch(place, task.branch, target_commit=target, ref=ref)
    path, ready = tools.worktree(task), surroundings.prepared(tools, task)
    if path is None:
        return sealing.Unsealable("its workspace is gone")
    return sealing.seal(
        place,
        path,
        branch=task.branch,
        target_commit=target,
        ref=ref,
        exclude=ready.files if ready else (),
        message=task.spec.title,
    )


def _sealed(task: Task, revision: int, sealed: sealing.Sealed) -> e.AnyEvent:
    change = task.change
    if change is not None and isinstance(change.state, Ready) and change.sealed == sealed.commit:
        return e.SealUnchanged(task=task.id, revision=change.revision)
    return e.Sealed(
        task=task.id,
        revision=revision,
        sealed=Commit(sealed.commit),
        head=Commit(sealed.head),
        base=Commit(sealed.base),
        added=sealed.added,
        removed=sealed.removed,
        files=sealed.files,
    )


def check(tools: Tools, effect: RunChecks, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Run the task's acceptance checks in its workspace, all of them, and say what each said."""
    task = fleet.tasks[effect.task]
    path = tools.worktree(task)
    environment = surroundings.agent_environment(tools, task, tools.policy(task.repo))
    results: list[CheckResult] = []
    for item in task.spec.checks:
        name = f"{effect.revision}-{item.name}"
        token = tools.token(task.id, task.attempt, name)
        log = tools.home.check_log(task.id, name)
        results.append(
            judge(item, path or tools.home.root, environment, log=log, token=token, stop=stop)
        )
    kind = e.ChecksPassed if all(result.green for result in results) else e.ChecksFailed
    return [kind(task=task.id, revision=effect.revision, results=tuple(results))]
