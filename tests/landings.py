"""A repository in which something is about to land, and all that may be asked of it afterwards."""

import subprocess
from pathlib import Path

from branches import commit

from fleet.tools.git.building import Built, build
from fleet.tools.git.intent import Intent
from fleet.tools.git.repository import Place, branch_tip, locate

CHANGE: dict[str, str | None] = {
    "src/one.txt": "landed\n",
    "docs/guide.md": None,
    "new/file.txt": "new\n",
}


def plan(
    place: Place, sealed: str, journal: Path, *, task: str = "fix", target: str = "main"
) -> Intent:
    """Build the commit that lands `sealed` on the present tip of `target`."""
    tip = branch_tip(place, target)
    assert tip
    built = build(
        place, target=tip, sealed=sealed, method="merge", message=task, when=1_700_000_000
    )
    assert isinstance(built, Built)
    return Intent(place, target, built.commit, tip, task, 1, journal)


def prepare(repo: Path, journal: Path) -> Intent:
    """Return the intent to land `CHANGE` on main."""
    return plan(locate(repo), commit(repo, "fix", CHANGE, start="main"), journal)


def out(repo: Path, *args: str) -> str:
    asked = ["git", "-C", str(repo), *args]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def state(repo: Path) -> dict[str, object]:
    """Return every file with its mode, every entry of the index, and every reference."""
    files = {
        str(path.relative_to(repo)): (path.lstat().st_mode, path.read_bytes())
        for path in repo.rglob("*")
        if path.is_file() and path.relative_to(repo).parts[0] != ".git"
    }
    refs = {"index": out(repo, "ls-files", "-s", "-t"), "refs": out(repo, "for-each-ref")}
    return {**files, **refs}


def locks(repo: Path) -> list[Path]:
    return sorted((repo / ".git").rglob("*.lock"))
