"""A fleet home is made whole or not at all, and used by its own machine and version only."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleet import home as homes
from fleet import paths
from fleet.errors import HomeError
from fleet.home import HomeIdentity, filesystem, machine_id, open_home


@pytest.fixture(autouse=True)
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "packaged-hook"
    file.write_text("#!/bin/sh\nexit 0\n")
    monkeypatch.setattr(paths, "HOOK", file)
    return file


@pytest.fixture
def home(tmp_path: Path) -> paths.Home:
    return paths.Home(tmp_path / "deep" / "fleet")


def refusal(home: paths.Home) -> HomeError:
    with pytest.raises(HomeError) as caught:
        open_home(home)
    assert caught.value.hint
    return caught.value


def contents(root: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_home_is_made_private_with_all_its_directories(home: paths.Home) -> None:
    identity = open_home(home)
    assert len(identity.id) == 16
    assert identity.machine == machine_id()
    for directory in (
        home.root,
        home.spool,
        home.asks,
        home.trash,
        home.hook.parent,
        home.root / "tasks",
    ):
        assert mode(directory) == 0o700
    assert mode(home.identity) == 0o600
    assert sorted(path.name for path in home.root.iterdir()) == sorted(
        ["home.json", "spool", "asks", "trash", "bin", "tasks"]
    )


def test_a_home_keeps_its_identity(home: paths.Home) -> None:
    first = open_home(home)
    before = contents(home.root)
    assert open_home(home) == first
    assert contents(home.root) == before
    assert open_home(paths.Home(home.root.parent / "other")).id != first.id


def test_directories_that_went_missing_are_made_again(home: paths.Home) -> None:
    open_home(home)
    home.spool.rmdir()
    open_home(home)
    assert home.spool.is_dir()


def test_the_hook_is_installed_when_missing_different_or_not_executable(
    home: paths.Home, hook: Path
) -> None:
    open_home(home)
    assert home.hook.read_bytes() == hook.read_bytes()
    assert mode(home.hook) == 0o700
    untouched = home.hook.stat().st_ino
    open_home(home)
    assert home.hook.stat().st_ino == untouched
    home.hook.chmod(0o600)
    open_home(home)
    assert mode(home.hook) == 0o700
    hook.write_text("#!/bin/sh\nexit 7\n")
    open_home(home)
    assert subprocess.run([home.hook], check=False).returncode == 7


def test_a_package_without_its_hook_is_refused(home: paths.Home, hook: Path) -> None:
    hook.unlink()
    assert "not completely installed" in refusal(home).message


def test_what_a_crash_left_half_written_is_written_over(home: paths.Home) -> None:
    home.root.mkdir(parents=True, mode=0o700)
    leftover = home.root / ".home.json.new"
    leftover.write_text("{")
    open_home(home)
    assert not leftover.exists()


def test_all_who_open_a_new_home_at_once_get_one_identity(home: paths.Home) -> None:
    start = threading.Barrier(6)

    def opened(_: int) -> HomeIdentity:
        start.wait()
        return open_home(home)

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(opened, range(6)))) == 1


def test_another_machines_home_is_refused_with_a_way_back(home: paths.Home) -> None:
    open_home(home)
    record = json.loads(home.identity.read_bytes())
    home.identity.write_text(json.dumps({**record, "machine": "another"}))
    before = contents(home.root)
    error = refusal(home)
    assert error.message == f"{home.root} belongs to another machine"
    assert machine_id() in (error.hint or "")
    assert contents(home.root) == before


@pytest.mark.parametrize("rest", [{}, {"machine": {"id": "x"}, "id": 5}])
def test_a_newer_versions_home_is_refused_and_never_written(
    home: paths.Home, hook: Path, rest: dict[str, object]
) -> None:
    open_home(home)
    home.identity.write_text(json.dumps({"format": homes.FORMAT + 1, **rest}))
    hook.write_text("older")
    before = contents(home.root)
    assert "was made by a newer fleet" in refusal(home).message
    assert contents(home.root) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": "1"}',
        '{"format": 1}',
        "\udcff",
        '{"format": 1, "id": "\udcff", "machine": ""}',
    ],
)
def test_an_unreadable_identity_is_an_error_and_never_a_new_home(
    home: paths.Home, text: str
) -> None:
    open_home(home)
    home.identity.write_bytes(text.encode(errors="surrogateescape"))
    assert f"{home.identity} cannot be read" in refusal(home).message
    assert home.identity.read_bytes() == text.encode(errors="surrogateescape")


def test_an_identity_without_an_id_is_refused(home: paths.Home) -> None:
    open_home(home)
    home.identity.write_text('{"format": 1, "id": "../x", "machine": "m"}')
    assert "holds no id of a fleet home" in refusal(home).message


def test_a_ledger_without_identity_gets_no_new_one(home: paths.Home) -> None:
    open_home(home)
    home.identity.unlink()
    home.ledger.touch()
    assert "has a ledger but has lost home.json" in refusal(home).message
    assert not home.identity.exists()


def test_a_home_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot make the directory" in refusal(paths.Home(tmp_path / "file" / "home")).message


def test_a_home_that_others_may_enter_is_refused(home: paths.Home) -> None:
    home.root.mkdir(parents=True, mode=0o755)
    home.root.chmod(0o755)
    assert refusal(home).hint == f"type: chmod 700 {home.root}"


def test_a_home_behind_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert refusal(paths.Home(tmp_path / "loop" / "home")).message


def test_what_is_in_the_way_of_a_directory_is_named(home: paths.Home) -> None:
    home.root.mkdir(parents=True, mode=0o700)
    home.spool.touch()
    error = refusal(home)
    assert error.message == f"cannot write in {home.root}: File exists"
    assert not home.identity.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said(
    home: paths.Home, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    assert refusal(home).message == f"the disk that holds {home.root} is full"
    assert contents(home.root) == {}


SMALL_FILES = """
import resource, sys
from pathlib import Path
from fleet import paths
from fleet.errors import HomeError
from fleet.home import open_home
paths.HOOK = Path(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (30, 30))
try:
    open_home(paths.Home(Path(sys.argv[1])))
except HomeError as error:
    print(error.message)
"""


def test_a_write_that_fails_leaves_nothing_half_made(home: paths.Home, hook: Path) -> None:
    argv = [sys.executable, "-c", SMALL_FILES, str(home.root), str(hook)]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert said == f"cannot write in {home.root}: File too large\n"
    assert list(contents(home.root)) == [str(home.hook)]
    assert len(open_home(home).id) == 16


MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /home rw - nfs4 server:/home rw
24 23 0:22 / /home/me/local rw shared:2 master:1 - ext4 /dev/vdb rw
25 22 0:23 / /mnt/a\040b rw - fuse.sshfs me@host:/ rw
26 22 0:24 / /over rw - ext4 /dev/vdc rw
27 22 0:25 / /over rw - cifs //server/share rw
torn line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/", "ext4"),
        ("/home/me/fleet", "nfs4"),
        ("/homework", "ext4"),
        ("/home/me/local/fleet", "ext4"),
        ("/mnt/a b/c", "fuse.sshfs"),
        ("/over/x", "cifs"),
    ],
)
def test_the_innermost_latest_mount_holds_a_path(path: str, kind: str) -> None:
    assert filesystem(Path(path), MOUNTS) == kind


def test_without_mounts_nothing_is_known() -> None:
    assert filesystem(Path("/x"), "") == ""


def test_a_network_file_system_is_refused_before_anything_is_made(
    home: paths.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:9 / {home.root.parent} rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(homes, "_MOUNTINFO", mounts)
    assert refusal(home).message == f"{home.root} is on a network file system (nfs4)"
    assert not home.root.parent.exists()
    link = tmp_path / "link"
    link.symlink_to(home.root.parent)
    assert "nfs4" in refusal(paths.Home(link / "fleet")).message


def test_a_machine_without_mountinfo_is_trusted(
    home: paths.Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "_MOUNTINFO", tmp_path / "none")
    assert open_home(home).id


def test_the_machine_is_known_by_its_id_else_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    by_name = machine_id(file)
    file.write_text("uninitialized\n")
    assert machine_id(file) == by_name
    file.write_bytes(b"\xff")
    assert machine_id(file) == by_name
    file.write_text("0123456789abcdef0123456789abcdef\n")
    assert machine_id(file) not in {by_name, "0123456789abcdef0123456789abcdef"}
