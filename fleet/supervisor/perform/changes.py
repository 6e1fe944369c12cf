"""Turning a workspace into a change: sealed at one commit, then checked where it was made."""

import threading
from collections.abc import Iterator
from pathlib import Path

from fleet.core import events as e
from fleet.core.causes import CheckResult, NoChange, Unsealable
from fleet.core.change import Ready
from fleet.core.effects import RunChecks, Seal
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.core.stacks import below, grounds
from fleet.errors import FleetError
from fleet.supervisor.perform import approvals, surroundings
from fleet.supervisor.perform.judging import judge
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import sealing
from fleet.tools.git.building import committer
from fleet.tools.git.repository import Place

_WHO = tuple(f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL"))


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
            sealed = _sealed(fleet, task, effect.revision, outcome)
            place = tools.place(fleet.repos[task.repo])
            try:
                return [sealed, *approvals.carry(tools, task, place, sealed)]
            except FleetError:
                return [sealed]  # what could not be compared has to be approved again


def _seal(tools: Tools, task: Task, revision: int, fleet: Fleet) -> sealing.Outcome:
    place = tools.place(fleet.repos[task.repo])
    target = fleet.repos[task.repo].tips.get(task.target, task.base)
    ref, parents = f"refs/fleet/cand/{task.id}/{revision}", tuple(grounds(fleet, task))
    if task.spec.agent is None:
        return sealing.seal_branch(
            place, task.branch, target_commit=target, ref=ref, parents=parents
        )
    path, ready = tools.worktree(task), surroundings.prepared(tools, task)
    if path is None:
        return sealing.Unsealable("its workspace is gone")
    return sealing.seal(
        place,
        path,
        branch=task.branch,
        target_commit=target,
        ref=ref,
        parents=parents,
        exclude=ready.files if ready else (),
        message=task.spec.title,
        author=_author(tools, task, place),
    )


def _author(tools: Tools, task: Task, place: Place) -> dict[str, str]:
    """Who commits what was left uncommitted: whom the client named, else git's user, else fleet."""
    user = committer(place)
    known = {"NAME": user.name, "EMAIL": user.email}
    sent = surroundings.base_environment(tools, task.id)
    return {name: sent.get(name) or known[name.rpartition("_")[2]] for name in _WHO}


def _sealed(
    fleet: Fleet, task: Task, revision: int, sealed: sealing.Sealed
) -> e.Sealed | e.SealUnchanged:
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
        below=below(fleet, task),
        upon=grounds(fleet, task).get(Commit(sealed.upon)) if sealed.upon else None,
    )


def check(tools: Tools, effect: RunChecks, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Run the task's acceptance checks in its workspace, all of them, and say what each said."""
    task = fleet.tasks[effect.task]
    path = tools.worktree(task)
    if path is None:
        raise RuntimeError(f"{task.id} was to be checked without a workspace")
    results = tuple(_checked(tools, task, path, effect.revision, stop))
    kind = e.ChecksPassed if all(result.green for result in results) else e.ChecksFailed
    return [kind(task=task.id, revision=effect.revision, results=results)]


def _checked(
    tools: Tools, task: Task, path: Path, revision: int, stop: threading.Event
) -> Iterator[CheckResult]:
    for item in task.spec.checks:
        name = f"{revision}-{item.name}"
        token, log = tools.token(task.id, task.attempt, name), tools.home.check_log(task.id, name)
        try:
            environment = surroundings.agent_environment(
                tools, task, tools.target_policy(task.repo, task.target)
            )
            yield judge(item, path, environment, log=log, token=token, stop=stop)
        except FleetError as error:
            surroundings.write_private(log, f"{error.message}\n".encode())
            yield CheckResult(name=item.name, state="unstartable", seconds=0.0, log=str(log))
