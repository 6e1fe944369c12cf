"""A fleet with real agents: their own programs, a fake service, and no way to any network."""

import os
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from e2e.conftest import make_place, places, until_gone
from place import Place
from real.api import Api, serving
from real.bench import Bench, prepare
from real.clis import PROGRAM, Cli, chosen

__all__ = ["places"]
# Only scripts/real-agents, which closes the way to the network, names an agent.
collect_ignore_glob = [] if os.environ.get(PROGRAM) else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.real)
            for mark in item.iter_markers("needs"):
                _skip_without(item, *mark.args)


def _skip_without(item: pytest.Item, *needs: str) -> None:
    cli, program = chosen()
    for what in needs:
        if why := cli.lacks.get(what):
            item.add_marker(pytest.mark.skip(f"{cli.name} {_version(program)}: {why}"))


@lru_cache(maxsize=1)
def _version(program: Path) -> str:
    ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return ran.stdout.strip()


@pytest.fixture(scope="session")
def cli() -> Cli:
    return chosen()[0]


@pytest.fixture(scope="session")
def api(cli: Cli) -> Iterator[Api]:
    with serving(cli.service, cli.tools) as api:
        yield api


@pytest.fixture(scope="module")
def real(places: list[Path], api: Api) -> Iterator[Place]:
    """A place with a repository in which the agent can work, for all tests of a module."""
    place = make_place(places)
    prepare(place, *chosen(), api.url)
    yield place
    place.clear()
    assert not until_gone(place.root)


@pytest.fixture
def bench(real: Place, api: Api, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """What a test does with its agents; none of them outlives it."""
    for name, value in real.env.items():
        monkeypatch.setenv(name, value)
    bench = Bench(real, api, cli)
    yield bench
    bench.end()
