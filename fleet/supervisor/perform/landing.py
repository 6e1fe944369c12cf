"""Landing: the target moves to the very commit that was tested, or nothing moves."""

import threading
from dataclasses import replace

from fleet.core import events as e
from fleet.core.change import Ready
from fleet.core.effects import Land
from fleet.core.model import Fleet, Task
from fleet.errors import FleetError
from fleet.supervisor.perform import publishing
from fleet.supervisor.perform.moves import (
    Lander,
    Move,
    all_blocked,
    all_landed,
    blocked,
    files_of,
    intent,
    moved,
    named,
    recorded,
    rewound,
)
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import landing
from fleet.tools.git.intent import (
    Blocked,
    Intent,
    Landed,
    Moved,
    NotLanded,
    Rewound,
    contains,
    is_ancestor,
)
from fleet.tools.git.recovery import recover, settle
from fleet.tools.git.repository import branch_tip


def land(tools: Tools, effect: Land, fleet: Fleet, stop: threading.Event) -> list[e.AnyEvent]:
    """Carry a recorded intent through: finish what a crash left, or land, or say why not.

    What became of each change is told in landing order.
    """
    move = recorded(tools, effect, fleet)
    try:
        return _carry_through(move, intent(move))
    except FleetError as error:
        return _all_there(move) or all_blocked(move, error.message)


def _all_there(move: Move) -> list[e.AnyEvent]:
    """Tell that all have landed where the target says so, whatever else could not be done."""
    try:
        wanted = intent(move)
        return _all_landed(move, wanted, Landed(wanted.commit)) if contains(wanted) else []
    except FleetError:
        return []


def _carry_through(move: Move, wanted: Intent) -> list[e.AnyEvent]:
    if not wanted.journal.exists():  # nothing was begun, or it was settled: `land` sees which
        return _fresh(move, wanted)
    found = recover(wanted)
    settle(wanted)
    match found:
        case Landed():
            return _all_landed(move, wanted, found)
        case Rewound(tip=tip):
            return rewound(move, wanted, tip)
        case NotLanded():
            return _fresh(move, wanted)


def _fresh(move: Move, wanted: Intent) -> list[e.AnyEvent]:
    policy = move.tools.trusted_policy(move.fleet, move.task.repo, move.task.target)
    if policy.push:
        return publishing.land(move, wanted, policy.remote)
    outcome = landing.land(wanted)
    settle(wanted)
    match outcome:
        case Landed():
            return _all_landed(move, wanted, outcome)
        case Moved(tip=tip) if tip is not None and not is_ancestor(
            wanted.place, wanted.parent, tip
        ):
            return rewound(move, wanted, tip)
        case Moved(tip=tip):
            return moved(move, wanted, tip)
        case Blocked():
            return blocked(move, wanted, outcome)


def _all_landed(move: Move, wanted: Intent, outcome: Landed) -> list[e.AnyEvent]:
    return all_landed(move, wanted, outcome, tip=branch_tip(wanted.place, wanted.target))


def is_still_blocked(tools: Tools, fleet: Fleet, task: Task) -> bool:
    """Whether the very thing that kept a change from landing still does; nothing is changed."""
    change = task.change
    if change is None or change.blocked is None or not isinstance(change.state, Ready):
        return False
    evidence = change.state.evidence
    try:
        wanted = intent(Move(tools, fleet, (Lander(task, change, evidence),)))
        # It may have been to land behind others, which stand or fall by themselves.
        here = branch_tip(wanted.place, wanted.target) or wanted.parent
        found = landing.obstacle(replace(wanted, parent=here))
        return found is not None and change.blocked in {
            named(found, found.files),
            named(found, files_of(wanted, evidence, found)),
        }
    except FleetError:
        return False  # whoever tries it says why
