"""One move of a target, what lands with it, and the facts by which it is told what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fleet.core import events as e
from fleet.core.change import BY_POLICY, Change, Evidence, Landing, Member
from fleet.core.effects import Land
from fleet.core.ids import Commit
from fleet.core.model import Fleet, Task
from fleet.errors import ConfigError
from fleet.supervisor.perform.tools import Tools
from fleet.supervisor.policies import FILE
from fleet.tools.git.changes import touched
from fleet.tools.git.contents import read_file
from fleet.tools.git.intent import Blocked, Intent, Landed, Mark, is_ancestor, landed


@dataclass(frozen=True)
class Lander:
    """A change that lands, by the evidence that was found for the commit that holds it."""

    task: Task
    change: Change
    evidence: Evidence

    @property
    def mark(self) -> Mark:
        return Mark(self.task.id, self.change.revision, self.evidence.commit)


@dataclass(frozen=True)
class Move:
    """The changes that land in one move of their target, in landing order."""

    tools: Tools
    fleet: Fleet
    landers: tuple[Lander, ...]

    @property
    def first(self) -> Lander:
        return self.landers[0]

    @property
    def task(self) -> Task:
        return self.first.task

    @property
    def parent(self) -> Commit:
        return self.first.evidence.basis


def recorded(tools: Tools, effect: Land, fleet: Fleet) -> Move:
    """Return the move that `effect` asks for, as the intents of its changes are on record."""
    members = (Member(effect.task, effect.revision), *effect.behind)
    landers = tuple(_lander(fleet, member) for member in members)
    for before, after in pairwise(landers):
        if after.evidence.basis != before.evidence.commit:
            raise RuntimeError(f"{after.task.id} was not built on what lands before it")
    return Move(tools, fleet, landers)


def _lander(fleet: Fleet, member: Member) -> Lander:
    task = fleet.tasks[member.task]
    change = task.change
    if change is None or not isinstance(change.state, Landing):
        raise RuntimeError(f"{task.id} was to be landed without an intent on record")
    return Lander(task, change, change.state.evidence)


def intent(move: Move) -> Intent:
    """Return what git is asked to carry through."""
    return Intent(
        place=move.tools.place(move.fleet.repos[move.task.repo]),
        target=move.task.target,
        parent=move.parent,
        marks=tuple(lander.mark for lander in move.landers),
        journal=move.tools.home.landing(move.task.id),
    )


def all_landed(move: Move, intent: Intent, outcome: Landed, *, tip: str | None) -> list[e.AnyEvent]:
    """Tell that the target, which stands at `tip`, has them all, and what follows from that."""
    task = move.task
    facts: list[e.AnyEvent] = [_landed(lander) for lander in move.landers]
    if tip is not None and tip != intent.commit:  # somebody was faster to build on it
        facts.append(e.TargetSeen(repo=task.repo, target=task.target, tip=Commit(tip)))
    for lander in move.landers:
        facts.extend(trusted(move, lander, intent))
    if outcome.revived is not None:
        why = f"{outcome.revived[:12]} was taken back by hand and has landed again"
        facts.append(e.QueueFrozen(repo=task.repo, target=task.target, reason=why))
    return facts


def moved(move: Move, intent: Intent, tip: str | None) -> list[e.AnyEvent]:
    """Tell that the target stands at `tip`, which may hold the first of the changes already."""
    task, found = move.task, Commit(tip) if tip else None
    there = landed(intent)
    facts: list[e.AnyEvent] = [
        _landed(lander)
        if lander.mark in there or (tip and is_ancestor(intent.place, lander.mark.commit, tip))
        else _missed(lander, found or Commit(""))
        for lander in move.landers
    ]
    return [e.TargetSeen(repo=task.repo, target=task.target, tip=found), *facts]


def rewound(move: Move, intent: Intent, tip: str | None) -> list[e.AnyEvent]:
    """Tell that the target lost what it had: only a person may say what is to become of it."""
    task = move.task
    why = f"{task.target} was taken back: it no longer has a commit that it had before"
    frozen = e.QueueFrozen(repo=task.repo, target=task.target, reason=why)
    return [frozen, *moved(move, intent, tip)]


def all_blocked(move: Move, reason: str) -> list[e.AnyEvent]:
    """Tell that all of them must wait, for the same reason."""
    return [_blocked(lander, move.parent, reason) for lander in move.landers]


def blocked(move: Move, intent: Intent, found: Blocked) -> list[e.AnyEvent]:
    """Tell whose files are in the way; the other changes are to land without those that wait."""
    own = [files_of(intent, lander.evidence, found) for lander in move.landers]
    if not any(own):
        return all_blocked(move, named(found, found.files))
    return [
        _blocked(lander, move.parent, named(found, files))
        if files
        else _missed(lander, move.parent)
        for lander, files in zip(move.landers, own, strict=True)
    ]


def files_of(intent: Intent, evidence: Evidence, found: Blocked) -> tuple[str, ...]:
    """Return the files in the way that one change touches; git also names directories."""
    if not found.files:
        return ()
    own = touched(intent.place, evidence.basis, evidence.commit)
    return tuple(file for file in found.files if any(_is_at(path, file) for path in own))


def _is_at(path: str, file: str) -> bool:
    return path == file or path.startswith(f"{file}/") or file.startswith(f"{path}/")


def named(found: Blocked, files: Sequence[str]) -> str:
    """Return the reason in one phrase, with some of the files that it concerns."""
    return f"{found.reason}: {', '.join(files[:5])}" if files else found.reason


def trusted(move: Move, lander: Lander, intent: Intent) -> list[e.AnyEvent]:
    """A version of fleet.yaml that a person's approval landed is trusted thereby."""
    change, commit = lander.change, lander.evidence.commit
    if FILE not in change.files or not change.approval or change.approval.by == BY_POLICY:
        return []
    if read_file(intent.place, commit, FILE) is None:
        return []
    try:
        policy = move.tools.policies.read(intent.place, commit)
    except ConfigError:
        return []  # what is not understood is never in force, so there is nothing to trust
    return [e.PolicyTrusted(repo=lander.task.repo, digest=policy.digest)]


def _landed(lander: Lander) -> e.ChangeLanded:
    return e.ChangeLanded(
        task=lander.task.id,
        revision=lander.change.revision,
        commit=lander.evidence.commit,
        target=lander.task.target,
    )


def _missed(lander: Lander, tip: Commit) -> e.LandingMissed:
    return e.LandingMissed(task=lander.task.id, revision=lander.change.revision, tip=tip)


def _blocked(lander: Lander, onto: Commit, reason: str) -> e.ChangeBlocked:
    return e.ChangeBlocked(
        task=lander.task.id, revision=lander.change.revision, reason=reason, onto=onto
    )
