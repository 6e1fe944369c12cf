"""What git has to say of approvals: whether a new revision is what was approved, and what moved."""

import threading
from collections.abc import Iterator

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.approving import requirement
from fleet.core.carrying import NO_CHANGE, Revision, carried
from fleet.core.change import BY_POLICY, Approval, Change
from fleet.core.effects import LookAgain
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.core.voiding import moved_inside, void
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git.changes import digest, messages, touched
from fleet.tools.git.merging import Merged, merge_trees, tree_of
from fleet.tools.git.repository import Place

OTHER_CONTENT = "its new revision has other content than what was approved"


def carry(
    tools: Tools, task: Task, place: Place, sealed: e.Sealed | e.SealUnchanged
) -> list[e.AnyEvent]:
    """Return what becomes of the approvals of the revision before: all hold, or none does.

    Raises:
        FleetError: git could not tell.
    """
    before = task.change
    given = tuple(_given(before)) if before is not None else ()
    if before is None or not given:
        return []
    if isinstance(sealed, e.SealUnchanged):
        # Where they still stand, nothing has happened to them.
        again = before.approval is None
        return [_again(task, before, it, NO_CHANGE, it.diff) for it in given if again]
    now = _change(sealed, before)
    why = _carried(tools, task, place, before, now)
    if why is None:
        return [void(task, now, OTHER_CONTENT)]
    diff = digest(place, now.base, now.sealed)
    return [_again(task, now, it, why, diff) for it in given]


def _given(change: Change) -> Iterator[Approval]:
    for approval in change.approvals or change.lapsed:
        if approval.by != BY_POLICY and approval.sealed == change.sealed:
            yield approval


def _change(sealed: e.Sealed, before: Change) -> Change:
    """The change as it will be once this is recorded."""
    return Change(
        revision=sealed.revision,
        sealed=sealed.sealed,
        head=sealed.head,
        base=sealed.base,
        added=sealed.added,
        removed=sealed.removed,
        files=sealed.files,
        since=before.since,
    )


def _carried(tools: Tools, task: Task, place: Place, before: Change, now: Change) -> str | None:
    strict = requirement(task, now, tools.target_policy(task.repo, task.target)).strict
    replayed = None
    if before.base != now.base:
        merged = merge_trees(place, into=now.base, change=before.sealed)
        replayed = merged.tree if isinstance(merged, Merged) else None
    return carried(
        _revision(place, before), _revision(place, now), replayed=replayed, strict=strict
    )


def _revision(place: Place, change: Change) -> Revision:
    said = messages(place, change.base, change.sealed)
    return Revision(base=change.base, tree=tree_of(place, change.sealed), words=said)


def _again(task: Task, change: Change, approval: Approval, why: str, diff: str) -> e.Approved:
    now = replace(approval, sealed=change.sealed, base=change.base, diff=diff, carried=why)
    kept = {name: getattr(now, name) for name in _KEPT}
    return e.Approved(task=task.id, revision=change.revision, **kept)


_KEPT = tuple({*Approval.__struct_fields__} & {*e.Approved.__struct_fields__})


def look_again(
    tools: Tools, effect: LookAgain, fleet: Fleet, stop: threading.Event
) -> list[e.AnyEvent]:
    """See whether the target moved inside the files that strict approvals are about."""
    task = fleet.tasks[effect.task]
    change = task.change
    if change is None:
        raise RuntimeError(f"{task.id} has no change, and its approvals were to be looked at")
    try:
        place = tools.place(fleet.repos[task.repo])
        moved = frozenset(
            path for it in change.approvals for path in _moved(place, it, effect.onto)
        )
        why = moved_inside(change, moved, task.target)
    except FleetError as error:
        why = f"it cannot be told what moved since it was approved: {error.message}"
    if why is not None:
        return [void(task, change, why)]
    return [e.ApprovalHeld(task=task.id, revision=change.revision, onto=effect.onto)]


def _moved(place: Place, approval: Approval, onto: Commit) -> frozenset[str]:
    return touched(place, approval.onto or onto, onto)
