"""What git has to say of approvals: whether a new revision is what was approved, and what moved."""

import threading
from collections.abc import Iterator

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.approving import requirement
from fleet.core.carrying import NO_CHANGE, RESTACKED, Revision, carried
from fleet.core.change import BY_POLICY, Approval, Change, Member
from fleet.core.effects import LookAgain, Reconsider
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.core.stacks import lower, own_base
from fleet.core.status import Landed
from fleet.core.voiding import moved_inside, void
from fleet.errors import FleetError
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git.changes import digest, messages, touched
from fleet.tools.git.merging import Conflicted, Merged, merge_trees, tree_of
from fleet.tools.git.repository import Place
from fleet.tools.git.stand_ins import stand_in

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
        return [_again(task, before, it, NO_CHANGE, it.diff, it.parents) for it in given if again]
    now = _change(sealed, before)
    why = _carried(tools, task, place, before, now)
    if why is None:
        return [void(task, now, OTHER_CONTENT)]
    diff = digest(place, now.base, now.sealed)
    return [_again(task, now, it, why, diff, sealed.below) for it in given]


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
        merged = merge_trees(place, into=now.base, change=before.sealed, base=own_base(before))
        replayed = merged.tree if isinstance(merged, Merged) else None
    return carried(
        _revision(place, before), _revision(place, now), replayed=replayed, strict=strict
    )


def _revision(place: Place, change: Change) -> Revision:
    said = messages(place, change.base, change.sealed)
    return Revision(base=change.base, tree=tree_of(place, change.sealed), words=said)


def _again(  # noqa: PLR0917 (all that an approval says anew)
    task: Task,
    change: Change,
    approval: Approval,
    why: str,
    diff: str,
    parents: tuple[Member, ...],
) -> e.Approved:
    now = replace(
        approval,
        sealed=change.sealed,
        base=change.base,
        diff=diff,
        carried=why,
        parents=parents,
    )
    kept = {name: getattr(now, name) for name in _KEPT}
    return e.Approved(task=task.id, revision=change.revision, **kept)


_KEPT = tuple({*Approval.__struct_fields__} & {*e.Approved.__struct_fields__})


def reconsider(
    tools: Tools, effect: Reconsider, fleet: Fleet, stop: threading.Event
) -> list[e.AnyEvent]:
    """See whether approvals hold upon what is now below the change: all do, or none does."""
    task = fleet.tasks[effect.task]
    change = task.change
    if change is None:
        raise RuntimeError(f"{task.id} has no change, and its approvals were to be looked at")
    given = tuple(_given(change))
    try:
        place = tools.place(fleet.repos[task.repo])
        strict = requirement(task, change, tools.target_policy(task.repo, task.target)).strict
        if given and not strict and _is_the_same_there(place, fleet, task, change):
            return [_again(task, change, it, RESTACKED, it.diff, change.below) for it in given]
    except FleetError as error:
        why = f"it cannot be told whether it is the same on its stack: {error.message}"
        return [void(task, change, why)]
    return [void(task, change, change.voided or OTHER_CONTENT)]


def _is_the_same_there(place: Place, fleet: Fleet, task: Task, change: Change) -> bool:
    """Whether the change is to a byte the same upon what is below it, which are the same tasks."""
    below = {it.task for it in change.below}
    if any({it.task for it in approval.parents} != below for approval in _given(change)):
        return False
    parent = next(lower(fleet, task), None)
    onto = _standing(place, fleet, parent) if parent is not None else None
    if onto is None:
        return False
    merged = merge_trees(place, into=onto, change=change.sealed, base=change.base)
    if isinstance(merged, Conflicted):
        return False
    return digest(place, onto, merged.tree) == digest(place, change.base, change.sealed)


def _standing(place: Place, fleet: Fleet, task: Task) -> str | None:
    """Return a commit of a change as it would be upon all that is below it; None in a conflict."""
    change, parent = task.change, next(lower(fleet, task), None)
    if change is None:
        return None
    if parent is None or change.upon is None or isinstance(parent.status, Landed):
        return change.sealed
    onto = _standing(place, fleet, parent)
    if onto is None or onto == change.base:
        return None if onto is None else change.sealed
    merged = merge_trees(place, into=onto, change=change.sealed, base=change.base)
    return None if isinstance(merged, Conflicted) else stand_in(place, merged.tree, [onto])


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
