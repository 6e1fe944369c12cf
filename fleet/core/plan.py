"""What should be under way, worked out from the state alone: a restart is nothing special."""

from datetime import datetime

from fleet.core.lives import lives
from fleet.core.merge_queue import merge_queues
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances, Plan, together
from fleet.core.pool import pools, workspaces
from fleet.core.schedule import given_up, rejections, starts


def plan(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return the facts that follow from the state, the effects it asks for, and when to ask again.

    The caller records the facts and asks again until there are none; only then do effects count.
    """
    return together(
        (
            given_up(fleet),
            rejections(fleet, now),
            lives(fleet, given, now),
            merge_queues(fleet, given),
            workspaces(fleet),
            starts(fleet, given, now),
            pools(fleet, given, now),
        )
    )
