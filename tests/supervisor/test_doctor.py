"""Each check of the doctor sees what it is there to see."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet import paths
from fleet.home import machine_id
from fleet.supervisor import doctor


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[paths.Home]:
    with tempfile.TemporaryDirectory(prefix="fd-") as short:
        monkeypatch.setenv("XDG_RUNTIME_DIR", short)
        monkeypatch.setenv("FLEET_HOME", str(tmp_path / "fleet"))
        yield paths.home()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    subprocess.run(["git", "-C", root, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return root


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make PATH one directory, for a test to fill."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def install(directory: Path, name: str, says: str) -> None:
    (directory / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (directory / name).chmod(0o755)


def test_this_machine_is_fit() -> None:
    found = {finding.name: finding for finding in doctor.findings(None)}
    assert {found[name].state for name in ("python", "git", "tmux", "home", "sockets")} == {"ok"}


@pytest.mark.parametrize(
    ("says", "state"),
    [("git version 2.38.0", "ok"), ("git version 2.37.9", "wrong"), ("what?", "wrong")],
)
def test_git_must_be_new_enough(says: str, state: str, programs: Path) -> None:
    install(programs, "git", says)
    assert doctor.git().state == state


@pytest.mark.parametrize(
    ("says", "state"), [("tmux 3.2a", "ok"), ("tmux next-3.4", "ok"), ("tmux 3.1", "wrong")]
)
def test_tmux_must_be_new_enough(says: str, state: str, programs: Path) -> None:
    install(programs, "tmux", says)
    assert doctor.tmux().state == state


def test_a_missing_program_is_wrong(programs: Path) -> None:
    assert doctor.tmux() == doctor.Finding(
        "tmux", "wrong", "it is not in PATH", "install tmux 3.2 or newer"
    )


def test_a_program_that_cannot_be_run_is_no_version(programs: Path) -> None:
    (programs / "git").write_text("no program")
    (programs / "git").chmod(0o755)
    assert doctor.git().state == "wrong"


def test_a_home_that_others_may_enter_is_wrong(home: paths.Home) -> None:
    home.root.mkdir(mode=0o700)
    assert doctor.home().state == "ok"
    home.root.chmod(0o755)
    assert doctor.home().state == "wrong"


def test_a_home_that_cannot_be_written_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLEET_HOME", str(tmp_path / "file" / "fleet"))
    assert doctor.home().state == "wrong"


def test_a_home_on_a_network_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.home_filesystem().state == "ok"
    monkeypatch.setattr(doctor, "filesystem", lambda *_: "nfs4")
    assert doctor.home_filesystem().state == "wrong"


def test_another_machine_s_home_is_wrong(home: paths.Home) -> None:
    assert doctor.home_machine().state == "ok"
    home.root.mkdir()
    for text, state in (
        (json.dumps({"machine": machine_id()}), "ok"),
        ('{"machine": "another"}', "wrong"),
        ("not json", "wrong"),
        ("[]", "wrong"),
    ):
        home.identity.write_text(text)
        assert doctor.home_machine().state == state


def test_sockets_need_a_private_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "run" / "fleet").mkdir(parents=True, mode=0o755)
    (tmp_path / "run" / "fleet").chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert doctor.sockets().state == "wrong"


@pytest.mark.parametrize(("free", "state"), [(0.5, "wrong"), (5, "note"), (50, "ok")])
def test_disk_space(free: float, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=int(free * 1e9))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert doctor.disk().state == state


def test_what_linux_gives_is_there() -> None:
    assert doctor.processes().state == "ok"
    assert doctor.watches().state in ("ok", "note")


@pytest.mark.parametrize(("says", "state"), [("Linger=yes", "ok"), ("Linger=no", "note")])
def test_linger(says: str, state: str, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.linger().state == "ok"  # nothing to ask
    install(programs, "loginctl", says)
    monkeypatch.setattr(doctor, "_has_systemd", lambda: True)
    assert doctor.linger().state == state


def test_a_branch_named_fleet_is_wrong(repository: Path) -> None:
    assert doctor.branch_named_fleet(repository).state == "ok"
    subprocess.run(["git", "-C", repository, "branch", "fleet/x"], check=True)
    assert doctor.branch_named_fleet(repository).state == "ok"
    subprocess.run(["git", "-C", repository, "branch", "-D", "-q", "fleet/x"], check=True)
    subprocess.run(["git", "-C", repository, "branch", "fleet"], check=True)
    assert doctor.branch_named_fleet(repository).state == "wrong"


def test_git_must_know_who_commits(repository: Path) -> None:
    subprocess.run(["git", "-C", repository, "config", "user.useConfigOnly", "true"], check=True)
    assert doctor.identity(repository).state == "wrong"
    for key, value in (("user.name", "A Person"), ("user.email", "a@example.invalid")):
        subprocess.run(["git", "-C", repository, "config", key, value], check=True)
    found = doctor.identity(repository)
    assert (found.state, found.says) == ("ok", "A Person <a@example.invalid>")


def test_large_files_need_their_program(repository: Path, programs: Path) -> None:
    assert doctor.large_files(repository).state == "ok"
    (repository / ".gitattributes").write_text("*.bin filter=lfs\n")
    assert doctor.large_files(repository).state == "wrong"
    install(programs, "git-lfs", "")
    assert doctor.large_files(repository).state == "note"


def test_submodules_are_noted(repository: Path) -> None:
    assert doctor.submodules(repository).state == "ok"
    (repository / ".gitmodules").write_text("")
    assert doctor.submodules(repository).state == "note"


def test_it_is_a_program(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["doctor", "--json", str(repository)])
    assert doctor.main() in (0, 1)  # git may not know here who commits
    assert json.loads(capsys.readouterr().out)[0]["name"] == "python"
    monkeypatch.setattr(doctor, "MACHINE", (lambda: doctor.Finding("x", "wrong", "y"),))
    monkeypatch.setattr(sys, "argv", ["doctor"])
    assert doctor.main() == 1
    assert capsys.readouterr().out == "wrong x: y\n"
