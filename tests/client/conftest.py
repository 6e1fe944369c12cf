"""A fleet home whose sockets have a short name, and a supervisor that is told what to say."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_supervisor import FakeSupervisor

from fleet import paths
from fleet.paths import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="fc-") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        monkeypatch.setenv("FLEET_HOME", str(tmp_path / "fleet"))
        yield paths.home()


@pytest.fixture
def fake(home: Home) -> Iterator[FakeSupervisor]:
    supervisor = FakeSupervisor(home)
    yield supervisor
    supervisor.close()
