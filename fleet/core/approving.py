"""Whose word a change needs before it may land, and whether it has it; all of it pure.

A rule only ever asks for more: of all that are about a change, the strictest counts in each point.
"""

import hashlib
from collections.abc import Collection, Iterator
from functools import lru_cache

import msgspec
from msgspec import Struct

from fleet.core.assessment import Risk, order
from fleet.core.change import BY_POLICY, Approval, Change, Ready
from fleet.core.definitions import definitions
from fleet.core.gating import gates, rules
from fleet.core.globs import matches
from fleet.core.model import Task
from fleet.core.policy import Land, RepoPolicy, Rule
from fleet.core.proofs import doubts, found, missing, phrase
from fleet.core.risk import risk_of
from fleet.core.terminal import clean

UNASSESSED, UNPROVEN = "its assessment", "its proofs"
ANY_REVIEW, REVIEW = "a review", "land: review"
_NAMED = 3  # files that are named one by one


class Want(Struct, frozen=True):
    """Approvals that are asked for: by so many different people, if named, out of these."""

    approvals: int = 1
    reviewers: tuple[str, ...] = ()

    def lack(self, names: Collection[str]) -> str | None:
        """Return what is missing where these people have approved, in one phrase."""
        counted = set(names) & set(self.reviewers) if self.reviewers else set(names)
        count = self.approvals - len(counted)
        if count <= 0:
            return None
        whose = f" by {_either(self.reviewers)}" if self.reviewers else ""
        if self.approvals == 1:
            return f"{ANY_REVIEW}{whose}"
        return f"{count} more approvals{whose}" if count > 1 else f"one more approval{whose}"


class Requirement(Struct, frozen=True):
    """What one change asks for before it may land, and why.

    With `land` auto, green gates are enough once all evidence is there; a risk `limit` has to be
    met. Else people have to approve as `wants` says; `approvals` and `reviewers` sum that up. With
    `strict`, they have to again once the target moved inside its files. What is `alone` shares no
    batch.
    """

    land: Land = "review"
    wants: tuple[Want, ...] = (Want(),)
    limit: Risk | None = None
    strict: bool = False
    alone: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def approvals(self) -> int:
        return max(want.approvals for want in self.wants)

    @property
    def reviewers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for want in self.wants for name in want.reviewers))


def requirement(task: Task, change: Change, policy: RepoPolicy) -> Requirement:
    """Return whose word `change` needs, and why, by all rules that are about its files."""
    about, risk = tuple(_about(change.files, policy.rules)), risk_of(task, change, policy)
    guarded = definitions(change.files, policy.checks, task.spec.checks)
    limits = [rule.risk for rule, _ in about if rule.risk is not None]
    limit = min(limits, key=order, default=None)
    reasons = [*_usual(task, change, policy), *_guards(guarded)]
    reasons += _doubts(task, change, policy)
    reasons += [why for rule, path in about for why in _reasons(rule, path, change, risk)]
    strict = any(rule.strict for rule, _ in about)
    wants = tuple(dict.fromkeys(_want(rule) for rule, _ in about if _asks_people(rule)))
    return Requirement(
        land="review" if reasons else "auto",
        wants=wants or (Want(),),
        limit=limit,
        strict=strict,
        # What lands in the same move in front of it would move the target unseen.
        alone=strict or bool(guarded) or any(rule.alone for rule, _ in about),
        reasons=tuple(map(clean, reasons)),
    )


@lru_cache(maxsize=1024)
def _touched(files: tuple[str, ...], rules: tuple[Rule, ...]) -> tuple[str | None, ...]:
    """Return for each rule the first file that it is about."""
    return tuple(
        next((file for file in files if matches(file, rule.paths)), None) for rule in rules
    )


def _about(files: tuple[str, ...], rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, str]]:
    for rule, path in zip(rules, _touched(files, rules), strict=True):
        if path is not None:
            yield rule, path


def _usual(task: Task, change: Change, policy: RepoPolicy) -> Iterator[str]:
    if task.spec.land == "review":
        yield REVIEW
    elif unchecked(task, change, policy):
        yield "it has no checks: a person has to look"


def _guards(guarded: tuple[str, ...]) -> Iterator[str]:
    for path in guarded[:_NAMED]:
        yield f"{path} is changed: a person has to look"
    if (more := len(guarded) - _NAMED) > 0:
        yield f"so are {more} more files that decide what checks say"


def _doubts(task: Task, change: Change, policy: RepoPolicy) -> Iterator[str]:
    """What was found out speaks against it, or could not be found out at all."""
    for proof in filter(doubts, found(task, change, policy)):
        yield f"{phrase(proof)}: a person has to look"
    if change.assessment is not None and change.assessment.unknown:
        yield f"it could not be assessed, {change.assessment.unknown[0]}: a person has to look"


def _asks_people(rule: Rule) -> bool:
    return rule.approvals is not None or bool(rule.reviewers)


def _want(rule: Rule) -> Want:
    return Want(rule.approvals or 1, rule.reviewers)


def _reasons(rule: Rule, path: str, change: Change, risk: Risk | None) -> Iterator[str]:
    """Why a change that a rule is about does not land by itself."""
    named, lines, files = f"rule {rule.name}", change.added + change.removed, len(change.files)
    if _asks_people(rule):
        want = _want(rule)
        whose = f" by {_either(want.reviewers)}" if want.reviewers else ""
        many = "an approval" if want.approvals == 1 else f"{want.approvals} approvals"
        yield f"{named}: {path} is changed, which takes {many}{whose}"
    elif rule.land == "review":
        yield f"{named}: {path} is changed: a person has to look"
    if rule.lines is not None and lines > rule.lines:
        yield f"{named}: {lines} lines are changed, and {rule.lines} at most land by themselves"
    if rule.files is not None and files > rule.files:
        yield f"{named}: {files} files are changed, and {rule.files} at most land by themselves"
    if rule.risk and risk and order(risk) > order(rule.risk):
        yield f"{named}: its risk is {risk}, and what lands by itself has {rule.risk} at most"


def _either(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def approved(change: Change) -> bool:
    """Whether all verdicts that are asked for stand, for exactly the commit that would land."""
    approval = change.approval
    return approval is not None and approval.sealed == change.sealed and not approval.short


def approvers(change: Change) -> tuple[str, ...]:
    """Return the people whose verdict stands for exactly the commit that would land."""
    return tuple(it.by for it in _by_people(change))


def approved_by(change: Change) -> str | None:
    """Return whose approval it is, in one phrase, once it has all that are asked for."""
    if not approved(change):
        return None
    return ", ".join(approvers(change)) or BY_POLICY


def _by_people(change: Change) -> tuple[Approval, ...]:
    return tuple(it for it in change.approvals if it.sealed == change.sealed and it.by != BY_POLICY)


def lacking(names: Collection[str], required: Requirement) -> str | None:
    """Return what is missing where these people have approved, in one phrase."""
    return next((lack for want in required.wants if (lack := want.lack(names))), None)


def may_land(task: Task, change: Change, policy: RepoPolicy) -> bool:
    """Whether it lands as soon as its gates are green.

    Else a person has to decide first, or not all is known that landing by itself takes.
    """
    return lacks(task, change, policy) is None


def by_policy(task: Task, change: Change, policy: RepoPolicy) -> bool:
    """Whether no person has to look, by all that is known: it was asked for, and is checked."""
    return requirement(task, change, policy).land == "auto"


def awaited(task: Task, change: Change, policy: RepoPolicy) -> str | None:
    """Return what is still to be found out before a change may land by itself, in one phrase."""
    if missing(task, change, policy) is not None:
        return UNPROVEN
    return UNASSESSED if change.assessment is None else None


def unchecked(task: Task, change: Change, policy: RepoPolicy) -> bool:
    """Whether it has no gate at all: then it never lands by policy, for that is not green."""
    if not isinstance(change.state, Ready) or change.state.evidence.results:
        return False
    return change.state.evidence.rules == rules(gates(task.spec, policy))


def lacks(task: Task, change: Change, policy: RepoPolicy) -> str | None:
    """Return whose word is missing, or what is not known yet; None where it has all it needs."""
    required = requirement(task, change, policy)
    waits = awaited(task, change, policy) if required.land == "auto" else ANY_REVIEW
    if waits is None:
        return None
    lack = lacking(approvers(change), required)
    doubted = required.strict and any(it.doubted for it in change.approvals)
    if approved(change) and lack is None and not doubted:
        return None
    if required.land == "auto":
        return waits
    return lack or "a look at how its target moved"


def terms(policy: RepoPolicy) -> str:
    """Return a digest of what decides about landing: it changes whenever any of that does."""
    said = (
        *(policy.checks, policy.rules, policy.land, policy.merge, policy.limits.lines),
        *(policy.push, policy.remote, policy.proofs),
        # Without a pull request the digest of what was approved before there were any holds on.
        *((policy.pr, policy.forge) if policy.pr != "off" else ()),
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
