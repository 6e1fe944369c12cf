"""What the conflict radar costs beside `git merge-tree` of the same pairs, in turns.

A hundred branches on 5,000 files, cut from the last twenty commits of the target: each has three
commits to some fourteen files, a few of which many branches touch, and some rename a file.
"""

import json
import random
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.radar import EMPTY, Chart, Sought, Wanted
from fleet.supervisor.perform.trying import Trials
from fleet.tools.git import merging, normals
from fleet.tools.git.repository import Place, locate
from fleet.tools.git.scratch import Scratch, scratch

BRANCHES, FILES, LINES = 100, 5_000, 60
OLD = 20  # commits of the target from which branches were cut
HOT = 5  # files that many touch
Row = dict[str, Any]
Asked = list[tuple[str, str]]


class Repository:
    """A repository whose branches move by fast-import, without a work tree."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self.path, self.dice = path, dice
        self.texts: dict[str, list[str]] = {}
        self.cuts: dict[str, str] = {}
        self._clock = 1_700_000_000

    def fill(self) -> None:
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.path], check=True)
        names = [f"d{number // 100:02}/f{number}.txt" for number in range(FILES)]
        self.texts = {it: [f"{it} line {at}" for at in range(LINES)] for it in names}
        self._import([("main", None, {name: self.texts[name] for name in names})])
        steps = [("main", None, self._edits(3)) for _ in range(OLD)]
        self._import(steps)
        cuts = self.git("rev-list", "main").split()
        self.cuts = {f"b{number}": self.dice.choice(cuts[:-1]) for number in range(BRANCHES)}
        self._import([(f"fleet/{it}", cut, self._branch()) for it, cut in self.cuts.items()])
        self.git("repack", "-adq")

    def _branch(self) -> Mapping[str, Sequence[str] | None]:
        edits = dict(self._edits(14))
        if self.dice.random() < 0.5:
            edits |= self._edits(1, hot=True)
        if self.dice.random() < 0.15:
            name = self.dice.choice(list(self.texts))
            edits |= {name: None, f"{name}.moved": self.texts[name]}
        return edits

    def _edits(self, files: int, *, hot: bool = False) -> Mapping[str, Sequence[str] | None]:
        names = list(self.texts)
        chosen = self.dice.sample(names[:HOT] if hot else names, files)
        found: dict[str, Sequence[str] | None] = {}
        for name in chosen:
            text = list(self.texts[name])
            at = self.dice.randrange(LINES)
            text[at : at + 1] = [f"changed {self.dice.random()}", f"added {self.dice.random()}"]
            found[name] = text
        return found

    def move(self, branch: str, *, files: int = 3) -> None:
        """Commit once more on a branch."""
        self._import([(branch, None, self._edits(files))])

    def tip(self, branch: str) -> Commit:
        return Commit((self.path / "refs" / "heads" / branch).read_text().strip())

    def _import(
        self, commits: Sequence[tuple[str, str | None, Mapping[str, Sequence[str] | None]]]
    ) -> None:
        lines, seen = list[str](), set[str]()
        for branch, start, files in commits:
            self._clock += 60
            lines += [f"commit refs/heads/{branch}", f"committer x <x@x> {self._clock} +0000"]
            lines += ["data 1", "x"]
            begun = self.texts and (branch in seen or self._exists(branch))
            upon = start or (f"refs/heads/{branch}^0" if begun else None)
            lines += [f"from {upon}"] if upon else []
            seen.add(branch)
            for name, text in files.items():
                lines += _entry(name, text)
        stream = "\n".join([*lines, ""]).encode()
        command = ["git", "-C", str(self.path), "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=stream, check=True)

    def _exists(self, branch: str) -> bool:
        asked = ["git", "-C", str(self.path), "rev-parse", "-q", "--verify", f"refs/heads/{branch}"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def git(self, *words: str) -> str:
        asked = ["git", "-C", str(self.path), *words]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def _entry(name: str, text: Sequence[str] | None) -> list[str]:
    if text is None:
        return [f"D {json.dumps(name)}"]
    body = "\n".join([*text, ""])
    return [f"M 100644 inline {json.dumps(name)}", f"data {len(body)}", body]


class Desk:
    """The radar's hands on one repository, and what they asked git to merge last."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.place: Place = locate(repository.path)
        self.trials = Trials("bench")
        self.line = RepoId(self.place.id), "main"
        self.chart: Chart = EMPTY
        self.tasks = tuple(
            Sought(TaskId(it), f"fleet/{it}", Commit(cut)) for it, cut in repository.cuts.items()
        )
        self.asked: list[Asked] = []

    def look(self) -> float:
        """Bring the map up to date, and return the seconds that took."""
        self.asked = []
        wanted = Wanted(self.repository.tip("main"), self.tasks)
        return _timed(lambda: self._look(wanted))

    def _look(self, wanted: Wanted) -> None:
        self.chart = self.trials.chart(self.line, self.place, self.chart, wanted, datetime.now(UTC))

    def floor(self) -> float:
        """Return the seconds of merging the same branches by git alone, in memory as well."""
        tips = {str(it.commit): str(it.tip) for it in self.chart.normals.values()}
        return sum(
            self._merged([(tips.get(one, one), tips.get(other, other)) for one, other in asked])
            for asked in self.asked
        )

    def _merged(self, asked: Asked) -> float:
        stream = "".join(f"{one} {other}\n" for one, other in asked).encode()
        with scratch(self.place) as into:
            return _timed(lambda: _merge_tree(self.place, into, stream))


def _merge_tree(place: Place, into: Scratch, stream: bytes) -> None:
    command = ["git", "-C", str(place.git_dir), "merge-tree", "--write-tree", "--stdin", "-z"]
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere", **into.env}
    subprocess.run(command, input=stream, env=env, stdout=subprocess.DEVNULL, check=True)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def run(work: Path, *, quick: bool) -> list[Row]:
    """Return medians: the first map, then after a tip has moved, the target, or nothing."""
    repository = Repository(work / "radar.git", random.Random(5))
    repository.fill()
    desk, pairs = Desk(repository), merging.pairs

    def noted(place: Place, tips: Asked, **more: Any) -> Any:
        desk.asked.append(list(tips))
        return pairs(place, tips, **more)

    with patch.object(normals, "pairs", noted):
        try:
            return _measured(desk, quick=quick)
        finally:
            desk.trials.close()


def _measured(desk: Desk, *, quick: bool) -> list[Row]:
    rounds, moves = (2, 10) if quick else (5, 100)
    first = []
    for _ in range(rounds):
        desk.trials.close()
        desk.chart = EMPTY
        first.append(_row(desk))
    return [
        _medians("first", first, desk),
        _medians("tip", [_tip(desk, number) for number in range(moves)], desk),
        _medians("target", [_target(desk) for _ in range(moves // 5)], desk),
        _medians("nothing", [_row(desk) for _ in range(moves)], desk),
    ]


def _tip(desk: Desk, number: int) -> Row:
    desk.repository.move(f"fleet/b{number % BRANCHES}")
    return _row(desk)


def _target(desk: Desk) -> Row:
    desk.repository.move("main")
    return _row(desk)


def _row(desk: Desk) -> Row:
    seconds = desk.look()
    return {
        "seconds": seconds,
        "floor": desk.floor(),
        "merges": float(sum(map(len, desk.asked))),
    }


def _medians(what: str, rows: list[Row], desk: Desk) -> Row:
    found = {key: median(row[key] for row in rows) for key in rows[0]}
    slow = sorted(row["seconds"] for row in rows)[max(int(len(rows) * 0.95) - 1, 0)]
    floor = sum(row["floor"] for row in rows)
    ratio = sum(row["seconds"] for row in rows) / floor if floor else 0.0
    shown = {"pairs": len(desk.chart.pairs), "stale": len(desk.chart.stale)}
    return {"what": what, **found, "p95": slow, "ratio": ratio, "branches": BRANCHES, **shown}
