"""The diff of a change as it would be reviewed; whoever asked for it has been shown it."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from fleet import protocol as p
from fleet.core import events as e
from fleet.core.change import Change
from fleet.core.decide import PERSON
from fleet.core.decide.comments import unknown_file
from fleet.core.ids import Commit
from fleet.core.model import Task
from fleet.core.names import find
from fleet.core.refusals import comparable
from fleet.core.revisions import Pinned, last_read
from fleet.core.spelling import spelled, unspelled
from fleet.errors import RefusedError
from fleet.supervisor.host import Host
from fleet.supervisor.lines import blobs
from fleet.tools.git.interdiff import between, branched_off
from fleet.tools.git.repository import Place, branch_tip
from fleet.tools.git.run import git

_REST = 256 * 1024  # bytes of a reply that are not its patch
_MOST_PATHS = 1000  # more of them may not fit into a command line


class _Compared(Struct, frozen=True):
    """Which two states are compared, and in which files; None: in all of them."""

    base: str
    head: str
    paths: tuple[str, ...] | None = None
    since: int = 0  # the revision that it is compared with; 0: with the target
    conflicts: tuple[str, ...] = ()


async def diff(host: Host, query: p.Diff, actor: str) -> dict[str, Any]:
    """Return patch and size of the sealed change, or of the branch so far."""
    task = find(host.supervisor.fleet, query.task)
    comparable(task)
    answer = await asyncio.to_thread(_diff, host, task, query)
    note_shown(host, task, actor)
    return answer


def note_shown(host: Host, task: Task, actor: str) -> None:
    """Record that a person was shown the newest revision, if they were not before."""
    if task.change is not None and actor == PERSON and task.shown < task.change.revision:
        shown = e.ChangeShown(task=task.id, revision=task.change.revision, by=actor)
        host.supervisor.record([shown], actor=actor)


def _diff(host: Host, task: Task, query: p.Diff) -> dict[str, Any]:
    place = host.tools.place(host.supervisor.fleet.repos[task.repo])
    compared, viewed = _compared(place, task, query), _viewed(place, task)
    if query.unseen and viewed and task.change is not None and not compared.since:
        compared = _without(compared, viewed, blobs(place, task.change))
    shade = "--color=always" if query.colour else "--color=never"
    plain = (shade, "--no-ext-diff", "--no-textconv", compared.base, compared.head)
    where = ("--", *map(unspelled, compared.paths)) if compared.paths is not None else ()
    whole = () if query.screen else ("--binary",)  # with it `git apply` takes it
    nothing = compared.paths == ()
    asked = ("--literal-pathspecs", "diff")
    out = b"" if nothing else git(place.git_dir, *asked, *whole, *plain, *where).out
    patch = out.decode(errors="replace")
    kept = readable(patch) if query.screen else patch
    stat = b"" if nothing else git(place.git_dir, *asked, "--stat", *plain, *where).out
    change = task.change
    return {
        "task": task.id,
        "head": compared.head,
        "base": change.base if change is not None else compared.base,
        "stat": stat.decode(errors="replace").rstrip("\n"),
        "patch": kept,
        "auto_commit": change is not None and change.auto_commit,
        "revision": task.revision,
        "sealed": change is not None,
        "seen": task.shown,
        "cut": len(kept) < len(patch),
        "since": compared.since,
        "last_read": _last_read(task),
        "conflicts": compared.conflicts,
        "viewed": viewed,
    }


def _compared(place: Place, task: Task, query: p.Diff) -> _Compared:
    change = task.change
    if change is None:
        if query.since is not None or query.since_review:
            raise RefusedError(
                f"{task.id} has no revision yet", hint=f"fleet wait {task.id} --for review"
            )
        tip = branch_tip(place, task.branch)
        if tip is None:
            raise RefusedError(f"{task.id} has no branch yet", hint=f"fleet show {task.id}")
        return _Compared(task.base, Commit(tip), query.paths or None)
    if query.paths:
        known = blobs(place, change)
        for path in query.paths:
            if path not in known:
                raise unknown_file(task, path, known)
    if query.since is None and not query.since_review:
        return _Compared(change.base, change.sealed, query.paths or None)
    earlier = _earlier(task, change, query)
    left = None if change.upon else branched_off(place, change.sealed, target=task.target)
    onto = left or change.base
    return _interdiff(place, change, earlier, onto, query.paths)


def _earlier(task: Task, change: Change, query: p.Diff) -> Pinned:
    wanted = _last_read(task) if query.since is None else query.since
    if query.since is None and not wanted:
        raise RefusedError(
            f"you have read no earlier revision of {task.id}", hint=f"fleet diff {task.id}"
        )
    found = next((it for it in task.revisions if it.revision == wanted), None)
    if found is None or wanted >= change.revision:
        raise RefusedError(
            f"{task.id} has no revision {wanted} before {change.revision}",
            hint=f"fleet diff {task.id} shows all of it",
        )
    return found


def _interdiff(
    place: Place, change: Change, earlier: Pinned, onto: str, paths: tuple[str, ...]
) -> _Compared:
    found = between(
        place,
        base=earlier.base,
        sealed=earlier.sealed,
        later_base=onto,
        later=change.sealed,
    )
    files = paths or found.files
    unfit = tuple(map(spelled, found.conflicts))
    few = files if files is None or len(files) <= _MOST_PATHS else None
    return _Compared(found.before, change.sealed, few, earlier.revision, unfit)


def _without(compared: _Compared, viewed: Sequence[str], known: Iterable[str]) -> _Compared:
    wanted = known if compared.paths is None else compared.paths
    left = tuple(path for path in wanted if path not in viewed)
    return replace(compared, paths=left) if len(left) <= _MOST_PATHS else compared


def _last_read(task: Task) -> int:
    return last_read(task.shown, task.shown_before, task.revision) if task.change else 0


def _viewed(place: Place, task: Task) -> list[str]:
    """Return the files that this person has read as they are now."""
    if task.change is None or not task.seen:
        return []
    return [path for path, blob in blobs(place, task.change).items() if task.seen.get(path) == blob]


def readable(patch: str, room: int = p.LINE_LIMIT - _REST) -> str:
    """Return as much of a patch as fits into one reply, in whole lines."""
    while (size := len(p.encode(patch))) > room:
        patch = patch[: min(len(patch) * room // size, len(patch) - 1)]
        patch = patch[: patch.rfind("\n") + 1]
    return patch
