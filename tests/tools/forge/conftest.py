"""A forge for each test, and the repository that has it as its remote."""

import os
import threading
from pathlib import Path

import pytest
from branches import commit
from fake_forge import FakeForge

from fleet.tools.forge.forge import Forge
from fleet.tools.forge.where import forge_of
from fleet.tools.git.repository import Place, locate


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    os.system(f"git init -q -b main {root}")
    commit(root, "main", {"a.txt": "one\n"}, start="")
    commit(root, "work", {"b.txt": "two\n"}, start="main")
    return root


@pytest.fixture
def fake(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> FakeForge:
    forge = FakeForge.make(tmp_path / "forge", source)
    monkeypatch.setenv("PATH", f"{forge.bin}:{os.environ['PATH']}")
    return forge


@pytest.fixture
def place(source: Path) -> Place:
    return locate(source)


@pytest.fixture(params=["gh", "glab"])
def forge(request: pytest.FixtureRequest, fake: FakeForge, place: Place) -> Forge:
    return forge_of(place, "origin", request.param, stop=threading.Event())
