"""A real supervisor for each test that asks for one, and proof that nothing of it is left."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from house import House, git
from processes import kill_all, naming
from waiting import until

from fleet import paths
from fleet.tools.tmux.server import Server


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a directory with a short path, for sockets and the home; nothing in it may live on."""
    directory = Path(tempfile.mkdtemp(prefix="fs-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    yield directory
    home = paths.Home(directory / "h")
    Server(home.tmux_socket(), conf=directory / "conf", env=dict(os.environ)).stop()
    try:
        until(lambda: not naming(directory), timeout=20, what=f"the end of all in {directory}")
    finally:
        kill_all(naming(directory))
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the repository that `repo` copies: branch main with README.md and lines.txt."""
    root = tmp_path_factory.mktemp("template") / "repo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Test Person")
            patch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")
        subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
        (root / "README.md").write_text("hello\n")
        (root / "lines.txt").write_text("".join(f"line {number}\n" for number in range(1, 21)))
        (root / ".gitignore").write_text("*.log\n")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "first")
    return root


@pytest.fixture
def repo(tmp_path: Path, template: Path) -> Path:
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    return root


@pytest_asyncio.fixture
async def house(short: Path, repo: Path) -> AsyncIterator[House]:
    """Give a supervisor that is alone: it serves no socket and watches nothing by itself."""
    house = House(short / "h", repo)
    yield house
    await house.close()
