"""Trying open branches on their target and with each other: the conflict radar's hands."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fleet.core import radar
from fleet.core.ids import Commit, TaskId
from fleet.core.radar import Branch, Chart, Line, Normal, Wanted
from fleet.tools.git import normals, refs
from fleet.tools.git.repository import Place, tips
from fleet.tools.git.scratch import Scratch, make, tidy

_MORE_OBJECTS = 4_000  # about 20 MB, in memory


@dataclass(frozen=True)
class _Kept:
    """Where the merges for one chart are kept, and how many objects that may come to."""

    scratch: Scratch
    most: int


class Trials:
    """Draws charts; what was merged for them is kept outside of the repositories until `close`.

    `name` is that of whoever keeps it, of which there is one at a time: what another of that name
    left behind is removed.
    """

    def __init__(self, name: str) -> None:
        self._prefix = f"fleet-radar-{name}-"
        self._kept: dict[Line, _Kept] = {}
        tidy(self._prefix)

    def close(self) -> None:
        """Let go of all that was merged."""
        self.keep(())

    def keep(self, lines: Container[Line]) -> None:
        """Let go of what was merged for any but these."""
        for line in [line for line in self._kept if line not in lines]:
            self._kept.pop(line).scratch.remove()

    def chart(self, line: Line, place: Place, chart: Chart, wanted: Wanted, now: datetime) -> Chart:
        """Return `chart` brought up to date; git is run for what moved, and for nothing else.

        Raises:
            ToolError: a branch or the target was just being rewritten, or the repository is gone.
        """
        target = wanted.target
        branches = radar.branches(wanted.tasks, where(place, {it.branch for it in wanted.tasks}))
        if line not in self._kept:
            chart = radar.afresh(chart)
        moved = None
        if chart.normals and chart.target is not None and chart.target != target:
            moved = normals.touch(place, chart.target, target)
        old = radar.kept(chart, branches, target, moved)
        asked = radar.unknown(branches, old)
        if not asked and chart.target == target and old.keys() == chart.normals.keys():
            return chart
        kept = self._scratch(line, place)
        new = _normals(place, kept, asked, target)
        two = radar.untried(old, new)
        verdicts = normals.conflicts(place, kept, radar.commits({**old, **new}, two), onto=target)
        self._note_size(line, kept)
        clashing = {it: files for it, files in zip(two, verdicts, strict=True) if files is not None}
        return radar.update(chart, target, old, new=new, conflicts=clashing, now=now)

    def _scratch(self, line: Line, place: Place) -> Scratch:
        if line not in self._kept:
            self._kept[line] = _Kept(make(place, prefix=self._prefix), 0)
        return self._kept[line].scratch

    def _note_size(self, line: Line, scratch: Scratch) -> None:
        """Begin anew the next time, where more came together than what was needed at first."""
        size, kept = scratch.size, self._kept[line]
        if not kept.most:
            self._kept[line] = replace(kept, most=size + _MORE_OBJECTS)
        elif size > kept.most:
            self._kept.pop(line).scratch.remove()


def _normals(
    place: Place, kept: Scratch, asked: Sequence[Branch], target: Commit
) -> dict[TaskId, Normal]:
    found = normals.normalise(place, kept, asked, onto=target) if asked else []
    return {branch.task: it for branch, it in zip(asked, found, strict=True)}


def where(place: Place, branches: Iterable[str]) -> dict[str, Commit]:
    """Return where branches stand; those that are not there are left out."""
    found = {}
    try:
        for branch in branches:
            if (tip := refs.read_ref(place.git_dir, refs.HEADS + branch)) is not None:
                found[branch] = Commit(tip)
    except refs.Unclear:
        held = tips(place, refs.HEADS)
        found = {name.removeprefix(refs.HEADS): Commit(tip) for name, tip in held.items()}
    return found
