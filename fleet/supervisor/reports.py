"""What each live agent was heard to say since it was started, for those who wait to be heard."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from fleet.core.ids import TaskId

_KEPT = 20  # words of each task
_SLICE_S = 0.25  # after which whoever waits looks whether it is to stop


def same(text: str) -> str:
    """Return words without the blanks that a terminal or a program may change in them."""
    return " ".join(text.split())


@dataclass
class _Typed:
    """A message on its way: typed, and not heard yet."""

    message: int
    words: str
    awaited: bool = True  # whether somebody waits for it now
    heard: bool = False


class Reports:
    """When each task's agent spoke, and what it said it was told; safe to use from many threads.

    One report confirms one message, the one that was typed first.
    """

    def __init__(self) -> None:
        self._spoke: set[TaskId] = set()
        self._began: dict[TaskId, float] = {}
        self._repeats: set[TaskId] = set()
        self._typed: defaultdict[TaskId, deque[_Typed]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._strange: defaultdict[TaskId, deque[str]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._changed = threading.Condition()

    def begin(self, task: TaskId) -> None:
        """Forget a run that is over: the next one has said nothing yet."""
        with self._changed:
            self._spoke.discard(task)
            self._repeats.discard(task)
            self._began.pop(task, None)
            self._typed.pop(task, None)
            self._strange.pop(task, None)

    def note(self, task: TaskId) -> None:
        """Note that the agent said something."""
        with self._changed:
            self._spoke.add(task)
            self._changed.notify_all()

    def begins(self, task: TaskId) -> None:
        """Note that the agent said that it works."""
        with self._changed:
            self._began[task] = time.monotonic()
            self._changed.notify_all()

    def hear(self, task: TaskId, text: str) -> int | None:
        """Note what the agent was told; return the message that nobody waited for any more."""
        words = same(text)
        with self._changed:
            self._repeats.add(task)
            typed = self._typed[task]
            found = next((it for it in typed if it.words == words and not it.heard), None)
            if found is None:
                self._strange[task].append(words)
                return None
            if not found.awaited:
                typed.remove(found)
                return found.message
            found.heard = True
            self._changed.notify_all()
        return None

    def expect(self, task: TaskId, message: int, text: str, *, again: bool = False) -> None:
        """Remember a message that is about to be typed: a busy agent may take it up much later.

        `again`: it turned out to be typed already, and may have been heard before this.
        """
        with self._changed:
            typed = self._find(task, message)
            if typed is None:
                typed = _Typed(message, same(text))
                self._typed[task].append(typed)
            typed.awaited = True
            if again and typed.words in self._strange[task]:
                self._strange[task].remove(typed.words)
                typed.heard = True

    def forget(self, task: TaskId, message: int) -> None:
        """Forget a message that was not typed after all."""
        with self._changed:
            self._remove(task, message)

    def ever(self, task: TaskId) -> bool:
        """Return whether the agent has spoken at all."""
        return task in self._spoke

    def repeats(self, task: TaskId) -> bool:
        """Return whether the agent says what it was told."""
        return task in self._repeats

    def wait_up(self, task: TaskId, *, timeout_s: float, stop: threading.Event) -> bool:
        """Return whether the agent has spoken, waiting for it if need be."""
        with self._changed:
            return self._wait(lambda: task in self._spoke, timeout_s, stop)

    def wait_heard(
        self,
        task: TaskId,
        message: int,
        *,
        begun: float | None,
        timeout_s: float,
        stop: threading.Event,
    ) -> bool:
        """Return whether the agent was told a message; one that was not stays expected.

        With `begun`, its word after that (monotonic) that it works is as good as the message's.
        """
        with self._changed:
            typed = self._find(task, message)
            if typed is None:
                return False

            def told() -> bool:
                working = begun is not None and self._began.get(task, -1.0) >= begun
                return typed.heard or working

            if self._wait(told, timeout_s, stop):
                self._remove(task, message)
                return True
            typed.awaited = False
            return False

    def _find(self, task: TaskId, message: int) -> _Typed | None:
        return next((it for it in self._typed[task] if it.message == message), None)

    def _remove(self, task: TaskId, message: int) -> None:
        left = (it for it in self._typed[task] if it.message != message)
        self._typed[task] = deque(left, maxlen=_KEPT)

    def _wait(self, condition: Callable[[], bool], timeout_s: float, stop: threading.Event) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or stop.is_set():
                return False
            self._changed.wait(min(left, _SLICE_S))
        return True
