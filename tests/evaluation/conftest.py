"""One change for each test, read as the real process reads it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import measured
import pytest
from measured import Changed

from fleet.evaluation.source import Source


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[Changed]:
    """Return a function that makes a change from files before and after, and opens it."""
    with ExitStack() as stack:

        def change(
            before: measured.Files, after: measured.Files, message: str = "a change"
        ) -> Source:
            root = tmp_path / "repo"
            base = measured.commit(root, {"README.md": "hello\n"} | dict(before))
            sealed = measured.commit(root, after, message)
            return stack.enter_context(Source(root / ".git", base, sealed))

        yield change
