"""Which open branches conflict with each other: what must be tried again, and the map of it.

Every branch is first merged into its target; one that does not fit there is stale, and is reported
as that and not with everyone else. Only two branches whose changes meet can conflict, so only those
are tried, and only again where one of them, or what their target got, is another.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Self

from msgspec import Struct

from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.model import Fleet, Task
from fleet.core.stacks import lower
from fleet.core.status import Landed

ATTRIBUTES = ".gitattributes"  # such a file may change how any other is merged
Two = tuple[TaskId, TaskId]  # in order of their names
Line = tuple[RepoId, str]  # a repository and one of its targets


class Touch(Struct, frozen=True):
    """What a change touches; `reach` are its paths with all directories that they lie in.

    `claims` are its paths, and the directories that it leaves nothing in: a directory that it
    renamed takes along whatever another branch puts there.
    """

    claims: frozenset[str] = frozenset()
    reach: frozenset[str] = frozenset()

    @classmethod
    def of(cls, paths: Collection[str], gone: Collection[str] = ()) -> Self:
        """Return the touch of these paths and of the directories that are `gone`."""
        above = {folder for path in paths for folder in _above(path)}
        return cls(frozenset(paths) | frozenset(gone), frozenset(paths) | above)

    def and_(self, other: "Touch") -> "Touch":
        """Return what both touch."""
        return Touch(self.claims | other.claims, self.reach | other.reach)

    @property
    def everywhere(self) -> bool:
        """Whether it may change how any file is merged."""
        return any(path.rpartition("/")[2] == ATTRIBUTES for path in self.claims)


def meet(one: Touch, other: Touch) -> bool:
    """Whether two changes may conflict; where they do not meet, they cannot."""
    return not (one.claims.isdisjoint(other.reach) and other.claims.isdisjoint(one.reach))


def _above(path: str) -> Iterator[str]:
    while slash := path.rfind("/") + 1:
        path = path[: slash - 1]
        yield path


class Sought(Struct, frozen=True):
    """An open task's branch; where that stands at `head`, `sealed` is what its change holds.

    `below` are the tasks below it in its stack. `beyond` is where its own work begins, where what
    it was made on has landed, or is left behind.
    """

    task: TaskId
    branch: str
    base: Commit
    head: Commit | None = None
    sealed: Commit | None = None
    below: tuple[TaskId, ...] = ()
    beyond: Commit | None = None


class Wanted(Struct, frozen=True):
    """What one chart is about: a target at its tip, and the open tasks that will land there."""

    target: Commit
    tasks: tuple[Sought, ...]


class Branch(Struct, frozen=True):
    """An open branch at its newest commit, and where it was cut; the rest is as `Sought` has it."""

    task: TaskId
    tip: Commit
    base: Commit
    below: tuple[TaskId, ...] = ()
    beyond: Commit | None = None


def wanted(fleet: Fleet) -> dict[Line, Wanted]:
    """Return what there is to be charted; a target that is gone is not."""
    lines: dict[Line, list[Sought]] = {}
    for task in fleet.tasks.values():
        if task.ended or task.removed_at is not None:
            continue
        change = task.change
        head, sealed = (change.head, change.sealed) if change else (None, None)
        below = tuple(it.id for it in lower(fleet, task))
        beyond = _beyond(fleet, task)
        about = Sought(task.id, task.branch, task.base, head, sealed, below, beyond)
        lines.setdefault((task.repo, task.target), []).append(about)
    tips = {line: fleet.repos[line[0]].tips.get(line[1]) for line in lines}
    return {line: Wanted(tip, tuple(lines[line])) for line, tip in tips.items() if tip is not None}


def _beyond(fleet: Fleet, task: Task) -> Commit | None:
    upon = task.change.upon if task.change is not None else task.upon
    other = fleet.tasks.get(upon.task) if upon is not None else None
    if other is None or (other.id in task.spec.after and not isinstance(other.status, Landed)):
        return None
    return task.change.base if task.change is not None else task.base


def branches(sought: Iterable[Sought], tips: Mapping[str, Commit]) -> list[Branch]:
    """Return the branches that hold something of their own, each at its newest commit.

    `tips` has where branches stand, by their names. A sealed commit, which may hold what was not
    committed, counts for as long as nothing was committed since.
    """
    found = []
    for it in sought:
        tip = tips.get(it.branch, it.head)
        newest = it.sealed if tip is not None and tip == it.head else tip
        if newest is not None and newest != it.base:
            found.append(Branch(it.task, newest, it.base, it.below, it.beyond))
    return found


class Normal(Struct, frozen=True):
    """A branch as it would be on its target: `commit`, or None where it does not fit there.

    Then `files` are those in conflict; without any, `why` may say what is wrong with it. `touch`
    is what it would change there, `own` all that it changed, None where nothing tells: what its
    target changed alike is no change, until the target goes on.
    """

    tip: Commit
    commit: Commit | None
    touch: Touch = Touch()
    own: Touch | None = None
    files: tuple[str, ...] = ()
    why: str = ""
    below: tuple[TaskId, ...] = ()
    beyond: Commit | None = None


class Clash(Struct, frozen=True):
    """Something that does not fit together: in which files, and since when that is known."""

    files: tuple[str, ...]
    since: datetime
    why: str = ""


class Chart(Struct, frozen=True):
    """The conflict map of one target: its open branches, which pairs conflict, which are stale."""

    target: Commit | None = None
    normals: dict[TaskId, Normal] = {}
    pairs: dict[Two, Clash] = {}
    stale: dict[TaskId, Clash] = {}


EMPTY = Chart()


class Opponent(Struct, frozen=True):
    """The other of two branches that conflict, as one of them sees it."""

    task: TaskId
    clash: Clash


def kept(
    chart: Chart, branches: Iterable[Branch], target: Commit, moved: Touch | None
) -> dict[TaskId, Normal]:
    """Return what still holds: of branches that are where they were, and that the target missed.

    `moved` is what the target got since `chart`; None where nobody knows.
    """
    if chart.target != target and (moved is None or moved.everywhere):
        return {}
    found = {}
    for branch in branches:
        known = chart.normals.get(branch.task)
        if known is None or known.tip != branch.tip:
            continue
        if (known.below, known.beyond) != (branch.below, branch.beyond):
            continue
        if chart.target == target or _missed(known, moved):
            found[branch.task] = known
    return found


def _missed(known: Normal, moved: Touch | None) -> bool:
    return moved is not None and known.own is not None and not meet(known.own, moved)


def afresh(chart: Chart) -> Chart:
    """Return a map with nothing that still holds, except since when its clashes are known."""
    return Chart(None, {}, chart.pairs, chart.stale)


def unknown(branches: Iterable[Branch], known: Mapping[TaskId, Normal]) -> list[Branch]:
    """Return the branches that must be merged into their target."""
    return [branch for branch in branches if branch.task not in known]


def untried(old: Mapping[TaskId, Normal], new: Mapping[TaskId, Normal]) -> list[Two]:
    """Return the pairs to be tried: at least one of them is `new`, and they meet."""
    fitting = {name: it for name, it in {**old, **new}.items() if it.commit is not None}
    fresh = [name for name in new if name in fitting]
    others = [name for name in old if name in fitting and name not in new]
    pairs = (*combinations(fresh, 2), *((one, other) for one in fresh for other in others))
    return sorted(
        _two(one, other)
        for one, other in pairs
        if meet(fitting[one].touch, fitting[other].touch)
        # Of what stands on another it is told when that has a new revision.
        and one not in fitting[other].below
        and other not in fitting[one].below
    )


def _two(one: TaskId, other: TaskId) -> Two:
    return (one, other) if one < other else (other, one)


def update(
    chart: Chart,
    target: Commit,
    old: Mapping[TaskId, Normal],
    *,
    new: Mapping[TaskId, Normal],
    conflicts: Mapping[Two, tuple[str, ...]],
    now: datetime,
) -> Chart:
    """Return the map with what was tried: `conflicts` are the pairs among those that conflict.

    What conflicted before and still does, does so since then.
    """
    normals = {**old, **new}
    stays = {
        two: clash
        for two, clash in chart.pairs.items()
        if all(name in old and name not in new for name in two)
    }
    pairs = stays | {
        two: _clash(files, chart.pairs.get(two), now) for two, files in conflicts.items()
    }
    stale = {
        name: _clash(it.files, chart.stale.get(name), now, it.why)
        for name, it in normals.items()
        if it.commit is None
    }
    return Chart(target, normals, dict(sorted(pairs.items())), dict(sorted(stale.items())))


def _clash(files: tuple[str, ...], before: Clash | None, now: datetime, why: str = "") -> Clash:
    return Clash(files, before.since if before else now, why)


class Clashes(Struct, frozen=True):
    """All that does not fit together: with which others a task's branch conflicts; who is stale."""

    between: dict[TaskId, tuple[Opponent, ...]] = {}
    stale: dict[TaskId, Clash] = {}
    known: bool = False  # whether all was tried that there is


def clashes(charts: Iterable[Chart], *, known: bool = True) -> Clashes:
    """Return what these maps say of each task."""
    between: dict[TaskId, list[Opponent]] = {}
    stale: dict[TaskId, Clash] = {}
    for chart in charts:
        stale |= chart.stale
        for (one, other), clash in chart.pairs.items():
            between.setdefault(one, []).append(Opponent(other, clash))
            between.setdefault(other, []).append(Opponent(one, clash))
    return Clashes({name: tuple(those) for name, those in between.items()}, stale, known)


def commits(normals: Mapping[TaskId, Normal], pairs: Sequence[Two]) -> list[tuple[str, str]]:
    """Return the commits to be merged in order to try `pairs`."""
    found = []
    for one, other in pairs:
        left, right = normals[one].commit, normals[other].commit
        if left is None or right is None:
            raise ValueError(f"{one} and {other} are not both on their target")
        found.append((str(left), str(right)))
    return found
