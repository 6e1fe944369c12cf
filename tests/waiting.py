"""Waiting for a state of the world, never for time to pass."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | None], *, timeout: float = 30.0, what: str = "") -> T:
    """Return the first truthy value of `condition`; fail after `timeout` s.

    It is asked every 10 ms at first, later every 50 ms: to ask may cost more than what is awaited.
    """
    never = threading.Event()
    deadline, pause = time.monotonic() + timeout, 0.01
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or condition}"
        never.wait(pause)
        pause = min(pause * 1.1, 0.05)
