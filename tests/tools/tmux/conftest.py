"""A private tmux server in a short directory, and proof that nothing of it is left behind."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import kill_all, naming
from waiting import until

from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.server import Server

sys.path.insert(0, str(Path(__file__).parent))  # `person`, beside this file

from person import Person


@pytest.fixture
def short() -> Iterator[Path]:
    """Give a directory whose path leaves room for a socket's name; nothing may go on living in it.

    A child that the server had just forked may need a moment to find its terminal gone.
    """
    directory = Path(tempfile.mkdtemp(prefix="ft-"))
    yield directory
    try:
        until(lambda: not naming(directory), timeout=20)
    finally:
        kill_all(naming(directory))
        shutil.rmtree(directory)


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": os.environ["HOME"]}


@pytest.fixture
def server(short: Path, environment: dict[str, str]) -> Iterator[Server]:
    server = Server(short / "s", conf=short / "tmux.conf", env=environment)
    yield server
    server.stop()


@pytest.fixture
def running(server: Server) -> Server:
    server.ensure()
    return server


@pytest.fixture
def panes(running: Server) -> Panes:
    return Panes(running)


@pytest.fixture
def sit_down(environment: dict[str, str]) -> Iterator[Callable[[list[str]], Person]]:
    """Let people sit down at terminals; they leave after the test."""
    people: list[Person] = []

    def arrive(argv: list[str]) -> Person:
        people.append(Person(argv, environment | {"TMUX": "/nowhere,1,0"}))
        return people[-1]

    yield arrive
    for person in people:
        person.leave()
