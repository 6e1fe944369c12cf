"""What each live agent was heard to say since it was started, for those who wait to be heard."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from fleet.core.ids import TaskId

_KEPT = 20  # words of each task


def same(text: str) -> str:
    """Return words without the blanks that a terminal or a program may change in them."""
    return " ".join(text.split())


class Reports:
    """When each task's agent spoke, and what it said it was told; safe to use from many threads."""

    def __init__(self) -> None:
        self._spoke: dict[TaskId, float] = {}
        self._heard: defaultdict[TaskId, deque[tuple[float, str]]] = defaultdict(_short)
        self._expected: defaultdict[TaskId, deque[tuple[int, str]]] = defaultdict(_short)
        self._changed = threading.Condition()

    def begin(self, task: TaskId) -> None:
        """Forget a run that is over: the next one has said nothing yet."""
        with self._changed:
            for kind in (self._spoke, self._heard, self._expected):
                kind.pop(task, None)

    def note(self, task: TaskId) -> None:
        """Note that the agent said something."""
        with self._changed:
            self._spoke[task] = time.monotonic()
            self._changed.notify_all()

    def hear(self, task: TaskId, text: str) -> int | None:
        """Note what the agent was told; return the message that nobody waited for any more."""
        with self._changed:
            self._heard[task].append((time.monotonic(), same(text)))
            self._changed.notify_all()
            for number, expected in tuple(self._expected[task]):
                if expected == same(text):
                    self._expected[task].remove((number, expected))
                    return number
        return None

    def expect(self, task: TaskId, message: int, text: str) -> None:
        """Remember a message that was not heard in time: a busy agent takes it up later."""
        with self._changed:
            self._expected[task].append((message, same(text)))

    def ever(self, task: TaskId) -> bool:
        """Return whether the agent has spoken at all."""
        return task in self._spoke

    def repeats(self, task: TaskId) -> bool:
        """Return whether the agent says what it was told."""
        return bool(self._heard.get(task))

    def wait(self, task: TaskId, *, since: float, timeout_s: float) -> bool:
        """Return whether the agent spoke after `since` (monotonic), waiting for it if need be."""
        return self._wait(lambda: self._spoke.get(task, -1.0) >= since, timeout_s)

    def wait_for(self, task: TaskId, text: str, *, since: float, timeout_s: float) -> bool:
        """Return whether the agent was told `text` after `since`, waiting for it if need be."""
        words = same(text)

        def told() -> bool:
            return any(at >= since and said == words for at, said in self._heard.get(task, ()))

        return self._wait(told, timeout_s)

    def _wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout=timeout_s)


def _short() -> deque[Any]:
    return deque(maxlen=_KEPT)
