"""How many checks a merge queue runs, and how long it takes, for fifty changes queued at once.

The planner is fleet's own; the world is simulated. A check takes U(0.8, 1.2) of a unit, a red one
ends after U(0.2, 1) of that, and each change is bad with the same probability, by itself. What is
begun is counted, also what is stopped again, and so is the second run by which a red one is told
from a flaky one. One more line is real: git, 5,000 files, fifty branches, and a check that sleeps.
"""

import os
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean

import branches
import histories as h
from bench_bed import Bed, Row, copy_of, fleet, template, timed
from queue_sim import Queue, Work

from fleet import protocol
from fleet.client import agent_environment
from fleet.core import commands as c
from fleet.core import events as e
from fleet.core.ids import Commit, TaskId
from fleet.core.status import Landed

CHANGES = 50
FILES = 5000
RATES = (0.01, 0.05, 0.2)
# (workers, failure rate): most runs of checks, and most time, both in the mean.
# The real one has too few changes for 5 %, and a time that depends on the machine.
GOALS = {
    (1, 0.05): (23.0, None),
    (4, 0.05): (56.0, 14.0),
    (1, 0.04): (23.0, None),
    (4, 0.04): (56.0, None),
}
CHECK_S = 1.0  # of the real one
BAD = (7, 31)  # of the real changes: 4 %
FLEET = (sys.executable, "-P", "-m", "fleet")


class Timed(Queue):
    """A queue with a clock; what is no check takes no time, and comes to its end at once."""

    def __init__(self, seed: int, *, workers: int, rate: float) -> None:
        self.random = random.Random(seed)
        self.clock = self.took = 0.0
        self.runs = 0
        self.ends: dict[str, float] = {}
        self.outcomes: dict[str, list[e.AnyEvent]] = {}
        super().__init__(workers=workers)
        for number in range(CHANGES):
            self._queued(TaskId(f"c{number:02}"), bad=self.random.random() < rate)
        self.reconcile()

    def _queued(self, name: TaskId, *, bad: bool) -> None:
        """A branch that is to land as soon as it passes."""
        sealed = self.world.commit(name)
        if bad:
            self.world.breaks.add(frozenset({sealed}))
        spec = h.spec(agent=None, land="auto")
        for event in (
            h.added(name, spec),
            h.sealed(name, sealed=sealed, head=sealed),
            h.passed(name),
        ):
            self.fold(event)

    def drained(self) -> tuple[int, float]:
        """Let all be done; return how many checks were run, and how long it took."""
        while self.lanes:
            lane = min(self.lanes, key=self._ends_at)
            self.clock = max(self.clock, self._ends_at(lane))
            self.finish(lane)
        self._assert_all_is_accounted_for()
        return self.runs, self.clock

    def _ends_at(self, lane: str) -> float:
        return -1.0 if self.lanes[lane].stopped else self.ends[lane]

    def begun(self, lane: str) -> None:
        self.took = 0.0
        self.outcomes[lane] = super().come_to(self.lanes[lane])
        self.ends[lane] = self.clock + self.took

    def come_to(self, work: Work) -> list[e.AnyEvent]:
        return self.outcomes[work.effect.lane]

    def check(self, commit: Commit) -> bool:
        green = super().check(commit)
        lasts = self.random.uniform(0.8, 1.2)
        self.took += lasts if green else lasts * self.random.uniform(0.2, 1)
        self.runs += 1
        return green

    def _assert_all_is_accounted_for(self) -> None:
        """What is good has landed, and nothing else."""
        bad = {
            name
            for name in self.fleet.tasks
            if self.world.red(frozenset({self.change(name).sealed}))
        }
        landed = {it.id for it in self.fleet.tasks.values() if isinstance(it.status, Landed)}
        assert landed == self.fleet.tasks.keys() - bad, f"{len(bad)} bad, {len(landed)} landed"


def _mean(workers: int, rate: float, seeds: range) -> tuple[float, float]:
    runs, times = zip(
        *(Timed(seed, workers=workers, rate=rate).drained() for seed in seeds), strict=True
    )
    return mean(runs), mean(times)


def run(work: Path, *, quick: bool) -> list[Row]:
    """Return a row for each number of workers and rate of failure, and then for real git."""
    seeds = range(40 if quick else 400)
    cases = [(workers, rate) for workers in (1, 4) for rate in RATES]
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        found = processes.map(_mean, *zip(*cases, strict=True), [seeds] * len(cases))
        rows = [
            _row("simulated", case, means, queues=len(seeds))
            for case, means in zip(cases, found, strict=True)
        ]
    if quick:
        return rows
    repo = template(work, FILES)
    return rows + [_real(repo, workers) for workers in (1, 4)]


def _row(how: str, case: tuple[int, float], means: tuple[float, float], *, queues: int = 1) -> Row:
    (workers, rate), (runs, lasted) = case, means
    most_runs, most_time = GOALS.get(case, (None, None))
    return {
        "queue": how,
        "queues": queues,
        "workers": workers,
        "changes": CHANGES,
        "bad": f"{rate:.0%}",
        "runs": runs,
        "goal runs": most_runs or "-",
        "check times": lasted,
        "goal times": most_time or "-",
    }


def missed(rows: list[Row]) -> list[str]:
    """Return which goals the rows miss."""
    return [
        f"{row['queue']} queue, {row['workers']} workers, {row['bad']} bad: "
        f"{row[figure]:.1f} {figure}, where {row[goal]} are the goal"
        for row in rows
        for figure, goal in (("runs", "goal runs"), ("check times", "goal times"))
        if isinstance(row[goal], float) and row[figure] > row[goal]
    ]


# Over real git -----------------------------------------------------------------------------------


def _real(like: Path, workers: int) -> Row:
    """Fifty branches in a repository of 5,000 files; the checks themselves count their runs."""
    repo = copy_of(like)
    runs = repo.parent / "runs"
    check = f"echo >>{runs}; sleep {CHECK_S / 2}; test ! -e bad && sleep {CHECK_S / 2}"
    (repo / "fleet.yaml").write_text(f"checks:\n  - name: tests\n    run: {check}\n")
    for words in (("add", "-A"), ("commit", "-q", "-m", "checks")):
        subprocess.run(["git", *words], cwd=repo, check=True)
    for number in range(CHANGES):
        files = {f"d{number}/f{number * 100 + it}": f"changed {it}\n" for it in range(3)}
        more = {"bad": f"{number}\n"} if number in BAD else {}
        branches.commit(repo, f"c{number:02}", files | more, start="main")
    with fleet(repo.parent, slots=2, pool=0, more=f"workers: {workers}\n") as bed:
        subprocess.run([*FLEET, "trust"], cwd=repo, check=True, capture_output=True)
        seconds = timed(lambda: _land(bed, repo))
        rows = bed.client.ask(protocol.List(all=True))
    left = sorted(row["task"] for row in rows if row["status"] != "landed")
    if left != [f"c{number:02}" for number in BAD]:
        sys.exit(f"bench: {left} did not land, where {BAD} are bad")
    counted = float(len(runs.read_text().splitlines()))
    case = (workers, len(BAD) / CHANGES)
    return _row("real git", case, (counted, seconds / CHECK_S))


def _land(bed: Bed, repo: Path) -> None:
    bed.client.ask_all(
        [
            c.Submit(
                cwd=str(repo),
                branch=f"c{number:02}",
                environment=agent_environment(),
                land="auto",
            )
            for number in range(CHANGES)
        ]
    )
    bed.settled()
