"""The conflict radar: tries open branches with each other as they move, and rests while none does.

The map is kept in memory. No git is run before a directory of branches or the state has changed,
and then only for a small share of the time: whatever moves meanwhile is tried together.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fleet.core import radar
from fleet.core.model import Fleet
from fleet.core.radar import EMPTY, Chart, Clashes, Line, Wanted
from fleet.errors import FleetError
from fleet.supervisor.loop import Supervisor
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.perform.trying import Trials
from fleet.tools.git.refs import HEADS, stamp

_SHARE = 0.01  # of the time, at most
_LONGEST_S = 15.0  # between two rounds, however long one took
_UNSETTLED_NS = 100_000_000  # a directory's time is that coarse: it may have changed once more


class Radar:
    """Keeps the conflict map of each target; `found` is told whenever that says something new."""

    def __init__(
        self, supervisor: Supervisor, tools: Tools, *, found: Callable[[Clashes], None]
    ) -> None:
        self._supervisor, self._tools, self._found = supervisor, tools, found
        self._trials = Trials(tools.home_id)
        self._fleet = Fleet()
        self._wanted: dict[Line, Wanted] = {}
        self._files: tuple[Path, ...] = ()
        self._seen: object = None
        self._clock = time.monotonic
        self._due_at = 0.0
        self._one_at_a_time = asyncio.Lock()
        self._charts: dict[Line, Chart] = {}
        self._known = Clashes()

    async def look(self, *, at_once: bool = False) -> None:
        """Bring the map up to date if anything moved; `at_once`, however short ago that was."""
        async with self._one_at_a_time:
            if not at_once and self._clock() < self._due_at:
                return
            mark = self._mark()
            if mark is not None and mark == self._seen:
                return
            began = self._clock()
            self._charts, whole = await asyncio.to_thread(self._tried, self._fleet, self._wanted)
            took = self._clock() - began
            self._due_at = self._clock() + min(took / _SHARE, _LONGEST_S)
            self._seen = mark if whole else None
            known = whole or self._known.known
            self._tell(radar.clashes(self._charts.values(), known=known))

    def _tell(self, clashes: Clashes) -> None:
        if clashes != self._known:
            self._known = clashes
            self._found(clashes)

    @property
    def charts(self) -> dict[Line, Chart]:
        """The newest maps, which are never changed in place."""
        return self._charts

    def close(self) -> None:
        """Leave nothing behind."""
        self._trials.close()

    def _mark(self) -> object:
        """Return what stays the same while nothing moves; None where that cannot be told yet."""
        fleet = self._supervisor.fleet
        if fleet is not self._fleet:
            wanted = radar.wanted(fleet)
            if wanted != self._wanted:
                self._wanted, self._files = wanted, self._watched(fleet, wanted)
            self._fleet = fleet
        stamps = tuple(map(stamp, self._files))
        settled = time.time_ns() - _UNSETTLED_NS
        if any(it is not None and it[0] > settled for it in stamps):
            return None
        return self._wanted, stamps

    def _watched(self, fleet: Fleet, wanted: dict[Line, Wanted]) -> tuple[Path, ...]:
        """Return what changes when a branch moves: the directory it lies in, or where all are."""
        files: set[Path] = set()
        for (repo, _), about in wanted.items():
            try:
                git_dir = self._tools.place(fleet.repos[repo]).git_dir
            except FleetError:
                continue  # it is gone, and whoever looks at its targets says so
            files |= {git_dir / "packed-refs", git_dir / "reftable" / "tables.list"}
            files |= {(git_dir / HEADS / task.branch).parent for task in about.tasks}
        return tuple(sorted(files))

    def _tried(self, fleet: Fleet, wanted: dict[Line, Wanted]) -> tuple[dict[Line, Chart], bool]:
        """Return all charts, brought up to date, and whether that could be done for each."""
        charts, whole = {}, True
        self._trials.keep(wanted)
        for line, about in wanted.items():
            chart = self._charts.get(line, EMPTY)
            try:
                place, moment = self._tools.place(fleet.repos[line[0]]), datetime.now(UTC)
                charts[line] = self._trials.chart(line, place, chart, about, moment)
            except FleetError:
                charts[line], whole = chart, False  # just being rewritten; the next look sees it
        return charts, whole
