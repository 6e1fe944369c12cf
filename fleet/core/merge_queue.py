"""The merge queue: which change is gated, approved by policy, or landed next; a pure function.

Only what sits at the head of the line is landed, and a change is only ever judged on the target as
it is: so a red gate is always its own.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fleet.core import proofs, workers
from fleet.core.approving import by_policy, lacks
from fleet.core.blame import TRIES
from fleet.core.change import BY_POLICY, Change, Gating, Landing, Member, Proposed
from fleet.core.effects import AnyEffect, Land, gate_lane
from fleet.core.going_on import go_on
from fleet.core.ids import Commit, RepoId, TaskId
from fleet.core.line import Line, check_key
from fleet.core.model import Fleet, Repo, Task
from fleet.core.planned import Circumstances, Plan
from fleet.core.policy import RepoPolicy
from fleet.core.pull_phrases import pull_phrase
from fleet.core.stacks import expected
from fleet.core.status import Submitted
from fleet.core.steps import PROOF, Steps, Want
from fleet.core.trains import Place, builds_on
from fleet.core.trust import withheld


def entries(fleet: Fleet, repo: RepoId, target: str) -> list[tuple[Task, Change]]:
    """Return the changes for one target in landing order.

    What lands now comes first; then what is approved, or will be by policy, oldest verdict
    first; then what waits for a person, oldest first; last what a forge is to merge. What builds
    on another of them comes behind that, whenever it was approved.
    """
    waiting = [
        (task, task.change)
        for task in fleet.tasks.values()
        if task.change is not None
        and isinstance(task.status, Submitted)
        and (task.repo, task.target) == (repo, target)
    ]
    return _behind_parents(sorted(waiting, key=_order))


def _behind_parents(line: list[tuple[Task, Change]]) -> list[tuple[Task, Change]]:
    """Return the line with each change behind those in it that it builds on, else as it is."""
    here = {task.id for task, _ in line}
    if not any(here.intersection(task.spec.after) for task, _ in line):
        return line
    placed: dict[TaskId, tuple[Task, Change]] = {}
    waiting: dict[TaskId, tuple[Task, Change]] = {task.id: (task, it) for task, it in line}
    while waiting:
        free = (
            name
            for name, (task, _) in waiting.items()
            if all(it in placed or it not in here for it in task.spec.after)
        )
        name = next(free, next(iter(waiting)))
        placed[name] = waiting.pop(name)
    return list(placed.values())


# How much earlier or later than it did a change counts as having come. So nothing waits for ever
# behind what is more urgent: what is a day older goes first.
_LATER = {"urgent": timedelta(days=-1), "normal": timedelta(), "low": timedelta(hours=4)}


def _order(entry: tuple[Task, Change]) -> tuple[int, datetime, str]:
    task, change = entry
    later = _LATER[task.spec.priority]
    if isinstance(change.state, Landing):
        return (0, change.since, task.id)
    if isinstance(change.state, Proposed):  # out of the line: nobody waits for it
        return (3, change.state.since, task.id)
    if change.approval is not None and change.approval.by != BY_POLICY:
        return (1, change.approval.at + later, task.id)
    if task.spec.land == "auto":  # the policy's verdict stood before the gates did
        return (1, change.since + later, task.id)
    return (2, change.since + later, task.id)


def queues(fleet: Fleet) -> list[tuple[RepoId, str]]:
    """Return every (repository, target) for which a change waits."""
    waiting = (task for task in fleet.tasks.values() if isinstance(task.status, Submitted))
    return sorted({(task.repo, task.target) for task in waiting})


def merge_queues(fleet: Fleet, given: Circumstances, now: datetime) -> Plan:
    """Return what all merge queues need next; gates run on as many worktrees as there are workers.

    What may land comes before the proofs that keep something else from landing by itself, and
    these before what nobody has looked at yet. Among equals, what runs already keeps its worker.
    """
    steps = [plan(fleet, repo, target, given) for repo, target in queues(fleet)]
    facts = tuple(fact for step in steps for fact in step.facts)
    wants = (*(want for step in steps for want in step.wants), *_awaited(fleet, given))
    keep = frozenset(lane for step in steps for lane in step.keep)
    gates = workers.share(fleet, given, wants, keep, now)
    effects: list[AnyEffect] = [effect for step in steps for effect in step.effects]
    effects += [want.gate for want in gates.chosen]
    return Plan(facts=facts, effects=tuple(effects), keep=gates.keep, wake_at=gates.wake_at)


def _awaited(fleet: Fleet, given: Circumstances) -> Iterator[Want]:
    """Yield the proofs without which a change does not land by itself, and might."""
    for prove in proofs.wanted(fleet, given):
        task = fleet.tasks[prove.task]
        policy = given.target(task.repo, task.target)
        if task.change is not None and by_policy(task, task.change, policy):
            yield Want(PROOF, prove)


def plan(fleet: Fleet, repo: RepoId, target: str, given: Circumstances) -> Steps:
    """Return what the merge queue of one target needs next."""
    line, policy = entries(fleet, repo, target), given.target(repo, target)
    tip = fleet.repos[repo].tips.get(target)
    if landing := _landing(line, tip):  # an intent on record is always carried through
        first, *behind = landing
        land = Land(repo, target, first.task, first.revision, tuple(behind))
        mine = gate_lane(repo, target, "")
        keep = frozenset(lane for lane in given.under_way if lane.startswith(mine))
        return Steps(effects=(land,), keep=keep)
    if tip is None or target in fleet.repos[repo].frozen or withheld(fleet, repo, target, policy):
        return Steps()
    place = Place(
        fleet=fleet,
        repo=repo,
        target=target,
        tip=tip,
        line=fleet.repos[repo].lines.get(target, Line()),
        policy=policy,
        workers=given.policy.workers or 1,
        under_way=given.under_way,
    )
    return go_on(place, line)


def _landing(line: list[tuple[Task, Change]], tip: Commit | None) -> list[Member]:
    """Return the changes whose landing is on record, each on the one before it.

    Of what does not follow on the target as it is, the first one is tried by itself.
    """
    intents = {
        change.state.evidence.basis: (Member(task.id, change.revision), change.state.evidence)
        for task, change in line
        if isinstance(change.state, Landing)
    }
    brought = {evidence.commit for _, evidence in intents.values()}
    heads = [basis for basis in intents if basis not in brought]
    at = tip if tip in intents else min(heads, default=None)
    chain: list[Member] = []
    while at in intents:
        member, evidence = intents.pop(at)
        chain.append(member)
        at = evidence.commit
    return chain


def waits_for(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    """Return what the change of `task` waits for, in one phrase; None while it lands."""
    change = task.change
    if change is None or isinstance(change.state, Landing):
        return None
    if (why := stands_still(fleet, task, policy)) is not None:
        return why
    if change.blocked is not None:
        return change.blocked
    if others := builds_on(fleet, task):
        return " and ".join(expected(fleet, task, name) for name in others)
    if isinstance(change.state, Proposed):
        return pull_phrase(task)
    if isinstance(change.state, Gating):
        return "its gates"
    if (lack := lacks(task, change, policy)) is not None:
        return lack
    first, _ = entries(fleet, task.repo, task.target)[0]
    return "its gates" if first.id == task.id else f"{first.id} to land"


def stands_still(fleet: Fleet, task: Task, policy: RepoPolicy) -> str | None:
    """Return why nothing moves in the queue of this task's target until a person acts."""
    repo, target = fleet.repos[task.repo], task.target
    if target in repo.frozen:
        return f"the queue of {target} is frozen: {repo.frozen[target]} (fleet thaw)"
    if target not in repo.tips:
        return f"the branch {target} is gone"
    if (why := withheld(fleet, task.repo, target, policy)) is not None:
        return why
    failed = _red_checks(repo, task, policy)
    if failed:
        return (
            f"{target} itself fails {', '.join(failed)}: nothing is blamed, and nothing lands that "
            "fails it too; what mends it goes first with --priority urgent, and fleet thaw has it "
            "tried again"
        )
    return None


def _red_checks(repo: Repo, task: Task, policy: RepoPolicy) -> list[str]:
    """Return the checks that the target itself failed, at both tries."""
    line, tip = repo.lines.get(task.target, Line()), repo.tips[task.target]
    ran = line.said(
        line.tree_at(tip), [check_key(check, task.environment) for check in policy.checks]
    )
    return [it.result.name for it in ran if it and not it.result.green and it.failures >= TRIES]
