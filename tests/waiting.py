"""Waiting for a state of the world, never for time to pass."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | None], *, timeout: float = 30.0, what: str = "") -> T:
    """Return the first truthy value of `condition`, asked every 10 ms; fail after `timeout` s."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or condition}"
        pause.wait(0.01)
