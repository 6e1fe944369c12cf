"""What should be under way, worked out from the state alone: a restart is nothing special."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from msgspec.structs import replace

from fleet.core.accounts import going_on
from fleet.core.assessing import assessments
from fleet.core.attention import attention
from fleet.core.effects import AnyEffect, Gate, Merge, OnQueue, OnTask, Prove
from fleet.core.expiry import expired
from fleet.core.lives import lives
from fleet.core.merge_queue import merge_queues
from fleet.core.model import Fleet
from fleet.core.planned import NOTHING, Circumstances, Plan, together
from fleet.core.pool import pools, workspaces
from fleet.core.proofs import wanted
from fleet.core.pulling import pulls
from fleet.core.schedule import given_up, hopeless, rejections, starts
from fleet.core.voiding import verdicts
from fleet.core.warnings import restacks, warnings


def plan(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return the facts that follow from the state, the effects it asks for, and when to ask again.

    The caller records the facts and asks again until there are none; only then do effects count.
    """
    parts = []
    for part in _parts(fleet, given, now):
        if part.facts:  # the parts that follow need the state after these
            return Plan(facts=part.facts)
        parts.append(part)
    whole = together(parts)
    return replace(whole, effects=tuple(it for it in whole.effects if not _barred(fleet, it)))


def _parts(fleet: Fleet, given: Circumstances, now: datetime) -> Iterator[Plan]:
    yield given_up(fleet)
    yield rejections(fleet, now)
    yield warnings(fleet, given)
    yield restacks(fleet)
    yield lives(fleet, given, now)
    yield going_on(fleet, given, now)
    yield verdicts(fleet, given)
    yield pulls(fleet, given, now)
    yield expired(fleet, given, now)
    queues = merge_queues(fleet, given, now)
    yield queues
    yield assessments(fleet)
    yield _proofs(fleet, given, queues)
    yield workspaces(fleet, now)
    yield starts(fleet, given, now)
    yield pools(fleet, given, now)
    yield attention(fleet, given, now)


def _proofs(fleet: Fleet, given: Circumstances, queues: Plan) -> Plan:
    """Try what only a reviewer asks for, one proof at a time, while the queue has none to run."""
    if any(isinstance(effect, Merge | Gate | Prove) for effect in queues.effects):
        return NOTHING
    possible = (prove for prove in wanted(fleet, given) if not _barred(fleet, prove))
    return Plan(effects=tuple(islice(possible, 1)))


def _barred(fleet: Fleet, effect: AnyEffect) -> bool:
    """Whether it is for a task on which fleet itself fails again and again."""
    return isinstance(effect, OnTask | OnQueue) and hopeless(fleet.tasks[effect.task])
