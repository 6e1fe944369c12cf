import os
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import until

from fleet.errors import ToolError
from fleet.tools.git import run
from fleet.tools.git.run import Answer, git, spawn, version


def test_an_answer_tells_code_output_and_complaints(repo: Path) -> None:
    answer = git(repo, "rev-parse", "--verify", "-q", "refs/heads/none", expect=(1,))

    assert (answer.code, answer.out, answer.lines, answer.fields) == (1, b"", [], [])


def test_text_keeps_bytes_that_are_not_utf_8_and_drops_one_line_end() -> None:
    answer = Answer(0, b"caf\xe9\n\n", "")

    assert os.fsencode(answer.text) == b"caf\xe9\n"
    assert Answer(0, b"a\nb\n", "").lines == ["a", "b"]
    assert Answer(0, b"a\0b\0", "").fields == ["a", "b"]


def test_input_is_given_whole(repo: Path) -> None:
    large = b"x" * 3_000_000

    sha = git(repo, "hash-object", "-w", "--stdin", stdin=large).text

    assert git(repo, "cat-file", "blob", sha).out == large


def test_an_unexpected_exit_code_names_command_place_and_reason(repo: Path) -> None:
    with pytest.raises(
        ToolError, match=r"git cat-file in .*/repo failed with exit code 128: fatal"
    ):
        git(repo, "-c", "a.b=c", "cat-file", "-e", "nothing^{commit}")


def test_a_missing_directory_is_not_replaced_by_ours(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        git(tmp_path / "gone", "status")

    assert caught.value.hint == f"the directory {tmp_path}/gone is gone"


def test_a_lock_file_is_named_in_the_hint(repo: Path) -> None:
    (repo / ".git" / "index.lock").touch()

    with pytest.raises(ToolError) as caught:
        git(repo, "reset", "--hard")

    assert caught.value.hint == (
        f"if no git runs in that repository, remove {repo}/.git/index.lock"
    )


def test_a_dollar_in_a_name_is_a_dollar(repo: Path) -> None:
    moved = repo.rename(repo.parent / "a $HOME ~b")

    assert git(moved, "rev-parse", "--show-toplevel").text == str(moved)


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"])
def test_variables_that_would_mislead_git_are_hidden(
    repo: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(repo / "elsewhere"))

    assert git(repo, "status", "--porcelain").out == b""


def test_settings_from_the_environment_are_hidden(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'gc.auto'='77'")

    assert git(repo, "config", "gc.auto").text == "0"


def test_a_variable_given_by_the_caller_counts(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / "wrong"))

    index = git(repo, "rev-parse", "--git-path", "index", env={"GIT_INDEX_FILE": "/mine"}).text

    assert index == "/mine"


def test_no_hook_runs(repo: Path) -> None:
    hook = repo / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)

    git(repo, "update-ref", "refs/heads/other", "HEAD")

    assert not list(repo.rglob("hook-ran"))


def test_status_takes_no_lock(repo: Path) -> None:
    index = repo / ".git" / "index"
    os.utime(repo / "README.md")  # a status with locks would now write the index anew
    before = index.stat().st_ino

    git(repo, "status")

    assert index.stat().st_ino == before


def test_hermetic_runs_see_no_configuration_of_the_user(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".gitconfig").write_text("[merge]\n  renames = false\n[user]\n  name=x\n")
    attributes = tmp_path / "home" / ".config" / "git" / "attributes"
    attributes.parent.mkdir(parents=True)
    attributes.write_text("*.txt merge=union\n")

    asked = ("check-attr", "merge", "a.txt")
    assert git(repo, "config", "merge.renames").text == "false"
    assert git(repo, "config", "merge.renames", hermetic=True).text == "true"
    assert git(repo, "config", "user.name", hermetic=True, expect=(1,)).code == 1
    assert git(repo, *asked).text.endswith("union")
    assert git(repo, *asked, hermetic=True).text.endswith("unspecified")


def test_what_takes_too_long_is_ended_and_leaves_no_lock_and_no_process(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.slow filter=slow\n")
    (repo / "a.slow").touch()
    pid = repo.parent / "pid"
    slow = f"filter.slow.clean=echo $$ >{pid}; exec sleep 60"

    with pytest.raises(ToolError, match=r"git add in .* took more than 0.3 seconds"):
        git(repo, "-c", slow, "add", "a.slow", timeout_s=0.3)

    assert not (repo / ".git" / "index.lock").exists()
    until(lambda: _ended(pid), timeout=5)


def test_what_will_not_end_is_killed(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_GRACE_S", 0.1)
    pid = repo.parent / "pid"
    deaf = f"alias.deaf=!trap '' TERM; echo $$ >{pid}; while :; do sleep 60; done"

    with pytest.raises(ToolError, match="took more than"):
        git(repo, "-c", deaf, "deaf", timeout_s=0.3)

    until(lambda: _ended(pid), timeout=5)


def _ended(pid: Path) -> bool:
    """Return whether the process is gone, or only waits for its parent to take note of it."""
    try:
        return not Path(f"/proc/{int(pid.read_text())}/cmdline").read_bytes()
    except FileNotFoundError:
        return True


def test_a_spawned_git_can_be_spoken_to(repo: Path) -> None:
    child = spawn(repo, "cat-file", "--batch-check")

    out, err = child.communicate(b"HEAD\n")

    assert child.returncode == 0
    assert b" commit " in out
    assert err == b""


def test_a_spawned_git_lives_on_when_nobody_holds_our_wrapper(repo: Path) -> None:
    child = spawn(repo, "cat-file", "--batch-check")

    assert child.poll() is None
    child.communicate(b"")


def test_the_version_is_known_and_new_enough() -> None:
    assert version() >= run.OLDEST


def test_an_old_git_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho git version 2.37.9\n")
    fake.chmod(0o755)
    git(tmp_path, "--version")  # GitPython is imported before its git is replaced
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")

    with pytest.raises(ToolError, match=r"git version 2\.37\.9 is too old"):
        version.__wrapped__()


def test_a_missing_git_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    git(tmp_path, "--version")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match="git is not installed"):
        git(tmp_path, "--version")


def test_a_git_that_is_missing_from_the_start_is_said(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from fleet.errors import ToolError\n"
        "from fleet.tools.git.run import git\n"
        "try:\n  git(Path('/'), '--version')\n"
        "except ToolError as error:\n  print(error.message, error.hint, sep='|')\n"
    )
    root = Path(__file__).parents[3]
    argv = [sys.executable, "-c", program]
    env = {"PATH": str(tmp_path)}
    done = subprocess.run(argv, env=env, capture_output=True, cwd=root, check=True)

    assert done.stdout == b"git is not installed|install git 2.38 or newer\n"
