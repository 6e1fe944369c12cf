"""A fleet of its own for a benchmark, the repositories that it serves, and a clock."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from fleet import protocol
from fleet.client import Client, agent_environment
from fleet.core.commands import Spawn
from fleet.paths import Home

TASKS = 20
Row = dict[str, Any]


@dataclass(frozen=True)
class Bed:
    """A fleet home in `work`, and a connection to its supervisor."""

    work: Path
    client: Client

    def settled(self) -> None:
        self.client.ask(protocol.Settled())

    def status(self) -> Row:
        status: Row = self.client.ask(protocol.Status())
        return status


@contextmanager
def fleet(work: Path, *, slots: int, pool: int, more: str = "") -> Iterator[Bed]:
    """Start a fleet below `work`, and end it with all its agents."""
    root = Path(tempfile.mkdtemp(prefix="f", dir=work))
    for name in ("home", "run", "config/fleet"):
        (root / name).mkdir(mode=0o700, parents=True)
    (root / "config/fleet/config.yaml").write_text(f"slots: {slots}\npool: {pool}\n{more}")
    os.environ["XDG_RUNTIME_DIR"] = str(root / "run")
    os.environ["XDG_CONFIG_HOME"] = str(root / "config")
    os.environ["FLEET_HOME"] = str(root / "home")
    with Client.connect(Home(root / "home"), start=True) as client:
        bed = Bed(root, client)
        supervisor = psutil.Process(bed.status()["pid"])
        try:
            yield bed
        finally:
            client.ask(protocol.Shutdown(stop_agents=True))
            supervisor.wait(60)  # it writes below `root` until then


def spawn(repo: Path, name: str, prompt: str, *checks: str) -> Spawn:
    return Spawn(
        cwd=str(repo),
        prompt=prompt,
        environment=agent_environment(),
        name=name,
        agent="shell",
        checks=checks,
        land="auto",
    )


def submit_all(bed: Bed, repo: Path, *, tasks: int = TASKS, stem: str = "task") -> tuple[str, ...]:
    """Ask for the floor's own tasks over one connection, all at once, and return their names."""
    names = tuple(f"{stem}-{number}" for number in range(tasks))
    work = "echo x >file-{0} && git add file-{0} && git commit -q -m {0}"
    bed.client.ask_all(
        [spawn(repo, name, work.format(name), f"test -f file-{name}") for name in names]
    )
    return names


def landed(bed: Bed, names: tuple[str, ...]) -> None:
    """Wait until every one of `names` has landed.

    A benchmark of what did not happen is worth nothing, so that anything else ends the program.
    """
    found = bed.client.ask(protocol.Wait(tasks=names, state="landed", timeout_s=600))
    if left := [row for row in found if not row["reached"]]:
        sys.exit(f"bench: {len(left)} did not land, the first: {left[0]}")


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def template(work: Path, files: int) -> Path:
    """A repository of `files` files of 3 kB, 100 in a directory; rounds get copies of it.

    It is packed, as a clone is: else git packs it in the background while it is copied.
    """
    repo = work / f"template-{files}"
    for number in range(files):
        path = repo / f"d{number // 100}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number:03000}\n")
    commit = ("-c", "gc.auto=0", "commit", "-q", "-m", "start")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), commit, ("gc", "-q")):
        subprocess.run(["git", *words], cwd=repo, check=True)
    return repo


def copy_of(repo: Path) -> Path:
    copy = Path(tempfile.mkdtemp(prefix="r", dir=repo.parent)) / "repo"
    subprocess.run(["cp", "-a", repo, copy], check=True)
    subprocess.run(["git", "status", "--porcelain"], cwd=copy, check=True)  # its index made warm
    return copy
