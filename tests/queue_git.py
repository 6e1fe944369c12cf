"""The same supervisor over a real repository: what it does to git is done by its own hands.

Each revision of a branch has a file of its own, so that a tree tells by its names what is in it.
Only the checks are no programs: they read the worktree in which they would have run.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import branches
import histories as h
import queue_invariants as inv
from msgspec.structs import replace
from queue_sim import Queue, Work
from queue_world import Edits, World

from fleet import paths
from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.ids import Commit
from fleet.home import open_home
from fleet.supervisor.perform import _PERFORMERS, judging
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.policies import Policies
from fleet.tools.git import landing
from fleet.tools.processes.check import Failed, Passed
from fleet.tools.tmux.input import Keyboard
from fleet.tools.tmux.panes import Panes
from fleet.tools.tmux.server import Server

EDITS, SHARED, PERSONAL, LOOSE = "edits", "shared.txt", "personal.txt", "untracked.txt"
OWN_WORDS = "a person's own words\n"
# What another person may have set, and must not matter to what is merged.
ANOTHER = """\
[core]
	attributesFile = ~/attributes
	autocrlf = true
[merge]
	renames = false
	directoryRenames = true
	conflictStyle = diff3
[i18n]
	commitEncoding = ISO-8859-1
"""


class Killed(BaseException):
    """The supervisor is killed here."""


class GitWorld(World):
    """A repository in which everything is what git says."""

    def __init__(self, repo: Path) -> None:
        super().__init__()
        self.repo = repo
        repo.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "gc.auto", "0")
        self.git("config", "user.name", "Test Person")
        self.git("config", "user.email", "test@example.invalid")
        self.begin = Commit(
            branches.commit(repo, "main", {SHARED: "begin\n", PERSONAL: "begin\n"}, start="")
        )
        self.git("checkout", "-q", "--detach")
        self.values = {self.begin}
        self._names: dict[str, Commit] = {}  # of files, and the commits that brought them
        self._known: dict[Commit, Edits] = {}
        self._fresh: dict[str, Commit] = {}  # where the next commit of a branch is cut

    def git(self, *words: str, ok: tuple[int, ...] = (0,)) -> str:
        ran = subprocess.run(
            ["git", *words], cwd=self.repo, capture_output=True, text=True, check=False
        )
        assert ran.returncode in ok, (words, ran.stderr)
        return ran.stdout.strip()

    @property
    def tip(self) -> Commit:
        return Commit(self.git("rev-parse", "refs/heads/main"))

    def edits(self, commit: Commit) -> Edits:
        if commit not in self._known:
            listed = self.git("ls-tree", "-r", "--name-only", commit, f"{EDITS}/")
            self._known[commit] = frozenset(self._names[name] for name in listed.split())
        return self._known[commit]

    def in_tree(self, tree: Path) -> Edits:
        """Return what the files of a worktree hold."""
        files = (tree / EDITS).glob("*")
        return frozenset(self._names[str(file.relative_to(tree))] for file in files)

    def behind(self, commit: Commit) -> list[Commit]:
        return [Commit(it) for it in self.git("rev-list", commit).split()]

    def commit(self, branch: str, *, shared: str | None = None) -> Commit:
        self.made += 1
        name = f"{EDITS}/{branch.replace('/', '-')}-{self.made}"
        files: dict[str, str | None] = {name: f"{self.made}\n"}
        old = self.branches.get(branch)
        if old is not None:
            files |= dict.fromkeys(it for it, by in self._names.items() if by == old)
        if shared:
            files[SHARED] = shared
        start = self._fresh.pop(branch, None) or old or self.begin
        if start != old and old is not None:  # put onto another one: what it had is not there
            files = {path: text for path, text in files.items() if text is not None}
        new = Commit(branches.commit(self.repo, branch, files, start=start))
        self._names[name] = self.branches[branch] = new
        return new

    def stand(self, branch: str, on: Commit) -> None:
        self._fresh[branch] = on
        super().stand(branch, on)

    def clash(self, one: str, two: str) -> None:
        for branch in (one, two):
            self.commit(branch, shared=f"{branch} {self.made}\n")

    def tree(self, commit: Commit) -> str:
        return self.git("rev-parse", f"{commit}^{{tree}}")

    def newest(self, commit: Commit) -> Commit:
        before = Commit(self.git("rev-parse", "--verify", "-q", f"{commit}^1", ok=(0, 1)))
        return min(self.edits(commit) - self.edits(before), default=commit) if before else commit

    def merges(self, onto: Commit, sealed: Commit) -> bool:
        words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", onto, sealed)
        said = self.git(*words, ok=(0, 1)).splitlines()
        return len(said) == 1

    # The target -----------------------------------------------------------------------------------

    def person_commits(self) -> None:
        self.made += 1
        name = f"{EDITS}/by-hand-{self.made}"
        if self._checked_out():
            (self.repo / EDITS).mkdir(exist_ok=True)
            (self.repo / name).write_text("by hand\n")
            self.git("add", name)
            self.git("commit", "-qm", "by hand", "--", name)
        else:
            branches.commit(self.repo, "main", {name: "by hand\n"})
        self._names[name] = self.tip
        self.values.add(self.tip)

    def person_takes_back(self) -> None:
        if self.tip != self.begin and not self._checked_out():
            self.taken_back = True
            self.git("update-ref", "refs/heads/main", f"{self.tip}^1")
            self.values.add(self.tip)

    def person_edits(self, *, dirty: bool) -> None:
        """Check the target out, and edit a file of it that changes touch; or have done with it."""
        if dirty and not self.dirty:
            self.git("checkout", "-q", "main")
            for name in (SHARED, PERSONAL, LOOSE):
                (self.repo / name).write_text(OWN_WORDS)
            self.git("add", PERSONAL)
        elif self.dirty and not dirty:
            self.git("checkout", "-q", "HEAD", "--", SHARED, PERSONAL)
            (self.repo / LOOSE).unlink()
            self.git("checkout", "-q", "--detach")
        self.dirty = dirty

    def _checked_out(self) -> bool:
        return self.dirty

    def kept(self) -> bool:
        """Whether what a person edited is still as it was, and nothing else differs from HEAD."""
        if not self.dirty:
            return True
        words = [(self.repo / name).read_text() for name in (SHARED, PERSONAL, LOOSE)]
        status = self.git("status", "--porcelain", "--untracked-files=all").splitlines()
        wanted = {f"M {SHARED}", f"M  {PERSONAL}", f"?? {LOOSE}"}  # the first one is stripped
        return words == [OWN_WORDS] * 3 and {line.removeprefix(" ") for line in status} == wanted

    # What the repository says of landings ---------------------------------------------------------

    def told(self) -> list[tuple[str, str]]:
        form = "%(trailers:key=Fleet-Task,valueonly)%(trailers:key=Fleet-Sealed,valueonly)"
        said = self.git("log", "--first-parent", "-z", f"--format={form}", "main").split("\0")
        words = [tuple(text.split()) for text in said if text.strip()]
        return [(task, sealed) for task, sealed in words]

    def marked(self, task: str, revision: int, commit: Commit) -> bool:
        ref = f"refs/fleet/landed/{task}-{revision}"
        return self.git("rev-parse", "--verify", "-q", ref, ok=(0, 1)) == commit


class GitQueue(Queue):
    """A supervisor with real hands; `between` happens after a landing has looked, once."""

    def __init__(self, root: Path, workers: int) -> None:
        self.root = root
        self.between: Callable[[], None] | None = None
        self.kill_at: str | None = None
        home = paths.Home(root / "home")
        identity = open_home(home)
        panes = Panes(Server(home.tmux_socket(), conf=root / "conf", env={}))
        self.tools = Tools(
            home=home,
            home_id=identity.id,
            panes=panes,
            keyboard=Keyboard(panes),
            policies=Policies(),
            note_garbage=lambda _: None,
        )
        self.git = GitWorld(root / "repo")
        super().__init__(world=self.git, workers=workers)

    def setting(self) -> h.Events:
        registered, seen, trusted = h.SETTING
        assert isinstance(registered, e.RepoRegistered)
        assert isinstance(seen, e.TargetSeen)
        root = str(self.git.repo)
        return (
            replace(registered, root=root, git_dir=f"{root}/.git"),
            replace(seen, tip=self.git.begin),
            trusted,
        )

    def come_to(self, work: Work) -> list[e.AnyEvent]:
        if isinstance(work.effect, f.Assess):
            return super().come_to(work)  # a process of its own, and a second, for each change
        self.tools.policies.keep(h.REPO, "main", work.given.target(h.REPO, "main"))
        moved = len(self._moves())
        fleet = self.fleet if isinstance(work.effect, f.Land) else work.about
        with self._patched():
            performer = _PERFORMERS[type(work.effect)]
            events = performer(self.tools, work.effect, fleet, threading.Event())
            if isinstance(work.effect, f.Merge):
                with somebody_else(self.root / "another"):
                    again = performer(self.tools, work.effect, fleet, threading.Event())
                assert again == events, "I12: somebody else merges the same to something else"
        if isinstance(work.effect, f.Land):
            self._judge_moves(work.effect, moved)
        return events

    def _moves(self) -> list[tuple[Commit, Commit, str]]:
        """Every move of the target, by whomever, as git has noted it."""
        lines = (self.git.repo / ".git/logs/refs/heads/main").read_text().splitlines()
        words = [(line.split(" ", 2), line.partition("\t")[2]) for line in lines]
        return [(Commit(it[0]), Commit(it[1]), title) for it, title in words]

    def _judge_moves(self, effect: f.Land, known: int) -> None:
        for old, new, title in self._moves()[known:]:
            if title.startswith("fleet"):
                self.git.overwritten |= not self.git.kept()
                self.git.values.add(new)
                landers = tuple(task.id for task, _ in self.landers(effect))
                self.judge(inv.Swap(old, new, landers))

    def crash_landing(self, *, moved: bool) -> None:
        self.kill_at = "moved" if moved else "begun"
        try:
            for lane, work in list(self.lanes.items()):
                if isinstance(work.effect, f.Land):
                    known = len(self._moves())
                    try:
                        self.finish(lane)
                    except Killed:
                        self._judge_moves(work.effect, known)
        finally:
            self.kill_at = None
        self.crash()

    # Hooks ----------------------------------------------------------------------------------------

    @contextmanager
    def _patched(self) -> Iterator[None]:
        real_look = vars(landing)["checkouts"]  # what is patched there counts
        real_begin, real_land = landing._begin, landing.land

        def look(*words: Any) -> Any:
            """What is checked out is looked at after the target, and before it is moved."""
            if (act := self.between) is not None:
                self.between = None
                act()
            return real_look(*words)

        def begin(*words: Any) -> Any:
            journal = real_begin(*words)
            self._may_die("begun")
            return journal

        def land(*words: Any) -> Any:
            outcome = real_land(*words)
            self._may_die("moved")
            return outcome

        with (
            patch.object(landing, "checkouts", look),
            patch.object(landing, "_begin", begin),
            patch.object(landing, "land", land),
            patch.object(judging, "run_check", self._check),
        ):
            yield

    def _may_die(self, here: str) -> None:
        if self.kill_at == here:
            raise Killed

    def _check(self, command: str, *, cwd: Path, log: Path, **_: Any) -> Passed | Failed:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch()
        commit = head_of(cwd)
        assert self.git.in_tree(cwd) == self.git.edits(commit), "a gate holds another tree"
        if not self.check(commit):
            return Failed(0.1, 1)
        self.git.passed.add((self.git.tree(commit), command))
        return Passed(0.1)


@contextmanager
def somebody_else(home: Path) -> Iterator[None]:
    """Be a person with other settings, in another place and time zone, for as long as it lasts."""
    if not home.exists():
        home.mkdir()
        (home / ".gitconfig").write_text(ANOTHER)
        (home / "attributes").write_text("* merge=union\n")
    with (
        patch.dict(os.environ, {"HOME": str(home), "TZ": "Asia/Tokyo", "LC_ALL": "POSIX"}),
        chdir(home),
    ):
        yield


def head_of(path: Path) -> Commit:
    asked = ["git", "rev-parse", "HEAD"]
    ran = subprocess.run(asked, cwd=path, capture_output=True, text=True, check=True)
    return Commit(ran.stdout.strip())
