"""Landing while others write to the same target, each in a way of its own: no update is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from branches import commit
from landings import locks, out, plan_all

from fleet.errors import ToolError
from fleet.tools.git.intent import Intent, Landed
from fleet.tools.git.landing import land
from fleet.tools.git.recovery import recover, settle
from fleet.tools.git.repository import Place, locate

# Who is slow only waits the longer: others are faster, again and again.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LANDINGS, WRITERS = 25, 6
UPDATES = int(os.environ.get("FLEET_RACE_UPDATES", "5"))  # of each writer

# Makes its updates one after the other; each is tried again until it is taken.
_WRITER = """
import subprocess, sys
way, where, name, count = sys.argv[1:]
def git(*args):
    done = subprocess.run(["git", "-C", where, *args], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None
def by_reference(subject):
    tip = git("rev-parse", "refs/heads/main")
    new = git("commit-tree", tip + "^{tree}", "-p", tip, "-m", subject)
    return git("update-ref", "refs/heads/main", new, tip) is not None
def by_push(subject):
    git("fetch", "-q", "origin")
    git("reset", "-q", "--hard", "origin/main")
    git("commit", "-q", "--allow-empty", "-m", subject)
    return git("push", "-q", "origin", "HEAD:refs/heads/main") is not None
def in_checkout(subject):
    with open(f"{where}/{name}.txt", "a+") as file:
        file.seek(0)
        if subject not in file.read():
            file.write(subject + "\\n")
    git("add", f"{name}.txt")
    return git("commit", "-q", "-m", subject) is not None
for number in range(int(count)):
    while not globals()[way](f"{name}-{number}"):
        pass
"""


def write(way: str, where: Path, number: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", _WRITER, way, str(where), f"w{number}", str(UPDATES)]
    return subprocess.Popen(argv)


def land_all(place: Place, sealed: dict[str, str], journal: Path, at_once: int) -> int:
    """Land everything, some in one move, and return how often another was faster."""
    tasks, faster = list(sealed), 0
    while tasks:
        group = {task: sealed[task] for task in tasks[:at_once]}
        if _try(plan_all(place, group, journal)):
            tasks = tasks[at_once:]
        else:
            faster += 1
    return faster


def _try(intent: Intent) -> bool:
    """Land as the supervisor does; what could not be undone is, before anything else lands."""
    try:
        if intent.journal.exists():
            recover(intent)
        done = land(intent)
    except ToolError:
        return False
    settle(intent)
    return isinstance(done, Landed)


def clones(repo: Path, tmp_path: Path, count: int) -> list[Path]:
    found = [tmp_path / f"clone-{number}" for number in range(count)]
    for clone in found:
        out(repo, "clone", "-q", "--branch", "main", ".", str(clone))
    return found


def assert_all_there(repo: Path, tasks: list[str]) -> None:
    """Each landing has its mark in the target's history, and its file on the tip."""
    marks = out(repo, "for-each-ref", "--format=%(objectname)", "refs/fleet/landed").split()
    assert len(marks) == LANDINGS
    assert set(marks) <= set(out(repo, "rev-list", "--first-parent", "main").split())
    for task in tasks:
        assert out(repo, "show", f"main:{task}.txt") == task


@pytest.mark.parametrize("at_once", [1, 5])
@pytest.mark.parametrize("checked_out", [False, True])
def test_no_update_is_lost_when_others_write_too(
    repo: Path, tmp_path: Path, *, checked_out: bool, at_once: int
) -> None:
    out(repo, "checkout", "-q", "-b", "elsewhere")
    out(repo, "config", "receive.denyCurrentBranch", "ignore")
    tasks = [f"t{number}" for number in range(LANDINGS)]
    sealed = {task: commit(repo, task, {f"{task}.txt": task}, start="main") for task in tasks}
    started = len(out(repo, "rev-list", "main").splitlines())
    ways, user = [("by_push", clone) for clone in clones(repo, tmp_path, 2)], tmp_path / "user"
    if checked_out:
        out(repo, "worktree", "add", "-q", str(user), "main")
        ways += [("in_checkout", user)]
    ways += [("by_reference", repo)] * (WRITERS - len(ways))
    writers = [write(way, where, number) for number, (way, where) in enumerate(ways)]

    faster = land_all(locate(repo), sealed, tmp_path / "journal", at_once)
    assert [writer.wait() for writer in writers] == [0] * WRITERS

    assert faster > 0
    assert locks(repo) == []
    assert_all_there(repo, tasks)
    subjects = out(repo, "log", "--first-parent", "--format=%s", "main").splitlines()
    theirs = [f"w{who}-{number}" for who in range(WRITERS) for number in range(UPDATES)]
    assert sorted(subjects[:-started]) == sorted([*tasks, *theirs])
    if checked_out:
        assert out(user, "status", "--porcelain") == ""
        assert len(out(repo, "show", "main:w2.txt").splitlines()) == UPDATES
