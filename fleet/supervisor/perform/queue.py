"""The merge coordinator's hands: what will land is built, gated, and landed as it was tested."""

import threading
from dataclasses import dataclass

from fleet.core import events as e
from fleet.core.causes import CheckResult, Conflict, GateRed
from fleet.core.change import Change, Evidence, Ready
from fleet.core.effects import Gate, Remerge
from fleet.core.gating import gates, rules
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.core.policy import Check, RepoPolicy
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.perform.tree_checks import run_checks_on
from fleet.tools.git import merging
from fleet.tools.git.archive import contains
from fleet.tools.git.building import Built, build
from fleet.tools.git.merging import Conflicted
from fleet.tools.git.repository import Place


@dataclass(frozen=True)
class _Case:
    """One change, judged once on one target."""

    tools: Tools
    effect: Gate | Remerge
    task: Task
    change: Change
    place: Place
    policy: RepoPolicy
    stop: threading.Event


def _case(tools: Tools, effect: Gate | Remerge, fleet: Fleet, stop: threading.Event) -> _Case:
    task = fleet.tasks[effect.task]
    if task.change is None:
        raise RuntimeError(f"{task.id} has no change, and one was to be gated")
    place = tools.place(fleet.repos[task.repo])
    policy = tools.trusted_policy(fleet, task.repo)
    return _Case(tools, effect, task, task.change, place, policy, stop)


def gate(tools: Tools, effect: Gate, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Build what would land on `effect.onto`, and run the gates on exactly that tree."""
    try:
        case = _case(tools, effect, fleet, stop)
        if _is_there(case):
            return [_landed(case)]
        built = _build(case)
        if isinstance(built, Conflicted):
            return [_conflict(case, built)]
        if strays := _strays(case, built.commit):
            why = f"what would land differs from what was reviewed in {', '.join(strays[:5])}"
            return [_blocked(effect, why)]
        return [_judged(case, built)]
    except FleetError as error:
        return [_blocked(effect, error.message)]


def _is_there(case: _Case) -> bool:
    """Whether the target has a branch made by hand already: its owner may merge it, too."""
    change, onto = case.change, case.effect.onto
    by_hand = case.task.spec.agent is None  # an agent's work that slipped in is an alarm
    return by_hand and contains(case.place, target=onto, base=change.base, head=change.sealed)


def _landed(case: _Case) -> e.ChangeLanded:
    effect = case.effect
    return e.ChangeLanded(
        task=effect.task, revision=effect.revision, commit=effect.onto, target=effect.target
    )


def _strays(case: _Case, commit: str) -> tuple[str, ...]:
    change, onto = case.change, case.effect.onto
    return merging.contained(
        case.place, base=change.base, sealed=change.sealed, target=onto, commit=commit
    )


def _build(case: _Case) -> Built | Conflicted:
    task, change = case.task, case.change
    trailers = {
        "Fleet-Task": task.id,
        "Fleet-Revision": str(change.revision),
        "Fleet-Sealed": change.sealed,
    }
    if change.approval is not None:
        trailers["Fleet-Approved-By"] = change.approval.by
    method = case.policy.merge
    heading = f"Merge {task.branch}: {task.spec.title}" if method == "merge" else task.spec.title
    return build(
        case.place,
        target=case.effect.onto,
        sealed=change.sealed,
        method=method,
        message=heading,
        when=int(change.since.timestamp()),
        trailers=trailers,
    )


def _conflict(case: _Case, found: Conflicted) -> e.ConflictFound:
    effect = case.effect
    others = merging.conflicting_commits(
        case.place, base=case.change.base, target=effect.onto, files=found.files
    )
    cause = Conflict(files=found.files, basis=effect.onto, others=others)
    return e.ConflictFound(task=effect.task, revision=effect.revision, cause=cause)


def _blocked(effect: Gate | Remerge, reason: str) -> e.ChangeBlocked:
    return e.ChangeBlocked(
        task=effect.task, revision=effect.revision, reason=reason, onto=effect.onto
    )


def _judged(case: _Case, built: Built) -> e.AnyEvent:
    effect, checks = case.effect, gates(case.task.spec, case.policy)
    digest = rules(checks)
    results = _known(case.change, built.tree, digest)
    if results is None:
        results = _run(case, built.commit, checks)
    if not all(result.green for result in results):
        cause = GateRed(results=results, basis=effect.onto)
        return e.GateRejected(task=effect.task, revision=effect.revision, cause=cause)
    evidence = Evidence(
        basis=effect.onto,
        commit=Commit(built.commit),
        tree=built.tree,
        rules=digest,
        results=results,
    )
    return e.GatePassed(task=effect.task, revision=effect.revision, evidence=evidence)


def _known(change: Change, tree: str, digest: str) -> tuple[CheckResult, ...] | None:
    """Return what the same checks said of the same tree, when they ran on it before."""
    state = change.state
    if isinstance(state, Ready) and (state.evidence.tree, state.evidence.rules) == (tree, digest):
        return state.evidence.results
    return None


def _run(case: _Case, commit: str, checks: tuple[Check, ...]) -> tuple[CheckResult, ...]:
    return run_checks_on(
        case.tools,
        case.place,
        case.task,
        case.policy,
        commit=commit,
        checks=checks,
        stem=f"gate-{case.effect.revision}-{commit[:10]}",
        stop=case.stop,
        again=True,
    )


def remerge(tools: Tools, effect: Remerge, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """See whether a change that waits for a person still merges with a newer target."""
    try:
        case = _case(tools, effect, fleet, stop)
        if _is_there(case):
            return [_landed(case)]
        merged = merging.merge_trees(case.place, into=effect.onto, change=case.change.sealed)
        if isinstance(merged, Conflicted):
            return [_conflict(case, merged)]
    except FleetError as error:
        return [_blocked(effect, error.message)]
    return [e.StillMerges(task=effect.task, revision=effect.revision, onto=effect.onto)]
