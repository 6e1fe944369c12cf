"""What effects may come to, as the events that the real world would report: good and bad ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import histories as h

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.causes import Conflict, GateRed, NoChange, Unsealable
from fleet.core.change import Change, Evidence, Landing
from fleet.core.gating import gates
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances

Events = list[e.AnyEvent]
LATER = h.NOON + timedelta(minutes=5)


def good(effect: f.AnyEffect, fleet: Fleet, given: Circumstances) -> Events:
    """What the effect comes to when nothing goes wrong; the same state gives the same events."""
    match effect:
        case f.StartRun(task=task, attempt=attempt):
            return [e.RunStarted(task=task, attempt=attempt, pane="%1", pid=1, pid_start=1)]
        case f.EndRun(task=task, attempt=attempt):
            return [e.RunEnded(task=task, attempt=attempt)]
        case f.Tell() | f.PassAnswer():
            return [_told(effect, "delivered")]
        case f.FreeWorkspace(task=task):
            return [e.WorkspaceFreed(task=task, ref=f"refs/fleet/trash/{task}")]
        case f.RestoreWorkspace(task=task):
            return [e.WorkspaceRestored(task=task)]
        case f.Notify():
            return [told(effect)]
        case f.MakeSlot() | f.RecycleSlot() | f.DropSlot():
            kind = e.SlotDropped if isinstance(effect, f.DropSlot) else e.SlotReady
            return [kind(repo=effect.repo, slot=effect.slot)]
        case _:
            return [_judged(effect, fleet, given)]


def told(effect: f.Notify) -> e.NeedTold:
    return e.NeedTold(task=effect.task, need=effect.need, since=effect.since, by=("bell",))


def _told(effect: f.Tell | f.PassAnswer, outcome: str, **more: Any) -> e.AnyEvent:
    if isinstance(effect, f.Tell):
        return e.MessageSettled(task=effect.task, message=effect.message, outcome=outcome)
    named: dict[str, Any] = {"attempt": effect.attempt, "ask": effect.ask, "outcome": outcome}
    return e.AnswerSettled(task=effect.task, **named, **more)


def _judged(
    effect: f.Seal | f.RunChecks | f.Gate | f.Remerge | f.Land, fleet: Fleet, given: Circumstances
) -> e.AnyEvent:
    task = fleet.tasks[effect.task]
    number = effect.revision
    match effect:
        case f.Seal():
            return sealed(task, number)
        case f.RunChecks():
            return e.ChecksPassed(task=task.id, revision=number, results=(h.GREEN,))
        case f.Gate(onto=onto):
            return e.GatePassed(
                task=task.id, revision=number, evidence=evidence(task, given, onto=onto)
            )
        case f.Remerge(onto=onto):
            return e.StillMerges(task=task.id, revision=number, onto=onto)
        case f.Land():
            return _land(fleet, task)


def sealed(task: Task, revision: int) -> e.Sealed:
    return h.sealed(task.id, revision, base=task.base)


def evidence(task: Task, given: Circumstances, *, onto: Commit) -> Evidence:
    change, checks = _change(task), gates(task.spec, given.repo(task.repo))
    results = tuple(h.GREEN for _ in checks)
    return h.evidence(task.id, change.revision, onto=onto, results=results, checks=checks)


def _land(fleet: Fleet, task: Task) -> e.AnyEvent:
    """Compare and swap: it lands on what it was gated on, or not at all."""
    change, tip = _change(task), fleet.repos[task.repo].tips.get(task.target)
    assert isinstance(change.state, Landing)
    intent = change.state.evidence
    if tip not in {intent.basis, intent.commit}:
        return e.LandingMissed(task=task.id, revision=change.revision, tip=tip or h.BASE)
    return e.ChangeLanded(
        task=task.id, revision=change.revision, commit=intent.commit, target=task.target
    )


def _change(task: Task) -> Change:
    assert task.change is not None
    return task.change


def bad(effect: f.AnyEffect, fleet: Fleet) -> list[Events]:
    """The ways in which the effect is known to go wrong."""
    ways = _BAD.get(type(effect))
    return ways(effect, fleet) if ways else []


def _starts(effect: f.StartRun, fleet: Fleet) -> list[Events]:
    def failed(reason: str, *, fatal: bool) -> Events:
        return [
            e.StartFailed(
                task=effect.task,
                attempt=effect.attempt,
                reason=reason,
                fatal=fatal,
                not_before=None if fatal else fleet.tasks[effect.task].updated_at + h.minutes(1),
            )
        ]

    return [failed("no such program", fatal=True), failed("no pane", fatal=False)]


def _seals(effect: f.Seal, fleet: Fleet) -> list[Events]:
    change = fleet.tasks[effect.task].change
    unchanged = change.revision if change is not None else 0
    return [
        [e.SealFailed(task=effect.task, cause=NoChange())],
        [e.SealFailed(task=effect.task, cause=Unsealable("a merge is half done"))],
        [e.SealUnchanged(task=effect.task, revision=unchanged)],
    ]


def _checks(effect: f.RunChecks, fleet: Fleet) -> list[Events]:
    return [[e.ChecksFailed(task=effect.task, revision=effect.revision, results=(h.RED,))]]


def _gates(effect: f.Gate, fleet: Fleet) -> list[Events]:
    task, number, onto = effect.task, effect.revision, effect.onto
    moved = h.commit(f"after {onto}")
    return [
        [e.GateRejected(task=task, revision=number, cause=GateRed((h.RED,), onto))],
        [e.ConflictFound(task=task, revision=number, cause=Conflict(("x.py",), onto))],
        [e.ChangeBlocked(task=task, revision=number, reason="the disk is full", onto=onto)],
        [e.TargetSeen(repo=effect.repo, target=effect.target, tip=moved)],
    ]


def _remerges(effect: f.Remerge, fleet: Fleet) -> list[Events]:
    conflict = Conflict(("x.py",), effect.onto)
    return [[e.ConflictFound(task=effect.task, revision=effect.revision, cause=conflict)]]


def _lands(effect: f.Land, fleet: Fleet) -> list[Events]:
    task, number = effect.task, effect.revision
    tip = fleet.repos[effect.repo].tips.get(effect.target, h.BASE)
    moved = h.commit(f"after {tip}")
    seen = e.TargetSeen(repo=effect.repo, target=effect.target, tip=moved)
    return [
        [e.LandingMissed(task=task, revision=number, tip=moved), seen],
        [e.ChangeBlocked(task=task, revision=number, reason="main has local edits", onto=tip)],
    ]


def _tells(effect: f.Tell, fleet: Fleet) -> list[Events]:
    task, message = effect.task, effect.message
    held = e.MessageHeld(task=task, message=message, reason="someone types", not_before=LATER)
    outcomes = ("unconfirmed", "refused")
    settled: list[Events] = [
        [e.MessageSettled(task=task, message=message, outcome=it)] for it in outcomes
    ]
    return [[held], *settled]


def _answers(effect: f.PassAnswer, fleet: Fleet) -> list[Events]:
    return [[_told(effect, "refused")], [_told(effect, "refused", over=True)]]


def _slots(effect: f.MakeSlot | f.RecycleSlot, fleet: Fleet) -> list[Events]:
    broken = e.SlotBroken(repo=effect.repo, slot=effect.slot, reason="full", not_before=LATER)
    return [[broken]]


def _ends(effect: f.EndRun, fleet: Fleet) -> list[Events]:
    why = "cannot end process 7"
    task, attempt = effect.task, effect.attempt
    return [[e.RunNotEnded(task=task, attempt=attempt, reason=why, not_before=LATER)]]


def _frees(effect: f.FreeWorkspace, fleet: Fleet) -> list[Events]:
    return [[e.FreeingFailed(task=effect.task, reason="disk full", not_before=LATER)]]


def _restores(effect: f.RestoreWorkspace, fleet: Fleet) -> list[Events]:
    return [[e.RestoreFailed(task=effect.task, reason="disk full")]]


_BAD: dict[type[f.Effect], Callable[..., list[Events]]] = {
    f.StartRun: _starts,
    f.Seal: _seals,
    f.RunChecks: _checks,
    f.Gate: _gates,
    f.Remerge: _remerges,
    f.Land: _lands,
    f.Tell: _tells,
    f.PassAnswer: _answers,
    f.MakeSlot: _slots,
    f.RecycleSlot: _slots,
    f.FreeWorkspace: _frees,
    f.EndRun: _ends,
    f.RestoreWorkspace: _restores,
}
