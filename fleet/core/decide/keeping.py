"""Keeping house: remove (archived first), restore, clean, trust, and letting a queue move again."""

from datetime import datetime

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import Decision
from fleet.core.facts import CleanFacts, RepoFacts, TrustFacts
from fleet.core.line import Line
from fleet.core.model import Fleet, Repo, Task
from fleet.core.names import find
from fleet.core.pull_phrases import left_open
from fleet.core.reducer.repos import TRUST
from fleet.core.status import Ending, Landed, Starting
from fleet.errors import RefusedError


def remove(fleet: Fleet, command: c.Remove, facts: None, actor: str) -> Decision:
    """Remove a task that nobody works on; what its workspace holds is archived first."""
    task = find(fleet, command.task, exact=True)
    if task.removed_at is not None:
        raise RefusedError(f"{task.id} is removed already", hint=f"fleet restore {task.id}")
    refuse_landing(task)
    if task.run is not None or isinstance(task.status, Starting | Ending):
        raise RefusedError(f"the agent of {task.id} is at work", hint=f"fleet stop {task.id}")
    if task.restoring and task.slot is not None:
        raise RefusedError(f"{task.id} is being restored", hint="try again in a moment")
    events: list[e.AnyEvent] = [] if task.ended else [e.TaskStopped(task=task.id, by=actor)]
    answer = {"task": task.id, **left_open(task)}
    return Decision((*events, e.TaskRemoved(task=task.id, by=actor)), answer)


def restore(fleet: Fleet, command: c.Restore, facts: None, actor: str) -> Decision:
    """Bring a removed task back, with its branch and what its workspace held."""
    task = find(fleet, command.task, exact=True)
    if task.removed_at is None:
        raise RefusedError(f"{task.id} is not removed", hint=f"fleet show {task.id}")
    if task.forgetting or task.forgotten:
        raise RefusedError(f"what {task.id} held was deleted for good", hint="fleet spawn")
    return Decision((e.TaskRestored(task=task.id, by=actor),), {"task": task.id})


def clean(fleet: Fleet, command: c.Clean, facts: CleanFacts, actor: str) -> Decision:
    """Take what has landed off the lists; its workspaces are freed by landing already.

    What was removed long enough ago is forgotten, where the command says how long that is.
    """
    landed = [
        task.id
        for task in fleet.tasks.values()
        if isinstance(task.status, Landed) and task.removed_at is None and task.slot is None
    ]
    old = [] if command.forget_s is None else _old(fleet, facts.now, command.forget_s)
    events: list[e.AnyEvent] = []
    if not command.dry_run:
        events += (e.TaskRemoved(task=name, by=actor) for name in landed)
        events += (e.TaskForgotten(task=task.id, by=actor) for task in old)
    unlanded = [task.id for task in old if not isinstance(task.status, Landed)]
    answer = {"tasks": landed, "forgotten": [task.id for task in old], "unlanded": unlanded}
    return Decision(tuple(events), answer)


def _old(fleet: Fleet, now: datetime, age_s: float) -> list[Task]:
    """Return what was removed that long ago, left something, and is of no use to any other task."""
    tasks = fleet.tasks.values()
    needed = {name for task in tasks if not task.ended for name in task.spec.after}
    return [
        task
        for task in tasks
        if task.removed_at is not None
        and (now - task.removed_at).total_seconds() >= age_s
        and not (task.forgetting or task.forgotten or task.restoring)
        and task.slot is None
        and task.id not in needed
    ]


def trust(fleet: Fleet, command: c.Trust, facts: TrustFacts, actor: str) -> Decision:
    """Trust the exact content that fleet.yaml has now."""
    repo, digest = facts.repo, facts.repo.policy.digest
    if not digest:
        raise RefusedError("this repository has no fleet.yaml", hint="fleet init writes one")
    if command.digest is not None and command.digest != digest:
        raise RefusedError("fleet.yaml has changed since you read it", hint="read it again")
    known = fleet.repos.get(repo.id)
    events = _known(fleet, repo)
    if known is None or digest not in known.trusted:
        events.append(e.PolicyTrusted(repo=repo.id, digest=digest))
    return Decision(tuple(events), {"repo": repo.id, "digest": digest})


def _known(fleet: Fleet, repo: RepoFacts) -> list[e.AnyEvent]:
    if repo.id in fleet.repos:
        return []
    registered = e.RepoRegistered(repo=repo.id, root=repo.root, git_dir=repo.git_dir)
    return [registered, e.TargetSeen(repo=repo.id, target=repo.target, tip=repo.tip)]


def trust_agents(fleet: Fleet, command: c.TrustAgents, facts: TrustFacts, actor: str) -> Decision:
    """Agree that agents are told beforehand that they may trust the repository; or no more."""
    repo = facts.repo
    known = fleet.repos.get(repo.id)
    if command.revoke:
        if known is None or TRUST not in known.consents:
            raise RefusedError(
                "agents are not told that this repository is trusted", hint="fleet trust --agents"
            )
        return Decision((e.AgentsDistrusted(repo=repo.id, by=actor),), {"repo": repo.id})
    events = _known(fleet, repo)
    if known is None or TRUST not in known.consents:
        events.append(e.AgentsTrusted(repo=repo.id, by=actor))
    return Decision(tuple(events), {"repo": repo.id})


def thaw(fleet: Fleet, command: c.Thaw, facts: TrustFacts, actor: str) -> Decision:
    """Let a merge queue move again that is frozen, or whose target is red: that is tried again."""
    repo = facts.repo
    known = fleet.repos.get(repo.id)
    events = _tries(known, repo.target, actor) if known else []
    if known is not None and repo.target in known.frozen:
        events.append(e.TargetSeen(repo=repo.id, target=repo.target, tip=repo.tip))
        events.append(e.QueueThawed(repo=repo.id, target=repo.target))
    if not events:
        raise RefusedError(f"the queue of {repo.target} is not frozen", hint="fleet queue")
    return Decision(tuple(events), {"repo": repo.id, "target": repo.target})


def _tries(repo: Repo, target: str, actor: str) -> list[e.AnyEvent]:
    """Forget what is red where the target itself is: whatever broke it broke the others as well."""
    line, tip = repo.lines.get(target, Line()), repo.tips.get(target)
    red = line.red()
    if tip is None or line.tree_at(tip) not in red:
        return []
    why = f"{target} is tried again"
    return [e.EvidenceForgotten(repo=repo.id, target=target, trees=red, reason=why, by=actor)]
