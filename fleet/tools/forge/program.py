"""Runs a forge's own program: with the user's login, without questions, and never for long."""

import os
import re
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

import msgspec

from fleet.core.terminal import clean
from fleet.errors import RefusedError, ToolError
from fleet.tools.forge.forge import DeclinedError, ForgeError
from fleet.tools.processes.short import Ran, run_short
from fleet.tools.programs import find_program

T = TypeVar("T")
TIMEOUT_S = 60.0
_MOST = 8 << 20  # bytes of an answer
_WORDS = 300  # characters of a complaint

# Where the login is, and the way to the network. Nothing else that a shell had is passed on.
_NEEDED = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_*", "DBUS_SESSION_BUS_ADDRESS", "LANG"),
    *("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
    *("GH_CONFIG_DIR", "GLAB_CONFIG_DIR", "GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "OAUTH_TOKEN"),
    *("*_PROXY", "*_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_SILENT = {
    **dict.fromkeys(("GH_PROMPT_DISABLED", "GH_NO_UPDATE_NOTIFIER", "NO_COLOR", "NO_PROMPT"), "1"),
    **dict.fromkeys(("GLAB_CHECK_UPDATE", "GLAB_SEND_TELEMETRY"), "false"),
    **dict.fromkeys(("PAGER", "GH_PAGER", "GLAB_PAGER"), "cat"),
    **dict.fromkeys(("GIT_TERMINAL_PROMPT", "CLICOLOR"), "0"),
    "GH_SPINNER_DISABLED": "1",
    "LC_ALL": "C",
}
_SECRET = re.compile(
    r"(?<=://)[^/@\s]+(?=@)|\b(?:gh[a-z]_|github_pat_|glpat-|glptt-|gloas-)[\w-]{8,}"
)
_OFFLINE = re.compile(
    r"error connecting to|could not resolve host|no such host|dial tcp|connection (?:refused|reset)"
    r"|i/o timeout|TLS handshake timeout|network is unreachable|context deadline exceeded"
    r"|\b50[234]\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"rate limit|too many requests|\b429\b|abuse detection", re.IGNORECASE)
_LOGIN = re.compile(
    r"auth login|not logged in|bad credentials|\b401\b|unauthorized|no token found", re.IGNORECASE
)


class Program:
    """`gh` or `glab`, as the user of this machine has it, speaking to one host."""

    def __init__(
        self, name: str, host: str, *, stop: threading.Event, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.name, self.host = name, host
        self._stop, self._timeout_s = stop, timeout_s

    def ask(self, *args: str) -> bytes:
        """Return what the program prints.

        Raises:
            DeclinedError: it was understood, and refused for the reason that is the message.
            ForgeError: it could not be asked: no program, no login, no network, a limit.
        """
        ran = self.run(*args)
        if ran.code:
            raise self._failure(args, ran)
        return ran.out

    def run(self, *args: str) -> Ran:
        """Run it, and return how it ended."""
        env = environment()
        try:
            program = find_program(self.name, path=env.get("PATH"), cwd="/")
        except RefusedError:
            raise ForgeError(f"{self.name} is not installed: {_INSTALL[self.name]}") from None
        try:
            return run_short(
                (program, *args),
                env=env,
                stop=self._stop,
                timeout_s=self._timeout_s,
                most=_MOST,
                complaints=4096,
            )
        except ToolError as error:
            why = clean(error.message.replace(program, self.name))
            raise ForgeError(why, argv=(self.name, *args)) from error

    def read(self, kind: type[T], *args: str) -> T:
        """Return what the program prints as a value; what is not in `kind` is left out."""
        return self.understood(kind, self.ask(*args))

    def understood(self, kind: type[T], out: bytes) -> T:
        try:
            return msgspec.json.decode(out, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            why = "answered something that fleet does not understand"
            raise ForgeError(f"{self.name} {why}: {clean(str(error))}") from error

    def _failure(self, args: Sequence[str], ran: Ran) -> ForgeError:
        said = redacted(ran.err + ran.out[:2000].decode(errors="replace"))
        first = next((line.strip() for line in said.splitlines() if line.strip()), "")
        why = clean(first)[:_WORDS] or f"{self.name} failed with exit code {ran.code}"
        login = f"{self.name} is not logged in: {self.name} auth login --hostname {self.host}"
        kinds = (
            (ran.code == _NO_LOGIN or _LOGIN.search(said), login),
            (_LIMIT.search(said), f"{self.host} has had enough requests for now: {why}"),
            (_OFFLINE.search(said), f"{self.host} cannot be reached: {why}"),
        )
        known = next((words for found, words in kinds if found), None)
        kind = DeclinedError if known is None else ForgeError
        return kind(known or why, argv=(self.name, *args[:3]), code=ran.code, stderr=said)


_NO_LOGIN = 4  # gh's own exit code for it
_INSTALL = {"gh": "https://cli.github.com", "glab": "https://gitlab.com/gitlab-org/cli"}


def redacted(text: str) -> str:
    """Return `text` without tokens: a program may repeat what it was told."""
    return _SECRET.sub("…", text)


def environment() -> dict[str, str]:
    """Return what a forge's program gets of our environment, and what keeps it from asking."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if any(fnmatchcase(name, pattern) for pattern in _NEEDED)
    }
    return ours | _SILENT


@contextmanager
def private_file(data: bytes) -> Iterator[str]:
    """Give the name of a file with `data` that only we may read; it is gone afterwards."""
    handle, name = tempfile.mkstemp(prefix="fleet-")  # 0600
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 (a descriptor is no path)
            file.write(data)
        yield name
    finally:
        Path(name).unlink()
