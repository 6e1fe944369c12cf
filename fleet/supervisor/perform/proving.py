"""Proofs: the target's tests are run on new code, and new tests on the target's code."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fleet.core import events as e
from fleet.core import proofs
from fleet.core.change import Change
from fleet.core.effects import Prove
from fleet.core.globs import matches
from fleet.core.model import Fleet, Task
from fleet.core.policy import RepoPolicy
from fleet.core.proof import LOGS, Proof
from fleet.core.stacks import own_base
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.perform.tree_checks import run_checks_on
from fleet.tools.git import mixing
from fleet.tools.git.changes import Change as Difference
from fleet.tools.git.merging import Conflicted, merge_trees, tree_of
from fleet.tools.git.repository import Place

_GONE = "000000"  # the mode of a path that is not there


@dataclass(frozen=True)
class _Case:
    """One proof of one change."""

    tools: Tools
    effect: Prove
    task: Task
    change: Change
    place: Place
    policy: RepoPolicy
    stop: threading.Event


def prove(tools: Tools, effect: Prove, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Try one proof, and say what came of it; nothing where it was stopped."""
    task = fleet.tasks[effect.task]
    policy = tools.target_policy(task.repo, task.target)
    known = partial(Proof, effect.kind, onto=effect.onto, rules=proofs.rules(task.spec, policy))
    if task.change is None:
        raise RuntimeError(f"{task.id} has no change, and one was to be proven")
    try:
        place = tools.place(fleet.repos[task.repo])
        policy = tools.trusted_policy(fleet, task.repo, task.target)
        proof = _prove(_Case(tools, effect, task, task.change, place, policy, stop), known)
    except FleetError as error:
        proof = known(state="unbuildable", why=error.message)
    told = e.ChangeProved(task=task.id, revision=effect.revision, proof=proof)
    return [] if stop.is_set() else [told]


def _prove(case: _Case, known: "partial[Proof]") -> Proof:
    effect, place, policy = case.effect, case.place, case.policy
    change = case.change
    merged = merge_trees(place, into=effect.onto, change=change.sealed, base=own_base(change))
    if isinstance(merged, Conflicted):
        return known(state="unbuildable", why="it does not merge with its target")
    touched = mixing.differing(place, effect.onto, merged.tree)
    stays = {path: it.now[0] != _GONE for path, it in touched.items()}
    if why := proofs.nothing_to_prove(effect.kind, stays, policy):
        return known(state="nothing-to-prove", why=why)
    tests = {path: touched[path] for path in proofs.tests_among(touched, policy)}
    if effect.kind == "old-tests":
        if not _has_tests(case, tests):
            return known(state="nothing-to-prove", why="the target has no tests")
        was = {path: it.was for path, it in tests.items()}
        tree = mixing.exchange(place, merged.tree, was)
    else:
        now = {path: it.now for path, it in tests.items()}
        tree = mixing.exchange(place, tree_of(place, effect.onto), now)
    return _tried(case, tree, known)


def _has_tests(case: _Case, touched: Mapping[str, Difference]) -> bool:
    """Whether the target has tests: any that the change touches, else any at all."""
    if any(it.was[0] != _GONE for it in touched.values()):
        return True
    patterns = case.policy.tests
    return any(matches(it, patterns) for it in mixing.paths_of(case.place, case.effect.onto))


def _tried(case: _Case, tree: str, known: "partial[Proof]") -> Proof:
    effect, task = case.effect, case.task
    commit = mixing.commit_tree(
        case.place,
        tree,
        parent=effect.onto,
        message=f"The {effect.kind} proof of {task.id}, revision {effect.revision}",
        when=int(case.change.since.timestamp()),
    )
    results = run_checks_on(
        case.tools,
        case.place,
        task,
        case.policy,
        commit=commit,
        checks=proofs.checks(task.spec, case.policy),
        stem=f"{LOGS}{effect.kind}-{effect.revision}-{commit[:10]}",
        stop=case.stop,
        again=True,  # what fails now and then proves nothing
    )
    state, why = proofs.verdict(effect.kind, results)
    return known(state=state, tree=tree, commit=commit, results=results, why=why)
