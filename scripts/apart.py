"""A place apart for programs that try fleet: nothing of it reaches the person or outlives it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

FLEET = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "fleet"
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Place:
    """A directory with a repository, a fleet home and an environment of its own."""

    work: Path

    @property
    def repo(self) -> Path:
        return self.work / "repo"

    @property
    def env(self) -> dict[str, str]:
        own = {name: str(self.work / name) for name in ("home", "run", "config", "fleet", "tmp")}
        for directory in own.values():
            Path(directory).mkdir(mode=0o700, exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
            "HOME": own["home"],
            "TMPDIR": own["tmp"],
            "FLEET_HOME": own["fleet"],
            "XDG_RUNTIME_DIR": own["run"],
            "XDG_CONFIG_HOME": own["config"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            **{f"GIT_{role}_NAME": "A Person" for role in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{role}_EMAIL": "person@example.invalid" for role in ("AUTHOR", "COMMITTER")},
        }

    def git(self, *words: str, cwd: Path | None = None) -> str:
        return self.run("git", *words, cwd=cwd).stdout

    def fleet(self, *words: str, ok: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
        return self.run(str(FLEET), *words, ok=ok)

    def run(
        self, *argv: str, cwd: Path | None = None, ok: Sequence[int] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; an exit code that is not `ok` ends this program too."""
        ran = subprocess.run(
            argv,
            cwd=cwd or self.repo,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode not in ok:
            said = f"{ran.stdout}{ran.stderr}".strip()
            sys.exit(f"{shlex.join(argv)}: exit {ran.returncode}\n{said}")
        return ran

    def processes(self) -> list[tuple[int, str]]:
        """All but this one that carry the place in their words or environment."""
        found, needle = [], os.fsencode(self.work) + b"/"
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
                carries = needle in words or needle in (entry / "environ").read_bytes()
            except OSError:  # it has ended, or belongs to someone else
                continue
            if carries and int(entry.name) != os.getpid():
                found.append((int(entry.name), words.replace(b"\0", b" ").decode(errors="replace")))
        return found

    def end(self) -> None:
        """Kill what still runs there, and what that started meanwhile."""
        for _ in range(10):
            for pid, _ in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def roomy(bytes_needed: int) -> Path | None:
    """Return a directory in memory with room enough, where programs may run; else None.

    A file system in memory removes ten thousand files in an instant, a busy disk in a minute.
    """
    with suppress(OSError):
        there = os.statvfs(MEMORY)
        free = there.f_bavail * there.f_frsize
        if free > bytes_needed and not there.f_flag & os.ST_NOEXEC and os.access(MEMORY, os.W_OK):
            return MEMORY
    return None


@contextmanager
def temporary(prefix: str, *, keep: bool, room: int = 0) -> Iterator[Place]:
    """Yield a place and remove it, with all that still runs there, unless it is to be kept."""
    signal.signal(signal.SIGTERM, _end_by_signal)
    place = Place(Path(tempfile.mkdtemp(prefix=prefix, dir=roomy(room) if room else None)))
    try:
        yield place
    finally:
        if keep:
            work = place.work
            print(f"kept: {work} (FLEET_HOME={work}/fleet XDG_RUNTIME_DIR={work}/run)")
        else:
            place.end()
            shutil.rmtree(place.work, ignore_errors=True)


def _end_by_signal(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
