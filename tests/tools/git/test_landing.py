import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from branches import commit
from landings import CHANGE, locks, out, plan, prepare, prepare_group, state

from fleet.errors import ToolError
from fleet.tools.git import landing
from fleet.tools.git.intent import Blocked, Intent, Landed, Moved, NotLanded, Rewound, landed
from fleet.tools.git.journal import Journal
from fleet.tools.git.landing import land
from fleet.tools.git.recovery import check_history, recover, settle
from fleet.tools.git.repository import locate
from fleet.tools.git.run import Answer, git

Plain = Callable[..., str]


@pytest.fixture
def intent(repo: Path, tmp_path: Path) -> Intent:
    """Something to land on main, which is checked out in `repo`."""
    return prepare(repo, tmp_path / "journal")


@pytest.fixture
def aside(repo: Path, intent: Intent, plain: Plain) -> Intent:
    """Something to land on main, which is checked out nowhere."""
    plain(repo, "checkout", "-q", "-b", "elsewhere")
    return intent


class TestWhereNobodyLooks:
    """The target is checked out nowhere: one transaction."""

    def test_the_target_moves_and_the_mark_is_made(self, repo: Path, aside: Intent) -> None:
        before = state(repo)

        assert land(aside) == Landed(aside.commit)

        after = state(repo)
        assert out(repo, "rev-parse", "main", aside.marks[0].ref).split() == [aside.commit] * 2
        assert "fleet: land fix" in out(repo, "reflog", "main")
        assert {k: v for k, v in after.items() if k != "refs"} == {
            k: v for k, v in before.items() if k != "refs"
        }
        assert aside.journal.exists()
        settle(aside)
        settle(aside)
        assert not aside.journal.exists()

    def test_landing_twice_lands_once(self, repo: Path, aside: Intent) -> None:
        land(aside)
        before = state(repo)

        assert land(aside) == Landed(aside.commit)
        assert state(repo) == before

    def test_a_target_that_moved_before_or_went_is_told(self, repo: Path, aside: Intent) -> None:
        tip = commit(repo, "main", {"a": "a\n"})

        assert land(aside) == Moved(tip)
        out(repo, "branch", "-D", "main")
        assert land(aside) == Moved(None)

    def test_a_target_that_moves_at_the_last_moment_wins(
        self, repo: Path, aside: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(landing, "_begin", lambda *_: commit(repo, "main", {"a": "a\n"}))

        assert land(aside) == Moved(out(repo, "rev-parse", "main"))
        assert out(repo, "for-each-ref", "refs/fleet") == ""

    def test_a_checkout_at_the_last_moment_is_seen(
        self, repo: Path, aside: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(landing, "_begin", lambda *_: out(repo, "checkout", "-q", "main"))

        assert land(aside) == Blocked("it was checked out just now", checkout=repo)
        assert out(repo, "rev-parse", "main") == aside.parent
        assert not locks(repo)

    def test_someone_elses_lock_is_waited_for(self, repo: Path, aside: Intent) -> None:
        lock = repo / ".git" / "refs" / "heads" / "main.lock"
        lock.write_text("")

        assert land(aside) == Blocked("another git command has locked main")
        assert lock.exists()

    def test_another_failure_is_an_error(self, repo: Path, aside: Intent) -> None:
        (repo / ".git" / "refs" / "fleet").write_text("in the way")

        with pytest.raises(ToolError, match="update-ref"):
            land(aside)

    def test_no_hook_runs(self, repo: Path, aside: Intent) -> None:
        ran = arm_hooks(repo)

        assert isinstance(land(aside), Landed)
        assert not ran.exists()

    def test_a_target_under_rebase_is_left_alone(self, repo: Path, intent: Intent) -> None:
        todo = ("-c", "sequence.editor=sed -i 1ibreak", "rebase", "-q", "-i", "--root")
        out(repo, *todo)

        blocked = land(intent)

        assert isinstance(blocked, Blocked)
        assert blocked.reason.startswith("main is being rebased")
        assert out(repo, "rev-parse", "main") == intent.parent


def arm_hooks(repo: Path) -> Path:
    ran = repo.parent / "ran"
    for name in ("reference-transaction", "post-merge", "post-checkout", "pre-push"):
        hook = repo / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {ran}\n")
        hook.chmod(0o755)
    return ran


def late(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen after `land` has looked, and before git does."""
    begin = landing._begin

    def wrapped(*args: Any) -> Journal:
        happens()
        return begin(*args)

    monkeypatch.setattr(landing, "_begin", wrapped)


class TestWhereTheUserWorks:
    """The target is checked out: git fast-forwards the working tree, or nothing happens."""

    def test_a_clean_tree_follows(self, repo: Path, intent: Intent) -> None:
        ran = arm_hooks(repo)

        assert land(intent) == Landed(intent.commit)

        assert out(repo, "status", "--porcelain") == ""
        assert (repo / "src" / "one.txt").read_text() == "landed\n"
        assert not (repo / "docs").exists()
        assert out(repo, "rev-parse", "main", intent.marks[0].ref).split() == [intent.commit] * 2
        assert not ran.exists()

    def test_a_linked_worktree_follows(self, repo: Path, aside: Intent, tmp_path: Path) -> None:
        out(repo, "worktree", "add", "-q", str(tmp_path / "linked"), "main")

        assert land(aside) == Landed(aside.commit)

        assert out(tmp_path / "linked", "status", "--porcelain") == ""
        assert (tmp_path / "linked" / "new" / "file.txt").read_text() == "new\n"

    def test_unrelated_work_stays_as_it_is(self, repo: Path, intent: Intent) -> None:
        (repo / "README.md").write_text("edited\n")
        (repo / "src" / "two.txt").write_text("staged\n")
        out(repo, "add", "src/two.txt")
        (repo / "src" / "two.txt").write_text("staged, then edited\n")
        (repo / "untracked").write_text("mine\n")
        (repo / "ignored.log").write_text("mine\n")
        (repo / "planned").write_text("mine\n")
        out(repo, "add", "-N", "planned")
        (repo / "src" / "deep" / "three.txt").unlink()
        before, status = state(repo), out(repo, "status", "--porcelain")

        assert land(intent) == Landed(intent.commit)

        after = state(repo)
        assert out(repo, "status", "--porcelain") == status
        for path in set(before) - set(CHANGE) - {"index", "refs"}:
            assert after[path] == before[path]
        assert out(repo, "show", ":src/two.txt") == "staged"

    def dirty(self, repo: Path) -> None:
        (repo / "src" / "one.txt").write_text("mine\n")

    def emptied(self, repo: Path) -> None:
        (repo / "src" / "one.txt").write_text("")

    def staged(self, repo: Path) -> None:
        (repo / "src" / "one.txt").write_text("mine\n")
        out(repo, "add", "-A")

    def staged_then_undone(self, repo: Path) -> None:
        text = (repo / "src" / "one.txt").read_text()
        self.staged(repo)
        (repo / "src" / "one.txt").write_text(text)

    def staged_deletion(self, repo: Path) -> None:
        out(repo, "rm", "-q", "src/one.txt")

    def edited_where_deleted(self, repo: Path) -> None:
        (repo / "docs" / "guide.md").write_text("mine\n")

    def untracked(self, repo: Path) -> None:
        (repo / "new").mkdir()
        (repo / "new" / "file.txt").write_text("mine\n")

    def ignored(self, repo: Path) -> None:
        (repo / ".git" / "info" / "exclude").write_text("new/\n")
        self.untracked(repo)

    def a_link(self, repo: Path) -> None:
        (repo / "new").mkdir()
        (repo / "new" / "file.txt").symlink_to("nowhere")

    def file_for_directory(self, repo: Path) -> None:
        (repo / "new").write_text("mine\n")

    def directory_for_file(self, repo: Path) -> None:
        (repo / "new" / "file.txt").mkdir(parents=True)
        (repo / "new" / "file.txt" / "mine").write_text("mine\n")

    def merging(self, repo: Path) -> None:
        commit(repo, "other", {"README.md": "other\n"}, start="main")
        out(repo, "merge", "-q", "--no-commit", "--no-ff", "other")

    def picking(self, repo: Path) -> None:
        (repo / ".git" / "CHERRY_PICK_HEAD").write_text(out(repo, "rev-parse", "main") + "\n")

    def reverting(self, repo: Path) -> None:
        (repo / ".git" / "REVERT_HEAD").write_text(out(repo, "rev-parse", "main") + "\n")

    def indexing(self, repo: Path) -> None:
        (repo / ".git" / "index.lock").write_text("")

    @pytest.mark.parametrize(
        "how",
        [
            *(dirty, emptied, staged, staged_then_undone, staged_deletion, edited_where_deleted),
            *(untracked, ignored, a_link, file_for_directory, directory_for_file),
            *(merging, picking, reverting, indexing),
        ],
    )
    def test_work_in_the_way_blocks_and_stays(
        self, how: Callable[[object, Path], None], repo: Path, intent: Intent
    ) -> None:
        out(repo, "config", "merge.autoStash", "true")
        how(self, repo)
        before, status = state(repo), out(repo, "status", "--porcelain")

        blocked = land(intent)

        assert isinstance(blocked, Blocked)
        assert blocked.checkout == repo
        assert state(repo) == before
        assert out(repo, "status", "--porcelain") == status
        if (repo / ".git" / "index.lock").exists():
            assert blocked.reason == "another git command is at work there"
            (repo / ".git" / "index.lock").unlink()
        assert recover(intent) == NotLanded()
        assert state(repo) == before

    def test_the_files_in_the_way_are_named(self, repo: Path, intent: Intent) -> None:
        self.dirty(repo)
        self.untracked(repo)

        blocked = land(intent)

        assert isinstance(blocked, Blocked)
        assert set(blocked.files) == {"src/one.txt", "new/file.txt"}

    @pytest.mark.parametrize(("how", "file"), [(emptied, "src/one.txt"), (ignored, "new/file.txt")])
    def test_work_that_comes_at_the_last_moment_is_seen_by_git(
        self,
        how: Callable[[object, Path], None],
        file: str,
        repo: Path,
        intent: Intent,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        late(monkeypatch, lambda: how(self, repo))

        assert land(intent) == Blocked(landing._OVERWRITTEN, (file,), repo)
        assert (repo / file).read_text() in {"", "mine\n"}

    def test_a_target_that_moved_before_is_told(self, repo: Path, intent: Intent) -> None:
        out(repo, "commit", "-q", "--allow-empty", "-m", "moved")

        assert land(intent) == Moved(out(repo, "rev-parse", "main"))

    def test_a_user_who_leaves_the_branch_is_not_followed(
        self, repo: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(landing, "checkouts", lambda _: {"main": repo})
        out(repo, "checkout", "-q", "--detach")

        assert land(intent) == Blocked("it is changing branches", checkout=repo)
        assert out(repo, "rev-parse", "HEAD") == intent.parent

    def test_a_git_that_takes_too_long_leaves_nothing_half_done(
        self, repo: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(cwd: Path, *args: str, **named: Any) -> Answer:
            if "merge" not in args:
                return git(cwd, *args, **named)
            (repo / "src" / "one.txt").write_text("landed\n")
            raise ToolError("git merge took more than 3600 seconds")

        monkeypatch.setattr(landing, "git", slow)
        before = state(repo)

        with pytest.raises(ToolError, match="took more than"):
            land(intent)
        assert state(repo) == before

    def test_a_filter_that_fails_halfway_changes_nothing(self, repo: Path, tmp_path: Path) -> None:
        commit(repo, "main", {".gitattributes": "*.odd filter=odd\n", "m.odd": "1\n"})
        out(repo, "reset", "-q", "--hard")
        for name, value in {"required": "true", "smudge": "grep -v 2", "clean": "cat"}.items():
            out(repo, "config", f"filter.odd.{name}", value)
        files = {"a.txt": "new\n", "m.odd": "2\n", "z.txt": "new\n", "docs/guide.md": None}
        intent = plan(locate(repo), commit(repo, "odd", files, start="main"), tmp_path / "journal")
        (repo / "untracked").write_text("mine\n")
        before = state(repo)

        blocked = land(intent)

        assert isinstance(blocked, Blocked)
        assert "filter" in blocked.reason
        assert state(repo) == before

    def test_a_sparse_tree_stays_sparse(self, repo: Path, intent: Intent) -> None:
        out(repo, "sparse-checkout", "set", "src/deep")

        assert land(intent) == Landed(intent.commit)
        assert sorted(p.name for p in repo.iterdir()) == [".git", ".gitignore", "README.md", "src"]
        assert out(repo, "status", "--porcelain") == ""

    def test_a_submodule_is_left_alone(self, repo: Path, tmp_path: Path) -> None:
        out(repo, "clone", "-q", ".", str(tmp_path / "lib"))
        add = ("-c", "protocol.file.allow=always", "submodule", "-q", "add")
        out(repo, *add, str(tmp_path / "lib"), "lib")
        out(repo, "commit", "-q", "-m", "lib")
        (repo / "lib" / "README.md").write_text("mine\n")
        intent = prepare(repo, tmp_path / "journal")

        assert land(intent) == Landed(intent.commit)
        assert (repo / "lib" / "README.md").read_text() == "mine\n"

    def test_a_rewind_in_the_moment_of_landing_is_told(
        self, repo: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        older = out(repo, "rev-parse", "main~1")
        late(monkeypatch, lambda: out(repo, "reset", "-q", "--hard", older))

        assert land(intent) == Landed(intent.commit, revived=older)

    def test_a_move_in_the_moment_of_landing_is_told(
        self, repo: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late(monkeypatch, lambda: out(repo, "commit", "-q", "--allow-empty", "-m", "moved"))

        assert land(intent) == Moved(out(repo, "rev-parse", "main"))

    def test_a_git_that_fails_outright_leaves_nothing_half_done(
        self, repo: Path, intent: Intent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(landing, "_FAST_FORWARD", ("merge", "--no-such-option"))
        before = state(repo)

        with pytest.raises(ToolError, match="129"):
            land(intent)
        assert state(repo) == before


def test_a_bare_repository_is_landed_in(repo: Path, tmp_path: Path, plain: Plain) -> None:
    bare = tmp_path / "bare.git"
    plain(repo, "clone", "-q", "--bare", str(repo), str(bare))
    intent = prepare(bare, tmp_path / "journal")

    assert land(intent) == Landed(intent.commit)
    assert out(bare, "rev-parse", "main") == intent.commit
    assert recover(intent) == Landed(intent.commit)


def test_history_that_grew_and_history_that_was_taken_back(repo: Path, aside: Intent) -> None:
    before = aside.parent
    tip = commit(repo, "main", {"a": "a\n"})

    assert check_history(aside.place, "main", before) == Moved(tip)
    assert check_history(aside.place, "main", tip) == Moved(tip)
    out(repo, "update-ref", "refs/heads/main", f"{before}~1")
    assert check_history(aside.place, "main", before) == Rewound(out(repo, "rev-parse", "main"))
    out(repo, "branch", "-D", "main")
    assert check_history(aside.place, "main", before) == Rewound(None)


_WRITER = """
import subprocess, sys
repo, name, count = sys.argv[1:]
def git(*args, check=True):
    done = subprocess.run(["git", "-C", repo, *args], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None
for number in range(int(count)):
    while True:
        tip = git("rev-parse", "refs/heads/main")
        new = git("commit-tree", tip + "^{tree}", "-p", tip, "-m", f"{name}-{number}")
        if git("update-ref", "refs/heads/main", new, tip) is not None:
            break
"""


@pytest.mark.slow
def test_no_update_is_lost_when_others_write_too(repo: Path, tmp_path: Path, plain: Plain) -> None:
    plain(repo, "checkout", "-q", "-b", "elsewhere")
    place, tasks = locate(repo), [f"t{number}" for number in range(25)]
    sealed = {task: commit(repo, task, {f"{task}.txt": task}, start="main") for task in tasks}
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, repo, f"w{number}", "10"])
        for number in range(6)
    ]

    retries = 0
    for task in tasks:
        while True:
            done = land(plan(place, sealed[task], tmp_path / "journal", task=task))
            if isinstance(done, Landed):
                break
            retries += 1
    assert [writer.wait() for writer in writers] == [0] * 6

    subjects = out(repo, "log", "--first-parent", "--format=%s", "main").splitlines()
    expected = [*tasks, *(f"w{who}-{number}" for who in range(6) for number in range(10))]
    assert sorted(subjects[:-3]) == sorted(expected)
    assert retries > 0


class TestGroup:
    """Changes that land in one move: all of them or none, each with a mark of its own."""

    @pytest.fixture
    def group(self, repo: Path, tmp_path: Path) -> Intent:
        return prepare_group(repo, tmp_path / "journal")

    @pytest.mark.parametrize("checked_out", [True, False])
    def test_the_target_moves_once_and_each_is_marked(
        self, repo: Path, group: Intent, *, checked_out: bool
    ) -> None:
        if not checked_out:
            out(repo, "checkout", "-q", "--detach")
        first, second, third = group.marks

        assert land(group) == Landed(third.commit)

        assert out(repo, "rev-parse", "main@{1}", "main") == f"{group.parent}\n{third.commit}"
        assert "fleet: land fix, more, last" in out(repo, "reflog", "main")
        for mark in (first, second, third):
            assert out(repo, "rev-parse", mark.ref) == mark.commit
        assert landed(group) == group.marks
        assert land(group) == Landed(third.commit)

    def test_a_file_of_any_of_them_blocks_all(self, repo: Path, group: Intent) -> None:
        (repo / "src" / "more.txt").write_text("mine\n")
        before = state(repo)

        assert land(group) == Blocked(landing._OVERWRITTEN, ("src/more.txt",), repo)
        assert state(repo) == before

    def test_a_part_that_others_brought_there_counts(self, repo: Path, group: Intent) -> None:
        first, second, _ = group.marks
        out(repo, "merge", "-q", "--ff-only", second.commit)

        assert recover(group) == NotLanded()
        assert landed(group) == (first, second)
        assert land(group) == Moved(second.commit)
        assert recover(group) == NotLanded()

    def test_a_part_that_a_person_took_back_is_told(self, repo: Path, group: Intent) -> None:
        land(group)
        out(repo, "reset", "-q", "--hard", group.marks[0].commit)

        assert recover(group) == Rewound(group.marks[0].commit)
        assert landed(group) == group.marks[:1]

    def test_what_was_taken_back_may_land_again(self, repo: Path, aside: Intent) -> None:
        land(aside)
        settle(aside)
        out(repo, "update-ref", "refs/heads/main", aside.parent)
        tip = commit(repo, "main", {"later.txt": "later\n"})
        again = plan(aside.place, out(repo, "rev-parse", "fix"), aside.journal)

        assert again.parent == tip
        assert land(again) == Landed(again.commit)
        assert out(repo, "rev-parse", again.marks[0].ref) == again.commit
