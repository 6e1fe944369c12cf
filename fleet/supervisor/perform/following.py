"""Following the pull requests of one target: what a forge merged has landed once it is proven."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from fleet.core import events as e
from fleet.core.change import Change, Evidence, Proposed
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.model import Fleet, Task
from fleet.core.pulls import Seen
from fleet.errors import FleetError
from fleet.supervisor.perform.moves import Lander, Move, trusted
from fleet.supervisor.perform.pulls import Case, failed, look, news
from fleet.supervisor.perform.tools import Tools
from fleet.tools.git import landing, pushing
from fleet.tools.git.intent import Intent, is_ancestor, is_marked, mark_landed
from fleet.tools.git.merged import fault
from fleet.tools.git.recovery import recover, settle
from fleet.tools.git.repository import Place, branch_tip


@dataclass(frozen=True)
class Round:
    """One look at a target of a remote, and at pull requests that aim at it."""

    tools: Tools
    fleet: Fleet
    repo: RepoId
    target: str
    stop: threading.Event

    @property
    def place(self) -> Place:
        return self.tools.place(self.fleet.repos[self.repo])

    @property
    def remote(self) -> str:
        return self.tools.trusted_policy(self.fleet, self.repo, self.target).remote

    def fetch(self) -> Commit | None:
        tip = pushing.fetch(self.place, self.remote, self.target)
        return Commit(tip) if tip else None


def follow(
    round_: Round, due: Sequence[Task], others: Sequence[Task]
) -> tuple[list[e.AnyEvent], set[TaskId]]:
    """Return what is news, and which tasks the forge could not be asked of.

    The target is fetched, and the forge asked of what is `due`, and of the `others` where that
    moved. What the target got by a pull request is on record before it is seen to have moved, so
    that nobody's change is tried on a target that has it.
    """
    facts: list[e.AnyEvent] = []
    try:
        before = pushing.last_known(round_.place, round_.remote, round_.target)
        tip = round_.fetch()
    except FleetError as error:
        return _told([failed(task, error) for task in due], round_.fleet)
    moved = tip != round_.fleet.repos[round_.repo].tips.get(round_.target)
    for task in (*due, *(others if moved else ())):
        facts += _of(round_, task, tip)
    return _told([*facts, *_tip(round_, facts, before, tip)], round_.fleet)


def _told(facts: list[e.AnyEvent], fleet: Fleet) -> tuple[list[e.AnyEvent], set[TaskId]]:
    """Leave out what failed for the reason that is known already; say of which tasks it failed."""
    unasked = {fact.task for fact in facts if isinstance(fact, e.PullFailed)}
    known = {
        task.id: task.pull_trouble.reason for task in fleet.tasks.values() if task.pull_trouble
    }
    told = [
        fact
        for fact in facts
        if not (isinstance(fact, e.PullFailed) and known.get(fact.task) == fact.reason)
    ]
    return told, unasked


def _of(round_: Round, task: Task, tip: Commit | None) -> list[e.AnyEvent]:
    case = Case(round_.tools, round_.fleet, task, round_.stop)
    try:
        found = look(case)
        change = task.change
        proof = _proof(task, change, found.seen) if change else None
        if change is None or proof is None:
            return news(task, found)
        return [*news(task, found), *_landed(round_, Lander(task, change, proof), found.seen, tip)]
    except FleetError as error:
        return [failed(task, error)]


def _proof(task: Task, change: Change, seen: Seen) -> Evidence | None:
    """Return by what it was proven, where the forge merged it and nobody has judged that yet."""
    state, pull = change.state, task.pull
    holds = pull is not None and pull.revision == change.revision
    merged = seen.state == "merged" and seen.target == task.target
    if not isinstance(state, Proposed) or change.blocked is not None:
        return None
    return state.evidence if merged and holds else None


def _landed(round_: Round, lander: Lander, seen: Seen, tip: Commit | None) -> list[e.AnyEvent]:
    task, change = lander.task, lander.change
    commit = seen.merged_as or tip
    why = f"{task.target} is gone there"
    for at in (tip, round_.fetch()):  # it may have been merged after the target was fetched
        if commit is not None and at is not None:
            sides = {"base": change.base, "sealed": change.sealed, "commit": commit, "tip": at}
            found_fault = fault(round_.place, **sides)
            if found_fault is None:
                proof = replace(lander.evidence, commit=commit)
                return _lands(round_, Lander(task, change, proof))
            why = f"on {task.target}, {found_fault}"
    noun = task.pull.noun if task.pull else "it"
    reason = f"{noun} was merged, but {why}: look at it, then fleet return or fleet withdraw"
    onto = tip or Commit("")
    return [e.ChangeBlocked(task=task.id, revision=change.revision, reason=reason, onto=onto)]


def _lands(round_: Round, lander: Lander) -> list[e.AnyEvent]:
    task, proof = lander.task, lander.evidence
    local = branch_tip(round_.place, round_.target)
    intent = Intent(
        place=round_.place,
        target=round_.target,
        parent=local or proof.basis,
        marks=(lander.mark,),
        journal=round_.tools.home.landing(task.id),
    )
    _bring_along(intent, local)
    landed = e.ChangeLanded(
        task=task.id, revision=lander.change.revision, commit=proof.commit, target=task.target
    )
    return [landed, *trusted(Move(round_.tools, round_.fleet, (lander,)), lander, intent)]


def _bring_along(intent: Intent, local: str | None) -> None:
    """Move the user's own target to what landed, where nothing of theirs is in the way."""
    if intent.journal.exists():  # a crash broke it off
        recover(intent)
        settle(intent)
    if local is not None and is_ancestor(intent.place, local, intent.commit):
        landing.land(intent)
        settle(intent)
    if not is_marked(intent, intent.marks[0]):
        mark_landed(intent, intent.marks)


def _tip(
    round_: Round, facts: Sequence[e.AnyEvent], before: str | None, tip: Commit | None
) -> list[e.AnyEvent]:
    """Tell where the target stands, and stop its line where its history was rewritten."""
    repo, target = round_.fleet.repos[round_.repo], round_.target
    kept = pushing.last_known(round_.place, round_.remote, target)
    tip = Commit(kept) if kept and tip else tip  # a landing may have fetched once more
    landed = any(isinstance(fact, e.ChangeLanded) for fact in facts)
    if tip == repo.tips.get(target) and not landed:
        return []
    seen = e.TargetSeen(repo=repo.id, target=target, tip=tip)
    rewound = before is not None and tip is not None and not is_ancestor(round_.place, before, tip)
    if not rewound or target in repo.frozen:
        return [seen]
    why = f"{target} was taken back on {round_.remote}"
    return [e.QueueFrozen(repo=repo.id, target=target, reason=why), seen]
