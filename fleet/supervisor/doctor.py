"""Looks whether fleet can work here, changes nothing, and says what to do where it cannot."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct, to_builtins

from fleet import paths
from fleet.errors import FleetError
from fleet.home import NETWORK, filesystem, machine_id

OLDEST_PYTHON = (3, 11)
OLDEST_GIT = (2, 38)  # the first that merges without a work tree
OLDEST_TMUX = (3, 2)
SCARCE_GB, LITTLE_GB = 1, 10
_FEW_WATCHES = 1000
_LIMIT_S = 10.0
State = Literal["ok", "note", "wrong"]


class Finding(Struct, frozen=True):
    """What one check has found: a note means that something is less comfortable, or slower."""

    name: str
    state: State
    says: str
    hint: str | None = None


def python() -> Finding:
    """Whether Python is new enough."""
    found = sys.version_info[:2]
    return _version("python", found, OLDEST_PYTHON, sys.executable)


def git() -> Finding:
    """Whether git is there and new enough."""
    return _program("git", "--version", OLDEST_GIT)


def tmux() -> Finding:
    """Whether tmux is there and new enough."""
    return _program("tmux", "-V", OLDEST_TMUX)


def _program(name: str, question: str, oldest: tuple[int, int]) -> Finding:
    path = shutil.which(name)
    if path is None:
        hint = f"install {name} {oldest[0]}.{oldest[1]} or newer"
        return Finding(name, "wrong", "it is not in PATH", hint)
    found = re.search(r"(\d+)\.(\d+)", _said(name, question))
    return _version(name, (int(found[1]), int(found[2])) if found else (0, 0), oldest, path)


def _version(name: str, found: tuple[int, int], oldest: tuple[int, int], path: str) -> Finding:
    needed = f"{oldest[0]}.{oldest[1]}"
    says = f"{found[0]}.{found[1]} at {path}"
    if found >= oldest:
        return Finding(name, "ok", says)
    return Finding(name, "wrong", f"{says} is too old", f"install {name} {needed} or newer")


def home() -> Finding:
    """Whether the fleet home can be written, and is private."""
    root = paths.home().root
    present = _nearest(root)
    if not (present.is_dir() and os.access(present, os.W_OK | os.X_OK)):
        hint = "set FLEET_HOME to a directory that you can write"
        return Finding("home", "wrong", f"{present} cannot be written", hint)
    if root.exists() and root.stat().st_mode & 0o077:
        return Finding("home", "wrong", f"{root} is open to other users", f"type: chmod 700 {root}")
    return Finding("home", "ok", str(root))


def home_filesystem() -> Finding:
    """Whether locks and shared memory mean something where the home is."""
    root = paths.home().root
    try:
        mounts = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    except OSError:
        return Finding("file system", "note", "its kind is not known on this system")
    kind = filesystem(Path(os.path.realpath(root)), mounts)
    if kind in NETWORK:
        hint = "set FLEET_HOME to a directory on a disk of this machine"
        return Finding("file system", "wrong", f"{root} is on a network ({kind})", hint)
    return Finding("file system", "ok", kind or "local")


def home_machine() -> Finding:
    """Whether the home was made on this machine."""
    identity = paths.home().identity
    try:
        machine = json.loads(identity.read_bytes())["machine"]
    except FileNotFoundError:
        return Finding("machine", "ok", "the home is made at the first start")
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "restore it from a backup, or set FLEET_HOME to a new directory"
        return Finding("machine", "wrong", f"{identity} cannot be read: {error}", hint)
    if machine != machine_id():
        hint = "set FLEET_HOME to another directory"
        return Finding("machine", "wrong", "the home belongs to another machine", hint)
    return Finding("machine", "ok", "the home belongs to this machine")


def sockets() -> Finding:
    """Whether sockets have a private place with a name that is short enough."""
    try:
        return Finding("sockets", "ok", str(paths.home().socket().parent))
    except FleetError as error:
        return Finding("sockets", "wrong", error.message, error.hint)


def disk() -> Finding:
    """Whether there is room for workspaces."""
    free = shutil.disk_usage(_nearest(paths.home().root)).free / 1e9
    says = f"{free:.0f} GB free"
    if free < SCARCE_GB:
        return Finding("disk", "wrong", f"{free:.1f} GB free", "make room, or set FLEET_HOME")
    if free < LITTLE_GB:
        return Finding("disk", "note", says, "each workspace is a checkout: make room")
    return Finding("disk", "ok", says)


def processes() -> Finding:
    """Whether /proc shows which processes belong to a run."""
    if Path("/proc/self/environ").exists():
        return Finding("/proc", "ok", "processes can be followed")
    return Finding("/proc", "note", "not here: agents are followed more slowly, by psutil")


def watches() -> Finding:
    """Whether agents' reports can be noticed at once."""
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    try:
        number = int(limit.read_text())
    except (OSError, ValueError):
        return Finding("inotify", "note", "not here: agents' reports are noticed more slowly")
    if number < _FEW_WATCHES:
        hint = "type: sudo sysctl fs.inotify.max_user_watches=65536"
        return Finding("inotify", "note", f"only {number} watches", hint)
    return Finding("inotify", "ok", f"{number} watches")


def linger() -> Finding:
    """Whether agents outlive the person's login."""
    user = str(os.getuid())
    if shutil.which("loginctl") is None or not _has_systemd():
        return Finding("linger", "ok", "not needed here")
    if "Linger=yes" in _said("loginctl", "show-user", user, "--property=Linger"):
        return Finding("linger", "ok", "agents go on when you log out")
    hint = "type: loginctl enable-linger"
    return Finding("linger", "note", "logging out may end your agents", hint)


def branch_named_fleet(root: Path) -> Finding:
    """Whether a branch `fleet` bars all branches `fleet/...`."""
    if _said("git", "-C", str(root), "for-each-ref", "refs/heads/fleet", "--count=1").endswith(
        "\trefs/heads/fleet\n"
    ):
        says = 'a branch named "fleet" leaves no room for the branches fleet/TASK'
        return Finding("branches", "wrong", says, "type: git branch -m fleet fleet-old")
    return Finding("branches", "ok", "fleet/TASK is free")


def identity(root: Path) -> Finding:
    """Whether git knows who commits: fleet merges, and commits what agents leave behind."""
    known = _said("git", "-C", str(root), "var", "GIT_COMMITTER_IDENT").rpartition(">")[0]
    if known:
        return Finding("identity", "ok", f"{known}>")
    hint = "type: git config --global user.name NAME, and the same with user.email"
    return Finding("identity", "wrong", "git does not know who you are", hint)


def large_files(root: Path) -> Finding:
    """Whether git LFS is used, and is there."""
    attributes = root / ".gitattributes"
    used = attributes.exists() and "filter=lfs" in attributes.read_text(errors="replace")
    if not used:
        return Finding("lfs", "ok", "not used")
    if shutil.which("git-lfs") is None:
        return Finding("lfs", "wrong", "used here, and not installed", "install git-lfs")
    return Finding("lfs", "note", "each workspace fetches its large files")


def submodules(root: Path) -> Finding:
    """Whether workspaces have submodules to fetch."""
    if (root / ".gitmodules").exists():
        return Finding(
            "submodules", "note", "each workspace has its own copies: more time and room"
        )
    return Finding("submodules", "ok", "none")


MACHINE: tuple[Callable[[], Finding], ...] = (
    *(python, git, tmux, home, home_filesystem, home_machine, sockets, disk),
    *(processes, watches, linger),
)
REPOSITORY: tuple[Callable[[Path], Finding], ...] = (
    *(identity, branch_named_fleet, large_files, submodules),
)


def findings(root: Path | None) -> Iterator[Finding]:
    """Yield what each check has found on this machine, and in the repository at `root`."""
    yield from (check() for check in MACHINE)
    if root is not None:
        yield from (check(root) for check in REPOSITORY)


def _has_systemd() -> bool:
    return Path("/run/systemd/system").exists()


def _nearest(path: Path) -> Path:
    return next(it for it in (path, *path.parents) if it.exists())


def _said(*argv: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "TMUX"))
    }
    try:
        done = subprocess.run(
            argv,
            cwd=tempfile.gettempdir(),
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def main() -> int:
    """Print the findings, with --json as one JSON array; return 1 where something is wrong."""
    arguments = [it for it in sys.argv[1:] if it != "--json"]
    found = list(findings(Path(arguments[0]) if arguments else None))
    if "--json" in sys.argv:
        print(json.dumps(to_builtins(found)))  # noqa: T201 (this is a program)
    else:
        for finding in found:
            print(f"{finding.state:6}{finding.name}: {finding.says}")  # noqa: T201 (see above)
    return int(any(finding.state == "wrong" for finding in found))


if __name__ == "__main__":
    sys.exit(main())
