"""A fleet with real agents: their own programs, a fake service, and no way to any network."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.conftest import make_place, places, until_gone
from place import Place
from real.bench import Bench, prepare
from real.messages import Api, serving

__all__ = ["places"]
PROGRAM = "FLEET_REAL_CLAUDE"
# Only scripts/real-agents, which closes the way to the network, names the program.
collect_ignore_glob = [] if os.environ.get(PROGRAM) else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    with serving() as api:
        yield api


@pytest.fixture(scope="module")
def real(places: list[Path], api: Api) -> Iterator[Place]:
    """A place with a repository in which `claude` can work, for all tests of a module."""
    place = make_place(places)
    prepare(place, Path(os.environ[PROGRAM]), api.url)
    yield place
    place.clear()
    assert not until_gone(place.root)


@pytest.fixture
def bench(real: Place, api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """What a test does with its agents; none of them outlives it."""
    for name, value in real.env.items():
        monkeypatch.setenv(name, value)
    bench = Bench(real, api)
    yield bench
    bench.end()
