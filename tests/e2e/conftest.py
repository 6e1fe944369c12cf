"""Each test has a repository and a fleet home of its own; no process or socket outlives it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from place import Place, marked, sockets
from waiting import until

_LEAKS = ("GIT_", "TMUX", "XDG_", "FLEET_", "NO_COLOR")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def places() -> Iterator[list[Path]]:
    """Every directory that a test used; at the end nobody may live in one of them."""
    used: list[Path] = []
    yield used
    roots = [str(path) for path in used]
    left = [line for line in marked(roots) if not line.startswith(f"{os.getpid()} ")]
    assert not left
    assert not [path for root in used for path in sockets(root)]
    for root in used:
        shutil.rmtree(root)


def make_place(places: list[Path]) -> Place:
    """Return a place without a repository, and the environment of a person in it."""
    root = Path(tempfile.mkdtemp(prefix="fe-"))
    places.append(root)
    own = {
        "HOME": root / "home",
        "TMPDIR": root / "tmp",
        "XDG_RUNTIME_DIR": root / "run",
        "XDG_CONFIG_HOME": root / "config",
    }
    for directory in own.values():
        directory.mkdir(mode=0o700)
    people = {f"GIT_{who}_NAME": "Test Person" for who in ("AUTHOR", "COMMITTER")}
    people |= {f"GIT_{who}_EMAIL": "test@example.invalid" for who in ("AUTHOR", "COMMITTER")}
    kept = {name: os.environ[name] for name in os.environ if not name.startswith(_LEAKS)}
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    named = {name: str(directory) for name, directory in own.items()}
    named |= {"FLEET_HOME": str(root / "fleet"), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}
    return Place(root, kept | path | people | named)


@pytest.fixture
def empty(places: list[Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place without a repository."""
    place = make_place(places)
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    yield place
    place.clear()
    assert not until_gone(place.root)


@pytest.fixture(scope="module")
def shared(places: list[Path]) -> Iterator[Place]:
    """A place with a repository for tests that only use the command line and change nothing."""
    place = make_place(places)
    place.make_repo()
    yield place
    place.clear()
    assert not until_gone(place.root)


def until_gone(root: Path) -> list[str]:
    """Return the processes that are left; one that has just been told to end gets a moment."""
    own = f"{os.getpid()} "
    left: list[str] = []

    def gone() -> bool:
        left[:] = [line for line in marked([str(root)]) if not line.startswith(own)]
        return not left

    try:
        until(gone, timeout=20.0)
    except AssertionError:
        return left
    return []


@pytest.fixture
def place(empty: Place) -> Place:
    """A place with a repository whose branch main has one file."""
    empty.make_repo()
    return empty
