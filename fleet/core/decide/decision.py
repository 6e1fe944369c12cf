"""What judging a command gives: what happened, and what to answer."""

from typing import Any

from msgspec import Struct

from fleet.core.events import AnyEvent

PERSON = "person"  # the actor that is no agent


class Decision(Struct, frozen=True):
    """The events to record, and the answer to give once they are."""

    events: tuple[AnyEvent, ...]
    answer: dict[str, Any] = {}
