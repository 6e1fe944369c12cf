"""The diff of a change as it would be reviewed; whoever asked for it has been shown it."""

import asyncio
from typing import Any

from fleet import protocol as p
from fleet.core import events as e
from fleet.core.decide import PERSON
from fleet.core.ids import Commit
from fleet.core.model import Task
from fleet.core.names import find
from fleet.core.refusals import comparable
from fleet.errors import RefusedError
from fleet.supervisor.host import Host
from fleet.tools.git.repository import branch_tip
from fleet.tools.git.run import git

_REST = 256 * 1024  # bytes of a reply that are not its patch


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
    if task.change is not None:
        base, head = task.change.base, task.change.sealed
    else:
        tip = branch_tip(place, task.branch)
        if tip is None:
            raise RefusedError(f"{task.id} has no branch yet", hint=f"fleet show {task.id}")
        base, head = task.base, Commit(tip)
    shade = "--color=always" if query.colour else "--color=never"
    plain = ("--no-ext-diff", "--no-textconv")
    whole = () if query.screen else ("--binary",)  # with it `git apply` takes it
    out = git(place.git_dir, "diff", *whole, shade, *plain, base, head).out
    patch = out.decode(errors="replace")
    kept = readable(patch) if query.screen else patch
    stat = git(place.git_dir, "diff", "--stat", shade, *plain, base, head).out
    made = task.change is not None and task.change.auto_commit
    return {
        "task": task.id,
        "head": head,
        "base": base,
        "stat": stat.decode(errors="replace").rstrip("\n"),
        "patch": kept,
        "auto_commit": made,
        "revision": task.revision,
        "sealed": task.change is not None,
        "seen": task.shown,
        "cut": len(kept) < len(patch),
    }


def readable(patch: str, room: int = p.LINE_LIMIT - _REST) -> str:
    """Return as much of a patch as fits into one reply, in whole lines."""
    while (size := len(p.encode(patch))) > room:
        patch = patch[: min(len(patch) * room // size, len(patch) - 1)]
        patch = patch[: patch.rfind("\n") + 1]
    return patch
