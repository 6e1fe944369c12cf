"""Which changes are to be measured for their review: each revision once, as soon as it waits."""

from fleet.core.effects import Assess
from fleet.core.model import Fleet
from fleet.core.planned import Plan
from fleet.core.status import Submitted


def assessments(fleet: Fleet) -> Plan:
    """Return what is to be measured; a measurement that failed is one, so it is tried once."""
    return Plan(
        effects=tuple(
            Assess(task.id, task.change.revision)
            for task in fleet.tasks.values()
            if isinstance(task.status, Submitted)
            and task.change is not None
            and task.change.assessment is None
            and not task.landing
        )
    )
