from collections.abc import Callable

import pytest

from fleet.agents.adapter import Request


@pytest.fixture
def request_for() -> Callable[..., Request]:
    """Make a request; what a test does not name is as in a first attempt."""

    def make(prompt: str = "Say hello.", **rest: object) -> Request:
        known: dict[str, object] = {
            "task": "hello",
            "worktree": "/h/w/shop/001",
            "run_dir": "/h/tasks/hello/runs/1",
            "home": "/h",
            "notes": "/h/tasks/hello/notes.md",
        }
        return Request(prompt=prompt, **(known | rest))  # type: ignore[arg-type]  # names by tests

    return make
