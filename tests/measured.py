"""Repositories with one change in them, for tests of what is measured in changes."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from fleet.evaluation.source import Source

Files = Mapping[str, str | bytes | None]
Changed = Callable[..., Source]  # changed(before, after, message): a change, ready to be measured


def git(root: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", root, *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path, files: Files, message: str = "a change") -> str:
    """Commit these contents (None: the file is gone) and return the commit."""
    if not (root / ".git").is_dir():
        root.mkdir(parents=True, exist_ok=True)
        git(root, "init", "-q", "-b", "main")
    for name, held in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if held is None:
            path.unlink()
        else:
            path.write_bytes(held.encode() if isinstance(held, str) else held)
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")
