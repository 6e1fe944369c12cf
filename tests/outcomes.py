"""What effects may come to, as the events that the real world would report: good and bad ends."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import histories as h
from msgspec.structs import replace

from fleet.core import effects as f
from fleet.core import events as e
from fleet.core.assessment import Assessment
from fleet.core.causes import CheckResult, Conflict, NoChange, Unsealable
from fleet.core.change import Change, Evidence, Landing, Member
from fleet.core.gating import gates_of
from fleet.core.ids import Commit, TaskId
from fleet.core.line import Car, Clash, Train, check_key
from fleet.core.model import Fleet, Task
from fleet.core.planned import Circumstances
from fleet.core.proof import Proof, State
from fleet.core.proofs import rules
from fleet.core.pulls import Seen

Events = list[e.AnyEvent]
MEASURED = Assessment(lines=4)
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
        case f.OnPull():
            return [_pulled(effect)]
        case f.FreeWorkspace() | f.RestoreWorkspace() | f.Forget():
            return [_kept(effect)]
        case f.Notify():
            return [told(effect)]
        case f.MakeSlot() | f.RecycleSlot() | f.DropSlot():
            kind = e.SlotDropped if isinstance(effect, f.DropSlot) else e.SlotReady
            return [kind(repo=effect.repo, slot=effect.slot)]
        case _:
            return _judged(effect, fleet, given)


def _kept(effect: f.FreeWorkspace | f.RestoreWorkspace | f.Forget) -> e.AnyEvent:
    match effect:
        case f.FreeWorkspace(task=task):
            return e.WorkspaceFreed(task=task, ref=f"refs/fleet/trash/{task}")
        case f.RestoreWorkspace(task=task):
            return e.WorkspaceRestored(task=task)
        case f.Forget(task=task):
            return e.LeftoversDeleted(task=task)


def _pulled(effect: f.Propose | f.MergePull | f.ClosePull) -> e.AnyEvent:
    match effect:
        case f.Propose(task=task, revision=revision, commit=commit):
            return e.PullOpened(
                task=task,
                revision=revision,
                forge="gh",
                number=7,
                url="https://github.com/o/r/pull/7",
                remote="origin",
                branch=f"fleet/{task}",
                head=commit,
            )
        case f.MergePull(task=task, number=number, head=head):
            return e.PullMergeAsked(task=task, number=number, head=head)
        case f.ClosePull(task=task, number=number):
            seen = Seen(state="closed", head=Commit("c" * 40), target="main")
            return e.PullSeen(task=task, number=number, seen=seen)


def told(effect: f.Notify) -> e.NeedTold:
    return e.NeedTold(task=effect.task, need=effect.need, since=effect.since, by=("bell",))


def _told(effect: f.Tell | f.PassAnswer, outcome: str, **more: Any) -> e.AnyEvent:
    if isinstance(effect, f.Tell):
        return e.MessageSettled(task=effect.task, message=effect.message, outcome=outcome)
    named: dict[str, Any] = {"attempt": effect.attempt, "ask": effect.ask, "outcome": outcome}
    return e.AnswerSettled(task=effect.task, **named, **more)


def _judged(  # noqa: C901, PLR0912 (a case for each effect)
    effect: f.Seal
    | f.RunChecks
    | f.LookAgain
    | f.Reconsider
    | f.Assess
    | f.Merge
    | f.Gate
    | f.Remerge
    | f.Land
    | f.Prove,
    fleet: Fleet,
    given: Circumstances,
) -> Events:
    task, number = effect.task, effect.revision
    match effect:
        case f.Seal():
            return [sealed(fleet.tasks[task], number)]
        case f.RunChecks():
            return [e.ChecksPassed(task=task, revision=number, results=(h.GREEN,))]
        case f.LookAgain(onto=onto):
            return [e.ApprovalHeld(task=task, revision=number, onto=onto)]
        case f.Reconsider():
            return [reconsidered(fleet.tasks[task])]
        case f.Assess():
            return [e.ChangeAssessed(task=task, revision=number, assessment=MEASURED)]
        case f.Merge():
            return [merged(effect)]
        case f.Gate():
            return [checked(effect, fleet, given)]
        case f.Remerge(onto=onto):
            return [e.StillMerges(task=task, revision=number, onto=onto)]
        case f.Prove():
            return [proved(effect, fleet.tasks[task], given)]
        case f.Land():
            return _land(effect, fleet)


def reconsidered(task: Task) -> e.ApprovalVoided:
    change = _change(task)
    return e.ApprovalVoided(
        task=task.id, revision=change.revision, reason=change.voided or "another stack"
    )


def proved(
    effect: f.Prove, task: Task, given: Circumstances, state: State = "proven"
) -> e.ChangeProved:
    digest = rules(task.spec, given.target(task.repo, task.target))
    proof = Proof(effect.kind, state, effect.onto, digest)
    return e.ChangeProved(task=task.id, revision=effect.revision, proof=proof)


def sealed(task: Task, revision: int) -> e.Sealed:
    return h.sealed(task.id, revision, base=task.base, files=("x.py", "tests/test_x.py"))


def merged(effect: f.Merge) -> e.TrainMerged:
    """Every car merges: the same cars give the same commits and trees, whoever approved them."""
    commits: list[Commit] = []
    trees: list[str] = []
    tree = tree_of(effect.onto)
    for car in effect.cars:
        onto = commits[-1] if commits else effect.onto
        commits.append(h.commit(f"{car.sealed} by {car.by} onto {onto}"))
        tree = h.commit(f"{tree} with {car.sealed}")
        trees.append(tree)
        TREES[commits[-1]] = tree
    train = Train(
        onto=effect.onto,
        method=effect.method,
        cars=effect.cars,
        commits=tuple(commits),
        trees=tuple(trees),
        onto_tree=tree_of(effect.onto),
    )
    return e.TrainMerged(repo=effect.repo, target=effect.target, train=train)


def gate_of(*names: TaskId, by: str = "", onto: Commit = h.BASE) -> f.Gate:
    """Return the gate of first revisions that were merged one behind the other."""
    cars = tuple(Car(name, 1, h.commit(f"{name}-1"), by) for name in names)
    where = (h.REPO, "main", names[-1], 1)
    train = merged(f.Merge(*where, onto, "merge", cars)).train
    return f.Gate(*where, train.commits[-1], train.trees[-1], cars)


TREES: dict[str, str] = {}  # of commits that were made here


def tree_of(commit: str) -> str:
    return TREES.get(commit) or h.commit(f"tree of {commit}")


def checked(
    effect: f.Gate, fleet: Fleet, given: Circumstances, *, red: Collection[str] = ()
) -> e.TreeChecked:
    """All gates of a tree are green, but for those whose command is in `red`."""
    checks = gates_of(
        [fleet.tasks[car.task].spec for car in effect.cars], given.target(effect.repo, "main")
    )
    environment = fleet.tasks[(effect.cars[-1] if effect.cars else effect).task].environment
    results: dict[str, CheckResult] = {}
    for check in checks:
        verdict = h.RED if check.run in red else h.GREEN
        results[check_key(check, environment)] = replace(verdict, name=check.name)
    return e.TreeChecked(repo=effect.repo, target=effect.target, tree=effect.tree, results=results)


def _land(effect: f.Land, fleet: Fleet) -> Events:
    """Compare and swap: they land on what they were gated on, or not at all."""
    members = (Member(effect.task, effect.revision), *effect.behind)
    proofs = [_intent(fleet.tasks[member.task]) for member in members]
    tip = fleet.repos[effect.repo].tips.get(effect.target)
    if tip not in {proofs[0].basis, proofs[-1].commit}:
        return [
            e.LandingMissed(task=it.task, revision=it.revision, tip=tip or h.BASE) for it in members
        ]
    return [
        e.ChangeLanded(
            task=it.task, revision=it.revision, commit=proof.commit, target=effect.target
        )
        for it, proof in zip(members, proofs, strict=True)
    ]


def _intent(task: Task) -> Evidence:
    change = _change(task)
    assert isinstance(change.state, Landing)
    return change.state.evidence


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


def _measures(effect: f.Assess, fleet: Fleet) -> list[Events]:
    unknown = Assessment(unknown=("the whole change: it took too long",))
    return [[e.ChangeAssessed(task=effect.task, revision=effect.revision, assessment=unknown)]]


def _gates(effect: f.Gate, fleet: Fleet) -> list[Events]:
    task, number = effect.task, effect.revision
    onto = fleet.repos[effect.repo].tips.get(effect.target, h.BASE)
    red = checked(effect, fleet, h.GIVEN, red=(h.CHECK.run,))
    ways: list[Events] = [
        [e.ChangeBlocked(task=task, revision=number, reason="the disk is full", onto=onto)],
        [e.TargetSeen(repo=effect.repo, target=effect.target, tip=h.commit(f"after {onto}"))],
    ]
    return [[red], *ways] if red.results else ways


def _merges(effect: f.Merge, fleet: Fleet) -> list[Events]:
    conflict = Conflict(("x.py",), effect.onto)
    first = Clash(effect.onto, effect.method, effect.cars[:1], conflict)
    last = Clash(effect.onto, effect.method, effect.cars, conflict)
    where: dict[str, Any] = {"repo": effect.repo, "target": effect.target}
    blocked = e.ChangeBlocked(
        task=effect.task, revision=effect.revision, reason="the disk is full", onto=effect.onto
    )
    before = [merged(replace(effect, cars=effect.cars[:-1]))] if len(effect.cars) > 1 else []
    return [
        [*before, e.TrainClashed(clash=last, **where)],
        [e.TrainClashed(clash=first, **where)],
        [*before, blocked],
    ]


def _looks(effect: f.LookAgain, fleet: Fleet) -> list[Events]:
    why = "main moved in x.py since it was approved"
    return [[e.ApprovalVoided(task=effect.task, revision=effect.revision, reason=why)]]


def _remerges(effect: f.Remerge, fleet: Fleet) -> list[Events]:
    conflict = Conflict(("x.py",), effect.onto)
    return [[e.ConflictFound(task=effect.task, revision=effect.revision, cause=conflict)]]


def _lands(effect: f.Land, fleet: Fleet) -> list[Events]:
    members = (Member(effect.task, effect.revision), *effect.behind)
    tip = fleet.repos[effect.repo].tips.get(effect.target, h.BASE)
    moved = h.commit(f"after {tip}")
    seen = e.TargetSeen(repo=effect.repo, target=effect.target, tip=moved)
    why = "main has local edits"
    missed: Events = [
        e.LandingMissed(task=it.task, revision=it.revision, tip=moved) for it in members
    ]
    blocked: Events = [
        e.ChangeBlocked(task=it.task, revision=it.revision, reason=why, onto=tip) for it in members
    ]
    return [[*missed, seen], blocked]


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


def _forgets(effect: f.Forget, fleet: Fleet) -> list[Events]:
    return [[e.ForgettingFailed(task=effect.task, reason="disk full")]]


def _restores(effect: f.RestoreWorkspace, fleet: Fleet) -> list[Events]:
    return [[e.RestoreFailed(task=effect.task, reason="disk full")]]


def _proofs(effect: f.Prove, fleet: Fleet) -> list[Events]:
    task = fleet.tasks[effect.task]
    states: tuple[State, ...] = ("refuted", "unbuildable", "nothing-to-prove")
    return [[proved(effect, task, h.GIVEN, state)] for state in states]


_BAD: dict[type[f.Effect], Callable[..., list[Events]]] = {
    f.StartRun: _starts,
    f.Seal: _seals,
    f.RunChecks: _checks,
    f.LookAgain: _looks,
    f.Assess: _measures,
    f.Merge: _merges,
    f.Gate: _gates,
    f.Remerge: _remerges,
    f.Land: _lands,
    f.Prove: _proofs,
    f.Tell: _tells,
    f.PassAnswer: _answers,
    f.MakeSlot: _slots,
    f.RecycleSlot: _slots,
    f.FreeWorkspace: _frees,
    f.Forget: _forgets,
    f.EndRun: _ends,
    f.RestoreWorkspace: _restores,
}
