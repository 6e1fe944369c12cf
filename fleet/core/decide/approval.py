"""A person's approval: it is about one sealed commit, and says all that it rests on."""

import re

from msgspec.structs import replace

from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.approving import Requirement, approvers, lacking, requirement, terms
from fleet.core.assessment import Risk
from fleet.core.change import BY_POLICY, Change, Ready
from fleet.core.decide.control import refuse_landing
from fleet.core.decide.decision import PERSON, Decision
from fleet.core.facts import ChangeFacts, VerdictFacts
from fleet.core.gating import gates, rules
from fleet.core.model import Fleet, Task
from fleet.core.names import find
from fleet.core.phrases import reason
from fleet.core.policy import PERSONS_NAME, RepoPolicy
from fleet.core.risk import risk_of
from fleet.core.stacks import below
from fleet.core.status import Checking, Held, Landed, Submitted
from fleet.errors import RefusedError, UsageError

_SHORTEST_SHA = 4
_NO_PERSON = (BY_POLICY, "fleet", "supervisor")


def approve(fleet: Fleet, command: c.Approve, facts: VerdictFacts | None, actor: str) -> Decision:
    """Approve exactly one sealed commit, which the answer names; or several together."""
    if command.more:
        return _together(fleet, command, facts, actor)
    task = find(fleet, command.task)
    change = _reviewable(task)
    _meant(task, change, command.head)
    return _approved(fleet, task, change, _known(facts, task, change), by=_whose(command, actor))


def _together(fleet: Fleet, command: c.Approve, facts: VerdictFacts | None, actor: str) -> Decision:
    """All or none; each is an approval of its own, to be voided or taken back by itself."""
    if command.head is not None:
        raise UsageError("--head names the commit of one task, and there are several")
    names = dict.fromkeys(find(fleet, name).id for name in (command.task, *command.more))
    batch = f"batch-{fleet.seq + 1}"
    decisions = []
    for task in (fleet.tasks[name] for name in names):
        change = _reviewable(task)
        _meant(task, change, None)
        known = _known(facts, task, change)
        _low(task, change, known)
        by = _whose(command, actor)
        decisions.append(_approved(fleet, task, change, known, by=by, batch=batch))
    events = tuple(event for it in decisions for event in it.events)
    return Decision(events, {"batch": batch, "approved": [it.answer for it in decisions]})


def _low(task: Task, change: Change, known: ChangeFacts | None) -> None:
    """Refuse what a person has to look at for itself."""
    hint = f"read it, then approve it by itself: fleet diff {task.id}"
    risk = _risk(task, change, known)
    if risk is None:
        raise RefusedError(f"it is not known how risky {task.id} is", hint=hint)
    if risk != "low":
        raise RefusedError(f"the risk of {task.id} is {risk}", hint=hint)
    if known is not None and requirement(task, change, known.policy).alone:
        raise RefusedError(f"{task.id} is never approved together with others", hint=hint)


def _approved(
    fleet: Fleet,
    task: Task,
    change: Change,
    known: ChangeFacts | None,
    *,
    by: str,
    batch: str = "",
) -> Decision:
    _must_be_a_person(task, by)
    answer = {"task": task.id, "head": change.sealed, "revision": change.revision}
    verdict = _verdict(fleet, task, change, by=by, batch=batch)
    verdict = replace(verdict, risk=_risk(task, change, known))
    if known is None:
        return Decision((verdict,), answer)
    required = requirement(task, change, known.policy)
    _may_approve(task, required, by)
    lack = lacking({*approvers(change), by}, required)
    verdict = replace(
        verdict,
        rules=rules(gates(task.spec, known.policy)),
        policy=terms(known.policy),
        diff=known.diff,
        short=lack is not None,
    )
    return Decision((verdict,), answer | ({"lacks": lack} if lack else {}))


def _risk(task: Task, change: Change, known: ChangeFacts | None) -> Risk | None:
    """Return the risk that whoever approves is shown."""
    return risk_of(task, change, known.policy if known else RepoPolicy())


def _whose(command: c.Approve | c.Revoke, actor: str) -> str:
    return actor if command.by is None else command.by


def _verdict(fleet: Fleet, task: Task, change: Change, *, by: str, batch: str) -> e.Approved:
    evidence = change.state.evidence if isinstance(change.state, Ready) else None
    return e.Approved(
        task=task.id,
        revision=change.revision,
        sealed=change.sealed,
        by=by,
        rules=evidence.rules if evidence else "",
        base=change.base,
        tree=evidence.tree if evidence else "",
        onto=fleet.repos[task.repo].tips.get(task.target),
        batch=batch,
        parents=below(fleet, task),
    )


def _must_be_a_person(task: Task, by: str) -> None:
    if not re.fullmatch(PERSONS_NAME, by, re.ASCII):
        raise UsageError(
            "this is not the name of a person", hint="letters, digits and . _ @ + -, as in: ann"
        )
    authors = {task.id, task.spec.agent, task.owner} - {PERSON}
    if by in authors:
        raise RefusedError(f"{by} is the author of {task.id}", hint="a person has to approve it")
    if by in _NO_PERSON:
        raise RefusedError(f"{by} is no person", hint="name yourself: --as NAME")


def _may_approve(task: Task, required: Requirement, by: str) -> None:
    """Refuse an approval that would count for nothing."""
    if any(not want.reviewers or by in want.reviewers for want in required.wants):
        return
    why = next(why for why in required.reasons if required.reviewers[0] in why)
    raise RefusedError(
        f"{by} is none of those who review {task.id} ({why})",
        hint=f"fleet approve {task.id} --as {required.reviewers[0]}",
    )


def _known(facts: VerdictFacts | None, task: Task, change: Change) -> ChangeFacts | None:
    """Return what was found out about the change, if it still is the one that was looked at."""
    if facts is None:
        return None
    for known in facts.changes:
        if (known.task, known.sealed) == (task.id, change.sealed):
            return known
    raise RefusedError(f"{task.id} has just moved on", hint=f"read it again: fleet diff {task.id}")


def revoke(fleet: Fleet, command: c.Revoke, facts: VerdictFacts | None, actor: str) -> Decision:
    """Take approvals back while that is still possible."""
    task = find(fleet, command.task)
    change = _reviewable(task)
    given = {it.by for it in change.approvals} - {BY_POLICY}
    if not given or (command.by is not None and command.by not in given):
        whose = f" by {command.by}" if command.by and given else ""
        raise RefusedError(f"{task.id} is not approved{whose}", hint=f"fleet show {task.id}")
    by = _whose(command, actor)
    known = _known(facts, task, change)
    left = given - {command.by} if command.by else set()
    short = known is None or lacking(left, requirement(task, change, known.policy)) is not None
    voided = e.ApprovalVoided(
        task=task.id,
        revision=change.revision,
        reason=f"taken back by {by}",
        of=command.by or "",
        by=by,
        short=short,
    )
    return Decision((voided,), {"task": task.id, "head": change.sealed})


def _reviewable(task: Task) -> Change:
    if isinstance(task.status, Landed):
        raise RefusedError(f"{task.id} has landed already", hint=f"fleet show {task.id}")
    refuse_landing(task)
    if isinstance(task.status, Submitted | Checking) and task.change is not None:
        return task.change
    why = f": {reason(task.status.cause)}" if isinstance(task.status, Held) else ""
    raise RefusedError(f"{task.id} has no change to approve{why}", hint=f"fleet why {task.id}")


def _meant(task: Task, change: Change, head: str | None) -> None:
    if head is not None:
        named = len(head) >= _SHORTEST_SHA and (
            change.sealed.startswith(head) or change.head == head
        )
        if not named:
            raise RefusedError(
                f"{task.id} stands at {change.sealed[:12]}, not at {head}",
                hint=f"read it again: fleet diff {task.id}",
            )
    elif task.shown and task.shown < change.revision:
        raise RefusedError(
            f"{task.id} has a newer revision than the one you were shown",
            hint=f"read it again: fleet diff {task.id}",
        )
