"""How soon a change lands after its last check: until the target's branch has moved.

One branch after the other goes through the queue of a repository of 5,000 files. The check touches
a file and ends; the branch's own file says when it was renamed into place. The kernel stamps both
with the time of its last tick, so that one figure is right to 4 ms.
"""

import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

import branches
from bench_bed import Bed, Row, copy_of, fleet, template

from fleet import protocol
from fleet.client import agent_environment
from fleet.core.commands import Submit

FILES = 5000
GOAL_MS = 100.0


def run(work: Path, *, quick: bool) -> list[Row]:
    """Return how long landings took, with the target checked out nowhere, and somewhere."""
    repo = template(work, FILES)
    return [_row(repo, checked_out=out, landings=5 if quick else 40) for out in (False, True)]


def missed(rows: list[Row]) -> list[str]:
    """Return what took longer than it should."""
    return [
        f"a landing took {row['median ms']:.0f} ms, where {GOAL_MS:.0f} are the goal"
        for row in rows
        if row["median ms"] > GOAL_MS
    ]


def _row(template_: Path, *, checked_out: bool, landings: int) -> Row:
    repo = copy_of(template_)
    for number in range(landings):
        files = {f"d{number}/f{number * 100 + it}": f"changed {it}\n" for it in range(3)}
        branches.commit(repo, f"change-{number}", files, start="main")
    if not checked_out:
        subprocess.run(["git", "switch", "-q", "--detach"], cwd=repo, check=True)
    with fleet(repo.parent, slots=2, pool=0) as bed:
        took = sorted(1000 * _landing(bed, repo, f"change-{number}") for number in range(landings))
    return {
        "checked out": "yes" if checked_out else "no",
        "files": FILES,
        "landings": landings,
        "median ms": median(took),
        "90 % ms": quantiles(took, n=10)[-1],
        "longest ms": took[-1],
        "goal ms": GOAL_MS,
    }


def _landing(bed: Bed, repo: Path, branch: str) -> float:
    """Land one branch; return the seconds from the end of its check to the move of main."""
    ended, moved = repo.parent / f"{branch}.checked", repo / ".git/refs/heads/main"
    command = Submit(
        cwd=str(repo),
        branch=branch,
        target="main",
        environment=agent_environment(),
        checks=(f"exec touch {ended}",),
        land="auto",
    )
    bed.client.ask(command)
    [found] = bed.client.ask(protocol.Wait(tasks=(branch,), state="landed", timeout_s=60))
    if not found["reached"]:
        sys.exit(f"bench: {branch} did not land: {found}")
    return (moved.stat().st_ctime_ns - ended.stat().st_mtime_ns) / 1e9
