"""Who gets the worktrees in which checks run: what may land first, and who has to make room for it.

A check of what nobody has approved is stopped for one of what may land, and begun anew later; it
has said nothing then. One that has nearly ended is let end: to wait for it costs what may land
less than it would cost to run all of it again. How long that takes is known from its last runs;
one that runs longer than these is not taken to end soon.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from fleet.core import proofs
from fleet.core.effects import Gate, Prove
from fleet.core.gating import gates_of
from fleet.core.line import Line, check_key
from fleet.core.model import Fleet
from fleet.core.planned import Circumstances
from fleet.core.steps import PROOF, Want

_NEARLY, _OVERDUE = 0.75, 1.25  # of the time that it took last


class Share(Struct, frozen=True):
    """What runs on the workers there are: what was chosen, and what goes on in the lanes `keep`.

    At `wake_at` it may be something else.
    """

    chosen: tuple[Want, ...]
    keep: frozenset[str] = frozenset()
    wake_at: datetime | None = None


def share(
    fleet: Fleet,
    given: Circumstances,
    wants: Sequence[Want],
    keep: frozenset[str],
    now: datetime,
) -> Share:
    """Return which of `wants` run, beside what runs in the lanes `keep` and goes on.

    What is wanted itself goes on only where it is chosen.
    """
    busy = keep - {want.gate.lane for want in wants}
    number = max((given.policy.workers or 1) - len(busy), 0)
    overdue = _overdue(fleet, given, wants, now) if len(wants) > number else {}

    def order(want: Want) -> tuple[bool, bool, int]:
        lane = want.gate.lane
        yields = want.rank >= PROOF and lane not in overdue
        return yields, lane not in given.under_way, want.rank

    chosen = tuple(sorted(wants, key=order)[:number])
    kept = (overdue[want.gate.lane] for want in chosen if want.gate.lane in overdue)
    return Share(chosen, busy, min(kept, default=None))


def _overdue(
    fleet: Fleet, given: Circumstances, wants: Sequence[Want], now: datetime
) -> dict[str, datetime]:
    """Return the lanes of what makes no room as it has nearly ended, and until when that is so."""
    found = {}
    for want in wants:
        begun = given.begun.get(want.gate.lane)
        if want.rank < PROOF or begun is None:
            continue
        lasts = _lasts(fleet, given, want.gate)
        if lasts is not None and begun + lasts * _NEARLY <= now < begun + lasts * _OVERDUE:
            found[want.gate.lane] = begun + lasts * _OVERDUE
    return found


def _lasts(fleet: Fleet, given: Circumstances, effect: Gate | Prove) -> timedelta | None:
    """Return how long its checks took last; None where nobody knows."""
    cars = effect.cars if isinstance(effect, Gate) else ()
    task = fleet.tasks[cars[-1].task if cars else effect.task]
    policy = given.target(task.repo, task.target)
    if isinstance(effect, Gate):
        checks = gates_of([fleet.tasks[car.task].spec for car in cars], policy)
    else:
        checks = proofs.checks(task.spec, policy)
    line = fleet.repos[task.repo].lines.get(task.target, Line())
    seconds = line.lasts([check_key(check, task.environment) for check in checks])
    return None if seconds is None else timedelta(seconds=seconds)
