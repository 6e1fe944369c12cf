"""Which forge a remote is on, told by its address, and else by who is logged in there."""

import re
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from fleet.core.pulls import ForgeName
from fleet.errors import ToolError
from fleet.tools.forge.forge import Forge, ForgeError
from fleet.tools.forge.gh import Gh
from fleet.tools.forge.glab import Glab
from fleet.tools.forge.program import Program, environment
from fleet.tools.git.repository import Place
from fleet.tools.git.run import git
from fleet.tools.processes.short import run_short

_SCHEMES = {"https", "http", "ssh", "git", "git+ssh", "ssh+git"}
_SCP = re.compile(r"(?:[^@/:\s]+@)?([^@/:\s]+):(?!/)(.+)")
_OVER_HTTPS = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A repository on a host, as a person would name it: `github.com`, `owner/name`."""

    host: str
    path: str


def address(url: str) -> Address | None:
    """Return where a remote's URL leads; None where that is no forge: a directory, a bundle."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme in _SCHEMES:
        # The port of ssh is not that of the forge.
        beside = f":{port}" if parts.scheme.startswith("http") and port else ""
        return _address(f"{parts.hostname or ''}{beside}", parts.path)
    match = None if "://" in url else _SCP.fullmatch(url)
    return _address(match[1], match[2]) if match else None


def _address(host: str, path: str) -> Address | None:
    host = _OVER_HTTPS.get(host.lower(), host.lower())
    path = path.strip("/").removesuffix(".git")
    known = _HOST.fullmatch(host) and _PATH.fullmatch(path) and ".." not in path
    return Address(host, path) if known else None


def forge_of(place: Place, remote: str, named: ForgeName | None, *, stop: threading.Event) -> Forge:
    """Return the forge that `remote` is on; `named` is what the policy says that it is.

    Raises:
        ForgeError: it is on none, or nobody can tell on which.
    """
    found = _where(place, remote)
    if found is None:
        raise ForgeError(f"the remote {remote} is no address of a forge: git remote -v")
    kind = named or _by_host(found.host) or _by_login(found.host, stop)
    if kind is None:
        raise ForgeError(
            f"nobody can tell which forge {found.host} is: write forge: gh or forge: glab in "
            "fleet.yaml, or log in there with gh or glab"
        )
    program = Program(kind, found.host, stop=stop)
    return Gh(program, found.path) if kind == "gh" else Glab(program, found.path)


def _where(place: Place, remote: str) -> Address | None:
    """Return where a remote leads, with what `url.*.insteadOf` makes of it, or as it is written."""
    meant = git(place.git_dir, "remote", "get-url", remote, expect=(0, 2, 128)).text
    written = git(place.git_dir, "config", "--get", f"remote.{remote}.url", expect=(0, 1)).text
    found = address(meant) or address(written)
    if found is None or "." in found.host or ":" in found.host:
        return found
    return Address(_ssh_host(found.host), found.path)


def _ssh_host(alias: str) -> str:
    """Return the host that a name in ~/.ssh/config stands for."""
    try:
        ran = run_short(
            ("ssh", "-G", "--", alias),
            env=environment(),
            stop=threading.Event(),
            timeout_s=5.0,
            most=1 << 16,
        )
    except ToolError:
        return alias
    names = re.search(rb"^hostname (\S+)$", ran.out, re.MULTILINE)
    return names[1].decode(errors="replace").lower() if names and not ran.code else alias


def _by_host(host: str) -> ForgeName | None:
    labels = host.partition(":")[0].split(".")
    if "github" in labels or host.endswith(".ghe.com"):
        return "gh"
    return "glab" if "gitlab" in labels else None


def _by_login(host: str, stop: threading.Event) -> ForgeName | None:
    """Return whose program is logged in at a host whose name says nothing."""
    names: tuple[ForgeName, ...] = ("gh", "glab")
    for name in names:
        try:
            ran = Program(name, host, stop=stop).run("auth", "status", "--hostname", host)
        except ForgeError:
            continue
        if not ran.code:
            return name
    return None
