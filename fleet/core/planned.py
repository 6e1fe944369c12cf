"""What planning works with: the circumstances it is told, and the plan it gives back."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from fleet.core.effects import AnyEffect
from fleet.core.events import AnyEvent
from fleet.core.ids import RepoId, TaskId
from fleet.core.policy import UNREAD, FleetPolicy, RepoPolicy
from fleet.core.radar import Clashes


class Circumstances(Struct, frozen=True):
    """What counts beside the state: policies in force, and vitals that are not recorded.

    `attached` are the tasks in whose pane a person is; `crowded` the repositories whose
    workspaces are over the disk limit; `under_way` the lanes of effects being carried out, and
    `begun` since when; `clashes` what the conflict radar has found.
    """

    policy: FleetPolicy = FleetPolicy()
    targets: dict[tuple[RepoId, str], RepoPolicy] = {}
    attached: frozenset[TaskId] = frozenset()
    crowded: frozenset[RepoId] = frozenset()
    under_way: frozenset[str] = frozenset()
    begun: dict[str, datetime] = {}
    clashes: Clashes = Clashes()

    def target(self, repo: RepoId, target: str) -> RepoPolicy:
        """Return what is in force for all that is to land on one branch of a repository.

        There is no policy of a repository as a whole: each branch holds a file of its own.
        """
        return self.targets.get((repo, target), UNREAD)


class Plan(Struct, frozen=True):
    """Facts to record at once, effects that should be under way, and when to look again.

    Effects only count once there are no facts left. What is under way in the lanes `keep` goes on,
    though it is not asked for.
    """

    facts: tuple[AnyEvent, ...] = ()
    effects: tuple[AnyEffect, ...] = ()
    keep: frozenset[str] = frozenset()
    wake_at: datetime | None = None


def together(plans: Iterable[Plan]) -> Plan:
    """Return one plan that asks for all that `plans` ask for."""
    parts = tuple(plans)
    wakes = [part.wake_at for part in parts if part.wake_at is not None]
    return Plan(
        facts=tuple(fact for part in parts for fact in part.facts),
        effects=tuple(effect for part in parts for effect in part.effects),
        keep=frozenset(lane for part in parts for lane in part.keep),
        wake_at=min(wakes, default=None),
    )


NOTHING = Plan()
