"""Landing: the target moves to the very commit that was tested, or nothing moves."""

import threading
from dataclasses import replace

from fleet.core import events as e
from fleet.core.change import BY_POLICY, Change, Evidence, Landing, Ready
from fleet.core.effects import Land
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.errors import ConfigError, FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.policies import FILE
from fleet.tools.git import landing, pushing
from fleet.tools.git.contents import read_file
from fleet.tools.git.intent import (
    Blocked,
    Intent,
    Landed,
    Moved,
    NotLanded,
    Rewound,
    is_ancestor,
)
from fleet.tools.git.recovery import recover, settle
from fleet.tools.git.repository import branch_tip


def land(tools: Tools, effect: Land, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Carry a recorded intent through: finish what a crash left, or land, or say why not."""
    task = fleet.tasks[effect.task]
    change = task.change
    if change is None or not isinstance(change.state, Landing):
        raise RuntimeError(f"{task.id} was to be landed without an intent on record")
    evidence = change.state.evidence
    try:
        intent = _intent(tools, fleet, task, change, evidence)
        return _carry_through(tools, fleet, task, change, intent)
    except FleetError as error:
        return [_blocked(task, change, evidence.basis, error.message)]


def _intent(tools: Tools, fleet: Fleet, task: Task, change: Change, evidence: Evidence) -> Intent:
    return Intent(
        place=tools.place(fleet.repos[task.repo]),
        target=task.target,
        commit=evidence.commit,
        parent=evidence.basis,
        task=task.id,
        revision=change.revision,
        journal=tools.home.landing(task.id),
    )


def _carry_through(
    tools: Tools, fleet: Fleet, task: Task, change: Change, intent: Intent
) -> list[e.AnyEvent]:
    if not intent.journal.exists():  # nothing was begun, or it was settled: `land` sees which
        return _fresh(tools, fleet, task, change, intent)
    found = recover(intent)
    settle(intent)
    match found:
        case Landed():
            return _landed(tools, task, change, intent, found)
        case Rewound(tip=tip):
            return _rewound(task, change, tip)
        case NotLanded():
            return _fresh(tools, fleet, task, change, intent)


def _fresh(
    tools: Tools, fleet: Fleet, task: Task, change: Change, intent: Intent
) -> list[e.AnyEvent]:
    policy = tools.trusted_policy(fleet, task.repo)
    if policy.push:
        local = branch_tip(intent.place, intent.target) or intent.parent
        if not is_ancestor(intent.place, local, intent.commit):
            why = f"{intent.target} has commits that {policy.remote} lacks: push them first"
            return [_blocked(task, change, intent.parent, why)]
        if refused := _push(task, change, intent, policy.remote):
            return refused
        intent = replace(intent, parent=local)
    outcome = landing.land(intent)
    settle(intent)
    match outcome:
        case Landed():
            return _landed(tools, task, change, intent, outcome)
        case Moved(tip=tip) if tip is not None and not is_ancestor(
            intent.place, intent.parent, tip
        ):
            return _rewound(task, change, tip)
        case Moved(tip=tip):
            return _moved(task, change, tip)
        case Blocked():
            return [_blocked(task, change, intent.parent, _named(outcome))]


def _named(blocked: Blocked) -> str:
    files = blocked.files
    return f"{blocked.reason}: {', '.join(files[:5])}" if files else blocked.reason


def is_still_blocked(tools: Tools, fleet: Fleet, task: Task) -> bool:
    """Whether the very thing that kept a change from landing still does; nothing is changed."""
    change = task.change
    if change is None or change.blocked is None or not isinstance(change.state, Ready):
        return False
    try:
        intent = _intent(tools, fleet, task, change, change.state.evidence)
        found = landing.obstacle(intent)
    except FleetError:
        return False  # whoever tries it says why
    return found is not None and _named(found) == change.blocked


def _push(task: Task, change: Change, intent: Intent, remote: str) -> list[e.AnyEvent] | None:
    """Push first, for there the remote's word counts; None when it took the commit."""
    pushed = pushing.push(
        intent.place, remote, commit=intent.commit, branch=intent.target, known=intent.parent
    )
    if isinstance(pushed, pushing.Pushed):
        return None
    tip = pushing.fetch(intent.place, remote, intent.target)
    if tip == intent.parent:
        return [_blocked(task, change, tip, f"{remote} refused it: {pushed.reason}")]
    if tip is not None and is_ancestor(intent.place, intent.commit, tip):
        return None  # it took it before a crash, and somebody built on it since
    return _moved(task, change, tip)


def _landed(
    tools: Tools, task: Task, change: Change, intent: Intent, landed: Landed
) -> list[e.AnyEvent]:
    facts: list[e.AnyEvent] = [
        e.ChangeLanded(
            task=task.id,
            revision=change.revision,
            commit=Commit(intent.commit),
            target=task.target,
        )
    ]
    tip = branch_tip(intent.place, task.target)
    if tip is not None and tip != intent.commit:  # somebody was faster to build on it
        facts.append(e.TargetSeen(repo=task.repo, target=task.target, tip=Commit(tip)))
    if FILE in change.files and change.approval and change.approval.by != BY_POLICY:
        facts.extend(_trust(tools, task, intent))
    if landed.revived is not None:
        why = f"{landed.revived[:12]} was taken back by hand and has landed again"
        facts.append(e.QueueFrozen(repo=task.repo, target=task.target, reason=why))
    return facts


def _trust(tools: Tools, task: Task, intent: Intent) -> list[e.AnyEvent]:
    """A version of fleet.yaml that a person's approval landed is trusted thereby."""
    if read_file(intent.place, intent.commit, FILE) is None:
        return []
    try:
        policy = tools.policies.read(intent.place, intent.commit)
    except ConfigError:
        return []  # what is not understood is never in force, so there is nothing to trust
    return [e.PolicyTrusted(repo=task.repo, digest=policy.digest)]


def _moved(task: Task, change: Change, tip: str | None) -> list[e.AnyEvent]:
    found = Commit(tip) if tip else None
    seen = e.TargetSeen(repo=task.repo, target=task.target, tip=found)
    return [
        seen,
        e.LandingMissed(task=task.id, revision=change.revision, tip=found or Commit("")),
    ]


def _rewound(task: Task, change: Change, tip: str | None) -> list[e.AnyEvent]:
    why = f"{task.target} was taken back: it no longer has a commit that it had before"
    frozen = e.QueueFrozen(repo=task.repo, target=task.target, reason=why)
    return [frozen, *_moved(task, change, tip)]


def _blocked(task: Task, change: Change, onto: str, reason: str) -> e.ChangeBlocked:
    return e.ChangeBlocked(task=task.id, revision=change.revision, reason=reason, onto=Commit(onto))
