"""Which function folds which event: one for the task it names, one for all the rest."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from fleet.core.events.base import Event, TaskEvent
from fleet.core.model import Fleet, Task

T = TypeVar("T", bound=TaskEvent)
E = TypeVar("E", bound=Event)
OfTask = Callable[[Task, T, datetime], Task]
OfFleet = Callable[[Fleet, E, datetime], Fleet]

TASK: dict[type[Event], OfTask[Any]] = {}
FLEET: dict[type[Event], OfFleet[Any]] = {}


def task(kind: type[T]) -> Callable[[OfTask[T]], OfTask[T]]:
    """Register the function that makes the new task of an event's task."""

    def register(function: OfTask[T]) -> OfTask[T]:
        TASK[kind] = function
        return function

    return register


def fleet(kind: type[E]) -> Callable[[OfFleet[E]], OfFleet[E]]:
    """Register the function that makes what an event changes beyond its task."""

    def register(function: OfFleet[E]) -> OfFleet[E]:
        FLEET[kind] = function
        return function

    return register
