"""A repository in which something is about to land, and all that may be asked of it afterwards."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from branches import commit

from fleet.core.policy import MergeMethod
from fleet.tools.git.building import Built, build
from fleet.tools.git.intent import Intent, Mark
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
    return plan_all(place, {task: sealed}, journal, target=target)


def plan_all(
    place: Place,
    sealed: Mapping[str, str],
    journal: Path,
    *,
    target: str = "main",
    method: MergeMethod = "merge",
) -> Intent:
    """Build the commits that land the changes of some tasks in one move, each on the one before."""
    tip = parent = branch_tip(place, target)
    assert tip
    assert parent
    marks = []
    for task, change in sealed.items():
        built = build(
            place,
            target=parent,
            sealed=change,
            method=method,
            message=task,
            when=1_700_000_000,
            trailers={"Fleet-Task": task},
        )
        assert isinstance(built, Built)
        marks.append(Mark(task, 1, built.commit))
        parent = built.commit
    return Intent(place, target, tip, tuple(marks), journal)


def prepare(repo: Path, journal: Path) -> Intent:
    """Return the intent to land `CHANGE` on main."""
    return plan(locate(repo), commit(repo, "fix", CHANGE, start="main"), journal)


_LINES = [f"line {number}\n" for number in range(1, 21)]
GROUP: dict[str, dict[str, str | None]] = {
    "fix": CHANGE,
    "more": {"src/two.txt": "".join(["more\n", *_LINES]), "src/more.txt": "more\n"},
    "last": {"src/two.txt": "".join([*_LINES, "last\n"]), "src/deep/three.txt": None},
}


def prepare_group(
    repo: Path, journal: Path, method: MergeMethod = "merge", count: int = 3
) -> Intent:
    """Return the intent to land the first `count` of `GROUP` on main in one move."""
    tasks = list(GROUP)[:count]
    sealed = {task: commit(repo, task, GROUP[task], start="main") for task in tasks}
    return plan_all(locate(repo), sealed, journal, method=method)


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
