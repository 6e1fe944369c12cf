"""Makes or checks a fleet home: it is ours, on this machine and this disk, or it is refused."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from fleet import paths
from fleet.errors import HomeError

FORMAT = 1
# Locks, shared memory and process ids mean nothing to the other machines that use these.
NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre"),
        *("gpfs", "beegfs", "pvfs2", "orangefs", "ocfs2", "gfs2", "coda", "ncpfs", "vboxsf"),
        *("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.rclone"),
        *("fuse.s3fs", "fuse.gcsfuse", "fuse.juicefs", "fuse.mfs", "fuse.davfs", "davfs"),
    }
)
_MOUNTINFO = Path("/proc/self/mountinfo")
_MACHINE_ID = Path("/etc/machine-id")
_RESTORE = "restore home.json from a backup, or set FLEET_HOME to a new directory"
_ELSEWHERE = "set FLEET_HOME to a directory on a disk of this machine"


class HomeIdentity(msgspec.Struct, frozen=True):
    """Which home this is (made once, never changed), and on which machine."""

    id: str
    machine: str


class _Format(msgspec.Struct, frozen=True):
    format: int  # the one key that every version, older or newer, can rely on


class _Recorded(msgspec.Struct, frozen=True):
    format: int
    id: str
    machine: str


def open_home(home: paths.Home) -> HomeIdentity:
    """Make the fleet home, or check the one that is there, and return which one it is.

    May be called by several processes at once: all get the same identity. Afterwards the home's
    own directories exist, and `fleet-hook` and `fleet` in it are this version's.

    Raises:
        HomeError: it cannot be written, is not ours alone, lies on a network file system, belongs
            to another machine, or to a newer version; nothing in it was changed then.
    """
    _refuse_network(home.root)
    paths.private_directory(home.root)
    try:
        with _locked(home.root):
            identity = _recorded(home)
            for directory in _directories(home):
                directory.mkdir(mode=0o700, exist_ok=True)
            _install_hook(home.hook)
            _install_command(home.command)
            return identity or _record(home)
    except OSError as error:
        raise _refusal(home.root, error) from error


def machine_id(file: Path = _MACHINE_ID) -> str:
    """Return what tells this machine from others: a digest of its id, else of its host name."""
    try:
        known = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        known = ""
    if not re.fullmatch("[0-9a-f]{32}", known):
        known = os.uname().nodename
    # systemd asks that the id itself be kept confidential.
    return hashlib.sha256(f"fleet:{known}".encode()).hexdigest()[:32]


def filesystem(path: Path, mountinfo: str) -> str:
    """Return the type of the file system that holds the absolute `path`, or an empty text.

    `mountinfo` is the text of /proc/PID/mountinfo; of two mounts on one point the later holds.
    """
    holder, kind = Path(), ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:  # noqa: PLR2004 (proc(5): the fifth is the mount point)
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= len(holder.parts):
            holder, kind = point, after.split(" ")[0]
    return kind


def _refuse_network(root: Path) -> None:
    try:
        mounts = os.fsdecode(_MOUNTINFO.read_bytes())
    except OSError:
        return  # no Linux: `fleet doctor` says what is not checked here
    kind = filesystem(Path(os.path.realpath(root)), mounts)
    if kind in NETWORK:
        raise HomeError(f"{root} is on a network file system ({kind})", hint=_ELSEWHERE)


def _directories(home: paths.Home) -> tuple[Path, ...]:
    return (home.spool, home.asks, home.trash, home.hook.parent, home.task("x").parent)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the directory's own lock, which leaves no file behind and ends with its holder."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _recorded(home: paths.Home) -> HomeIdentity | None:
    """Return the identity of a home that is there, or None where there is none yet."""
    try:
        text = home.identity.read_bytes()
    except FileNotFoundError:
        if home.ledger.exists():
            raise HomeError(
                f"{home.root} has a ledger but has lost {home.identity.name}",
                hint=_RESTORE,
            ) from None
        return None
    try:
        _check_format(home, msgspec.json.decode(text, type=_Format).format)
        known = msgspec.json.decode(text, type=_Recorded)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HomeError(f"{home.identity} cannot be read: {error}", hint=_RESTORE) from error
    _check_machine(home, known)
    return HomeIdentity(known.id, known.machine)


def _check_format(home: paths.Home, found: int) -> None:
    if found > FORMAT:
        raise HomeError(
            f"{home.root} was made by a newer fleet (format {found}, this one has {FORMAT})",
            hint="install that version, or set FLEET_HOME to another directory",
        )


def _check_machine(home: paths.Home, known: _Recorded) -> None:
    if not re.fullmatch("[0-9a-f]{16}", known.id):
        raise HomeError(f"{home.identity} holds no id of a fleet home", hint=_RESTORE)
    if known.machine != (ours := machine_id()):
        raise HomeError(
            f"{home.root} belongs to another machine",
            hint="set FLEET_HOME to another directory; or, if no other machine uses this one, "
            f'set "machine" to "{ours}" in {home.identity}',
        )


def _record(home: paths.Home) -> HomeIdentity:
    identity = HomeIdentity(secrets.token_hex(8), machine_id())
    record = _Recorded(FORMAT, identity.id, identity.machine)
    _replace(home.identity, msgspec.json.encode(record) + b"\n", mode=0o600)
    return identity


def _install_hook(hook: Path) -> None:
    try:
        wanted = paths.HOOK.read_bytes()
    except OSError as error:
        raise HomeError(
            f"fleet is not completely installed: {paths.HOOK} cannot be read",
            hint="install fleet again",
        ) from error
    _install(hook, wanted)


def _install_command(command: Path) -> None:
    """Let agents find this very fleet, whether or not it is on a person's PATH."""
    python = shlex.quote(sys.executable)
    _install(command, f'#!/bin/sh\nexec {python} -P -m fleet "$@"\n'.encode())


def _install(program: Path, wanted: bytes) -> None:
    with suppress(FileNotFoundError):
        if program.read_bytes() == wanted and os.access(program, os.X_OK):
            return
    _replace(program, wanted, mode=0o700)


def _replace(file: Path, content: bytes, *, mode: int) -> None:
    """Put `content` in `file`, whole and on disk, or leave everything as it was.

    The caller holds the home's lock, so the temporary name is ours alone, and what a crash left
    under it is written over.
    """
    temporary = file.with_name(f".{file.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("xb") as out:
            os.fchmod(out.fileno(), mode)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(root: Path, error: OSError) -> HomeError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return HomeError(
            f"the disk that holds {root} is full",
            hint="make room there, or set FLEET_HOME to a directory on another disk",
        )
    return HomeError(f"cannot write in {root}: {error.strerror}", hint=_ELSEWHERE)
