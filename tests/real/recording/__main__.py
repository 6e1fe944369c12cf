"""Records what the judge of signs is told of a real agent that works, rests, asks and is stopped.

`python tests/real/recording AGENT PROGRAM FILE MINUTES`, in a namespace without a network. Between
the signs stands what was true: from each `phase` on, the statuses that it brings, in their order.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from e2e.conftest import make_place, until_gone
from real.api import serving
from real.bench import Bench, prepare
from real.clis import cli_of

_HERE = Path(__file__).parent


class Recording:
    """One agent's task, and what is known of it from its driver."""

    def __init__(self, bench: Bench, file: Path) -> None:
        self._bench, self._file = bench, file
        self._task = ""
        self._numbers = itertools.count()

    def begin(self) -> None:
        self.phase("start", ["working", "idle"])
        self._task = self._bench.spawn("[[run git status]] begin")
        self._bench.shows(self._task, "idle")

    def phase(self, name: str, statuses: Sequence[str]) -> None:
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        with self._file.open("a") as file:
            file.write(json.dumps({"at": at, "phase": name, "shows": statuses}) + "\n")

    def told(self, name: str, prompt: str, *statuses: str) -> None:
        """Have it work on a prompt."""
        self.phase(name, statuses)
        words = f"{prompt} turn {next(self._numbers)}"
        self._bench.place.fleet("send", self._task, words)
        self._bench.heard(self._task, words)

    def rests(self, seconds: float) -> None:
        """Let it alone for a while after its turn."""
        self._bench.shows(self._task, "idle", timeout=60)
        time.sleep(seconds)

    def rounds(self) -> Iterator[None]:
        """Go through all that an agent does, again and again; each step ends at rest."""
        while True:
            for step in (self._writes, self._works, self._is_silent, self._asks, self._is_stopped):
                step()
                yield

    def _writes(self) -> None:
        self.told("writes", "[[slow 20]]", "working", "idle")
        self.rests(5)

    def _works(self) -> None:
        steps = "[[run git status]] [[run git diff]] [[run git log -1]] [[slow 6]]"
        self.told("works", steps, "working", "idle")
        self.rests(12)

    def _is_silent(self) -> None:
        self.told("says nothing", "[[hang 35]]", "working", "idle")
        self.rests(3)

    def _asks(self) -> None:
        self.told("asks", "[[run make it]]", "working", "waiting")
        self._bench.shows(self._task, "waiting")
        time.sleep(8)
        self.phase("is refused", self._bench.cli.refused)
        self._bench.press(self._task, "Escape")
        self.rests(10)

    def _is_stopped(self) -> None:
        self.told("is interrupted", "[[slow 15]]", "working")
        time.sleep(4)
        self.phase("was interrupted", ["idle"])
        self._bench.interrupt(self._task)
        self.rests(7)


@contextmanager
def recorded(agent: str, program: Path, file: Path) -> Iterator[Recording]:
    cli = cli_of(agent)
    signs, truth = file.with_suffix(".signs"), file.with_suffix(".truth")
    os.environ |= {"PYTHONPATH": str(_HERE), "RECORD_SIGNS": str(signs)}
    place = make_place([])
    place.env |= {name: os.environ[name] for name in ("PYTHONPATH", "RECORD_SIGNS")}
    with serving(cli.service, cli.tools) as api:
        prepare(place, cli, program, api.url)
        os.environ |= place.env
        bench = Bench(place, api, cli)
        try:
            yield Recording(bench, truth)
        finally:
            bench.end()
            place.clear()
            until_gone(place.root)
            _merge(file, signs, truth)


def _merge(file: Path, *parts: Path) -> None:
    lines = [line for part in parts for line in part.read_text().splitlines()]
    file.write_text("\n".join(sorted(lines, key=_moment)) + "\n")
    for part in parts:
        part.unlink()


def _moment(line: str) -> str:
    return str(json.loads(line)["at"])


def main(agent: str, program: str, file: str, minutes: str) -> None:
    end = time.monotonic() + float(minutes) * 60
    with recorded(agent, Path(program), Path(file)) as recording:
        recording.begin()
        for _ in recording.rounds():
            if time.monotonic() > end:
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
