import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import psutil
import pytest
from branches import commit
from landings import CHANGE, locks, out, plan, prepare, prepare_group, state
from waiting import until

from fleet.errors import ToolError
from fleet.tools.git import journal as journals
from fleet.tools.git import recovery
from fleet.tools.git.intent import Intent, Landed, NotLanded, Rewound
from fleet.tools.git.journal import (
    TOKEN,
    Journal,
    await_end,
    read_journal,
    remove_locks,
    write_journal,
)
from fleet.tools.git.landing import land
from fleet.tools.git.recovery import recover
from fleet.tools.git.repository import locate

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("FLEET_CRASH_ROUNDS", "1"))

# Lands, and is killed at the point named, together with the git it has started.
_CHILD = """
import os, signal, sys
from pathlib import Path
import msgspec, psutil
from fleet.tools.git import landing, run
from fleet.tools.git.intent import Intent, Mark
from fleet.tools.git.repository import locate

repo, target, parent, journal, point, *marks = sys.argv[1:]
marks = tuple(Mark(task, 1, commit) for task, commit in (mark.split("=") for mark in marks))
intent = Intent(locate(Path(repo)), target, parent, marks, Path(journal))
commit = intent.commit

def die(*_, **__):
    for child in psutil.Process().children(recursive=True):
        child.kill()
        child.wait()
    os.kill(os.getpid(), signal.SIGKILL)

def dying_after(function):
    def wrapped(*args, **named):
        function(*args, **named)
        die()
    return wrapped

def dying_instead(*args):
    return lambda *_, **__: die(run.git(intent.place.git_dir, *args))

def second_time(function):
    calls = []
    def wrapped(*args):
        calls.append(args)
        return die() if len(calls) == 2 else function(*args)
    return wrapped

if point == "journal":
    landing.write_journal = dying_after(landing.write_journal)
elif point == "prepared":
    landing.checkouts = second_time(landing.checkouts)
elif point == "committed":
    landing.Landed = die
elif point == "target only":
    landing.spawn = dying_instead("update-ref", intent.branch, commit, parent)
elif point == "mark only":
    landing.spawn = dying_instead("update-ref", marks[0].ref, marks[0].commit)
elif point == "fast-forwarded":
    landing.mark_landed = die
elif point == "one mark":
    landing.mark_landed = dying_instead("update-ref", marks[0].ref, marks[0].commit)
elif point == "checked out":
    checkout = ("-C", repo, "read-tree", "-m", "-u", parent, commit)
    landing._FAST_FORWARD = ("--version",)
    landing.git = lambda *a, **n: (
        die(run.git(Path(repo), *checkout[2:])) if "--version" in a else run.git(*a, **n)
    )
landing.land(intent)
"""


def child(intent: Intent, point: str) -> list[str]:
    """Return the command that lands, and is killed at `point`."""
    marks = [f"{mark.task}={mark.commit}" for mark in intent.marks]
    what = [str(intent.place.root), intent.target, intent.parent, str(intent.journal), point]
    return [sys.executable, "-c", _CHILD, *what, *marks]


def crash(intent: Intent, point: str) -> None:
    argv = child(intent, point)
    assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL


def assert_sound(repo: Path, intent: Intent) -> None:
    """Nothing was lost or doubled, and no lock is left."""
    assert locks(repo) == []
    history = out(repo, "rev-list", "main").split()
    assert {history.count(mark.commit) for mark in intent.marks} in ({0}, {1})
    assert intent.parent in history
    out(repo, "fsck", "--strict", "--no-dangling")


def finish(repo: Path, intent: Intent, first: object) -> None:
    """Recover again, and land: now it is there, once, whatever `first` was."""
    before = state(repo)
    assert recover(intent) == first
    assert state(repo) == before
    assert_sound(repo, intent)
    assert land(intent) == Landed(intent.commit)
    assert out(repo, "rev-parse", "main") == intent.commit
    marked = out(repo, "for-each-ref", "--format=%(refname) %(objectname)", "refs/fleet/landed")
    assert sorted(marked.splitlines()) == sorted(f"{m.ref} {m.commit}" for m in intent.marks)
    assert recover(intent) == Landed(intent.commit)
    assert_sound(repo, intent)


@pytest.fixture
def intent(repo: Path, tmp_path: Path) -> Intent:
    return prepare(repo, tmp_path / "journal")


@pytest.fixture(params=[*product(range(ROUNDS), (1, 3), ("merge", "squash", "rebase"))], ids=str)
def moving(request: pytest.FixtureRequest, repo: Path, tmp_path: Path) -> Intent:
    """One change, or three that land in one move, by each way of merging."""
    _, count, method = request.param
    return prepare_group(repo, tmp_path / "journal", method, count)


@pytest.mark.parametrize(
    ("point", "outcome"),
    [
        ("journal", "not landed"),
        ("prepared", "not landed"),
        ("committed", "landed"),
        ("target only", "landed"),
        ("mark only", "not landed"),
    ],
)
def test_a_crash_where_nobody_looks(point: str, outcome: str, repo: Path, moving: Intent) -> None:
    intent = moving
    out(repo, "checkout", "-q", "-b", "elsewhere")
    crash(intent, point)
    assert len(locks(repo)) == (1 + len(intent.marks) if point == "prepared" else 0)

    first = recover(intent)

    assert first == (Landed(intent.commit) if outcome == "landed" else NotLanded())
    finish(repo, intent, first)


def test_a_crash_with_locks_on_a_bare_head(repo: Path, tmp_path: Path) -> None:
    out(repo, "clone", "-q", "--bare", ".", str(tmp_path / "bare" / ".git"))
    intent = prepare(tmp_path / "bare" / ".git", tmp_path / "journal")
    crash(intent, "prepared")
    assert [lock.name for lock in locks(tmp_path / "bare")] == [
        "HEAD.lock",
        "fix-1.lock",
        "main.lock",
    ]

    first = recover(intent)

    assert first == NotLanded()
    finish(tmp_path / "bare", intent, first)


@pytest.mark.parametrize(
    ("point", "outcome"),
    [
        ("journal", "not landed"),
        ("checked out", "landed"),
        ("fast-forwarded", "landed"),
        ("one mark", "landed"),
        ("committed", "landed"),
    ],
)
def test_a_crash_where_the_user_works(point: str, outcome: str, repo: Path, moving: Intent) -> None:
    intent = moving
    (repo / "README.md").write_text("mine\n")
    (repo / "untracked").write_text("mine\n")
    crash(intent, point)

    first = recover(intent)

    assert first == (Landed(intent.commit) if outcome == "landed" else NotLanded())
    finish(repo, intent, first)
    assert out(repo, "status", "--porcelain") == "M README.md\n?? untracked"


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True)
class Halfway:
    """A fast-forward that waits in a filter, in the middle of the files."""

    repo: Path
    intent: Intent
    started: Path

    def run(self) -> None:
        """Land until the filter waits; then kill all of it."""
        lander = subprocess.Popen(child(self.intent, "none"))
        until(self.started.exists, what="the filter to run")
        parent = psutil.Process(lander.pid)
        processes = [parent, *parent.children(recursive=True)]
        for process in processes:
            process.kill()
        lander.wait()
        until(lambda: not any(map(is_alive, processes)))
        self.started.unlink()
        out(self.repo, "config", "filter.slow.smudge", "cat")


@pytest.fixture(params=range(ROUNDS))
def halfway(repo: Path, tmp_path: Path) -> Halfway:
    commit(repo, "main", {".gitattributes": "*.slow filter=slow\n", "o.slow": "1\n", "bin": "b\n"})
    out(repo, "reset", "-q", "--hard")
    pipe, started = tmp_path / "pipe", tmp_path / "started"
    os.mkfifo(pipe)
    script = f"touch {started}; exec cat {pipe}"  # no process comes after `started`
    out(repo, "config", "filter.slow.smudge", f"sh -c '{script}'")
    files = {**CHANGE, "a.txt": "new\n", "o.slow": "2\n", "z.txt": "new\n", "bin": None}
    sealed = commit(repo, "slow", {**files, "bin/tool": "b\n"}, start="main")
    return Halfway(repo, plan(locate(repo), sealed, tmp_path / "journal"), started)


def test_a_crash_halfway_through_the_users_files(halfway: Halfway) -> None:
    repo, intent = halfway.repo, halfway.intent
    (repo / "README.md").write_text("mine\n")
    (repo / "src" / "two.txt").unlink()
    before = state(repo)
    halfway.run()
    torn = state(repo)
    assert "a.txt" in torn
    assert "o.slow" not in torn
    assert (repo / ".git" / "index.lock").exists()

    first = recover(intent)

    assert first == NotLanded()
    assert state(repo) == before
    finish(repo, intent, first)
    assert out(repo, "status", "--porcelain") == "M README.md\n D src/two.txt"


def test_what_the_user_did_since_the_crash_stays(halfway: Halfway) -> None:
    repo, intent = halfway.repo, halfway.intent
    halfway.run()
    (repo / "a.txt").write_text("mine\n")
    (repo / "new" / "file.txt").write_text("mine too\n")
    (repo / "o.slow").write_text("")

    assert recover(intent) == NotLanded()

    assert (repo / "a.txt").read_text() == "mine\n"
    assert (repo / "new" / "file.txt").read_text() == "mine too\n"
    assert (repo / "o.slow").read_text() == "1\n"
    assert out(repo, "status", "--porcelain") == "?? a.txt\n?? new/"


def test_files_that_the_user_had_deleted_stay_deleted(halfway: Halfway) -> None:
    repo, intent = halfway.repo, halfway.intent
    (repo / "src" / "one.txt").unlink()
    halfway.run()

    assert recover(intent) == NotLanded()
    assert out(repo, "status", "--porcelain") == "D src/one.txt"


def test_a_user_who_went_to_another_branch_is_left_alone(halfway: Halfway) -> None:
    repo, intent = halfway.repo, halfway.intent
    halfway.run()
    (repo / ".git" / "index.lock").unlink()
    out(repo, "checkout", "-q", "-f", "-b", "elsewhere")
    before = state(repo)

    assert recover(intent) == NotLanded()
    assert state(repo) == before


def test_a_landing_that_a_person_took_back_is_not_repeated(repo: Path, intent: Intent) -> None:
    crash(intent, "committed")
    out(repo, "reset", "-q", "--hard", intent.parent)

    assert recover(intent) == Rewound(intent.parent)
    assert recover(intent) == Rewound(intent.parent)
    assert out(repo, "rev-parse", "main") == intent.parent


def test_without_a_journal_only_the_references_count(repo: Path, intent: Intent) -> None:
    assert recover(intent) == NotLanded()
    land(intent)
    intent.journal.unlink()
    assert recover(intent) == Landed(intent.commit)


def test_an_unreadable_journal_is_an_error(repo: Path, intent: Intent) -> None:
    intent.journal.write_text("{")

    with pytest.raises(ToolError, match="cannot be read"):
        recover(intent)


def test_a_journal_is_written_whole(tmp_path: Path) -> None:
    journal = Journal(commit="c", parent="p", locks=("a",), checkout="x", missing=("m",))
    write_journal(tmp_path / "deep" / "journal", journal)

    assert read_journal(tmp_path / "deep" / "journal") == journal
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["journal"]


class TestLocks:
    """Only what a dead landing of ours left is removed."""

    def crashed(self, repo: Path, intent: Intent) -> Path:
        out(repo, "checkout", "-q", "-b", "elsewhere")
        crash(intent, "prepared")
        return repo / ".git" / "refs" / "heads" / "main.lock"

    def refused(self, intent: Intent, lock: Path) -> None:
        before = lock.read_bytes()
        with pytest.raises(ToolError, match="was not made by fleet") as caught:
            recover(intent)
        assert str(lock) in caught.value.message
        assert lock.read_bytes() == before

    def test_one_that_the_journal_does_not_name(self, repo: Path, intent: Intent) -> None:
        self.crashed(repo, intent)
        other = repo / ".git" / "refs" / "heads" / "other.lock"
        other.write_text("")

        assert recover(intent) == NotLanded()
        assert locks(repo) == [other]

    def test_one_with_another_value(self, repo: Path, intent: Intent) -> None:
        lock = self.crashed(repo, intent)
        lock.write_text(out(repo, "rev-parse", "main~1") + "\n")

        self.refused(intent, lock)

    def test_one_that_is_older(self, repo: Path, intent: Intent) -> None:
        lock = self.crashed(repo, intent)
        then = intent.journal.stat().st_mtime_ns - 1
        os.utime(lock, ns=(then, then))

        self.refused(intent, lock)

    def test_one_that_is_held_open(self, repo: Path, intent: Intent) -> None:
        lock = self.crashed(repo, intent)

        with lock.open():
            self.refused(intent, lock)
        assert recover(intent) == NotLanded()

    def test_an_index_lock_of_the_user(self, repo: Path, intent: Intent) -> None:
        lock = repo / ".git" / "index.lock"
        lock.write_text("")
        crash(intent, "journal")

        self.refused(intent, lock)

    def test_an_empty_lock_was_begun_by_us(self, tmp_path: Path) -> None:
        lock = tmp_path / "main.lock"
        lock.write_text("")
        remove_locks(Journal(commit="c", parent="p", locks=(str(lock),)), since_ns=0)

        assert not lock.exists()


def test_a_git_that_outlives_its_supervisor_is_waited_for(
    repo: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
) -> None:
    out(repo, "checkout", "-q", "-b", "elsewhere")
    crash(intent, "journal")
    monkeypatch.setattr(recovery, "await_end", partial(await_end, patience_s=0.01))
    environment = {**os.environ, TOKEN: str(intent.journal)}
    argv = ["git", "-C", str(repo), "update-ref", "--stdin"]
    with subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE) as orphan:
        until(lambda: journals._carriers(str(intent.journal)))
        with pytest.raises(ToolError, match=f"process {orphan.pid}.* still at work"):
            recover(intent)
        assert orphan.stdin
        orphan.stdin.write(f"update {intent.branch} {intent.commit} {intent.parent}\n".encode())
        orphan.stdin.close()
        await_end(str(intent.journal))
    assert recover(intent) == Landed(intent.commit)
