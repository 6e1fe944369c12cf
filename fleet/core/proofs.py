"""Which proofs a change still wants, and what the checks that were run for one come to."""

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache

import msgspec

from fleet.core import gating
from fleet.core.causes import CheckResult
from fleet.core.change import Change, Ready
from fleet.core.effects import Prove
from fleet.core.globs import matches
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Spec, Task
from fleet.core.phrases import outcome
from fleet.core.planned import Circumstances
from fleet.core.policy import Check, RepoPolicy
from fleet.core.proof import KINDS, Kind, Proof, State
from fleet.core.rows import ProofRow, QueueCheck
from fleet.core.status import Submitted
from fleet.core.trust import withheld

_NO_TESTS = "it touches no tests"
NO_CODE = "it touches nothing but tests"
_ONLY_REMOVES = "it only removes tests"
_NOT_FOUND = (126, 127)  # the shell's exit codes for a command that it could not run


def checks(spec: Spec, policy: RepoPolicy) -> tuple[Check, ...]:
    """Return the checks that are run for a proof."""
    return tuple(check for check in gating.gates(spec, policy) if check.proof)


def rules(spec: Spec, policy: RepoPolicy) -> str:
    """Return a digest of what a proof depends on beside the commits."""
    given = (checks(spec, policy), policy.tests)
    return hashlib.sha256(msgspec.json.encode(given)).hexdigest()


def wanted(fleet: Fleet, given: Circumstances) -> list[Prove]:
    """Return the proofs that are still to be tried, for what waits longest for a review first.

    Each is tried once for a revision, on the target with which its gates have passed, and again
    only under other rules.
    """
    waiting = [
        (change.since, task.id, prove)
        for task in fleet.tasks.values()
        if (change := task.change) is not None
        and _under_review(fleet, task, change, given)
        and (prove := _next(task, change, given.target(task.repo, task.target))) is not None
    ]
    return [prove for *_, prove in sorted(waiting, key=lambda it: it[:2])]


def _under_review(fleet: Fleet, task: Task, change: Change, given: Circumstances) -> bool:
    policy = given.target(task.repo, task.target)
    waits = isinstance(task.status, Submitted) and task.removed_at is None
    open_ = waits and change.approval is None
    return open_ and not withheld(fleet, task.repo, task.target, policy)


def _next(task: Task, change: Change, policy: RepoPolicy) -> Prove | None:
    in_force = gating.rules(gating.gates(task.spec, policy))
    if not isinstance(change.state, Ready) or change.state.evidence.rules != in_force:
        return None  # a proof is told by the difference to what passed the same checks
    onto = change.state.evidence.basis
    kind = missing(task, change, policy, onto=onto)
    return None if kind is None else Prove(task.id, change.revision, kind, onto)


def missing(
    task: Task, change: Change, policy: RepoPolicy, *, onto: Commit | None = None
) -> Kind | None:
    """Return which proof of a change nobody has tried yet, if any is to be tried at all.

    With `onto`, what could not be tried is to be tried again, if that was on another target.
    """
    if not policy.proofs or not checks(task.spec, policy) or foreseen(change.files, policy):
        return None
    digest = rules(task.spec, policy)
    tried = {proof.kind for proof in change.proofs if _holds(proof, digest, onto)}
    return next((kind for kind in KINDS if kind not in tried), None)


def _holds(proof: Proof, digest: str, onto: Commit | None) -> bool:
    again = onto is not None and proof.state == "unbuildable" and proof.onto != onto
    return proof.rules == digest and not again


def found(task: Task, change: Change, policy: RepoPolicy) -> tuple[Proof, ...]:
    """Return what is known, be it tried or plain from the names of the files that are touched."""
    known = {proof.kind: proof for proof in change.proofs}
    why = foreseen(change.files, policy)
    if policy.proofs and why and checks(task.spec, policy):
        digest = rules(task.spec, policy)
        plain = (Proof(kind, "nothing-to-prove", change.base, digest, why=why) for kind in KINDS)
        known = {proof.kind: proof for proof in plain} | known
    return tuple(known[kind] for kind in KINDS if kind in known)


def foreseen(files: tuple[str, ...], policy: RepoPolicy) -> str:
    """Return why a change that touches `files` has nothing to prove, or nothing."""
    return _foreseen(files, policy.tests)


@lru_cache(maxsize=1024)
def _foreseen(files: tuple[str, ...], patterns: tuple[str, ...]) -> str:
    tests = sum(matches(path, patterns) for path in files)
    if not tests:
        return _NO_TESTS
    return NO_CODE if tests == len(files) else ""


def tests_among(paths: Collection[str], policy: RepoPolicy) -> frozenset[str]:
    """Return which of `paths` are tests."""
    return frozenset(path for path in paths if matches(path, policy.tests))


def nothing_to_prove(kind: Kind, stays: Mapping[str, bool], policy: RepoPolicy) -> str:
    """Return why nothing is to be run for a change, or nothing.

    `stays` has each path that it touches, and whether that is still there afterwards.
    """
    if why := _foreseen(tuple(stays), policy.tests):
        return why
    left = any(stays[path] for path in tests_among(stays, policy))
    return _ONLY_REMOVES if kind == "new-tests" and not left else ""


def verdict(kind: Kind, results: tuple[CheckResult, ...]) -> tuple[State, str]:
    """Return what the checks come to that were run for a proof, and why."""
    red = next((result for result in results if not result.green), None)
    if red is None:
        return ("proven" if kind == "old-tests" else "refuted"), ""
    why = f"{red.name} {outcome(red)}"
    if red.state == "empty":
        return "nothing-to-prove", why
    if red.state == "failed" and red.code not in _NOT_FOUND:
        return ("refuted" if kind == "old-tests" else "proven"), why
    # That it takes too long speaks against the new code, but is no proof for new tests.
    too_long = red.state == "timeout" and kind == "old-tests"
    return ("refuted" if too_long else "unbuildable"), why


_NAMES: dict[Kind, str] = {
    "old-tests": "the target's own tests on the new code",
    "new-tests": "the new tests without the change",
}


def doubts(proof: Proof) -> bool:
    """Whether a person has to look: it was refuted, or could not be tried to its end."""
    return proof.state in {"refuted", "unbuildable"}


def phrase(proof: Proof) -> str:
    """Return what a proof says, in words for a person."""
    match proof.kind, proof.state:
        case "old-tests", "proven":
            return "the target's own tests pass on the new code"
        case "old-tests", "refuted":
            return f"the target's own tests fail on the new code: {proof.why}"
        case "new-tests", "proven":
            return "the new tests fail without the change: proven"
        case "new-tests", "refuted":
            return "the new tests pass without the change: they prove nothing"
        case kind, "nothing-to-prove":
            return f"{_NAMES[kind]}: nothing to prove, {proof.why}"
        case kind, _:
            return f"{_NAMES[kind]}: could not be tried, {proof.why}"


def proof_rows(task: Task, policy: RepoPolicy) -> tuple[ProofRow, ...]:
    """Return what is known of a task's change, as people and scripts read it."""
    proofs = found(task, task.change, policy) if task.change is not None else ()
    return tuple(
        ProofRow(
            kind=proof.kind,
            state=proof.state,
            says=phrase(proof),
            checks=tuple(
                QueueCheck(name=it.name, state=it.state, seconds=it.seconds, log=it.log)
                for it in proof.results
            ),
        )
        for proof in proofs
    )
