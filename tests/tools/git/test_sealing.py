import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from fleet.errors import ToolError
from fleet.tools.git import bases, changes, run, sealing, snapshot
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.sealing import Empty, Outcome, Sealed, Unsealable, seal, seal_branch
from fleet.tools.git.workspaces import admin_dir, claim, create

Plain = Callable[..., str]
REF = "refs/fleet/cand/a/1"


class Seal(Protocol):
    def __call__(self, ref: str = REF, exclude: tuple[str, ...] = ()) -> Outcome: ...


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def base(repo: Path, plain: Plain) -> str:
    return plain(repo, "rev-parse", "main")


@pytest.fixture
def work(place: Place, base: str, tmp_path: Path) -> Path:
    path = tmp_path / "w" / "001"
    create(place, path, base, lock=tmp_path / "lock")
    claim(place, path, branch="fleet/a", commit=base)
    return path


@pytest.fixture
def sealing_of(place: Place, work: Path) -> Seal:
    def sealed(ref: str = REF, exclude: tuple[str, ...] = ()) -> Outcome:
        target = "refs/heads/main"
        return seal(
            *(place, work), branch="fleet/a", target_commit=target, ref=ref, exclude=exclude
        )

    return sealed


def commit(plain: Plain, work: Path, **files: str) -> str:
    for name, text in files.items():
        (work / name.replace("_", ".")).write_text(text)
    plain(work, "add", "-A")
    plain(work, "commit", "-qm", "work")
    return plain(work, "rev-parse", "HEAD")


def test_committed_work_is_sealed_as_it_is(
    sealing_of: Seal, work: Path, base: str, plain: Plain
) -> None:
    head = commit(plain, work, new_txt="1\n2\n", README_md="bye\n")
    plain(work, "rm", "-q", "docs/guide.md")
    head = commit(plain, work)

    assert sealing_of() == Sealed(
        head, head, base, auto_commit=False, added=3, removed=2,
        files=("README.md", "docs/guide.md", "new.txt"),
    )  # fmt: skip
    assert plain(work, "rev-parse", REF) == head


def test_uncommitted_work_is_one_commit_above_head(
    sealing_of: Seal, work: Path, plain: Plain
) -> None:
    head = commit(plain, work, new_txt="1\n")
    (work / "README.md").write_text("edited\n")
    (work / "src" / "two.txt").unlink()
    (work / "staged.txt").write_text("staged\n")
    plain(work, "add", "staged.txt")
    (work / "täst\nname").write_text("strange\n")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "link").symlink_to("README.md")
    (work / "x.log").write_text("ignored\n")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert (sealed.head, sealed.auto_commit) == (head, True)
    assert plain(work, "rev-parse", f"{sealed.commit}^") == head
    changed = plain(work, "diff-tree", "-r", "-z", "--name-status", head, sealed.commit)
    assert changed.split("\0") == [
        *("M", "README.md", "A", "link", "A", "run.sh", "D", "src/two.txt"),
        *("A", "staged.txt", "A", "täst\nname", ""),
    ]
    assert plain(work, "show", f"{sealed.commit}:README.md") == "edited"
    listed = plain(work, "ls-tree", sealed.commit, "run.sh", "link")
    assert [line[:6] for line in listed.splitlines()] == ["120000", "100755"]
    assert "Fleet-Uncommitted: yes" in plain(work, "log", "-1", "--format=%B", sealed.commit)


def test_nothing_of_the_agent_moves(sealing_of: Seal, work: Path, plain: Plain) -> None:
    commit(plain, work, new_txt="1\n")
    (work / "README.md").write_text("edited\n")
    (work / "staged.txt").write_text("staged\n")
    plain(work, "add", "staged.txt")
    (work / "staged.txt").write_text("edited again\n")
    admin = admin_dir(work)
    assert admin

    def state() -> tuple[object, ...]:
        index = admin / "index"
        return (
            *(index.read_bytes(), index.stat().st_mtime_ns, index.stat().st_ino),
            *((admin / "HEAD").read_bytes(), sorted(item.name for item in admin.iterdir())),
            (plain(work, "--no-optional-locks", "status", "--porcelain=v2", "--branch")),
            plain(work, "rev-parse", "fleet/a"),
        )

    before = state()
    assert isinstance(sealing_of(), Sealed)
    assert state() == before


def test_git_of_the_agent_at_work_is_no_obstacle(sealing_of: Seal, work: Path) -> None:
    admin = admin_dir(work)
    assert admin
    (admin / "index.lock").write_bytes(b"half")
    (work / "README.md").write_text("edited\n")

    assert isinstance(sealing_of(), Sealed)
    assert (admin / "index.lock").read_bytes() == b"half"


def test_a_missing_index_loses_nothing(sealing_of: Seal, work: Path) -> None:
    admin = admin_dir(work)
    assert admin
    (admin / "index").unlink()
    (work / "README.md").write_text("edited\n")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert sealed.files == ("README.md",)


def test_an_edit_within_the_clock_tick_of_the_index_is_seen(work: Path, plain: Plain) -> None:
    """The size and the time of the file are those in the index: only its content tells."""
    (work / "tick.txt").write_text("aaaa")
    plain(work, "add", "tick.txt")
    admin = admin_dir(work)
    assert admin
    moment = "2020-01-01 00:00:00"
    (work / "tick.txt").write_text("bbbb")
    subprocess.run(["touch", "-d", moment, work / "tick.txt"], check=True)
    plain(work, "-c", "core.trustctime=false", "update-index", "tick.txt")
    with (work / "tick.txt").open("r+") as file:
        file.write("cccc")
    subprocess.run(["touch", "-d", moment, work / "tick.txt", admin / "index"], check=True)
    plain(work, "config", "core.trustctime", "false")

    tree = snapshot.write_tree(work, snapshot.look(work))

    assert plain(work, "cat-file", "blob", f"{tree}:tick.txt") == "cccc"


def test_copies_that_fleet_made_are_left_out(
    sealing_of: Seal, work: Path, plain: Plain, place: Place
) -> None:
    for name in (".env", "local.cfg", "new.txt"):
        (work / name).write_text("secret\n")
    plain(work, "add", "local.cfg")

    sealed = sealing_of(exclude=(".env", "local.cfg"))

    assert isinstance(sealed, Sealed)
    assert sealed.files == ("new.txt",)
    (work / "new.txt").unlink()
    assert sealing_of("refs/fleet/cand/a/2", exclude=(".env", "local.cfg")) == Empty()
    (work / "README.md").write_text("edited\n")
    plain(work, "commit", "-qm", "work", "README.md")
    committed = sealing_of("refs/fleet/cand/a/3", exclude=(".env", "local.cfg"))
    assert isinstance(committed, Sealed)
    assert not committed.auto_commit


def test_a_copy_that_the_agent_committed_stays_as_committed(
    sealing_of: Seal, work: Path, plain: Plain
) -> None:
    head = commit(plain, work, local_cfg="committed\n")
    (work / "local.cfg").write_text("edited\n")
    (work / "new.txt").write_text("new\n")

    sealed = sealing_of(exclude=("local.cfg",))

    assert isinstance(sealed, Sealed)
    assert plain(work, "show", f"{sealed.commit}:local.cfg") == "committed"
    assert sealed.head == head


def test_filters_and_excludes_of_the_user_are_honoured(
    sealing_of: Seal, work: Path, tmp_path: Path, plain: Plain
) -> None:
    (tmp_path / "home" / ".gitconfig").write_text(
        f'[filter "up"]\n clean = tr a-z A-Z\n[core]\n excludesFile = {tmp_path}/ignore\n'
    )
    (tmp_path / "ignore").write_text("mine.*\n")
    (work / ".gitattributes").write_text("*.up filter=up\n")
    (work / "a.up").write_text("abc\n")
    (work / "mine.txt").write_text("abc\n")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert sealed.files == (".gitattributes", "a.up")
    assert plain(work, "show", f"{sealed.commit}:a.up") == "ABC"


def test_a_file_that_became_a_directory(sealing_of: Seal, work: Path) -> None:
    (work / "README.md").unlink()
    (work / "README.md").mkdir()
    (work / "README.md" / "inner").write_text("1\n")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert sealed.files == ("README.md", "README.md/inner")


def test_a_repository_inside_is_left_out(sealing_of: Seal, work: Path, plain: Plain) -> None:
    plain(work, "clone", "-q", ".", "nested")
    (work / "new.txt").write_text("new\n")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert sealed.files == ("new.txt",)


def test_binary_files_have_no_lines(sealing_of: Seal, work: Path) -> None:
    (work / "data.bin").write_bytes(b"\0\1\2")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert (sealed.added, sealed.removed, sealed.files) == (0, 0, ("data.bin",))


def test_no_change_is_empty(sealing_of: Seal, work: Path, plain: Plain) -> None:
    assert sealing_of() == Empty()
    plain(work, "commit", "-q", "--allow-empty", "-m", "nothing")
    commit(plain, work, README_md="other\n")
    (work / "README.md").write_text("hello\n")
    assert sealing_of() == Empty()
    plain(work, "rev-parse", "--verify", "-q", REF, code=1)


def test_the_change_is_measured_from_where_it_left_the_target(
    sealing_of: Seal, work: Path, repo: Path, base: str, plain: Plain
) -> None:
    commit(plain, repo, other_txt="theirs\n")
    commit(plain, work, new_txt="mine\n")

    sealed = sealing_of()

    assert isinstance(sealed, Sealed)
    assert (sealed.base, sealed.files) == (base, ("new.txt",))


def test_a_sealed_revision_is_never_replaced(sealing_of: Seal, work: Path, plain: Plain) -> None:
    head = commit(plain, work, new_txt="1\n")
    (work / "new.txt").write_text("2\n")
    first = sealing_of()
    assert isinstance(first, Sealed)
    assert (first.head, first.auto_commit) == (head, True)

    assert sealing_of() == first
    (work / "new.txt").write_text("3\n")
    assert sealing_of() == first
    plain(work, "checkout", "-q", "--force", "--detach", "main")
    assert sealing_of() == first


def test_what_is_sealed_of_commits_only_is_told_again(
    sealing_of: Seal, work: Path, plain: Plain
) -> None:
    commit(plain, work, new_txt="1\n")
    first = sealing_of()
    commit(plain, work, new_txt="2\n")

    assert sealing_of() == first


def test_a_ref_that_cannot_be_made_is_an_error(sealing_of: Seal, work: Path, plain: Plain) -> None:
    plain(work, "update-ref", "refs/fleet/cand/a", "HEAD")
    commit(plain, work, new_txt="1\n")

    with pytest.raises(ToolError, match=r"git update-ref in"):
        sealing_of()


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([("checkout", "-q", "--detach")], "HEAD is detached, not on fleet/a"),
        ([("checkout", "-q", "-b", "other")], "HEAD is on other, not on fleet/a"),
        ([("checkout", "-q", "--orphan", "fleet/b")], "HEAD is on fleet/b, not on fleet/a"),
        ([("branch", "-q", "-m", "fleet/c")], "HEAD is on fleet/c, not on fleet/a"),
        ([("update-ref", "-d", "refs/heads/fleet/a")], "fleet/a has no commit"),
        ([("bisect", "start", "HEAD", "HEAD~2")], "a bisection is in progress"),
    ],
)
def test_a_head_that_is_elsewhere(
    sealing_of: Seal, work: Path, plain: Plain, steps: list[tuple[str, ...]], reason: str
) -> None:
    for step in steps:
        plain(work, *step)

    assert sealing_of() == Unsealable(reason)


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick", "revert"])
def test_an_unfinished_operation(
    sealing_of: Seal, work: Path, repo: Path, plain: Plain, how: str
) -> None:
    commit(plain, repo, README_md="theirs\n")
    theirs = plain(repo, "rev-parse", "HEAD")
    commit(plain, repo, README_md="later\n")
    commit(plain, work, README_md="mine\n")
    plain(work, how, theirs, code=1)

    assert sealing_of() == Unsealable(f"a {how} is in progress")


def test_conflicts_without_an_operation(sealing_of: Seal, work: Path, plain: Plain) -> None:
    (work / "README.md").write_text("stashed\n")
    plain(work, "stash", "-q")
    commit(plain, work, README_md="mine\n")
    plain(work, "stash", "pop", code=1)

    assert sealing_of() == Unsealable("README.md has unresolved conflicts")


def test_a_worktree_that_is_gone(sealing_of: Seal, work: Path) -> None:
    work.rename(work.parent / "moved")

    assert sealing_of() == Unsealable(f"the worktree {work} is gone")


def test_histories_that_never_met(place: Place, repo: Path, plain: Plain) -> None:
    tree = plain(repo, "rev-parse", "main^{tree}")
    plain(repo, "branch", "alien", plain(repo, "commit-tree", tree, "-m", "alien"))

    outcome = seal_branch(place, "alien", target_commit="refs/heads/main", ref=REF)

    assert outcome == Unsealable("it shares no history with the target")


def test_a_branch_made_by_hand_counts_by_its_commits(
    place: Place, repo: Path, base: str, plain: Plain
) -> None:
    plain(repo, "checkout", "-q", "-b", "mine")
    head = commit(plain, repo, new_txt="1\n")
    (repo / "README.md").write_text("not committed\n")

    sealed = seal_branch(place, "mine", target_commit=base, ref=REF)

    assert isinstance(sealed, Sealed)
    assert (sealed.commit, sealed.files) == (head, ("new.txt",))
    missing = seal_branch(place, "none", target_commit=base, ref="refs/fleet/cand/none/1")
    assert missing == Unsealable("there is no branch none")


def test_sealing_takes_few_processes(
    sealing_of: Seal, work: Path, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    real = run.git

    def counted(cwd: Path, *args: str, **more: object) -> run.Answer:
        commands.append(args[0])
        return real(cwd, *args, **more)  # type: ignore[arg-type] # passes on what it was given

    for module in (sealing, bases, snapshot, changes):
        monkeypatch.setattr(module, "git", counted)
    commit(plain, work, new_txt="1\n")

    sealing_of()
    clean, commands[:] = list(commands), []
    (work / "new.txt").write_text("2\n")
    sealing_of("refs/fleet/cand/a/2")

    assert clean == ["status", "merge-base", "diff-tree"]
    assert commands == [
        *("status", "update-index", "write-tree", "commit-tree"),
        *("merge-base", "diff-tree"),
    ]


def test_a_full_disk_is_said_and_nothing_is_made(
    sealing_of: Seal, work: Path, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "README.md").write_text("edited\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)

    with pytest.raises(ToolError, match=r"cannot copy the index of .*: No space left"):
        sealing_of()
    plain(work, "rev-parse", "--verify", "-q", REF, code=1)


def test_submodules_with_work_of_their_own(
    sealing_of: Seal, work: Path, place: Place, plain: Plain
) -> None:
    other = work.parent / "other"
    plain(work.parent, "clone", "-q", str(place.root), str(other))
    plain(
        work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "lib"
    )
    plain(work, "commit", "-qm", "submodule")
    (work / "lib" / "README.md").write_text("edited\n")

    assert sealing_of() == Unsealable("the submodule lib has uncommitted work")

    plain(work / "lib", "commit", "-qam", "edited")
    sealed = sealing_of()
    assert isinstance(sealed, Sealed)
    assert plain(work, "rev-parse", f"{sealed.commit}:lib") == plain(
        work / "lib", "rev-parse", "HEAD"
    )
