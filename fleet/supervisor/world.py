"""What the loop asks of whoever carries out effects."""

import threading
from collections.abc import Sequence
from typing import Protocol

from fleet.core import events as e
from fleet.core.effects import AnyEffect
from fleet.core.model import Fleet


class World(Protocol):
    """Whatever carries out effects: the real thing, or a test's."""

    async def perform(
        self, effect: AnyEffect, fleet: Fleet, stop: threading.Event
    ) -> Sequence[e.AnyEvent]:
        """Carry out `effect` on the state `fleet`; `stop` is set when it is no longer wanted.

        Returns at least one event, after which the effect is no longer asked for; once `stop`
        is set there may be none. A known failure is such an event; any exception is an internal
        error. What an effect that only looks found out after it was stopped is not recorded.
        """
        ...
