import fcntl
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from waiting import until

from fleet.errors import RefusedError, ToolError
from fleet.tools.git import run, workspaces
from fleet.tools.git.repository import Place, branch_tip, locate
from fleet.tools.git.workspaces import admin_dir, claim, create, drop, recycle, resume

Plain = Callable[..., str]


@pytest.fixture
def place(repo: Path) -> Place:
    return locate(repo)


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    return tmp_path / "w" / "017"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "repo"


@pytest.fixture
def head(repo: Path, plain: Plain) -> str:
    return plain(repo, "rev-parse", "main")


@pytest.fixture
def made(place: Place, slot: Path, head: str, lock: Path) -> Path:
    create(place, slot, head, lock=lock)
    return slot


def test_a_new_worktree_is_whole_detached_clean_and_locked(
    made: Path, repo: Path, plain: Plain, head: str
) -> None:
    assert plain(made, "rev-parse", "HEAD") == head
    plain(made, "symbolic-ref", "-q", "HEAD", code=1)
    assert plain(made, "status", "--porcelain", "--ignored") == ""
    assert (made / "src" / "deep" / "three.txt").read_text() == "3\n"
    assert "locked in use by fleet" in plain(repo, "worktree", "list", "--porcelain")
    assert plain(repo, "status", "--porcelain") == ""


def test_creating_again_finishes_what_is_half_checked_out(
    place: Place, made: Path, head: str, lock: Path, plain: Plain
) -> None:
    (made / "README.md").unlink()
    admin = admin_dir(made)
    assert admin
    (admin / "index").unlink()
    (admin / "index.lock").touch()

    create(place, made, head, lock=lock)

    assert plain(made, "status", "--porcelain") == ""


def test_a_directory_without_an_entry_is_made_anew(
    place: Place, made: Path, head: str, lock: Path, plain: Plain
) -> None:
    for item in list(made.iterdir()):
        if item.name != ".git":
            subprocess.run(["rm", "-r", item], check=True)
    plain(place.root, "worktree", "unlock", str(made))
    admin = admin_dir(made)
    assert admin
    subprocess.run(["rm", "-r", admin], check=True)

    create(place, made, head, lock=lock)

    assert plain(made, "status", "--porcelain") == ""


def test_an_entry_without_a_directory_is_made_anew(
    place: Place, made: Path, head: str, lock: Path, plain: Plain
) -> None:
    subprocess.run(["rm", "-r", made], check=True)

    create(place, made, head, lock=lock)

    assert plain(made, "status", "--porcelain") == ""
    assert len(list((place.git_dir / "worktrees").iterdir())) == 1


def test_a_worktree_whose_entry_was_only_begun_is_made_anew(
    place: Place, slot: Path, head: str, lock: Path, plain: Plain
) -> None:
    entry = place.git_dir / "worktrees" / "017"
    entry.mkdir(parents=True)
    slot.mkdir(parents=True)
    (entry / "locked").write_text("initializing")
    (entry / "gitdir").write_text(f"{slot}/.git\n")
    (slot / ".git").write_text(f"gitdir: {entry}\n")
    (entry / "HEAD").write_text("0" * 40 + "\n")

    create(place, slot, head, lock=lock)

    assert plain(slot, "status", "--porcelain") == ""


def test_files_of_unknown_origin_are_never_removed(
    place: Place, slot: Path, head: str, lock: Path
) -> None:
    slot.mkdir(parents=True)
    (slot / "work.txt").write_text("precious")

    with pytest.raises(RefusedError, match="holds files, and is not a worktree") as caught:
        create(place, slot, head, lock=lock)

    assert (slot / "work.txt").read_text() == "precious"
    assert caught.value.hint == f"move them away: mv {slot} {slot}.old"


def test_a_copy_of_a_worktree_is_none(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "copy")

    assert admin_dir(tmp_path / "copy") is None
    assert admin_dir(made)


def test_a_worktree_in_use_is_not_created_again(
    place: Place, made: Path, head: str, lock: Path
) -> None:
    claim(place, made, branch="fleet/a", commit=head)
    (made / "README.md").write_text("work")

    with pytest.raises(RefusedError, match="is in use"):
        create(place, made, head, lock=lock)

    assert (made / "README.md").read_text() == "work"


def test_worktrees_are_entered_one_at_a_time(
    place: Place, slot: Path, head: str, lock: Path
) -> None:
    lock.parent.mkdir()
    thread = threading.Thread(target=create, args=(place, slot, head), kwargs={"lock": lock})
    with lock.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread.start()
        until(lambda: _waits_for_a_lock(lock), timeout=5)
        assert not slot.exists()
    thread.join()

    assert (slot / "README.md").exists()


def _waits_for_a_lock(lock: Path) -> bool:
    inode = str(lock.stat().st_ino)
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and inode in line for line in lines)


def test_many_threads_create_at_once(place: Place, slot: Path, head: str, lock: Path) -> None:
    paths = [slot.parent / f"{number:03}" / "wt" for number in range(6)]
    threads = [
        threading.Thread(target=create, args=(place, path, head), kwargs={"lock": lock})
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all((path / "src" / "deep" / "three.txt").exists() for path in paths)


def test_filters_of_the_user_are_honoured_at_checkout(
    place: Place, slot: Path, lock: Path, plain: Plain, tmp_path: Path
) -> None:
    repo = place.root
    (tmp_path / "home" / ".gitconfig").write_text('[filter "up"]\n  smudge = tr a-z A-Z\n')
    (repo / ".gitattributes").write_text("README.md filter=up\n")
    plain(repo, "add", ".gitattributes")
    plain(repo, "commit", "-qm", "filter")

    create(place, slot, "main", lock=lock)

    assert (slot / "README.md").read_text() == "HELLO\n"


def test_claiming_moves_references_only(
    place: Place, made: Path, head: str, plain: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[str] = []
    real = run.git

    def counted(cwd: Path, *args: str, **more: object) -> run.Answer:
        commands.append(args[0])
        return real(cwd, *args, **more)  # type: ignore[arg-type] # passes on what it was given

    monkeypatch.setattr(workspaces, "git", counted)
    claim(place, made, branch="fleet/a", commit=head)

    assert commands == ["update-ref", "symbolic-ref"]
    assert plain(made, "symbolic-ref", "HEAD") == "refs/heads/fleet/a"
    assert plain(made, "status", "--porcelain") == ""
    plain(made, "rev-parse", "--abbrev-ref", "fleet/a@{upstream}", code=128)
    plain(place.root, "config", "--get-regexp", r"^branch\.", code=1)


def test_claiming_again_changes_nothing(place: Place, made: Path, head: str, plain: Plain) -> None:
    claim(place, made, branch="fleet/a", commit=head)
    (made / "README.md").write_text("work")
    plain(made, "commit", "-qam", "work")
    (made / "README.md").write_text("more work")
    at = plain(made, "rev-parse", "HEAD")

    claim(place, made, branch="fleet/a", commit=head)

    assert plain(made, "rev-parse", "HEAD") == at
    assert (made / "README.md").read_text() == "more work"


def test_a_claim_that_a_crash_cut_short_is_finished(
    place: Place, made: Path, head: str, plain: Plain
) -> None:
    plain(place.root, "branch", "fleet/a", head)

    claim(place, made, branch="fleet/a", commit=head)

    assert plain(made, "symbolic-ref", "HEAD") == "refs/heads/fleet/a"


def test_a_slot_elsewhere_is_brought_to_the_commit(place: Place, made: Path, plain: Plain) -> None:
    older = plain(place.root, "rev-parse", "main^^")

    claim(place, made, branch="fleet/a", commit=older)

    assert plain(made, "rev-parse", "HEAD") == older
    assert plain(made, "status", "--porcelain") == ""
    assert not (made / "docs").exists()


def test_an_existing_branch_is_kept_at_its_own_head(
    place: Place, made: Path, head: str, plain: Plain
) -> None:
    plain(place.root, "branch", "fleet/a", "main^")

    claim(place, made, branch="fleet/a", commit=head)

    assert plain(made, "rev-parse", "HEAD") == plain(place.root, "rev-parse", "main^")
    assert plain(made, "status", "--porcelain") == ""


def test_a_slot_in_use_is_given_to_nobody_else(place: Place, made: Path, head: str) -> None:
    claim(place, made, branch="fleet/a", commit=head)

    with pytest.raises(RefusedError, match="in use by the branch fleet/a"):
        claim(place, made, branch="fleet/b", commit=head)


def test_a_branch_is_checked_out_once(place: Place, made: Path, head: str) -> None:
    with pytest.raises(RefusedError, match="the branch main is checked out in"):
        claim(place, made, branch="main", commit=head)


def test_a_branch_that_cannot_be_made_is_said(
    place: Place, made: Path, head: str, plain: Plain
) -> None:
    plain(place.root, "branch", "fleet")

    with pytest.raises(ToolError, match=r"git update-ref in"):
        claim(place, made, branch="fleet/a", commit=head)


def test_resuming_needs_a_branch(place: Place, made: Path) -> None:
    with pytest.raises(RefusedError, match="there is no branch fleet/a"):
        resume(place, made, branch="fleet/a")


def test_a_recycled_slot_is_clean_and_its_branch_stays(
    place: Place, made: Path, head: str, plain: Plain
) -> None:
    claim(place, made, branch="fleet/a", commit=head)
    (made / "README.md").write_text("work")
    plain(made, "commit", "-qam", "work")
    tip = plain(made, "rev-parse", "HEAD")
    for name in ("new.txt", "build/out", "x.log", "cache/kept", "src/one.txt"):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text("left")
    plain(made, "init", "-q", "nested")

    for _ in range(2):
        recycle(place, made, head, keep=("cache",))

    assert plain(made, "status", "--porcelain", "--ignored") == "?? cache/"
    assert plain(made, "rev-parse", "HEAD") == head
    plain(made, "symbolic-ref", "-q", "HEAD", code=1)
    assert branch_tip(place, "fleet/a") == tip
    assert not (made / "nested").exists()


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_recycling_ends_what_was_going_on(
    place: Place, made: Path, head: str, plain: Plain, how: str
) -> None:
    claim(place, made, branch="fleet/a", commit=head)
    for where, text in ((made, "mine"), (place.root, "theirs")):
        (where / "README.md").write_text(text)
        plain(where, "commit", "-qam", text)
    plain(made, how, "main", code=1)

    recycle(place, made, head, keep=())

    admin = admin_dir(made)
    assert admin
    left = {item.name for item in admin.iterdir()}
    assert left.isdisjoint({"MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge", "sequencer"})
    assert plain(made, "status", "--porcelain") == ""


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_recycling_sees_edits_that_were_hidden_from_git(
    place: Place, made: Path, head: str, plain: Plain, mark: str
) -> None:
    plain(made, "update-index", mark, "README.md")
    (made / "README.md").write_text("hidden")

    recycle(place, made, head, keep=())

    assert (made / "README.md").read_text() == "hello\n"


def test_recycling_passes_a_lock_that_nobody_holds(place: Place, made: Path, head: str) -> None:
    admin = admin_dir(made)
    assert admin
    for name in ("index.lock", "HEAD.lock"):
        (admin / name).touch()

    recycle(place, made, head, keep=())

    assert not list(admin.glob("*.lock"))


def test_recycling_respects_a_lock_that_a_process_holds(
    place: Place, made: Path, head: str
) -> None:
    admin = admin_dir(made)
    assert admin
    with (admin / "index.lock").open("w"), pytest.raises(ToolError, match=r"index\.lock"):
        recycle(place, made, head, keep=())

    assert (admin / "index.lock").exists()


def test_only_a_worktree_is_recycled(place: Place, tmp_path: Path, head: str) -> None:
    with pytest.raises(RefusedError, match="is not a worktree"):
        recycle(place, tmp_path, head, keep=())


def test_a_dropped_worktree_is_in_the_trash_and_git_forgot_it(
    place: Place, made: Path, lock: Path, tmp_path: Path, plain: Plain
) -> None:
    (made / "new.txt").write_text("work")
    trash = tmp_path / "trash"

    for _ in range(2):
        drop(place, made, trash=trash, lock=lock)

    assert not made.exists()
    assert [path.read_text() for path in trash.glob("*/017/new.txt")] == ["work"]
    assert plain(place.root, "worktree", "list").count("\n") == 0


def test_a_drop_that_a_crash_cut_short_is_finished(
    place: Place, made: Path, lock: Path, tmp_path: Path, plain: Plain
) -> None:
    made.rename(tmp_path / "moved")

    drop(place, made, trash=tmp_path / "trash", lock=lock)

    assert plain(place.root, "worktree", "list").count("\n") == 0


def test_other_worktrees_are_left_alone(
    place: Place, made: Path, lock: Path, tmp_path: Path, plain: Plain
) -> None:
    theirs = tmp_path / "theirs"
    plain(place.root, "worktree", "add", "-q", "-b", "mine", str(theirs))
    theirs.rename(tmp_path / "unplugged")  # prune would now forget it

    drop(place, made, trash=tmp_path / "trash", lock=lock)

    assert str(theirs) in plain(place.root, "worktree", "list")


def test_a_trash_that_cannot_be_used_is_said(
    place: Place, made: Path, lock: Path, tmp_path: Path
) -> None:
    (tmp_path / "trash").touch()

    with pytest.raises(ToolError, match=r"cannot move .*/017 to .*/trash"):
        drop(place, made, trash=tmp_path / "trash", lock=lock)

    assert (made / "README.md").exists()


def test_an_entry_on_another_filesystem_than_the_trash_is_deleted(
    place: Place, made: Path, lock: Path, plain: Plain, tmp_path: Path
) -> None:
    places = [Path(path) for path in ("/dev/shm", "/var/tmp")]
    mine = tmp_path.stat().st_dev
    others = [path for path in places if path.is_dir() and path.stat().st_dev != mine]
    if not others:
        pytest.skip("there is one filesystem only")
    admin = admin_dir(made)
    assert admin

    workspaces._discard_entry(admin, others[0])

    assert not admin.exists()


def test_a_worktree_gets_the_sparse_patterns_of_the_main_one(
    place: Place, slot: Path, lock: Path, plain: Plain
) -> None:
    plain(place.root, "sparse-checkout", "set", "src")

    create(place, slot, "main", lock=lock)

    assert (slot / "src" / "one.txt").exists()
    assert not (slot / "docs").exists()


def test_a_detached_head_is_read_from_git_where_its_file_says_nothing(
    made: Path, head: str
) -> None:
    admin = admin_dir(made)
    assert admin
    assert workspaces._detached_at(made) == head
    (admin / "HEAD").write_text("ref: refs/heads/.invalid\n")

    with pytest.raises(ToolError):
        workspaces._detached_at(made)  # asked git, which has no such format here
