"""A small repository for each test, copied from one that is made once."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Plain = Callable[..., str]  # plain(directory, "log", ...): git as its user types it; its output


def _plain(cwd: Path, *args: str, code: int = 0) -> str:
    done = subprocess.run(["git", "-C", cwd, *args], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"git {args} in {cwd}: {done.returncode}\n{done.stderr}"
    return done.stdout.removesuffix("\n")


@pytest.fixture
def plain() -> Plain:
    return _plain


def _commit(root: Path, message: str, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    _plain(root, "add", "-A")
    _plain(root, "commit", "-q", "-m", message)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the repository that `repo` copies: branch main, three commits, a few text files."""
    root = tmp_path_factory.mktemp("template") / "repo"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Test Person")
            patch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")
        _plain(root.parent, "init", "-q", "-b", "main", str(root))
        _commit(root, "first", README_md="hello\n", src__one_txt=_lines(20))
        _commit(root, "second", src__two_txt=_lines(20), _gitignore="*.log\nbuild/\n")
        _commit(root, "third", docs__guide_md="read me\n", src__deep__three_txt="3\n")
    return root


def _lines(count: int) -> str:
    return "".join(f"line {number}\n" for number in range(1, count + 1))


@pytest.fixture
def repo(tmp_path: Path, template: Path) -> Path:
    """Return a repository of the test's own: branch main checked out and clean.

    Tracked: README.md, src/one.txt and src/two.txt (`line 1` to `line 20`), docs/guide.md,
    src/deep/three.txt, and .gitignore with `*.log` and `build/`.
    """
    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    _plain(root, "update-index", "-q", "--refresh")
    return root


@pytest.fixture
def big_repo(repo: Path) -> Path:
    """Return `repo` with one more commit that adds 400 files under many/."""
    for number in range(400):
        path = repo / "many" / f"{number % 20}" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"{number}\n" * 50)
    _plain(repo, "add", "-A")
    _plain(repo, "commit", "-q", "-m", "many files")
    return repo
