"""The merge queue beside mergetrain's: the same ten branches, the same checks, in turns.

Each has a repository of its own with a bare remote, and a worktree for each branch, as it would be
after ten agents. Branches are queued one command at a time, each approved beforehand: they are to
land if the tests pass. The clock runs from the first command until nothing is left to do, and the
remote has what landed. Two of the branches change one line, and two only fail together.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import ten_branches
from bench_bed import Bed, Row, fleet
from others import install

from fleet import protocol

VERSION = "3.7.1"
FLEET = (sys.executable, "-P", "-m", "fleet")
# Without proofs, which mergetrain has none of: what renames its tests too would wait for a person.
OURS = f"proofs: false\nchecks:\n  - name: tests\n    run: {ten_branches.CHECK}\npush: true\n"
THEIRS = f"""\
version: 2
project:
  name: shop
gates:
  - name: tests
    run: {ten_branches.CHECK}
"""
STATE = ".mergetrain/\n"


@dataclass(frozen=True)
class Verdicts:
    """What one program came to: `left` says why each branch did not land."""

    seconds: float
    landed: frozenset[str]
    left: Mapping[str, str]
    green: bool  # whether what landed passes the tests together

    @property
    def paired(self) -> int:
        """How many of the two that fail together were told so, by the name of the other."""
        one, two = ten_branches.SEMANTIC
        return sum(theirs in self.left.get(mine, "") for mine, theirs in ((one, two), (two, one)))

    @property
    def explained(self) -> bool:
        """Whether every branch that fails only with another names it, where it did not land."""
        return self.paired == sum(name in self.left for name in ten_branches.SEMANTIC)


def run(work: Path, *, quick: bool) -> list[Row]:
    """Return what both came to, in turns; mergetrain's figures are missing if it cannot be had."""
    program = install("mergetrain", VERSION, sys.executable)
    rounds = 1 if quick else 5
    found: dict[str, list[Verdicts]] = {"fleet": [], "mergetrain": []}
    for _ in range(rounds):
        found["fleet"].append(ours(work))
        if isinstance(program, Path):
            found["mergetrain"].append(theirs(work, program))
    return [_row(name, verdicts, program) for name, verdicts in found.items()]


def _row(queue: str, rounds: list[Verdicts], program: Path | str) -> Row:
    if not rounds:
        return {"queue": f"{queue} {program}"}
    last = rounds[-1]
    return {
        "queue": queue,
        "rounds": len(rounds),
        "seconds": median(one.seconds for one in rounds),
        "landed": min(len(one.landed) for one in rounds),
        "pair named": all(one.explained for one in rounds),
        "target green": all(one.green for one in rounds),
        **{name: _said(name, last.left.get(name)) for name in ten_branches.BRANCHES},
    }


def _said(branch: str, why: str | None) -> str:
    """Return why a branch did not land, as short as it can be told."""
    if why is None:
        return "landed"
    others = [name for name in ten_branches.SEMANTIC if name != branch and name in why]
    if branch in ten_branches.SEMANTIC and others:
        return f"fails with {others[0]}"
    return "conflict" if ten_branches.LINE in why else " ".join(why.split())[:50]


def missed(rows: list[Row]) -> list[str]:
    """Return in what fleet is worse than mergetrain, or than it must be."""
    if not rows:
        return []
    fleets, other = rows
    wanted = len(ten_branches.BRANCHES) - 2
    found = [f"fleet landed {fleets['landed']} of {wanted}"] * (fleets["landed"] < wanted)
    found += ["fleet did not name the pair"] * (not fleets["pair named"])
    found += ["what fleet landed fails its tests"] * (not fleets["target green"])
    if "seconds" not in other:
        return [*found, f"there is nothing to compare with: {other['queue']}"]
    slower = fleets["seconds"] > other["seconds"]
    return (
        found
        + [f"fleet took {fleets['seconds']:.2f} s, mergetrain {other['seconds']:.2f}"] * slower
    )


# --- both ----------------------------------------------------------------------------------------


def _repository(work: Path, files: Mapping[str, str]) -> Path:
    """Return a clone of a bare remote, with the ten branches checked out beside it."""
    root = Path(tempfile.mkdtemp(prefix="t", dir=work))
    repo = root / "repo"
    _git(root, "init", "-q", "--bare", "-b", "main", "remote.git")
    _git(root, "clone", "-q", "remote.git", "repo")
    _git(repo, "symbolic-ref", "HEAD", "refs/heads/main")
    ten_branches.begin(repo, files)
    _git(repo, "add", "-A")
    _git(repo, "commit", "-q", "-m", "begin")
    _git(repo, "push", "-q", "-u", "origin", "main")
    ten_branches.make(repo)
    for name in ten_branches.BRANCHES:
        _git(repo, "worktree", "add", "-q", str(root / name), name)
    return repo


def _judged(repo: Path, seconds: float, left: Mapping[str, str]) -> Verdicts:
    """Look at what the remote has, whatever the programs say."""
    remote = repo.parent / "remote.git"
    log = set(_git(remote, "log", "--format=%H", "main").split())
    landed = {
        name for name in ten_branches.BRANCHES if _git(repo, "rev-parse", name).strip() in log
    }
    result = repo.parent / "result"
    _git(repo.parent, "clone", "-q", "remote.git", str(result))
    tested = _run(result, "sh", "-c", ten_branches.CHECK, ok=(0, 1))
    assert landed.isdisjoint(left), f"{landed & set(left)} landed, and are said not to have"
    why = {name: left.get(name, "no reason") for name in ten_branches.BRANCHES.keys() - landed}
    return Verdicts(seconds, frozenset(landed), why, green=tested.returncode == 0)


def _git(cwd: Path, *words: str) -> str:
    return _run(cwd, "git", *words).stdout


def _run(
    cwd: Path, *argv: str | Path, ok: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(argv, cwd=cwd, capture_output=True, check=False, text=True)
    if ran.returncode not in ok:
        sys.exit(f"bench: {argv}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran


# --- fleet ---------------------------------------------------------------------------------------


def ours(work: Path) -> Verdicts:
    """Let fleet have the branches; its supervisor is up, as it is on any day."""
    repo = _repository(work, {"fleet.yaml": OURS})
    with fleet(work, slots=2, pool=0) as bed:
        _run(repo, *FLEET, "trust")
        began = time.perf_counter()
        for name in ten_branches.BRANCHES:
            _run(repo, *FLEET, "submit", name, "--land", "auto")
        bed.settled()
        seconds = time.perf_counter() - began
        return _judged(repo, seconds, dict(_ours_left(bed)))


def _ours_left(bed: Bed) -> Iterator[tuple[str, str]]:
    for row in bed.client.ask(protocol.List(all=True)):
        if row["status"] != "landed":
            yield row["task"], f"{row['status']}: {row['needs']}"


# --- mergetrain ----------------------------------------------------------------------------------


def theirs(work: Path, program: Path) -> Verdicts:
    """Let mergetrain have the branches, by the one command with which it does all by itself."""
    repo = _repository(
        work,
        {".mergetrain.yaml": THEIRS, ".gitignore": ten_branches.BEGIN[".gitignore"] + STATE},
    )
    began = time.perf_counter()
    for name in ten_branches.BRANCHES:
        _run(repo, program, "enqueue", "--task", name, "--branch", name, "--auto")
    _run(repo, program, "daemon", "--once", ok=(0, 1))  # 1 where it did not land all of them
    seconds = time.perf_counter() - began
    return _judged(repo, seconds, dict(_theirs_left(program, repo)))


def _theirs_left(program: Path, repo: Path) -> Iterator[tuple[str, str]]:
    for number in range(1, len(ten_branches.BRANCHES) + 1):
        job = json.loads(_run(repo, program, "inspect", str(number), "--json").stdout)["job"]
        if job["status"] != "deployed":
            yield job["branch"], f"{job['status']}: {job['note']}"
